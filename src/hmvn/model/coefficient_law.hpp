// What is integrated out: all groups' coefficients and their population, given every group's
// covariance matrix. Without covariates coefficients are means, and the law is MeanLaw's, for K
// known to the compiler; else it is RegressionLaw's.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/mean_law.hpp"
#include "hmvn/model/regression_law.hpp"

namespace hmvn {

// Coefficients are measured from their prior locations. Groups come in bundles: those of different
// bundles may be looked at at the same time, and sums are made over each bundle's groups, and then
// over bundles. Order of calls: set_prior(); of every bundle clear(), and fill() and add() of its
// groups; combine(). Then what is asked for.
template <class T, int K>
class CoefficientLaw {
 public:
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  using Square = Eigen::Matrix<T, K, K>;
  using Point = CovariancePoint<T, K>;
  using AnySquare = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

  // Keeps references to the frame and the groups.
  CoefficientLaw(const Frame<T, K>& frame, const std::vector<GroupStatistics>& groups)
      : frame_(frame), groups_(groups) {}

  void resize(const Model& model, int n_bundles) {
    n_features_ = model.n_features();
    regressed_ = model.n_covariates > 0;
    pooled_ = model.pools_coefficients();
    benches_.resize(static_cast<std::size_t>(n_bundles));
    for (Bench& bench : benches_) {
      bench.resize(n_features_, regressed_ ? model.n_coefficients() : 0);
    }
    if (regressed_) {
      regression_.resize(model, groups_);
      return;
    }
    means_.resize(n_features_, groups_.size(), model.pools_coefficients());
    likelihoods_.resize(groups_.size());
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      likelihoods_[g].resize(n_features_, groups_[g].nested.size());
    }
    known_covariances_ = model.known_covariances;
    for (std::size_t g = 0; g < groups_.size() && known_covariances_; ++g) fill_known(g);
  }

  // `prepare`: a function that is given the prior, to set it.
  template <class Prepare>
  void set_prior(Prepare prepare) {
    regressed_ ? prepare(regression_.prior()) : prepare(means_.prior());
  }

  // What follows of a group's covariance matrix. False where it cannot be computed.
  bool fill(int g, int bundle, const Point& point) {
    const GroupStatistics& group = groups_[g];
    Bench& bench = benches_[bundle];
    if (known_covariances_) return means_.invert(g, group, likelihoods_[g], bench.means);
    if (!regressed_) {
      return fill_likelihood<T, K>({group, frame_, point}, likelihoods_[g], bench.likelihood) &&
             means_.invert(g, group, likelihoods_[g], bench.means);
    }
    Square covariance(n_features_, n_features_);
    frame_.fill_covariance(point, covariance);
    return regression_.fill(g, group, covariance, bench.regression);
  }

  // Before the first add() or differentiate() of a bundle's groups.
  void clear(int bundle) {
    benches_[bundle].of_means.clear();
    benches_[bundle].of_coefficients.clear();
  }

  // Adds what a group says of the population.
  void add(int g, int bundle) {
    if (!pooled_) return;
    Bench& bench = benches_[bundle];
    regressed_ ? regression_.add(g, bench.of_coefficients)
               : means_.add(g, likelihoods_[g], bench.of_means);
  }

  // The population's law from what was added. Adds to the log density of all rows what integrating
  // the population out adds to that where it is at its center. False where it cannot be computed.
  bool combine(T& log_density) {
    if (regressed_) {
      sum(&Bench::of_coefficients, regression_.population().sums());
      return regression_.population().finish(regression_.prior().population_scale(), log_density);
    }
    sum(&Bench::of_means, means_.population().sums());
    return means_.population().finish(means_.prior().population_scale(), log_density);
  }

  // The log density of a group's rows, its coefficients integrated out, where the population is at
  // its center.
  T at_center(int g, int bundle) {
    if (!regressed_) return of_group(g, bundle, means_.population().typical());
    return regression_.group_log_density(g, groups_[g], regression_.population().typical());
  }

  // That where T u_0 = `population`.
  T at_population(int g, int bundle, const Vector& population) {
    if (regressed_) return regression_.group_log_density(g, groups_[g], population);
    benches_[bundle].known = population;
    return of_group(g, bundle, benches_[bundle].known);
  }

  // Before the gradient at a position: the population's covariance matrix.
  void start_gradient() {
    regressed_ ? regression_.population().fill_covariance() : means_.population().fill_covariance();
  }

  // A group's gradient in the factor of its covariance matrix; adds to those in the prior.
  void differentiate(int g, int bundle, const Point& point, Square& of_factor) {
    Bench& bench = benches_[bundle];
    differentiate_factor(g, bench, {point, false}, of_factor);
    if (!pooled_) return;
    if (regressed_) {
      bench.of_coefficients.add(bench.regression.of_prior, regression_.alpha(g));
    } else {
      bench.of_means.add(bench.means.moments.spread_gradient, means_.alpha(g));
    }
  }

  // The same where the population is known, and so is the prior.
  void differentiate_at_population(int g, int bundle, const Point& point, Square& of_factor) {
    differentiate_factor(g, benches_[bundle], {point, true}, of_factor);
  }

  // After differentiate() of all groups: the gradients in H, which with that in D is 2 (d log p /
  // dD) H, and in T.
  void differentiate_prior(AnySquare& of_root, Vector& of_scale) {
    if (regressed_) {
      GroupSums<T, Eigen::Dynamic>& all = sum(&Bench::of_coefficients, of_coefficients_);
      of_root = regression_.prior_root_gradient(all.square);
      of_scale = regression_.population().scale_gradient(all.vector);
    } else {
      GroupSums<T, K>& all = sum(&Bench::of_means, of_means_);
      of_root = (2.0 * all.square).lazyProduct(means_.prior().root());
      of_scale = means_.population().scale_gradient(all.vector);
    }
  }

  // Draws T u_0, and u_0 itself.
  void draw_population(RandomStream& random, Eigen::VectorXd& score, Vector& population) const {
    if (regressed_) {
      regression_.population().draw(random, score);
      population = regression_.prior().population_scale().cwiseProduct(score);
    } else {
      means_.population().draw(random, score);
      population = means_.prior().population_scale().cwiseProduct(score);
    }
  }

  // Draws a group's coefficients given T u_0 = `population`.
  void draw(int g, const Vector& population, RandomStream& random,
            Eigen::Ref<Eigen::VectorXd> coefficients) const {
    if (regressed_) {
      regression_.draw(g, groups_[g], population, random, coefficients);
    } else {
      coefficients = means_.draw_mean(g, groups_[g], likelihoods_[g], population, random);
    }
  }

  // The log likelihood of a group's rows given its coefficients.
  T log_likelihood(int g, const Eigen::Ref<const Eigen::VectorXd>& coefficients) const {
    if (regressed_) return regression_.log_likelihood(g, groups_[g], coefficients);
    const GroupLikelihood<T, K>& like = likelihoods_[g];
    Square root = like.spread;
    cholesky_in_place(root);
    Eigen::Matrix<T, K, 1> residual =
        (like.estimate - coefficients).cwiseProduct(groups_[g].observed);
    solve_lower(root, residual);
    return like.within - 0.5 * (log_2pi * groups_[g].n_observed + residual.squaredNorm()) -
           log_diagonal_sum<T>(root);
  }

  Eigen::MatrixXd prior_root() const {  // H
    return regressed_ ? Eigen::MatrixXd(regression_.prior().root())
                      : Eigen::MatrixXd(means_.prior().root());
  }

 private:
  // The likelihood of a group's mean where its estimate has a known covariance matrix, kept as the
  // scatter matrix of its only pattern (K1).
  void fill_known(std::size_t g) {
    GroupLikelihood<T, K>& like = likelihoods_[g];
    like.within = T(0);
    if (groups_[g].patterns.empty()) return;
    const PatternStatistics& estimate = groups_[g].patterns[0];
    like.estimate = estimate.mean.template cast<T>();
    like.spread = estimate.scatter.template cast<T>();
    like.spread.diagonal() += (T(1) - estimate.observed.template cast<T>().array()).matrix();
  }

  // Room to work on a bundle's groups, and sums over them: of what they say of the population, or
  // of the gradient in D, and of alpha; where coefficients are pooled.
  struct Bench {
    LikelihoodScratch<T, K> likelihood;
    typename MeanLaw<T, K>::Bench means;
    typename RegressionLaw<T>::Bench regression;
    Eigen::Matrix<T, K, 1> known;
    GroupSums<T, K> of_means;
    GroupSums<T, Eigen::Dynamic> of_coefficients;
    char apart[64];  // lest two bundles' benches share a line of the cache

    void resize(int n_features, int n_coefficients) {
      likelihood.resize(n_features);
      means.resize(n_features);
      regression.resize(n_features, n_coefficients);
      known.setZero(n_features);
      of_means.resize(n_features);
      of_coefficients.resize(n_coefficients);
    }
  };

  // Of all bundles, in order.
  template <class Sums>
  Sums& sum(Sums Bench::*of_bundle, Sums& all) const {
    all = benches_[0].*of_bundle;
    for (std::size_t b = 1; b < benches_.size(); ++b) all.add(benches_[b].*of_bundle);
    return all;
  }

  T of_group(int g, int bundle, const Eigen::Matrix<T, K, 1>& population) {
    const GroupLikelihood<T, K>& like = likelihoods_[g];
    return like.within +
           means_.estimate_log_density(g, groups_[g], like, population, benches_[bundle].means);
  }

  struct GradientAt {
    const Point& point;
    bool population_known;
  };
  void differentiate_factor(int g, Bench& bench, const GradientAt& at, Square& of_factor) {
    const GroupStatistics& group = groups_[g];
    if (regressed_) {
      regression_.differentiate(g, group, at.population_known, bench.regression);
      const Square of_root = bench.regression.of_covariance * frame_.root(at.point);
      frame_.differentiate_root(of_root, of_factor);
      return;
    }
    means_.fill_moments(g, group, likelihoods_[g], at.population_known, bench.means);
    if (!known_covariances_) {
      differentiate_likelihood<K>({group, frame_, at.point}, likelihoods_[g], bench.means.moments,
                                  bench.likelihood, of_factor);
    }
  }

  const Frame<T, K>& frame_;
  const std::vector<GroupStatistics>& groups_;
  int n_features_ = 0;
  bool regressed_ = false, pooled_ = false, known_covariances_ = false;
  MeanLaw<T, K> means_;
  std::vector<GroupLikelihood<T, K>> likelihoods_;
  RegressionLaw<T> regression_;
  std::vector<Bench> benches_;  // of the bundles
  GroupSums<T, K> of_means_;    // of all of them
  GroupSums<T, Eigen::Dynamic> of_coefficients_;
};

}  // namespace hmvn
