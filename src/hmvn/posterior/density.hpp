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
#include "hmvn/model/coefficient_law.hpp"
#include "hmvn/model/covariance_map.hpp"

namespace hmvn {

template <class T, int K>
class Density;

// All that the density computes at a position, for the gradient and for whoever reads it. Keeps
// references to the density.
template <class T, int K>
struct DensityWork {
  explicit DensityWork(const Density<T, K>& density);

  PopulationPoint<T> population;
  std::vector<GroupPoint<T, K>> own;
  std::vector<CovariancePoint<T, K>> points;
  CoefficientLaw<T, K> coefficients;
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

  // At x. Where it is not finite, `work` may be filled in part only.
  T operator()(const Vector& x, Work& work) const {
    const T failed(-std::numeric_limits<double>::infinity());
    fill_population(model_, coordinates_, x, work.population);
    if (layout_.learns_coefficients) set_coefficient_prior(work);
    for (int g = 0; g < layout_.n_groups; ++g) {
      for (int i = 0; i < layout_.common.size; ++i) {
        work.points[g].score[layout_.common_coordinates[i]] = work.population.common[i];
      }
      if (layout_.n_own() > 0) {
        fill_of_population(constants_[g], work.population, work.own[g], work.correlations);
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
    if (model_.known_covariances) return work.coefficients.fill(g, point);
    if (layout_.n_own() > 0) {
      fill_own_scores(constants_[g], work.population, x, work.own[g], point.score);
    }
    fill_factor(model_.maps, point);
    frame_.fill_root(point);
    return point.factor.allFinite() && point.factor.diagonal().minCoeff() > T(0) &&
           work.coefficients.fill(g, point);
  }

  // The density from what is filled of population and groups; finishes the law of the coefficients.
  T sum(Work& work) const {
    T log_density = work.population.log_density, of_rows(0);
    for (int g = 0; g < layout_.n_groups && layout_.n_own() > 0; ++g) {
      log_density += work.own[g].log_density;
    }
    if (!work.coefficients.combine(of_rows)) return T(-std::numeric_limits<double>::infinity());
    return log_density + of_rows;
  }

  // A group's own density where T u_0 = `population`.
  T of_group(int g, const Vector& population, Work& work) const {
    return work.own[g].log_density + work.coefficients.of_group(g, population);
  }

  const Model& model() const { return model_; }
  const Coordinates& coordinates() const { return coordinates_; }
  const Frame<T, K>& frame() const { return frame_; }
  const std::vector<GroupStatistics>& groups() const { return groups_; }
  const std::vector<GroupConstants<K>>& constants() const { return constants_; }

  // From the heterogeneities and R_b.
  void set_coefficient_prior(Work& work) const {
    const PopulationPoint<T>& population = work.population;
    work.coefficients.set_prior([&](auto& prior) {
      for (int k = 0; k < model_.n_coefficients(); ++k) {
        const Heterogeneity<T>& at = population.coefficient[k];
        prior.set(k, T(model_.coefficient_scale[k]), at.h, at.weight);
      }
      prior.correlate(model_.between_features, population.between.factor);
      prior.finish();
    });
  }

 private:
  const Model& model_;
  const Coordinates& coordinates_;
  const Layout& layout_;
  const Frame<T, K> frame_;
  std::vector<GroupStatistics> groups_;
  std::vector<GroupConstants<K>> constants_;
};

template <class T, int K>
DensityWork<T, K>::DensityWork(const Density<T, K>& density)
    : coefficients(density.frame(), density.groups()) {
  const Model& model = density.model();
  const std::size_t n_groups = density.groups().size();
  population.resize(model, density.coordinates().layout);
  own.resize(n_groups);
  points.resize(n_groups);
  for (std::size_t g = 0; g < n_groups; ++g) {
    own[g].resize(model.n_features());
    points[g].resize(model.n_features());
  }
  coefficients.resize(model);
  correlations.setZero(n_correlations(model.n_features()));
  density.set_coefficient_prior(*this);
}

// The reverse of Density, from what it left.
template <int K>
class DensityGradient {
 public:
  using Work = DensityWork<double, K>;
  using Square = Eigen::Matrix<double, K, K>;

  explicit DensityGradient(const Density<double, K>& density)
      : density_(density), layout_(density.coordinates().layout) {
    const int n_features = density.model().n_features();
    of_population_.resize(density.model(), layout_);
    of_group_.resize(n_features);
    of_factor_.setZero(n_features, n_features);
    of_factors_ = of_factor_;
    of_score_.setZero(n_coordinates(n_features));
  }

  // In all coordinates, at x where `work` was filled.
  void operator()(const Eigen::VectorXd& x, Work& work, Eigen::VectorXd& gradient) {
    const Model& model = density_.model();
    gradient.resize(x.size());
    of_population_.resize(model, layout_);
    of_factors_.setZero();
    work.coefficients.start_gradient();
    for (int g = 0; g < layout_.n_groups; ++g) {
      work.coefficients.differentiate(g, work.points[g], false, of_factor_);
      if (layout_.n_own() == 0) {
        of_factors_ += of_factor_;
      } else {
        differentiate_scores(g, of_factor_, work, gradient);
      }
    }
    if (layout_.common.size > 0 && layout_.n_own() == 0) {
      differentiate_scores(0, of_factors_, work, gradient);
    }
    if (layout_.learns_coefficients) differentiate_coefficient_prior(work);
    differentiate_population(density_.coordinates(), x, work.population, of_population_, gradient);
  }

  // In a group's own coordinates, the population of the coefficients known.
  void of_group(int g, Work& work, Eigen::VectorXd& gradient) {
    gradient.resize(layout_.n_own());
    work.coefficients.differentiate(g, work.points[g], true, of_factor_);
    of_score_.setZero();
    differentiate_factor(work.points[g], of_factor_, of_score_);
    differentiate_own(density_.constants()[g], work.own[g], of_score_, of_group_, gradient);
  }

 private:
  // In h and the weight of every coefficient, and in R_b: H = diag(tau) L_b.
  void differentiate_coefficient_prior(Work& work) {
    const Model& model = density_.model();
    work.coefficients.differentiate_prior(of_root_, of_scale_);
    const Eigen::MatrixXd& factor = work.population.between.factor;
    of_between_.setZero(factor.rows(), factor.cols());
    for (int k = 0; k < model.n_coefficients(); ++k) {
      const double s = model.coefficient_scale[k];
      of_population_.coefficient_weight[k] = s * of_scale_[k];
      of_population_.coefficient_h[k] = s * of_root_(k, k);
    }
    for (Eigen::Index i = 0; i < factor.rows(); ++i) {
      const int k = model.between_features[i];
      const double s = model.coefficient_scale[k], tau = s * work.population.coefficient[k].h;
      double of_tau = 0.0;
      for (Eigen::Index j = 0; j <= i; ++j) {
        const double entry = of_root_(k, model.between_features[j]);
        of_tau += entry * factor(i, j);
        of_between_(i, j) = tau * entry;
      }
      of_population_.coefficient_h[k] = s * of_tau;
    }
    differentiate_between(work.population.between, of_between_, of_population_.between);
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
    differentiate_own(constants, work.own[g], of_score_, of_group_,
                      gradient.segment(own.begin, own.size));
    differentiate_of_population(constants, work.own[g], of_score_, of_group_, of_population_);
  }

  const Density<double, K>& density_;
  const Layout& layout_;
  PopulationGradient of_population_;
  GroupGradient<K> of_group_;
  Square of_factor_, of_factors_;
  Eigen::VectorXd of_score_, of_scale_;
  Eigen::MatrixXd of_root_, of_between_;
};

}  // namespace hmvn
