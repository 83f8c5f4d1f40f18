// The part of that map that is each group's: its own scores, given the population.
#pragma once

#include <Eigen/Core>

#include "hmvn/model/layout.hpp"
#include "hmvn/model/population.hpp"
#include "hmvn/model/transport_plan.hpp"
#include "hmvn/model/triangular.hpp"

namespace hmvn {

// One group's own scores.
template <class T>
struct GroupTransport {
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Matrix root;       // R
  Vector remainder;  // r
  Vector scaled;     // q = R^-1 H r
  Vector noise;      // e
  T log_root;        // log |R|
  T log_density;     // log prior of the own scores, with the Jacobian of the change of variables

  void resize(const TransportPlan::Group& group) {
    root = group.root.template cast<T>();
    remainder.setZero(group.pull.size());
    scaled = noise = remainder;
    log_root = log_diagonal_sum<T>(root);
    log_density = T(0);
  }
};

// Fills R and q for a population: what does not depend on the group's own position.
template <class T>
void prepare(const Layout& layout, const TransportPlan& plan, int g, const PopulationPoint<T>& population,
             GroupTransport<T>& out) {
  const TransportPlan::Group& group = plan.groups[g];
  const int n_own = layout.n_own();
  if (!plan.constant) {
    for (int j = 0; j < n_own; ++j) {
      for (int i = j; i < n_own; ++i) {
        out.root(i, j) = population.own[i].h * T(group.information(i, j)) * population.own[j].h;
      }
      out.root(j, j) += T(1);
    }
    cholesky_in_place(out.root);  // I plus a semidefinite matrix; where it overflows the density is NaN
    out.log_root = log_diagonal_sum<T>(out.root);
  }
  out.remainder = group.pull.template cast<T>();
  out.remainder.noalias() -= group.information.template cast<T>().lazyProduct(population.center);
  if (layout.n_shared() > 0) {
    out.remainder.noalias() -= group.cross.template cast<T>().lazyProduct(population.shared);
  }
  for (int i = 0; i < n_own; ++i) out.scaled[i] = population.own[i].h * out.remainder[i];
  solve_lower(out.root, out.scaled);
}

// Writes the own scores of the group at position x_g into `score` (over all coordinates), and fills the rest of `out`.
template <class T, class Position>
void own_scores(const Layout& layout, const PopulationPoint<T>& population, const Position& x, GroupTransport<T>& out,
             Eigen::Matrix<T, Eigen::Dynamic, 1>& score) {
  const int n_own = layout.n_own();
  out.noise = out.scaled + x;
  solve_lower_transposed(out.root, out.noise);
  for (int i = 0; i < n_own; ++i) {
    score[layout.own_coordinates[i]] = population.center[i] + population.own[i].h * out.noise[i];
  }
  out.log_density = T(-0.5) * out.noise.squaredNorm() - out.log_root;
}

// Fills the scores of group g and returns the log prior of its own ones with the Jacobian of the change of variables.
template <class T>
T evaluate(const Layout& layout, const TransportPlan& plan, int g, const Eigen::Matrix<T, Eigen::Dynamic, 1>& x,
           const PopulationPoint<T>& population, GroupTransport<T>& out, Eigen::Matrix<T, Eigen::Dynamic, 1>& score) {
  const int n_own = layout.n_own();
  for (int i = 0; i < layout.n_shared(); ++i) score[layout.shared_coordinates[i]] = population.shared[i];
  if (n_own == 0) return T(0);
  prepare(layout, plan, g, population, out);
  own_scores(layout, population, x.segment(layout.own + g * n_own, n_own), out, score);
  return out.log_density;
}

// Scratch space of the reverse pass, for one group at a time.
struct TransportScratch {
  Eigen::VectorXd position, scaled, remainder;
  Eigen::MatrixXd root, product, inverse;

  void resize(int n_own) {
    for (Eigen::VectorXd* v : {&position, &scaled, &remainder}) v->setZero(n_own);
    for (Eigen::MatrixXd* m : {&root, &product, &inverse}) m->setZero(n_own, n_own);
  }
};

// The reverse of own_scores(): from the gradient of the likelihood in the group's scores to the gradient in x_g.
inline void own_gradient(const Layout& layout, const PopulationPoint<double>& population,
                         const GroupTransport<double>& point, const Eigen::VectorXd& score_gradient,
                         Eigen::Ref<Eigen::VectorXd> gradient) {
  for (int i = 0; i < layout.n_own(); ++i) {
    gradient[i] = population.own[i].h * score_gradient[layout.own_coordinates[i]] - point.noise[i];
  }
  solve_lower(point.root, gradient);
}

// The part of h's gradient that goes through R. Gradient in R: -tril(e w' + z' q') - diag(1/R); then through
// R R' = B as in Murray (2016), equation (10): B's is the symmetric part of R^-T Phi(R' grad) R^-1, with Phi the lower
// triangle, its diagonal halved; and B = I + H I H.
inline void differentiate_root(const TransportPlan::Group& group, const PopulationPoint<double>& population,
                               const GroupTransport<double>& point, TransportScratch& scratch,
                               PopulationGradient& outer) {
  const Eigen::Index n = point.root.rows();
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      scratch.root(i, j) = -point.noise[i] * scratch.position[j] - scratch.scaled[i] * point.scaled[j];
    }
    scratch.root(j, j) -= 1.0 / point.root(j, j);
  }
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      double sum = 0.0;
      for (Eigen::Index m = i; m < n; ++m) sum += point.root(m, i) * scratch.root(m, j);
      scratch.product(i, j) = sum;
    }
    scratch.product(j, j) *= 0.5;
  }
  invert_lower(point.root, scratch.inverse);
  multiply_lower(scratch.product, scratch.inverse, scratch.root);
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = 0; i < n; ++i) {
      double sum = 0.0;
      for (Eigen::Index m = i > j ? i : j; m < n; ++m) sum += scratch.inverse(m, i) * scratch.root(m, j);
      sum *= group.information(i, j);
      outer.h[i] += sum * population.own[j].h;
      outer.h[j] += sum * population.own[i].h;
    }
  }
}

// The reverse of evaluate(): writes the gradient in x_g, and adds those in v, h and the shared scores.
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
  }
  // e = R^-T w, w = q + x, q = R^-1 z, z = H r
  own_gradient(layout, population, point, score_gradient, scratch.position);
  gradient.segment(layout.own + g * n_own, n_own) = scratch.position;
  scratch.scaled = scratch.position;
  solve_lower_transposed(point.root, scratch.scaled);
  for (int i = 0; i < n_own; ++i) {
    outer.h[i] += scratch.scaled[i] * point.remainder[i];
    scratch.remainder[i] = population.own[i].h * scratch.scaled[i];
  }
  outer.center.noalias() -= group.information.lazyProduct(scratch.remainder);
  if (layout.n_shared() > 0) outer.shared.noalias() -= group.cross.transpose().lazyProduct(scratch.remainder);
  if (!plan.constant) differentiate_root(group, population, point, scratch, outer);
}

}  // namespace hmvn
