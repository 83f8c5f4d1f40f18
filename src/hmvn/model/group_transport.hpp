// The part of that map that is each group's: its own scores, given the population.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/layout.hpp"
#include "hmvn/model/population.hpp"
#include "hmvn/model/transport_plan.hpp"

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
