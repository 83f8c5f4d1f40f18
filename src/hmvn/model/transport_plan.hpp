// The constants of the map from the sampler's standardised coordinates to scores, which serves
// centred and non-centred alike.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <vector>

#include "hmvn/model/group_basis.hpp"
#include "hmvn/model/heterogeneity.hpp"
#include "hmvn/model/layout.hpp"
#include "hmvn/model/reference.hpp"

namespace hmvn {

// With u_g = v + H e_g (S4) and a group's likelihood near a normal one with information J and pull
// b (reference.hpp), e_g given v and H is near normal with precision B = I + H J H and mean B^-1 H
// (b - J v) (C5). The sampler's x_g is e_g standardised by exactly these (C6), with a root of B
// that is cheap for every H (C7). Where the data say little or H is near 0 this is the non-centred
// form, where they say much the centred one, and each direction of each group gets its own. The
// population scores are standardised likewise, one by one, given H (C8), and each h by what the
// data say of it (C9); the shared ones by a constant map. All of it is only a change of variables:
// its Jacobian is part of the density.

// Constants of the change of variables.
struct TransportPlan {
  std::vector<GroupBasis<Eigen::Dynamic>> groups;
  Eigen::MatrixXd
      population_information;  // partial x groups: j, of the group's own estimate of each score
  Eigen::MatrixXd population_pull;  // partial x groups: j times that estimate
  Eigen::VectorXd shared_center;
  Eigen::MatrixXd shared_spread;                  // L^-T, L L' the shared scores' precision
  std::vector<HeterogeneityMap> h_mean, h_scale;  // by feature; empty if not learned
  HeterogeneityMap h_correlation;
};

// H where it is not learned: fixed by the user, or 1. Learned ones get 1/2, a guess for constants
// only.
inline Eigen::VectorXd nominal_heterogeneity(const Model& model, const Layout& layout) {
  Eigen::VectorXd h(layout.n_own());
  for (int i = 0; i < layout.n_own(); ++i) {
    const Block& block =
        layout.own_coordinates[i] < model.n_features() ? model.scale : model.correlation;
    h[i] = block.learned() ? 0.5 : block.constant();
  }
  return h;
}

// The log of the density of all groups' estimates c_g of one score, with information j_g, given h:
// the score and the population score integrated out, as in (C8).
inline double marginal_log_density(double h, double weight, const Eigen::RowVectorXd& information,
                                   const Eigen::RowVectorXd& pull) {
  double log_density = 0.0, sum0 = 0.0, sum1 = 0.0;
  for (Eigen::Index g = 0; g < information.size(); ++g) {
    if (!(information[g] > 0.0)) continue;
    const double shrunk = 1.0 / (1.0 + h * h * information[g]);
    log_density += 0.5 * (std::log(shrunk) - pull[g] * pull[g] / information[g] * shrunk);
    sum0 += information[g] * shrunk;
    sum1 += pull[g] * shrunk;
  }
  const double precision = 1.0 + weight * weight * sum0;
  return log_density + 0.5 * (weight * weight * sum1 * sum1 / precision - std::log(precision));
}

// The map that standardises what the estimates in these rows say of h, if they were all there is.
inline HeterogeneityMap standardise_heterogeneity(const HeterogeneityPrior& prior,
                                                  const Eigen::MatrixXd& information,
                                                  const Eigen::MatrixXd& pull) {
  return HeterogeneityMap([&](double x) {
    const Heterogeneity<double> at = heterogeneity_at(prior, x);
    double log_density = at.log_prior;
    for (Eigen::Index i = 0; i < information.rows(); ++i) {
      log_density += marginal_log_density(at.h, at.weight, information.row(i), pull.row(i));
    }
    return log_density;
  });
}

inline void standardise_heterogeneities(const Model& model, const Layout& layout,
                                        const Reference& reference, TransportPlan& plan) {
  const int n_features = model.n_features();
  if (layout.h_mean >= 0) {
    for (int k = 0; k < n_features; ++k) {
      plan.h_mean.push_back(standardise_heterogeneity(
          model.mean.heterogeneity, reference.mean_information.row(k), reference.mean_pull.row(k)));
    }
  }
  int first_correlation = 0;
  for (int p : layout.partial) first_correlation += layout.own_coordinates[p] < n_features;
  if (layout.h_scale >= 0) {
    for (int k = 0; k < n_features; ++k) {
      plan.h_scale.push_back(standardise_heterogeneity(model.scale.heterogeneity,
                                                       plan.population_information.row(k),
                                                       plan.population_pull.row(k)));
    }
  }
  if (layout.h_correlation >= 0) {
    const Eigen::Index rest = plan.population_information.rows() - first_correlation;
    plan.h_correlation = standardise_heterogeneity(model.correlation.heterogeneity,
                                                   plan.population_information.bottomRows(rest),
                                                   plan.population_pull.bottomRows(rest));
  }
}

inline TransportPlan make_transport_plan(const Model& model,
                                         const std::vector<GroupStatistics>& groups) {
  TransportPlan plan;
  const Layout layout = make_layout(model, static_cast<int>(groups.size()));
  const Reference reference = make_reference(model, groups);
  const int n_own = layout.n_own(), n_shared = layout.n_shared(),
            n_population = layout.n_population();
  const Eigen::VectorXd h = nominal_heterogeneity(model, layout);
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(n_own, n_own);
  const Eigen::VectorXd pooled_own = select(reference.pooled, layout.own_coordinates);
  const Eigen::VectorXd pooled_shared = select(reference.pooled, layout.shared_coordinates);
  plan.population_information.setZero(n_population, layout.n_groups);
  plan.population_pull.setZero(n_population, layout.n_groups);
  Eigen::MatrixXd shared_precision = Eigen::MatrixXd::Identity(n_shared, n_shared);
  Eigen::VectorXd shared_pull = Eigen::VectorXd::Zero(n_shared);
  for (int g = 0; g < layout.n_groups; ++g) {
    const QuadraticLikelihood& quadratic = reference.groups[g];
    plan.groups.emplace_back(layout, quadratic, model.n_features());
    const Eigen::MatrixXd own =
        select(quadratic.information, layout.own_coordinates, layout.own_coordinates);
    const Eigen::MatrixXd cross =
        select(quadratic.information, layout.own_coordinates, layout.shared_coordinates);
    const Eigen::VectorXd pull = select(quadratic.pull, layout.own_coordinates);
    const Eigen::MatrixXd scaled = h.asDiagonal() * own * h.asDiagonal();
    // What the shared scores see once the own ones are integrated out: a Schur complement.
    const Eigen::MatrixXd through =
        h.asDiagonal() * (identity + scaled).llt().solve(h.asDiagonal() * cross);
    shared_precision +=
        select(quadratic.information, layout.shared_coordinates, layout.shared_coordinates) -
        cross.transpose() * through;
    shared_pull += select(quadratic.pull, layout.shared_coordinates) - through.transpose() * pull;
    // Each own score's estimate and its information, other scores integrated out, from the
    // posterior under a Normal(pooled, 1) prior.
    if (n_population > 0) {
      const Eigen::LLT<Eigen::MatrixXd> posterior(own + identity);
      const Eigen::VectorXd variance = posterior.solve(identity).diagonal();
      const Eigen::VectorXd shift =
          posterior.solve(pull - own * pooled_own - cross * pooled_shared);
      for (int p = 0; p < n_population; ++p) {
        const int i = layout.partial[p];
        const double information = std::max(0.0, 1.0 / variance[i] - 1.0);
        plan.population_information(p, g) = information;
        plan.population_pull(p, g) = pooled_own[i] * information + shift[i] * (1.0 + information);
      }
    }
  }
  if (n_shared > 0) {
    const Eigen::LLT<Eigen::MatrixXd> root(0.5 * (shared_precision + shared_precision.transpose()));
    plan.shared_spread = root.matrixU().solve(Eigen::MatrixXd::Identity(n_shared, n_shared));
    plan.shared_center = root.solve(shared_pull);
  }
  standardise_heterogeneities(model, layout, reference, plan);
  return plan;
}

}  // namespace hmvn
