// The group means, integrated out exactly: their joint law given every group's covariance matrix.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/math/product.hpp"
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
// Order of calls: the prior's; invert() for every group; the population's, from what is added of
// each. Then what is asked for. Groups may be looked at at the same time, each with its own bench.
template <class T, int K>
class MeanLaw {
 public:
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;
  using Likelihood = GroupLikelihood<T, K>;

  // Room to work on one group after the other; holds nothing from one call to the next but what a
  // function says that it fills.
  struct Bench {
    Vector residual;
    Square square, other;
    GroupMeanMoments<K> moments;

    void resize(int n_features) {
      residual.setZero(n_features);
      for (Square* m : {&square, &other}) m->setZero(n_features, n_features);
      moments.resize(n_features);
    }
  };

  // `pooled`: T differs from 0 somewhere.
  void resize(int n_features, std::size_t n_groups, bool pooled) {
    prior_.resize(n_features);
    population_.resize(n_features, pooled);
    precisions_.assign(n_groups, {Square::Zero(n_features, n_features), T(0)});
    alphas_.assign(n_groups, Vector::Zero(n_features));
  }

  CoefficientPrior<T, K>& prior() { return prior_; }
  const CoefficientPrior<T, K>& prior() const { return prior_; }
  PopulationLaw<T, K>& population() { return population_; }
  const PopulationLaw<T, K>& population() const { return population_; }

  // C_g^-1, zero where a feature was never observed in g, and log |C_g|; false if it has none.
  bool invert(std::size_t g, const GroupStatistics& group, const Likelihood& like, Bench& bench) {
    Precision& out = precisions_[g];
    Square& square = bench.square;
    square = like.spread;
    if (group.n_observed == square.rows()) {
      square += prior_.covariance();
    } else {
      const Vector observed = group.observed.template cast<T>();
      square += observed.asDiagonal() * prior_.covariance() * observed.asDiagonal();
    }
    if (!cholesky_in_place(square)) return false;
    out.log_determinant = T(2) * log_diagonal_sum<T>(square);
    invert_lower(square, bench.other);
    inner_square(bench.other, out.inverse);
    for (Eigen::Index k = 0; k < square.rows(); ++k) {
      if (group.observed[k] == 0.0) out.inverse(k, k) = T(0);
    }
    return true;
  }

  // Adds what a group says of the population.
  void add(std::size_t g, const Likelihood& like, GroupSums<T, K>& sums) const {
    const Square& inverse = precisions_[g].inverse;
    sums.add(inverse, inverse.lazyProduct(like.estimate));
  }

  // log of the density of a group's estimate, its mean integrated out, where T u_0 = `population`.
  T estimate_log_density(std::size_t g, const GroupStatistics& group, const Likelihood& like,
                         const Vector& population, Bench& bench) {
    const Precision& precision = precisions_[g];
    bench.residual = like.estimate - population;
    alphas_[g].noalias() = precision.inverse.lazyProduct(bench.residual);
    return T(-0.5) * (T(log_2pi * group.n_observed) + precision.log_determinant +
                      bench.residual.dot(alphas_[g]));
  }

  // Of the group's mean, given everything but u_0, of which mean and covariance V_0 are known (0
  // where the population was drawn): mean x - W alpha, covariance W C^-1 D + W C^-1 V_0 C^-1 W with
  // alpha = C^-1 (x - T u_0). The gradient in W is (alpha alpha' + C^-1 V_0 C^-1 - C^-1) / 2. Fills
  // the bench's moments.
  void fill_moments(std::size_t g, const GroupStatistics& group, const Likelihood& like,
                    bool population_known, Bench& bench) const {
    GroupMeanMoments<K>& moments = bench.moments;
    const bool spread_population = population_.pooled() && !population_known;
    const Square& inverse = precisions_[g].inverse;
    const Vector& alpha = alphas_[g];
    moments.spread_gradient = 0.5 * (alpha * alpha.transpose() - inverse);
    if (spread_population) {
      bench.square.noalias() = inverse.lazyProduct(population_.covariance());
      multiply_symmetric(bench.square, inverse, bench.other);
      moments.spread_gradient += 0.5 * bench.other;
    }
    if (group.complete()) return;
    moments.mean = like.estimate;
    moments.mean.noalias() -= like.spread.lazyProduct(alpha);
    if (spread_population || prior_.correlated()) {
      bench.square.noalias() = like.spread.lazyProduct(inverse);
    } else {
      fill_lower_of_product(like.spread, inverse, bench.square);
    }
    prior_.times_covariance(bench.square, moments.covariance);
    if (spread_population) {
      bench.other.noalias() = bench.square.lazyProduct(population_.covariance());
      moments.covariance.noalias() += bench.other.lazyProduct(bench.square.transpose());
    }
    mirror_lower(moments.covariance);  // symmetric but for rounding
  }

  // Draws a group's mean (less m) from its exact law given T u_0 = `population`. With delta ~
  // Normal(0, D) and epsilon ~ Normal(0, W), T u_0 + delta + D C^-1 (x - T u_0 - delta - epsilon)
  // has it; of features observed this is x - W C^-1 (x - T u_0 - delta) - D C^-1 epsilon, in which
  // nothing cancels where W is small.
  Vector draw_mean(std::size_t g, const GroupStatistics& group, const Likelihood& like,
                   const Vector& population, RandomStream& random) const {
    const Eigen::Index n_features = population.size();
    Vector noise(n_features), group_noise(n_features), pulled(n_features), pushed(n_features);
    for (Eigen::Index k = 0; k < n_features; ++k) {
      group_noise[k] = random.normal();
      noise[k] = random.normal();
    }
    apply_lower(prior_.root(), group_noise);
    Square root = like.spread;
    cholesky_in_place(root);
    apply_lower(root, noise);
    Vector other = like.estimate - population - group_noise;
    pulled.noalias() = precisions_[g].inverse.lazyProduct(other);
    pushed.noalias() = precisions_[g].inverse.lazyProduct(noise);
    noise =
        like.estimate - like.spread.lazyProduct(pulled) - prior_.covariance().lazyProduct(pushed);
    // also what is completely pooled, D = 0, and then exactly so
    if (group.n_observed < n_features || prior_.root().diagonal().minCoeff() == 0.0) {
      other = population + group_noise + prior_.covariance().lazyProduct(pulled - pushed);
    }
    for (Eigen::Index k = 0; k < n_features; ++k) {
      const bool of_data = group.observed[k] != 0.0 && prior_.root()(k, k) != 0.0;
      if (!of_data) noise[k] = other[k];
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
};

}  // namespace hmvn
