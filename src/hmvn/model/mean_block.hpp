// The group means, integrated out exactly: their joint law given every group's covariance matrix.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Given Sigma_g the data say estimate_g ~ Normal(mu_g, spread_g); by (S1) and (S4)
//   mu_g = m + T u_0 + D^(1/2) e_g,   T = s sqrt(1 - h^2),   D = s^2 h^2   (one of each a feature).
// No pooling is T = 0, complete pooling D = 0. Everything is measured from the prior location m. The inverses are of
// C_g = spread_g + D, never of D, so that h may reach 0; quadratic forms are taken at their minimum, so that
// nothing cancels when groups lie far from m.
template <class T, int K>
struct MeanBlock {
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;

  Vector population_scale;   // T
  Vector group_variance;     // D
  bool pooled = false;       // T differs from 0 somewhere
  std::vector<Square> precision;  // C_g^-1, zero where a feature was never observed in g
  std::vector<T> log_determinant; // log |C_g|
  Square system;             // Cholesky factor of A = I + T Q T, Q = sum_g C_g^-1
  Square total;              // Q
  Vector center;             // E(u_0 | data, Sigma)
  Vector work;
  Square square;

  void resize(int n_features, std::size_t n_groups) {
    population_scale.setZero(n_features);
    group_variance.setZero(n_features);
    precision.assign(n_groups, Square::Zero(n_features, n_features));
    log_determinant.assign(n_groups, T(0));
    system.setIdentity(n_features, n_features);
    total.setZero(n_features, n_features);
    center.setZero(n_features);
    work.setZero(n_features);
    square.setZero(n_features, n_features);
  }
};

// The inverse of C = spread + D over the observed features, and log |C|.
template <class T, int K>
bool invert_group(const GroupStatistics& group, const GroupLikelihood<T, K>& like, std::size_t g, MeanBlock<T, K>& block) {
  block.square = like.spread;
  for (Eigen::Index k = 0; k < block.square.rows(); ++k) {
    if (group.observed[k] != 0.0) block.square(k, k) += block.group_variance[k];
  }
  if (!cholesky_in_place(block.square)) return false;
  block.log_determinant[g] = T(2) * log_diagonal_sum<T>(block.square);
  auto& inverse = block.precision[g];
  inverse.setIdentity();
  block.square.template triangularView<Eigen::Lower>().solveInPlace(inverse);
  block.square.noalias() = inverse.transpose() * inverse;
  inverse = block.square;
  for (Eigen::Index k = 0; k < inverse.rows(); ++k) {
    if (group.observed[k] == 0.0) inverse(k, k) = T(0);
  }
  return true;
}

// log of the density of all estimates given all covariance matrices, means and population integrated out.
// Fills `block`; false where it cannot be computed.
template <class T, int K>
bool evaluate(const std::vector<GroupStatistics>& groups, const std::vector<GroupLikelihood<T, K>>& like,
              MeanBlock<T, K>& block, T& log_density) {
  log_density = T(0);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!invert_group(groups[g], like[g], g, block)) return false;
  }
  const auto scale = block.population_scale.asDiagonal();
  if (block.pooled) {
    block.total.setZero();
    block.work.setZero();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      block.total += block.precision[g];
      block.work.noalias() += block.precision[g] * like[g].estimate;
    }
    block.system = scale * block.total * scale;
    block.system.diagonal().array() += T(1);
    if (!cholesky_in_place(block.system)) return false;
    block.center = block.population_scale.cwiseProduct(block.work);
    block.system.template triangularView<Eigen::Lower>().solveInPlace(block.center);
    block.system.template triangularView<Eigen::Lower>().transpose().solveInPlace(block.center);
    log_density -= T(0.5) * block.center.squaredNorm() + log_diagonal_sum<T>(block.system);
  } else {
    block.center.setZero();
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    block.work = like[g].estimate - block.population_scale.cwiseProduct(block.center);
    log_density -= T(0.5) * (T(log_2pi * groups[g].n_observed) + block.log_determinant[g] +
                             block.work.dot(block.precision[g] * block.work));
  }
  return true;
}

// Mean and covariance of one group's mean given all data and covariance matrices (less m), what differentiate() needs:
// E = x - W y, V = W C^-1 D + W C^-1 V_0 C^-1 W with y = C^-1 (x - v), v = T E(u_0), V_0 = Cov(T u_0).
template <int K>
struct GroupMeanMoments {
  Eigen::Matrix<double, K, 1> mean, pull;                // pull is y
  Eigen::Matrix<double, K, K> covariance, shrink, population;  // shrink is W C^-1, population is V_0

  void resize(int n_features) {
    mean.setZero(n_features);
    pull.setZero(n_features);
    covariance.setZero(n_features, n_features);
    shrink.setZero(n_features, n_features);
    population.setZero(n_features, n_features);
  }
};

template <int K>
void fill_population_covariance(const MeanBlock<double, K>& block, GroupMeanMoments<K>& moments) {
  if (!block.pooled) return;
  moments.covariance.setIdentity();
  block.system.template triangularView<Eigen::Lower>().solveInPlace(moments.covariance);
  moments.population.noalias() = moments.covariance.transpose() * moments.covariance;
  moments.population = (block.population_scale.asDiagonal() * moments.population * block.population_scale.asDiagonal()).eval();
}

template <int K>
void fill_moments(const GroupLikelihood<double, K>& like, std::size_t g, const MeanBlock<double, K>& block,
                  GroupMeanMoments<K>& moments) {
  moments.mean = like.estimate - block.population_scale.cwiseProduct(block.center);
  moments.pull.noalias() = block.precision[g] * moments.mean;
  moments.mean = like.estimate;
  moments.mean.noalias() -= like.spread * moments.pull;
  moments.shrink.noalias() = like.spread * block.precision[g];
  moments.covariance = moments.shrink * block.group_variance.asDiagonal();
  if (block.pooled) {
    moments.covariance.noalias() += moments.shrink * moments.population * moments.shrink.transpose();
  }
  moments.covariance = (0.5 * (moments.covariance + moments.covariance.transpose())).eval();
}

// The gradients in D and T, by Fisher's identity. `scale_gradient` needs all groups; call after the loop over groups
// that adds to `variance_gradient` and `pull_sum`.
template <int K>
void add_variance_gradient(const MeanBlock<double, K>& block, std::size_t g, const GroupMeanMoments<K>& moments,
                           Eigen::Matrix<double, K, 1>& variance_gradient, Eigen::Matrix<double, K, 1>& pull_sum) {
  pull_sum += moments.pull;
  variance_gradient += 0.5 * (moments.pull.cwiseAbs2() - block.precision[g].diagonal());
  if (block.pooled) {
    variance_gradient += 0.5 * (block.precision[g] * moments.population).cwiseProduct(block.precision[g]).rowwise().sum();
  }
}

template <int K>
void fill_scale_gradient(const MeanBlock<double, K>& block, const Eigen::Matrix<double, K, 1>& pull_sum,
                         GroupMeanMoments<K>& moments, Eigen::Matrix<double, K, 1>& scale_gradient) {
  moments.shrink.setIdentity();
  block.system.template triangularView<Eigen::Lower>().solveInPlace(moments.shrink);
  moments.covariance.noalias() = moments.shrink.transpose() * moments.shrink;  // A^-1
  // E[u_0 (sum_g C_g^-1 (x_g - T u_0))]_k = E(u_0)_k pull_k - (Q T A^-1)_kk
  moments.shrink = block.total * block.population_scale.asDiagonal();
  scale_gradient = block.center.cwiseProduct(pull_sum) -
                   moments.shrink.cwiseProduct(moments.covariance.transpose()).rowwise().sum();
}

// Draws the population score and every group's mean (less m) from their exact joint law.
template <int K>
void draw_means(const std::vector<GroupStatistics>& groups, const std::vector<GroupLikelihood<double, K>>& like,
                const MeanBlock<double, K>& block, RandomStream& random, Eigen::VectorXd& population_score,
                Eigen::MatrixXd& means) {
  const Eigen::Index n_features = block.center.size();
  Eigen::VectorXd noise(n_features), spread_noise(n_features), group_noise(n_features);
  for (Eigen::Index k = 0; k < n_features; ++k) noise[k] = random.normal();
  population_score = noise;
  if (block.pooled) {
    block.system.template triangularView<Eigen::Lower>().transpose().solveInPlace(population_score);
    population_score += block.center;
  }
  const Eigen::VectorXd population = block.population_scale.cwiseProduct(population_score);
  Eigen::MatrixXd root;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (Eigen::Index k = 0; k < n_features; ++k) {
      group_noise[k] = std::sqrt(block.group_variance[k]) * random.normal();
      noise[k] = random.normal();
    }
    root = like[g].spread;
    cholesky_in_place(root);
    spread_noise.noalias() = root.template triangularView<Eigen::Lower>() * noise;
    // Given v: mean x - W C^-1 (x - v), covariance W C^-1 D; the noise W C^-1 delta - D C^-1 epsilon has it.
    Eigen::VectorXd draw = population + group_noise;  // never observed: the prior
    const Eigen::VectorXd pulled = block.precision[g] * (like[g].estimate - population - group_noise);
    const Eigen::VectorXd pushed = block.precision[g] * spread_noise;
    const Eigen::VectorXd seen = like[g].estimate - like[g].spread * pulled -
                                 block.group_variance.cwiseProduct(pushed);
    for (Eigen::Index k = 0; k < n_features; ++k) means(k, g) = groups[g].observed[k] != 0.0 ? seen[k] : draw[k];
  }
}

}  // namespace hmvn
