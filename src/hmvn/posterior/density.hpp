// The log density of a unit's posterior and its gradient, K the number of features or
// Eigen::Dynamic.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "hmvn/coordinates/group.hpp"
#include "hmvn/coordinates/group_gradient.hpp"
#include "hmvn/coordinates/population.hpp"
#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/mean_law.hpp"

namespace hmvn {

// All that the density computes at a position, for the gradient and for whoever reads it.
template <class T, int K>
struct DensityWork {
  PopulationPoint<T> population;
  std::vector<GroupPoint<T, K>> own;
  std::vector<CovariancePoint<T, K>> points;
  std::vector<GroupLikelihood<T, K>> likelihoods;
  MeanLaw<T, K> means;
  LikelihoodScratch<T, K> scratch;
  typename GroupPoint<T, K>::Correlations correlations;  // scratch
};

template <class T, int K>
class Density {
 public:
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  using Work = DensityWork<T, K>;

  // Keeps references to the model and its coordinates.
  Density(const Model& model, const Coordinates& coordinates, std::vector<GroupStatistics> groups)
      : model_(model),
        coordinates_(coordinates),
        layout_(coordinates.layout),
        frame_(model),
        groups_(std::move(groups)),
        constants_(coordinates.groups.begin(), coordinates.groups.end()) {}

  void resize(Work& work) const {
    const int n_features = model_.n_features();
    work.population.resize(model_, layout_);
    work.own.resize(groups_.size());
    work.points.resize(groups_.size());
    work.likelihoods.resize(groups_.size());
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      work.own[g].resize(n_features);
      work.points[g].resize(n_features);
      work.likelihoods[g].resize(n_features, groups_[g].patterns.size());
    }
    work.means.resize(n_features, groups_.size(), model_.mean.pooled());
    work.scratch.resize(n_features);
    work.correlations.setZero(n_correlations(n_features));
  }

  // At x. Where it is not finite, `work` may be filled in part only.
  T operator()(const Vector& x, Work& work) const {
    const T failed(-std::numeric_limits<double>::infinity());
    fill_population(coordinates_, x, work.population);
    for (int k = 0; k < model_.n_features(); ++k) {
      const Heterogeneity<T>& at = work.population.mean[k];
      work.means.set_prior(k, T(model_.mean_scale[k]), at.h, at.weight);
    }
    for (int g = 0; g < layout_.n_groups; ++g) {
      for (int i = 0; i < layout_.common.size; ++i) {
        work.points[g].score[layout_.common_coordinates[i]] = work.population.common[i];
      }
      if (layout_.n_own() > 0) {
        fill_of_population(layout_, constants_[g], work.population, work.own[g], work.correlations);
      }
      const Range own = layout_.own(g);
      if (!fill_group(g, x.segment(own.begin, own.size), work)) return failed;
    }
    return sum(work);
  }

  // What follows of a group from its own coordinates. False where it cannot be computed.
  template <class Position>
  bool fill_group(int g, const Position& x, Work& work) const {
    CovariancePoint<T, K>& point = work.points[g];
    if (layout_.n_own() > 0) {
      fill_own_scores(layout_, constants_[g], work.population, x, work.own[g], point.score);
    }
    fill_factor(model_.maps, point);
    frame_.fill_root(point);
    return point.factor.allFinite() && point.factor.diagonal().minCoeff() > T(0) &&
           fill_likelihood(groups_[g], frame_, point, work.likelihoods[g], work.scratch) &&
           work.means.invert(g, groups_[g], work.likelihoods[g]);
  }

  // The density from what is filled of population and groups; finishes the law of the means.
  T sum(Work& work) const {
    T log_density = work.population.log_density, of_means(0);
    for (int g = 0; g < layout_.n_groups; ++g) {
      if (layout_.n_own() > 0) log_density += work.own[g].log_density;
      log_density += work.likelihoods[g].within;
    }
    if (!work.means.combine(groups_, work.likelihoods, of_means)) {
      return T(-std::numeric_limits<double>::infinity());
    }
    return log_density + of_means;
  }

  // A group's own density where T u_0 = `population`.
  T of_group(int g, const Eigen::Matrix<T, K, 1>& population, Work& work) const {
    return work.own[g].log_density + work.likelihoods[g].within +
           work.means.estimate_log_density(g, groups_[g], work.likelihoods[g], population);
  }

  const Model& model() const { return model_; }
  const Coordinates& coordinates() const { return coordinates_; }
  const Frame<T, K>& frame() const { return frame_; }
  const std::vector<GroupStatistics>& groups() const { return groups_; }
  const std::vector<GroupConstants<K>>& constants() const { return constants_; }

 private:
  const Model& model_;
  const Coordinates& coordinates_;
  const Layout& layout_;
  const Frame<T, K> frame_;
  std::vector<GroupStatistics> groups_;
  std::vector<GroupConstants<K>> constants_;
};

// The reverse of Density, from what it left.
template <int K>
class DensityGradient {
 public:
  using Work = DensityWork<double, K>;
  using Vector = Eigen::Matrix<double, K, 1>;
  using Square = Eigen::Matrix<double, K, K>;

  explicit DensityGradient(const Density<double, K>& density)
      : density_(density), layout_(density.coordinates().layout) {
    const int n_features = density.model().n_features();
    of_population_.resize(density.model(), layout_);
    of_group_.resize(n_features);
    moments_.resize(n_features);
    of_factor_.setZero(n_features, n_features);
    of_factors_ = of_factor_;
    of_score_.setZero(n_coordinates(n_features));
  }

  // In all coordinates, at x where `work` was filled.
  void operator()(const Eigen::VectorXd& x, Work& work, Eigen::VectorXd& gradient) {
    const Model& model = density_.model();
    const int n_features = model.n_features();
    gradient.resize(x.size());
    of_population_.resize(model, layout_);
    of_factors_.setZero();
    Vector of_variance = Vector::Zero(n_features), alpha_sum = Vector::Zero(n_features);
    work.means.fill_population_covariance();
    for (int g = 0; g < layout_.n_groups; ++g) {
      differentiate_group_likelihood(g, false, work);
      of_variance += moments_.spread_gradient.diagonal();
      alpha_sum += work.means.alpha(g);
      if (layout_.n_own() == 0) {
        of_factors_ += of_factor_;
      } else {
        differentiate_scores(g, of_factor_, work, gradient);
      }
    }
    if (layout_.n_own() == 0) differentiate_scores(0, of_factors_, work, gradient);
    if (model.mean.learned()) {
      const Vector of_scale = work.means.scale_gradient(alpha_sum);
      for (int k = 0; k < n_features; ++k) {
        const double s = model.mean_scale[k];
        of_population_.mean_h[k] = 2.0 * s * s * work.population.mean[k].h * of_variance[k];
        of_population_.mean_weight[k] = s * of_scale[k];
      }
    }
    differentiate_population(density_.coordinates(), x, work.population, of_population_, gradient);
  }

  // In a group's own coordinates, the population of the means known.
  void of_group(int g, Work& work, Eigen::VectorXd& gradient) {
    gradient.resize(layout_.n_own());
    differentiate_group_likelihood(g, true, work);
    of_score_.setZero();
    differentiate_factor(work.points[g], of_factor_, of_score_);
    differentiate_own(layout_, density_.constants()[g], work.own[g], of_score_, of_group_,
                      gradient);
  }

 private:
  void differentiate_group_likelihood(int g, bool population_known, Work& work) {
    const GroupStatistics& group = density_.groups()[g];
    work.means.fill_moments(g, group, work.likelihoods[g], population_known, moments_);
    differentiate_likelihood(group, density_.frame(), work.points[g], work.likelihoods[g], moments_,
                             work.scratch, of_factor_);
  }

  void differentiate_scores(int g, const Square& of_factor, Work& work, Eigen::VectorXd& gradient) {
    of_score_.setZero();
    differentiate_factor(work.points[g], of_factor, of_score_);
    for (int i = 0; i < layout_.common.size; ++i) {
      of_population_.common[i] += of_score_[layout_.common_coordinates[i]];
    }
    if (layout_.n_own() == 0) return;
    const GroupConstants<K>& constants = density_.constants()[g];
    const Range own = layout_.own(g);
    differentiate_own(layout_, constants, work.own[g], of_score_, of_group_,
                      gradient.segment(own.begin, own.size));
    differentiate_of_population(layout_, constants, work.own[g], of_score_, of_group_,
                                of_population_);
  }

  const Density<double, K>& density_;
  const Layout& layout_;
  PopulationGradient of_population_;
  GroupGradient<K> of_group_;
  GroupMeanMoments<K> moments_;
  Square of_factor_, of_factors_;
  Eigen::VectorXd of_score_;
};

}  // namespace hmvn
