// The group means, integrated out exactly: their joint law given every group's covariance matrix.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Given Sigma_g the data say estimate_g ~ Normal(mu_g, W_g), W_g = spread_g; by (S1) and (S4)
//   mu_g = m + T u_0 + D^(1/2) e_g,   T = s sqrt(1 - h^2),   D = s^2 h^2   (one of each a feature).
// No pooling is T = 0, complete pooling D = 0. Everything is measured from the prior location m.
// The inverses are of C_g = W_g + D, never of D, so that h may reach 0; quadratic forms are taken
// at their minimum, so that nothing cancels when groups lie far from m.
//
// Order of calls: set_prior(); invert() for every group; combine(). Then what is asked for.
template <class T, int K>
class MeanLaw {
 public:
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;
  using Likelihood = GroupLikelihood<T, K>;

  // `pooled`: T differs from 0 somewhere.
  void resize(int n_features, std::size_t n_groups, bool pooled) {
    pooled_ = pooled;
    for (Vector* v : {&population_scale_, &group_variance_, &center_, &residual_}) {
      v->setZero(n_features);
    }
    precisions_.assign(n_groups, {Square::Zero(n_features, n_features), T(0)});
    alphas_.assign(n_groups, Vector::Zero(n_features));
    for (Square* m : {&total_, &population_, &square_, &square2_}) {
      m->setZero(n_features, n_features);
    }
    system_.setIdentity(n_features, n_features);
  }

  // T and D of feature k from s, h and sqrt(1 - h^2).
  void set_prior(Eigen::Index k, const T& scale, const T& h, const T& weight) {
    population_scale_[k] = scale * weight;
    group_variance_[k] = scale * scale * h * h;
  }

  // C_g^-1, zero where a feature was never observed in g, and log |C_g|; false if it has none.
  bool invert(std::size_t g, const GroupStatistics& group, const Likelihood& like) {
    Precision& out = precisions_[g];
    square_ = like.spread;
    for (Eigen::Index k = 0; k < square_.rows(); ++k) {
      if (group.observed[k] != 0.0) square_(k, k) += group_variance_[k];
    }
    if (!cholesky_in_place(square_)) return false;
    out.log_determinant = T(2) * log_diagonal_sum<T>(square_);
    invert_lower(square_, square2_);
    inner_square(square2_, out.inverse);
    for (Eigen::Index k = 0; k < square_.rows(); ++k) {
      if (group.observed[k] == 0.0) out.inverse(k, k) = T(0);
    }
    return true;
  }

  // log of the density of all estimates given all covariance matrices, means and population
  // integrated out. False where it cannot be computed.
  bool combine(const std::vector<GroupStatistics>& groups, const std::vector<Likelihood>& like,
               T& log_density) {
    log_density = T(0);
    center_.setZero();
    if (pooled_) {
      total_.setZero();
      residual_.setZero();
      for (std::size_t g = 0; g < groups.size(); ++g) {
        total_ += precisions_[g].inverse;
        residual_.noalias() += precisions_[g].inverse.lazyProduct(like[g].estimate);
      }
      system_ = population_scale_.asDiagonal() * total_ * population_scale_.asDiagonal();
      system_.diagonal().array() += T(1);
      if (!cholesky_in_place(system_)) return false;
      center_ = population_scale_.cwiseProduct(residual_);
      solve_lower(system_, center_);
      solve_lower_transposed(system_, center_);
      log_density -= T(0.5) * center_.squaredNorm() + log_diagonal_sum<T>(system_);
    }
    const Vector center = population_scale_.cwiseProduct(center_);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      log_density += estimate_log_density(g, groups[g], like[g], center);
    }
    return true;
  }

  // log of the density of a group's estimate, its mean integrated out, where T u_0 = `population`.
  T estimate_log_density(std::size_t g, const GroupStatistics& group, const Likelihood& like,
                         const Vector& population) {
    const Precision& precision = precisions_[g];
    residual_ = like.estimate - population;
    alphas_[g].noalias() = precision.inverse.lazyProduct(residual_);
    return T(-0.5) *
           (T(log_2pi * group.n_observed) + precision.log_determinant + residual_.dot(alphas_[g]));
  }

  // Cov(T u_0), for fill_moments() of groups whose population is integrated out.
  void fill_population_covariance() {
    if (!pooled_) return;
    invert_lower(system_, square_);
    inner_square(square_, square2_);
    population_ = population_scale_.asDiagonal() * square2_ * population_scale_.asDiagonal();
  }

  // Of the group's mean, given everything but u_0, of which mean and covariance V_0 are known (0
  // where the population was drawn): mean x - W alpha, covariance W C^-1 D + W C^-1 V_0 C^-1 W with
  // alpha = C^-1 (x - T u_0). The gradient in W is (alpha alpha' + C^-1 V_0 C^-1 - C^-1) / 2.
  void fill_moments(std::size_t g, const GroupStatistics& group, const Likelihood& like,
                    bool population_known, GroupMeanMoments<K>& moments) {
    const bool spread_population = pooled_ && !population_known;
    const Square& inverse = precisions_[g].inverse;
    const Vector& alpha = alphas_[g];
    moments.spread_gradient = 0.5 * (alpha * alpha.transpose() - inverse);
    if (spread_population) {
      square_.noalias() = inverse.lazyProduct(population_);
      moments.spread_gradient.noalias() += 0.5 * square_.lazyProduct(inverse);
    }
    if (group.complete()) return;
    moments.mean = like.estimate;
    moments.mean.noalias() -= like.spread.lazyProduct(alpha);
    square_.noalias() = like.spread.lazyProduct(inverse);
    moments.covariance = square_ * group_variance_.asDiagonal();
    if (spread_population) {
      square2_.noalias() = square_.lazyProduct(population_);
      moments.covariance.noalias() += square2_.lazyProduct(square_.transpose());
    }
    moments.covariance = (0.5 * (moments.covariance + moments.covariance.transpose())).eval();
  }

  // The gradient in T, by Fisher's identity, from the sum of all alphas: E[u_0 (sum_g C_g^-1 (x_g -
  // T u_0))]_k = E(u_0)_k alpha_k - (Q T A^-1)_kk. The one in D is the sum of the diagonals of the
  // spread gradients.
  Vector scale_gradient(const Vector& alpha_sum) {
    invert_lower(system_, square_);
    inner_square(square_, square2_);  // A^-1
    square_ = total_ * population_scale_.asDiagonal();
    return center_.cwiseProduct(alpha_sum) -
           square_.cwiseProduct(square2_.transpose()).rowwise().sum();
  }

  // Draws the population score u_0 from its exact law given the covariance matrices.
  void draw_population(RandomStream& random, Eigen::VectorXd& score) const {
    score.resize(center_.size());
    for (Eigen::Index k = 0; k < score.size(); ++k) score[k] = random.normal();
    if (!pooled_) return;
    solve_lower_transposed(system_, score);
    score += center_;
  }

  // Draws a group's mean (less m) from its exact law given T u_0 = `population`: normal with mean x
  // - W C^-1 (x - T u_0) and covariance W C^-1 D; the noise W C^-1 delta - D C^-1 epsilon has it.
  void draw_mean(std::size_t g, const GroupStatistics& group, const Likelihood& like,
                 const Vector& population, RandomStream& random, Eigen::Ref<Eigen::VectorXd> mean) {
    const Eigen::Index n_features = mean.size();
    Vector noise(n_features), group_noise(n_features), pulled(n_features), pushed(n_features);
    for (Eigen::Index k = 0; k < n_features; ++k) {
      group_noise[k] = std::sqrt(group_variance_[k]) * random.normal();
      noise[k] = random.normal();
    }
    square_ = like.spread;
    cholesky_in_place(square_);
    apply_lower(square_, noise);
    residual_ = like.estimate - population - group_noise;
    pulled.noalias() = precisions_[g].inverse.lazyProduct(residual_);
    pushed.noalias() = precisions_[g].inverse.lazyProduct(noise);
    noise = like.estimate - like.spread.lazyProduct(pulled) - group_variance_.cwiseProduct(pushed);
    for (Eigen::Index k = 0; k < n_features; ++k) {
      // never observed: the prior
      mean[k] = group.observed[k] != 0.0 ? noise[k] : population[k] + group_noise[k];
    }
  }

  const Vector& population_scale() const { return population_scale_; }
  const Vector& group_variance() const { return group_variance_; }
  const Vector& alpha(std::size_t g) const { return alphas_[g]; }  // C_g^-1 (x_g - T u_0)

 private:
  struct Precision {
    Square inverse;
    T log_determinant;
  };

  bool pooled_ = false;
  Vector population_scale_, group_variance_;  // T, D
  std::vector<Precision> precisions_;
  std::vector<Vector> alphas_;
  Square system_;      // Cholesky factor of A = I + T Q T, Q = sum_g C_g^-1
  Square total_;       // Q
  Square population_;  // Cov(T u_0)
  Vector center_;      // E(u_0 | data, Sigma)
  Vector residual_;    // scratch, as what follows
  Square square_, square2_;
};

}  // namespace hmvn
