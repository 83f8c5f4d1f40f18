// The part of that map that groups share: heterogeneities, population scores, shared scores.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/heterogeneity.hpp"
#include "hmvn/model/layout.hpp"
#include "hmvn/model/transport_plan.hpp"

namespace hmvn {

// Heterogeneity and population of one position.
template <class T>
struct PopulationPoint {
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  std::vector<Heterogeneity<T>> mean, own;  // by feature; by own coordinate
  Vector score;                             // u_0 of the partial coordinates
  Vector precision;                         // A of each: 1 + w^2 S0
  Vector sum0, sum1;                        // S0 = sum_g j/(1 + h^2 j), S1 = sum_g j c/(1 + h^2 j)
  Vector center;                            // v of every own coordinate (0 where not pooled)
  Vector shared;                            // shared scores
  T log_density;  // log prior of all this, with the Jacobian of the change of variables

  void resize(const Model& model, const Layout& layout) {
    mean.assign(model.n_features(), constant_heterogeneity<T>(model.mean.constant()));
    own.clear();
    for (int coordinate : layout.own_coordinates) {
      const Block& block = coordinate < model.n_features() ? model.scale : model.correlation;
      own.push_back(constant_heterogeneity<T>(block.constant()));
    }
    for (Vector* v : {&score, &precision, &sum0, &sum1}) v->setZero(layout.n_population());
    center.setZero(layout.n_own());
    shared.setZero(layout.n_shared());
  }
};

// Fills the point and returns the log prior of h and of the population, with the Jacobian of the
// change of variables.
template <class T>
T evaluate(const Model& model, const Layout& layout, const TransportPlan& plan,
           const Eigen::Matrix<T, Eigen::Dynamic, 1>& x, PopulationPoint<T>& point) {
  using std::log;
  using std::sqrt;
  T log_density(0);
  const int n_features = model.n_features();
  if (layout.h_mean >= 0) {
    for (int k = 0; k < n_features; ++k) {
      point.mean[k] =
          learned_heterogeneity(model.mean.heterogeneity, plan.h_mean[k], x[layout.h_mean + k]);
      log_density += point.mean[k].log_prior;
    }
  }
  for (int i = 0; i < layout.n_own(); ++i) {
    const int c = layout.own_coordinates[i];
    if (c < n_features && layout.h_scale >= 0) {
      point.own[i] =
          learned_heterogeneity(model.scale.heterogeneity, plan.h_scale[c], x[layout.h_scale + c]);
      log_density += point.own[i].log_prior;
    } else if (c >= n_features && layout.h_correlation >= 0) {  // one h for all correlations
      if (c > n_features) {
        point.own[i] = point.own[i - 1];
      } else {
        point.own[i] = learned_heterogeneity(model.correlation.heterogeneity, plan.h_correlation,
                                             x[layout.h_correlation]);
        log_density += point.own[i].log_prior;
      }
    }
  }
  for (int p = 0; p < layout.n_population(); ++p) {
    const Heterogeneity<T>& own = point.own[layout.partial[p]];
    T sum0(0), sum1(0);
    for (int g = 0; g < layout.n_groups; ++g) {
      const T shrunk = T(1) / (T(1) + own.h * own.h * T(plan.population_information(p, g)));
      sum0 += T(plan.population_information(p, g)) * shrunk;
      sum1 += T(plan.population_pull(p, g)) * shrunk;
    }
    point.sum0[p] = sum0;
    point.sum1[p] = sum1;
    point.precision[p] = T(1) + own.weight * own.weight * sum0;
    point.score[p] = own.weight * sum1 / point.precision[p] +
                     x[layout.population + p] / sqrt(point.precision[p]);
    point.center[layout.partial[p]] = own.weight * point.score[p];
    log_density -= T(0.5) * (point.score[p] * point.score[p] + log(point.precision[p]));
  }
  if (layout.n_shared() > 0) {
    point.shared = plan.shared_center.template cast<T>();
    point.shared.noalias() += plan.shared_spread.template cast<T>().lazyProduct(
        x.segment(layout.shared, layout.n_shared()));
    log_density -= T(0.5) * point.shared.squaredNorm();
  }
  return log_density;
}

// Adds the population's share of the gradient, given the gradients of everything else in v (own
// coordinates), in the shared scores, in h of every own coordinate, and in h and sqrt(1 - h^2) of
// the means.
struct PopulationGradient {
  Eigen::VectorXd center, shared, h, mean_h, mean_weight;

  void resize(const Model& model, const Layout& layout) {
    center.setZero(layout.n_own());
    h.setZero(layout.n_own());
    shared.setZero(layout.n_shared());
    mean_h.setZero(model.n_features());
    mean_weight.setZero(model.n_features());
  }
};

inline void differentiate(const Model& model, const Layout& layout, const TransportPlan& plan,
                          const Eigen::VectorXd& x, const PopulationPoint<double>& point,
                          const PopulationGradient& outer, Eigen::VectorXd& gradient) {
  const int n_features = model.n_features();
  for (int p = 0; p < layout.n_population(); ++p) {
    const int i = layout.partial[p];
    const Heterogeneity<double>& own = point.own[i];
    const double precision = point.precision[p], root = std::sqrt(precision);
    const double score = point.score[p], position = x[layout.population + p];
    const double score_slope = own.weight * outer.center[i] - score;
    gradient[layout.population + p] += score_slope / root;
    const double of_sum1 = score_slope * own.weight / precision;
    const double of_precision = -0.5 / precision -
                                0.5 * score_slope * position / (precision * root) -
                                score_slope * own.weight * point.sum1[p] / (precision * precision);
    double of_weight = outer.center[i] * score + score_slope * point.sum1[p] / precision +
                       2.0 * of_precision * own.weight * point.sum0[p];
    const double of_sum0 = of_precision * own.weight * own.weight;
    double of_h = outer.h[i];
    if (own.slope != 0.0) {
      for (int g = 0; g < layout.n_groups; ++g) {
        const double information = plan.population_information(p, g);
        const double shrunk = 1.0 / (1.0 + own.h * own.h * information);
        of_h -= 2.0 * own.h * information * shrunk * shrunk *
                (of_sum0 * information + of_sum1 * plan.population_pull(p, g));
      }
      const int c = layout.own_coordinates[i];
      const int at = c < n_features ? layout.h_scale + c : layout.h_correlation;
      gradient[at] += of_h * own.slope + of_weight * own.weight_slope;
      if (c <= n_features) gradient[at] += own.log_prior_slope;
    }
  }
  if (layout.h_mean >= 0) {
    for (int k = 0; k < n_features; ++k) {
      gradient[layout.h_mean + k] += outer.mean_h[k] * point.mean[k].slope +
                                     outer.mean_weight[k] * point.mean[k].weight_slope +
                                     point.mean[k].log_prior_slope;
    }
  }
  if (layout.n_shared() > 0) {
    gradient.segment(layout.shared, layout.n_shared()).noalias() +=
        plan.shared_spread.transpose().lazyProduct(outer.shared - point.shared);
  }
}

}  // namespace hmvn
