// The log density of a unit's posterior and its gradient, K the number of features or
// Eigen::Dynamic.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "hmvn/coordinates/bundles.hpp"
#include "hmvn/coordinates/group.hpp"
#include "hmvn/coordinates/group_gradient.hpp"
#include "hmvn/coordinates/population.hpp"
#include "hmvn/model/coefficient_law.hpp"
#include "hmvn/model/covariance_map.hpp"

namespace hmvn {

template <class T, int K>
class Density;

// All that the density computes at a position, for the gradient and for whoever reads it. Keeps
// references to the density and to the crew, which does what is done by bundle.
template <class T, int K>
struct DensityWork {
  DensityWork(const Density<T, K>& density, Crew& crew);

  PopulationPoint<T> population;
  std::vector<GroupPoint<T, K>> own;
  std::vector<CovariancePoint<T, K>> points;
  CoefficientLaw<T, K> coefficients;

  struct OfBundle {
    bool filled;
    T log_density;
    typename GroupPoint<T, K>::Correlations correlations;  // scratch
    char apart[64];                                        // lest two share a line of the cache
  };
  const Bundles bundles;
  std::vector<OfBundle> of_bundle;
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
    fill_population(model_, coordinates_, x, work.population);
    if (layout_.learns_coefficients) set_coefficient_prior(work);
    return over_groups(work, [&](int g) {
      for (int i = 0; i < layout_.common.size; ++i) {
        work.points[g].score[layout_.common_coordinates[i]] = work.population.common[i];
      }
      if (layout_.n_own() > 0) {
        fill_of_population(constants_[g], work.population, work.own[g],
                           work.of_bundle[work.bundles.of(g)].correlations);
      }
      const Range own = layout_.own(g);
      return fill_group(g, x.segment(own.begin, own.size), work);
    });
  }

  // The density once fill(g) has filled group g, for all of them, or said that it cannot be
  // computed; finishes the law of the coefficients. What is shared is filled.
  template <class Fill>
  T over_groups(Work& work, const Fill& fill) const {
    const T failed(-std::numeric_limits<double>::infinity());
    work.bundles.for_each([&](int b) {
      bool filled = true;
      work.coefficients.clear(b);
      const Range groups = work.bundles.groups(b);
      for (int g = groups.begin; g < groups.end() && filled; ++g) {
        filled = fill(g);
        if (filled) work.coefficients.add(g, b);
      }
      work.of_bundle[b].filled = filled;
    });
    for (const auto& bundle : work.of_bundle) {
      if (!bundle.filled) return failed;
    }
    T log_density = work.population.log_density;
    if (!work.coefficients.combine(log_density)) return failed;
    work.bundles.for_each([&](int b) { work.of_bundle[b].log_density = of_bundle(b, work); });
    for (const auto& bundle : work.of_bundle) log_density += bundle.log_density;
    return log_density;
  }

  // What follows of a group from its own coordinates. False where it cannot be computed.
  template <class Position>
  bool fill_group(int g, const Position& x, Work& work) const {
    CovariancePoint<T, K>& point = work.points[g];
    const int bundle = work.bundles.of(g);
    if (model_.known_covariances) return work.coefficients.fill(g, bundle, point);
    if (layout_.n_own() > 0) {
      fill_own_scores(constants_[g], work.population, x, work.own[g], point.score);
    }
    fill_factor(model_.maps, point);
    frame_.fill_root(point);
    return point.factor.allFinite() && point.factor.diagonal().minCoeff() > T(0) &&
           work.coefficients.fill(g, bundle, point);
  }

  // A group's own density where T u_0 = `population`.
  T of_group(int g, const Vector& population, Work& work) const {
    return work.own[g].log_density +
           work.coefficients.at_population(g, work.bundles.of(g), population);
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
  T of_bundle(int bundle, Work& work) const {
    T log_density(0);
    const Range groups = work.bundles.groups(bundle);
    for (int g = groups.begin; g < groups.end(); ++g) {
      if (layout_.n_own() > 0) log_density += work.own[g].log_density;
      log_density += work.coefficients.at_center(g, bundle);
    }
    return log_density;
  }

  const Model& model_;
  const Coordinates& coordinates_;
  const Layout& layout_;
  const Frame<T, K> frame_;
  std::vector<GroupStatistics> groups_;
  std::vector<GroupConstants<K>> constants_;
};

template <class T, int K>
DensityWork<T, K>::DensityWork(const Density<T, K>& density, Crew& crew)
    : coefficients(density.frame(), density.groups()),
      bundles(density.coordinates().layout.n_groups, density.model().n_features(), crew) {
  const Model& model = density.model();
  const std::size_t n_groups = density.groups().size();
  population.resize(model, density.coordinates().layout);
  own.resize(n_groups);
  points.resize(n_groups);
  for (std::size_t g = 0; g < n_groups; ++g) {
    own[g].resize(model.n_features());
    points[g].resize(model.n_features());
  }
  coefficients.resize(model, bundles.n_bundles());
  of_bundle.resize(static_cast<std::size_t>(bundles.n_bundles()));
  for (OfBundle& bundle : of_bundle) {
    bundle.correlations.setZero(n_correlations(model.n_features()));
  }
  density.set_coefficient_prior(*this);
}

// The reverse of Density, from what it left.
template <int K>
class DensityGradient {
 public:
  using Work = DensityWork<double, K>;
  using Square = Eigen::Matrix<double, K, K>;

  // Keeps a reference to the density. For work in so many bundles.
  DensityGradient(const Density<double, K>& density, int n_bundles)
      : density_(density),
        layout_(density.coordinates().layout),
        benches_(static_cast<std::size_t>(n_bundles)) {
    const int n_features = density.model().n_features();
    for (Bench& bench : benches_) {
      bench.of_population.resize(density.model(), layout_);
      bench.of_group.resize(n_features);
      bench.of_factor.setZero(n_features, n_features);
      bench.of_factors = bench.of_factor;
      bench.of_score.setZero(n_coordinates(n_features));
    }
  }

  // In all coordinates, at x where `work` was filled.
  void operator()(const Eigen::VectorXd& x, Work& work, Eigen::VectorXd& gradient) {
    gradient.resize(x.size());
    work.coefficients.start_gradient();
    work.bundles.for_each([&](int b) { differentiate_bundle(b, work, gradient); });
    Bench& all = benches_[0];
    for (std::size_t b = 1; b < benches_.size(); ++b) {
      all.of_population.add(benches_[b].of_population);
      all.of_factors += benches_[b].of_factors;
    }
    if (layout_.common.size > 0 && layout_.n_own() == 0) {
      differentiate_common(work.points[0], all.of_factors, all);
    }
    if (layout_.learns_coefficients) differentiate_coefficient_prior(work, all.of_population);
    differentiate_population(density_.coordinates(), x, work.population, all.of_population,
                             gradient);
  }

  // In a group's own coordinates, the population of the coefficients known.
  void of_group(int g, Work& work, Eigen::VectorXd& gradient) {
    const int bundle = work.bundles.of(g);
    Bench& bench = benches_[bundle];
    gradient.resize(layout_.n_own());
    work.coefficients.differentiate_at_population(g, bundle, work.points[g], bench.of_factor);
    bench.of_score.setZero();
    differentiate_factor(work.points[g], bench.of_factor, bench.of_score);
    differentiate_own(density_.constants()[g], work.own[g], bench.of_score, bench.of_group,
                      gradient);
  }

 private:
  // Room to work on a bundle's groups, and sums over them.
  struct Bench {
    GroupGradient<K> of_group;
    Square of_factor;
    Eigen::VectorXd of_score;
    PopulationGradient of_population;
    Square of_factors;  // where groups have no own coordinates
    char apart[64];     // lest two bundles' benches share a line of the cache
  };

  void differentiate_bundle(int b, Work& work, Eigen::VectorXd& gradient) {
    Bench& bench = benches_[b];
    bench.of_population.resize(density_.model(), layout_);
    bench.of_factors.setZero();
    work.coefficients.clear(b);
    const Range groups = work.bundles.groups(b);
    for (int g = groups.begin; g < groups.end(); ++g) {
      work.coefficients.differentiate(g, b, work.points[g], bench.of_factor);
      if (layout_.n_own() == 0) {
        bench.of_factors += bench.of_factor;
        continue;
      }
      differentiate_common(work.points[g], bench.of_factor, bench);
      const GroupConstants<K>& constants = density_.constants()[g];
      const Range own = layout_.own(g);
      differentiate_own(constants, work.own[g], bench.of_score, bench.of_group,
                        gradient.segment(own.begin, own.size));
      differentiate_of_population(constants, work.own[g], bench.of_score, bench.of_group,
                                  bench.of_population);
    }
  }

  // In all scores of a covariance matrix; adds to that in the common ones.
  void differentiate_common(const CovariancePoint<double, K>& point, const Square& of_factor,
                            Bench& bench) {
    bench.of_score.setZero();
    differentiate_factor(point, of_factor, bench.of_score);
    for (int i = 0; i < layout_.common.size; ++i) {
      bench.of_population.common[i] += bench.of_score[layout_.common_coordinates[i]];
    }
  }

  // In h and the weight of every coefficient, and in R_b: H = diag(tau) L_b.
  void differentiate_coefficient_prior(Work& work, PopulationGradient& of_population) {
    const Model& model = density_.model();
    work.coefficients.differentiate_prior(of_root_, of_scale_);
    const Eigen::MatrixXd& factor = work.population.between.factor;
    of_between_.setZero(factor.rows(), factor.cols());
    for (int k = 0; k < model.n_coefficients(); ++k) {
      const double s = model.coefficient_scale[k];
      of_population.coefficient_weight[k] = s * of_scale_[k];
      of_population.coefficient_h[k] = s * of_root_(k, k);
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
      of_population.coefficient_h[k] = s * of_tau;
    }
    differentiate_between(work.population.between, of_between_, of_population.between);
  }

  const Density<double, K>& density_;
  const Layout& layout_;
  std::vector<Bench> benches_;  // of the bundles
  Eigen::VectorXd of_scale_;
  Eigen::MatrixXd of_root_, of_between_;
};

}  // namespace hmvn
