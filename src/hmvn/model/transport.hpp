// From the sampler's standardised coordinates to scores: the map that serves centred and non-centred alike.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/heterogeneity.hpp"
#include "hmvn/model/layout.hpp"
#include "hmvn/model/reference.hpp"

namespace hmvn {

// With u_g = v + H e_g (S4) and a group's likelihood near a normal one with information I and pull b (reference.hpp),
// e_g given v and H is near normal with precision B = I_d + H I H and mean B^-1 H (b - I v). The sampler's x_g is e_g
// standardised by exactly these: e_g = R^-T (R^-1 H r + x_g), R R' = B, r = b - I v - I_os u_shared. Where the data say
// little or H is near 0 this is the non-centred form, where they say much the centred one, and each direction of each
// group gets its own. The population scores are standardised likewise, one by one, given H; the shared ones by a
// constant map. All of it is only a change of variables: its Jacobian is part of the density.

// Constants of the change of variables.
struct TransportPlan {
  struct Group {
    Eigen::MatrixXd information;  // own x own
    Eigen::MatrixXd cross;        // own x shared
    Eigen::VectorXd pull;         // own
    Eigen::MatrixXd root;         // R where H is constant
  };
  std::vector<Group> groups;
  Eigen::MatrixXd population_information;  // partial x groups: j, of the group's own estimate of each score
  Eigen::MatrixXd population_pull;         // partial x groups: j times that estimate
  Eigen::VectorXd shared_center;
  Eigen::MatrixXd shared_spread;           // R^-T, R R' the shared scores' precision
  bool constant = true;                    // no h that touches a covariance matrix is learned
};

inline Eigen::MatrixXd select(const Eigen::MatrixXd& matrix, const std::vector<int>& rows, const std::vector<int>& cols) {
  Eigen::MatrixXd out(rows.size(), cols.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < cols.size(); ++j) out(i, j) = matrix(rows[i], cols[j]);
  }
  return out;
}

inline Eigen::VectorXd select(const Eigen::VectorXd& vector, const std::vector<int>& rows) {
  Eigen::VectorXd out(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = vector[rows[i]];
  return out;
}

inline Eigen::MatrixXd lower_root(const Eigen::MatrixXd& matrix) { return Eigen::LLT<Eigen::MatrixXd>(matrix).matrixL(); }

// H where it is not learned: fixed by the user, or 1. Learned ones get 1/2, a guess for constants only.
inline Eigen::VectorXd nominal_heterogeneity(const Model& model, const Layout& layout) {
  Eigen::VectorXd h(layout.n_own());
  for (int i = 0; i < layout.n_own(); ++i) {
    const Block& block = layout.own_coordinates[i] < model.n_features() ? model.scale : model.correlation;
    h[i] = block.learned() ? 0.5 : block.constant();
  }
  return h;
}

inline TransportPlan make_transport_plan(const Model& model, const Layout& layout, const Reference& reference) {
  TransportPlan plan;
  plan.constant = !(model.scale.learned() || (model.correlation.learned() && model.n_features() > 1));
  const int n_own = layout.n_own(), n_shared = layout.n_shared(), n_population = layout.n_population();
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
    TransportPlan::Group group;
    group.information = select(quadratic.information, layout.own_coordinates, layout.own_coordinates);
    group.cross = select(quadratic.information, layout.own_coordinates, layout.shared_coordinates);
    group.pull = select(quadratic.pull, layout.own_coordinates);
    const Eigen::MatrixXd scaled = h.asDiagonal() * group.information * h.asDiagonal();
    group.root = lower_root(identity + scaled);
    // What the shared scores see once the own ones are integrated out: a Schur complement.
    const Eigen::MatrixXd through = h.asDiagonal() * (identity + scaled).llt().solve(h.asDiagonal() * group.cross);
    shared_precision += select(quadratic.information, layout.shared_coordinates, layout.shared_coordinates) -
                        group.cross.transpose() * through;
    shared_pull += select(quadratic.pull, layout.shared_coordinates) - through.transpose() * group.pull;
    // Each own score's estimate and its information, other scores integrated out, from the posterior under a
    // Normal(pooled, 1) prior.
    if (n_population > 0) {
      const Eigen::LLT<Eigen::MatrixXd> posterior(group.information + identity);
      const Eigen::VectorXd variance = posterior.solve(identity).diagonal();
      const Eigen::VectorXd shift =
          posterior.solve(group.pull - group.information * pooled_own - group.cross * pooled_shared);
      for (int p = 0; p < n_population; ++p) {
        const int i = layout.partial[p];
        const double information = std::max(0.0, 1.0 / variance[i] - 1.0);
        plan.population_information(p, g) = information;
        plan.population_pull(p, g) = pooled_own[i] * information + shift[i] * (1.0 + information);
      }
    }
    plan.groups.push_back(std::move(group));
  }
  if (n_shared > 0) {
    const Eigen::LLT<Eigen::MatrixXd> root(0.5 * (shared_precision + shared_precision.transpose()));
    plan.shared_spread = root.matrixU().solve(Eigen::MatrixXd::Identity(n_shared, n_shared));
    plan.shared_center = root.solve(shared_pull);
  }
  return plan;
}

// Heterogeneity and population of one position.
template <class T>
struct PopulationPoint {
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  std::vector<Heterogeneity<T>> mean, own;  // by feature; by own coordinate
  Vector score;        // u_0 of the partial coordinates
  Vector precision;    // A of each: 1 + w^2 S0
  Vector sum0, sum1;   // S0 = sum_g j/(1 + h^2 j), S1 = sum_g j c/(1 + h^2 j)
  Vector center;       // v of every own coordinate (0 where not pooled)
  Vector shared;       // shared scores

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

// Fills the point and returns the log prior of h and of the population, with the Jacobian of the change of variables.
template <class T>
T evaluate(const Model& model, const Layout& layout, const TransportPlan& plan,
           const Eigen::Matrix<T, Eigen::Dynamic, 1>& x, PopulationPoint<T>& point) {
  using std::log;
  using std::sqrt;
  T log_density(0);
  const int n_features = model.n_features();
  if (layout.h_mean >= 0) {
    for (int k = 0; k < n_features; ++k) {
      point.mean[k] = learned_heterogeneity(model.mean.heterogeneity, x[layout.h_mean + k]);
      log_density += point.mean[k].log_prior;
    }
  }
  for (int i = 0; i < layout.n_own(); ++i) {
    const int c = layout.own_coordinates[i];
    if (c < n_features && layout.h_scale >= 0) {
      point.own[i] = learned_heterogeneity(model.scale.heterogeneity, x[layout.h_scale + c]);
      log_density += point.own[i].log_prior;
    } else if (c >= n_features && layout.h_correlation >= 0) {  // one h for all correlations
      if (c > n_features) {
        point.own[i] = point.own[i - 1];
      } else {
        point.own[i] = learned_heterogeneity(model.correlation.heterogeneity, x[layout.h_correlation]);
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
    point.score[p] = own.weight * sum1 / point.precision[p] + x[layout.population + p] / sqrt(point.precision[p]);
    point.center[layout.partial[p]] = own.weight * point.score[p];
    log_density -= T(0.5) * (point.score[p] * point.score[p] + log(point.precision[p]));
  }
  if (layout.n_shared() > 0) {
    point.shared = plan.shared_center.template cast<T>();
    point.shared.noalias() += plan.shared_spread.template cast<T>() * x.segment(layout.shared, layout.n_shared());
    log_density -= T(0.5) * point.shared.squaredNorm();
  }
  return log_density;
}

// Adds the population's share of the gradient, given the gradients of everything else in v (own coordinates), in the
// shared scores, in h of every own coordinate, and in h and sqrt(1 - h^2) of the means.
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
    const double of_precision = -0.5 / precision - 0.5 * score_slope * position / (precision * root) -
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
                                     outer.mean_weight[k] * point.mean[k].weight_slope + point.mean[k].log_prior_slope;
    }
  }
  if (layout.n_shared() > 0) {
    gradient.segment(layout.shared, layout.n_shared()).noalias() +=
        plan.shared_spread.transpose() * (outer.shared - point.shared);
  }
}

// One group's own scores.
template <class T>
struct GroupTransport {
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Matrix root;       // R
  Vector remainder;  // r
  Vector scaled;     // q = R^-1 H r
  Vector noise;      // e

  void resize(const TransportPlan::Group& group) {
    root = group.root.template cast<T>();
    remainder.setZero(group.pull.size());
    scaled = noise = remainder;
  }
};

// Fills the own scores of group g (written into `score`, over all coordinates) and returns their log prior with the
// Jacobian of the change of variables.
template <class T>
T evaluate(const Layout& layout, const TransportPlan& plan, int g, const Eigen::Matrix<T, Eigen::Dynamic, 1>& x,
           const PopulationPoint<T>& population, GroupTransport<T>& out, Eigen::Matrix<T, Eigen::Dynamic, 1>& score) {
  const TransportPlan::Group& group = plan.groups[g];
  const int n_own = layout.n_own();
  for (int i = 0; i < layout.n_shared(); ++i) score[layout.shared_coordinates[i]] = population.shared[i];
  if (n_own == 0) return T(0);
  if (!plan.constant) {
    for (int j = 0; j < n_own; ++j) {
      for (int i = j; i < n_own; ++i) {
        out.root(i, j) = population.own[i].h * T(group.information(i, j)) * population.own[j].h;
      }
      out.root(j, j) += T(1);
    }
    Eigen::LLT<Eigen::Ref<typename GroupTransport<T>::Matrix>> in_place(out.root);
  }
  out.remainder = group.pull.template cast<T>();
  out.remainder.noalias() -= group.information.template cast<T>() * population.center;
  if (layout.n_shared() > 0) out.remainder.noalias() -= group.cross.template cast<T>() * population.shared;
  for (int i = 0; i < n_own; ++i) out.scaled[i] = population.own[i].h * out.remainder[i];
  out.root.template triangularView<Eigen::Lower>().solveInPlace(out.scaled);
  out.noise = out.scaled + x.segment(layout.own + g * n_own, n_own);
  out.root.template triangularView<Eigen::Lower>().transpose().solveInPlace(out.noise);
  for (int i = 0; i < n_own; ++i) {
    score[layout.own_coordinates[i]] = population.center[i] + population.own[i].h * out.noise[i];
  }
  return T(-0.5) * out.noise.squaredNorm() - log_diagonal_sum<T>(out.root);
}

// Scratch space of the reverse pass, for one group at a time.
struct TransportScratch {
  Eigen::VectorXd noise, position, scaled, remainder;
  Eigen::MatrixXd root, product;

  void resize(int n_own) {
    for (Eigen::VectorXd* v : {&noise, &position, &scaled, &remainder}) v->setZero(n_own);
    root.setZero(n_own, n_own);
    product.setZero(n_own, n_own);
  }
};

// The reverse of evaluate(): from the gradient of the likelihood in the group's scores to the gradient in x_g (written),
// and to those in v, h and the shared scores (added).
inline void differentiate(const Layout& layout, const TransportPlan& plan, int g, const PopulationPoint<double>& population,
                          const GroupTransport<double>& point, const Eigen::VectorXd& score_gradient,
                          TransportScratch& scratch, PopulationGradient& outer, Eigen::VectorXd& gradient) {
  const TransportPlan::Group& group = plan.groups[g];
  const int n_own = layout.n_own();
  for (int i = 0; i < layout.n_shared(); ++i) outer.shared[i] += score_gradient[layout.shared_coordinates[i]];
  if (n_own == 0) return;
  for (int i = 0; i < n_own; ++i) {
    const double of_score = score_gradient[layout.own_coordinates[i]];
    outer.center[i] += of_score;
    outer.h[i] += of_score * point.noise[i];
    scratch.noise[i] = population.own[i].h * of_score - point.noise[i];
  }
  // e = R^-T w, w = q + x, q = R^-1 z, z = H r
  scratch.position = scratch.noise;
  point.root.triangularView<Eigen::Lower>().solveInPlace(scratch.position);
  gradient.segment(layout.own + g * n_own, n_own) = scratch.position;
  scratch.scaled = scratch.position;
  point.root.triangularView<Eigen::Lower>().transpose().solveInPlace(scratch.scaled);
  for (int i = 0; i < n_own; ++i) {
    outer.h[i] += scratch.scaled[i] * point.remainder[i];
    scratch.remainder[i] = population.own[i].h * scratch.scaled[i];
  }
  outer.center.noalias() -= group.information * scratch.remainder;
  if (layout.n_shared() > 0) outer.shared.noalias() -= group.cross.transpose() * scratch.remainder;
  if (plan.constant) return;
  // Gradient in R: -tril(e w' + z' q') - diag(1/R); then through R R' = B as in Murray (2016), equation (10).
  scratch.root.noalias() = -point.noise * scratch.position.transpose();
  scratch.root.noalias() -= scratch.scaled * point.scaled.transpose();
  scratch.root.diagonal() -= point.root.diagonal().cwiseInverse();
  scratch.root.triangularView<Eigen::StrictlyUpper>().setZero();
  scratch.product.noalias() = point.root.triangularView<Eigen::Lower>().transpose() * scratch.root;
  scratch.product.triangularView<Eigen::StrictlyUpper>().setZero();
  scratch.product.diagonal() *= 0.5;
  point.root.triangularView<Eigen::Lower>().transpose().solveInPlace(scratch.product);
  scratch.root = scratch.product.transpose();
  point.root.triangularView<Eigen::Lower>().transpose().solveInPlace(scratch.root);
  // scratch.root now holds (R^-T Phi R^-1)'; B's gradient is its symmetric part, and B = I + H I H.
  for (int j = 0; j < n_own; ++j) {
    for (int i = 0; i < n_own; ++i) {
      outer.h[i] += (scratch.root(i, j) + scratch.root(j, i)) * group.information(i, j) * population.own[j].h;
    }
  }
}

}  // namespace hmvn
