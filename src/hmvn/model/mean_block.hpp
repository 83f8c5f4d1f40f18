// The group means, integrated out exactly: their joint law given every group's covariance matrix.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Given Sigma_g the data say estimate_g ~ Normal(mu_g, spread_g); by (S1) and (S4)
//   mu_g = m + T u_0 + D^(1/2) e_g,   T = s sqrt(1 - h^2),   D = s^2 h^2   (one of each a feature).
// No pooling is T = 0, complete pooling D = 0. Everything is measured from the prior location m.
// The inverses are of C_g = spread_g + D, never of D, so that h may reach 0; quadratic forms are
// taken at their minimum, so that nothing cancels when groups lie far from m.

// C_g^-1, zero where a feature was never observed in g, and log |C_g|.
template <class T, int K>
struct EstimatePrecision {
  Eigen::Matrix<T, K, K> inverse;
  T log_determinant;
};

// `work` is scratch space; false if C cannot be inverted.
template <class T, int K>
bool invert_group(const GroupStatistics& group, const GroupLikelihood<T, K>& like,
                  const Eigen::Matrix<T, K, 1>& group_variance, Eigen::Matrix<T, K, K>& work,
                  Eigen::Matrix<T, K, K>& work2, EstimatePrecision<T, K>& out) {
  work = like.spread;
  for (Eigen::Index k = 0; k < work.rows(); ++k) {
    if (group.observed[k] != 0.0) work(k, k) += group_variance[k];
  }
  if (!cholesky_in_place(work)) return false;
  out.log_determinant = T(2) * log_diagonal_sum<T>(work);
  invert_lower(work, work2);
  inner_square(work2, out.inverse);
  for (Eigen::Index k = 0; k < work.rows(); ++k) {
    if (group.observed[k] == 0.0) out.inverse(k, k) = T(0);
  }
  return true;
}

// log of the density of a group's estimate with the group's mean integrated out, `residual` away
// from T u_0; `pull` = C^-1 residual.
template <class T, int K>
T estimate_log_density(const GroupStatistics& group, const EstimatePrecision<T, K>& precision,
                       const Eigen::Matrix<T, K, 1>& residual, Eigen::Matrix<T, K, 1>& pull) {
  pull.noalias() = precision.inverse.lazyProduct(residual);
  return T(-0.5) * (T(log_2pi * group.n_observed) + precision.log_determinant + residual.dot(pull));
}

// Of the group's mean, given everything but u_0, of which only mean and covariance `population` (of
// T u_0; or none) are known: mean x - W y, covariance W C^-1 D + W C^-1 V_0 C^-1 W with y = C^-1 (x
// - v) the pull. Complete groups need the gradient in their spread instead: (y y' + C^-1 V_0 C^-1 -
// C^-1) / 2.
template <int K>
void fill_moments(const GroupStatistics& group, const GroupLikelihood<double, K>& like,
                  const Eigen::Matrix<double, K, K>& inverse,
                  const Eigen::Matrix<double, K, 1>& pull,
                  const Eigen::Matrix<double, K, 1>& group_variance,
                  const Eigen::Matrix<double, K, K>* population, Eigen::Matrix<double, K, K>& work,
                  GroupMeanMoments<K>& moments) {
  moments.spread_gradient = 0.5 * (pull * pull.transpose() - inverse);
  if (population != nullptr) {
    work.noalias() = inverse.lazyProduct(*population);
    moments.spread_gradient.noalias() += 0.5 * work.lazyProduct(inverse);
  }
  if (group.complete()) return;
  moments.mean = like.estimate;
  moments.mean.noalias() -= like.spread.lazyProduct(pull);
  work.noalias() = like.spread.lazyProduct(inverse);
  moments.covariance = work * group_variance.asDiagonal();
  if (population != nullptr) {
    const Eigen::Matrix<double, K, K> through = work.lazyProduct(*population);
    moments.covariance.noalias() += through.lazyProduct(work.transpose());
  }
  moments.covariance = (0.5 * (moments.covariance + moments.covariance.transpose())).eval();
}

// All groups' means and the population's.
template <class T, int K>
struct MeanBlock {
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;

  Vector population_scale;  // T
  Vector group_variance;    // D
  bool pooled = false;      // T differs from 0 somewhere
  std::vector<EstimatePrecision<T, K>> precisions;
  std::vector<Vector> pulls;  // C_g^-1 (x_g - T E(u_0))
  Square system;              // Cholesky factor of A = I + T Q T, Q = sum_g C_g^-1
  Square total;               // Q
  Square population;          // Cov(T u_0), filled by fill_population_covariance()
  Vector center;              // E(u_0 | data, Sigma)
  Vector work;
  Square square, square2;

  void resize(int n_features, std::size_t n_groups) {
    population_scale.setZero(n_features);
    group_variance.setZero(n_features);
    precisions.assign(n_groups, {Square::Zero(n_features, n_features), T(0)});
    pulls.assign(n_groups, Vector::Zero(n_features));
    system.setIdentity(n_features, n_features);
    total.setZero(n_features, n_features);
    population.setZero(n_features, n_features);
    center.setZero(n_features);
    work.setZero(n_features);
    square.setZero(n_features, n_features);
    square2.setZero(n_features, n_features);
  }
};

// log of the density of all estimates given all covariance matrices, means and population
// integrated out, from the groups' precisions. Fills the rest of `block`; false where it cannot be
// computed.
template <class T, int K>
bool combine(const std::vector<GroupStatistics>& groups,
             const std::vector<GroupLikelihood<T, K>>& like, MeanBlock<T, K>& block,
             T& log_density) {
  log_density = T(0);
  block.center.setZero();
  if (block.pooled) {
    block.total.setZero();
    block.work.setZero();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      block.total += block.precisions[g].inverse;
      block.work.noalias() += block.precisions[g].inverse.lazyProduct(like[g].estimate);
    }
    block.system =
        block.population_scale.asDiagonal() * block.total * block.population_scale.asDiagonal();
    block.system.diagonal().array() += T(1);
    if (!cholesky_in_place(block.system)) return false;
    block.center = block.population_scale.cwiseProduct(block.work);
    solve_lower(block.system, block.center);
    solve_lower_transposed(block.system, block.center);
    log_density -= T(0.5) * block.center.squaredNorm() + log_diagonal_sum<T>(block.system);
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    block.work = like[g].estimate - block.population_scale.cwiseProduct(block.center);
    log_density += estimate_log_density(groups[g], block.precisions[g], block.work, block.pulls[g]);
  }
  return true;
}

// The same with the precisions filled first.
template <class T, int K>
bool evaluate(const std::vector<GroupStatistics>& groups,
              const std::vector<GroupLikelihood<T, K>>& like, MeanBlock<T, K>& block,
              T& log_density) {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!invert_group(groups[g], like[g], block.group_variance, block.square, block.square2,
                      block.precisions[g]))
      return false;
  }
  return combine(groups, like, block, log_density);
}

template <int K>
void fill_population_covariance(MeanBlock<double, K>& block) {
  if (!block.pooled) return;
  invert_lower(block.system, block.square);
  inner_square(block.square, block.square2);
  block.population =
      block.population_scale.asDiagonal() * block.square2 * block.population_scale.asDiagonal();
}

template <int K>
void fill_moments(const GroupStatistics& group, const GroupLikelihood<double, K>& like,
                  std::size_t g, MeanBlock<double, K>& block, GroupMeanMoments<K>& moments) {
  fill_moments(group, like, block.precisions[g].inverse, block.pulls[g], block.group_variance,
               block.pooled ? &block.population : nullptr, block.square, moments);
}

// The gradient in T, by Fisher's identity, from the sum of all pulls:
// E[u_0 (sum_g C_g^-1 (x_g - T u_0))]_k = E(u_0)_k pull_k - (Q T A^-1)_kk. The one in D is the sum
// of the diagonals of the spread gradients.
template <int K>
void fill_scale_gradient(MeanBlock<double, K>& block, const Eigen::Matrix<double, K, 1>& pull_sum,
                         Eigen::Matrix<double, K, 1>& scale_gradient) {
  invert_lower(block.system, block.square);
  inner_square(block.square, block.square2);  // A^-1
  block.square = block.total * block.population_scale.asDiagonal();
  scale_gradient = block.center.cwiseProduct(pull_sum) -
                   block.square.cwiseProduct(block.square2.transpose()).rowwise().sum();
}

// Draws the population score u_0 from its exact law given the covariance matrices.
template <int K>
void draw_population_mean(const MeanBlock<double, K>& block, RandomStream& random,
                          Eigen::VectorXd& population_score) {
  population_score.resize(block.center.size());
  for (Eigen::Index k = 0; k < population_score.size(); ++k) population_score[k] = random.normal();
  if (!block.pooled) return;
  solve_lower_transposed(block.system, population_score);
  population_score += block.center;
}

// Draws every group's mean (less m) from their exact joint law given the population. Given v = T
// u_0 the mean is normal with mean x - W C^-1 (x - v) and covariance W C^-1 D; the noise W C^-1
// delta - D C^-1 epsilon has it.
template <int K>
void draw_means(const std::vector<GroupStatistics>& groups,
                const std::vector<GroupLikelihood<double, K>>& like,
                const MeanBlock<double, K>& block, const Eigen::VectorXd& population_score,
                RandomStream& random, Eigen::MatrixXd& means) {
  using Vector = Eigen::Matrix<double, K, 1>;
  const Eigen::Index n_features = block.center.size();
  const Vector population = block.population_scale.cwiseProduct(population_score);
  const Vector group_sd = block.group_variance.cwiseSqrt();
  Vector noise(n_features), group_noise(n_features), pulled(n_features), pushed(n_features);
  Eigen::Matrix<double, K, K> root(n_features, n_features);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (Eigen::Index k = 0; k < n_features; ++k) {
      group_noise[k] = group_sd[k] * random.normal();
      noise[k] = random.normal();
    }
    root = like[g].spread;
    cholesky_in_place(root);
    apply_lower(root, noise);
    pulled = like[g].estimate - population - group_noise;
    pulled = block.precisions[g].inverse.lazyProduct(pulled).eval();
    pushed.noalias() = block.precisions[g].inverse.lazyProduct(noise);
    noise = like[g].estimate - like[g].spread.lazyProduct(pulled) -
            block.group_variance.cwiseProduct(pushed);
    for (Eigen::Index k = 0; k < n_features; ++k) {
      means(k, g) = groups[g].observed[k] != 0.0
                        ? noise[k]
                        : population[k] + group_noise[k];  // never observed: the prior
    }
  }
}

}  // namespace hmvn
