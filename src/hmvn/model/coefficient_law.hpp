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

// Coefficients are measured from their prior locations. Order of calls: set_prior(); fill() for
// every group; combine(). Then what is asked for.
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

  void resize(const Model& model) {
    n_features_ = model.n_features();
    regressed_ = model.n_covariates > 0;
    pooled_ = model.pools_coefficients();
    of_means_.resize(n_features_);
    of_coefficients_.resize(model.n_coefficients());
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
    scratch_.resize(n_features_);
    moments_.resize(n_features_);
    known_.setZero(n_features_);
  }

  // `prepare`: a function that is given the prior, to set it.
  template <class Prepare>
  void set_prior(Prepare prepare) {
    regressed_ ? prepare(regression_.prior()) : prepare(means_.prior());
  }

  // What follows of a group's covariance matrix. False where it cannot be computed.
  bool fill(int g, const Point& point) {
    const GroupStatistics& group = groups_[g];
    if (known_covariances_) return means_.invert(g, group, likelihoods_[g]);
    if (!regressed_) {
      return fill_likelihood<T, K>({group, frame_, point}, likelihoods_[g], scratch_) &&
             means_.invert(g, group, likelihoods_[g]);
    }
    Square covariance(n_features_, n_features_);
    frame_.fill_covariance(point, covariance);
    return regression_.fill(g, group, covariance);
  }

  // The log density of all rows, coefficients and population integrated out. False where it cannot
  // be computed.
  bool combine(T& log_density) {
    if (regressed_) return regression_.combine(groups_, log_density);
    if (!means_.combine(groups_, likelihoods_, log_density)) return false;
    for (const GroupLikelihood<T, K>& like : likelihoods_) log_density += like.within;
    return true;
  }

  // That of a group's rows where T u_0 = `population`.
  T of_group(int g, const Vector& population) {
    if (regressed_) return regression_.group_log_density(g, groups_[g], population);
    known_ = population;
    return likelihoods_[g].within +
           means_.estimate_log_density(g, groups_[g], likelihoods_[g], known_);
  }

  // Before the first differentiate() of a position: the population's covariance matrix, and the
  // gradients in the prior, which add up over groups, to zero.
  void start_gradient() {
    regressed_ ? regression_.population().fill_covariance() : means_.population().fill_covariance();
    of_means_.clear();
    of_coefficients_.clear();
  }

  // A group's gradient in the factor of its covariance matrix. Of the population mean and
  // covariance matrix are known, or it was drawn (`population_known`).
  void differentiate(int g, const Point& point, bool population_known, Square& of_factor) {
    const GroupStatistics& group = groups_[g];
    if (regressed_) {
      regression_.differentiate(g, group, population_known);
      const Square of_root = regression_.root_gradient(frame_.root(point));
      frame_.differentiate_root(of_root, of_factor);
      if (pooled_) of_coefficients_.add(regression_.prior_gradient(), regression_.alpha(g));
    } else {
      means_.fill_moments(g, group, likelihoods_[g], population_known, moments_);
      if (!known_covariances_) {
        differentiate_likelihood<K>({group, frame_, point}, likelihoods_[g], moments_, scratch_,
                                    of_factor);
      }
      if (pooled_) of_means_.add(moments_.spread_gradient, means_.alpha(g));
    }
  }

  // Since start_gradient(), of all groups: the gradients in H, which with that in D is 2 (d log p /
  // dD) H, and in T.
  void differentiate_prior(AnySquare& of_root, Vector& of_scale) {
    if (regressed_) {
      of_root = regression_.prior_root_gradient(of_coefficients_.of_covariance);
      of_scale = regression_.population().scale_gradient(of_coefficients_.alpha);
    } else {
      of_root = (2.0 * of_means_.of_covariance).lazyProduct(means_.prior().root());
      of_scale = means_.population().scale_gradient(of_means_.alpha);
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
            Eigen::Ref<Eigen::VectorXd> coefficients) {
    if (regressed_) {
      regression_.draw(g, groups_[g], population, random, coefficients);
    } else {
      known_ = population;
      coefficients = means_.draw_mean(g, groups_[g], likelihoods_[g], known_, random);
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

  // Sums over groups of the gradient in D, and of alpha; where coefficients are pooled.
  template <int N>
  struct PriorGradient {
    Eigen::Matrix<T, N, N> of_covariance;
    Eigen::Matrix<T, N, 1> alpha;

    void resize(int n) {
      of_covariance.setZero(n, n);
      alpha.setZero(n);
    }
    void clear() {
      of_covariance.setZero();
      alpha.setZero();
    }
    template <class Covariance, class Alpha>
    void add(const Covariance& covariance, const Alpha& one) {
      of_covariance += covariance;
      alpha += one;
    }
  };

  const Frame<T, K>& frame_;
  const std::vector<GroupStatistics>& groups_;
  int n_features_ = 0;
  bool regressed_ = false, pooled_ = false, known_covariances_ = false;
  MeanLaw<T, K> means_;
  std::vector<GroupLikelihood<T, K>> likelihoods_;
  LikelihoodScratch<T, K> scratch_;
  GroupMeanMoments<K> moments_;
  Eigen::Matrix<T, K, 1> known_;
  RegressionLaw<T> regression_;
  PriorGradient<K> of_means_;
  PriorGradient<Eigen::Dynamic> of_coefficients_;
};

}  // namespace hmvn
