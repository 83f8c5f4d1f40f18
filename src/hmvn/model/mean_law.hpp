// The group means, integrated out exactly: their joint law given every group's covariance matrix.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/coefficient_prior.hpp"
#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/population_law.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Given Sigma_g the data say estimate_g ~ Normal(mu_g, W_g), W_g = spread_g, and mu_g has the prior
// T u_0 + H e_g of CoefficientPrior, everything measured from the prior location m. The inverses
// are of C_g = W_g + D, never of D, so that h may reach 0; quadratic forms are taken at their
// minimum, so that nothing cancels when groups lie far from m.
//
// Order of calls: the prior's; invert() for every group; combine(). Then what is asked for.
template <class T, int K>
class MeanLaw {
 public:
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;
  using Likelihood = GroupLikelihood<T, K>;

  // `pooled`: T differs from 0 somewhere.
  void resize(int n_features, std::size_t n_groups, bool pooled) {
    prior_.resize(n_features);
    population_.resize(n_features, pooled);
    precisions_.assign(n_groups, {Square::Zero(n_features, n_features), T(0)});
    alphas_.assign(n_groups, Vector::Zero(n_features));
    residual_.setZero(n_features);
    for (Square* m : {&square_, &square2_}) m->setZero(n_features, n_features);
  }

  CoefficientPrior<T, K>& prior() { return prior_; }
  const CoefficientPrior<T, K>& prior() const { return prior_; }
  PopulationLaw<T, K>& population() { return population_; }
  const PopulationLaw<T, K>& population() const { return population_; }

  // C_g^-1, zero where a feature was never observed in g, and log |C_g|; false if it has none.
  bool invert(std::size_t g, const GroupStatistics& group, const Likelihood& like) {
    Precision& out = precisions_[g];
    square_ = like.spread;
    if (group.n_observed == square_.rows()) {
      square_ += prior_.covariance();
    } else {
      const Vector observed = group.observed.template cast<T>();
      square_ += observed.asDiagonal() * prior_.covariance() * observed.asDiagonal();
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
    if (population_.pooled()) {
      population_.clear();
      for (std::size_t g = 0; g < groups.size(); ++g) {
        const Square& inverse = precisions_[g].inverse;
        population_.add(inverse, inverse.lazyProduct(like[g].estimate));
      }
      if (!population_.finish(prior_.population_scale(), log_density)) return false;
    }
    const Vector center = prior_.population_scale().cwiseProduct(population_.center());
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

  // Of the group's mean, given everything but u_0, of which mean and covariance V_0 are known (0
  // where the population was drawn): mean x - W alpha, covariance W C^-1 D + W C^-1 V_0 C^-1 W with
  // alpha = C^-1 (x - T u_0). The gradient in W is (alpha alpha' + C^-1 V_0 C^-1 - C^-1) / 2.
  void fill_moments(std::size_t g, const GroupStatistics& group, const Likelihood& like,
                    bool population_known, GroupMeanMoments<K>& moments) {
    const bool spread_population = population_.pooled() && !population_known;
    const Square& inverse = precisions_[g].inverse;
    const Vector& alpha = alphas_[g];
    moments.spread_gradient = 0.5 * (alpha * alpha.transpose() - inverse);
    if (spread_population) {
      square_.noalias() = inverse.lazyProduct(population_.covariance());
      moments.spread_gradient.noalias() += 0.5 * square_.lazyProduct(inverse);
    }
    if (group.complete()) return;
    moments.mean = like.estimate;
    moments.mean.noalias() -= like.spread.lazyProduct(alpha);
    square_.noalias() = like.spread.lazyProduct(inverse);
    moments.covariance.noalias() = square_.lazyProduct(prior_.covariance());
    if (spread_population) {
      square2_.noalias() = square_.lazyProduct(population_.covariance());
      moments.covariance.noalias() += square2_.lazyProduct(square_.transpose());
    }
    moments.covariance = (0.5 * (moments.covariance + moments.covariance.transpose())).eval();
  }

  // Draws a group's mean (less m) from its exact law given T u_0 = `population`. With delta ~
  // Normal(0, D) and epsilon ~ Normal(0, W), T u_0 + delta + D C^-1 (x - T u_0 - delta - epsilon)
  // has it; of features observed this is x - W C^-1 (x - T u_0 - delta) - D C^-1 epsilon, in which
  // nothing cancels where W is small.
  Vector draw_mean(std::size_t g, const GroupStatistics& group, const Likelihood& like,
                   const Vector& population, RandomStream& random) {
    const Eigen::Index n_features = population.size();
    Vector noise(n_features), group_noise(n_features), pulled(n_features), pushed(n_features);
    for (Eigen::Index k = 0; k < n_features; ++k) {
      group_noise[k] = random.normal();
      noise[k] = random.normal();
    }
    apply_lower(prior_.root(), group_noise);
    square_ = like.spread;
    cholesky_in_place(square_);
    apply_lower(square_, noise);
    residual_ = like.estimate - population - group_noise;
    pulled.noalias() = precisions_[g].inverse.lazyProduct(residual_);
    pushed.noalias() = precisions_[g].inverse.lazyProduct(noise);
    noise =
        like.estimate - like.spread.lazyProduct(pulled) - prior_.covariance().lazyProduct(pushed);
    // also what is completely pooled, D = 0, and then exactly so
    if (group.n_observed < n_features || prior_.root().diagonal().minCoeff() == 0.0) {
      residual_ = population + group_noise + prior_.covariance().lazyProduct(pulled - pushed);
    }
    for (Eigen::Index k = 0; k < n_features; ++k) {
      const bool of_data = group.observed[k] != 0.0 && prior_.root()(k, k) != 0.0;
      if (!of_data) noise[k] = residual_[k];
    }
    return noise;
  }

  const Vector& alpha(std::size_t g) const { return alphas_[g]; }  // C_g^-1 (x_g - T u_0)

 private:
  struct Precision {
    Square inverse;
    T log_determinant;
  };

  CoefficientPrior<T, K> prior_;
  PopulationLaw<T, K> population_;
  std::vector<Precision> precisions_;
  std::vector<Vector> alphas_;
  Vector residual_;  // scratch, as what follows
  Square square_, square2_;
};

}  // namespace hmvn
