// The part of the change of variables (transport_plan.hpp) that is each group's: its own scores,
// given the population.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "hmvn/model/group_basis.hpp"
#include "hmvn/model/layout.hpp"
#include "hmvn/model/population.hpp"
#include "hmvn/model/triangular.hpp"

namespace hmvn {

// One group's own scores.
template <class T, int K>
struct GroupTransport {
  static constexpr int C = GroupBasis<K>::C;
  using Scales = Eigen::Matrix<T, K, 1>;
  using Correlations = Eigen::Matrix<T, C, 1>;

  // of the population
  Scales scale_h;  // diagonal of H
  T correlation_h;
  Correlations shrink, reach, taken;   // D, h D^2, h^2 D^2
  Eigen::Matrix<T, K, K> schur, root;  // J_ss - M' h^2 D^2 M, R
  Correlations correlation_remainder;  // Q' r_c
  Scales scale_remainder;              // r_s - M' h^2 D^2 Q' r_c
  Correlations correlation_scaled;     // A^-1 H r
  Scales scale_scaled;
  T log_root;  // log |A|
  // of the position
  Correlations correlation_white, correlation_noise, pushed;  // A^-1 H r + x, Q' e_c, M H e_s
  Scales scale_noise;                                         // e_s
  T log_density;  // log prior of the own scores, with the Jacobian of the change of variables

  void resize(int n_features) {
    for (Scales* v : {&scale_h, &scale_remainder, &scale_scaled, &scale_noise})
      v->setZero(n_features);
    for (Correlations* v : {&shrink, &reach, &taken, &correlation_remainder, &correlation_scaled,
                            &correlation_white, &correlation_noise, &pushed}) {
      v->setZero(n_correlations(n_features));
    }
    schur.setZero(n_features, n_features);
    root.setIdentity(n_features, n_features);
    correlation_h = log_root = log_density = T(0);
  }
};

// Fills H and r = b - J v - J_shared u_shared.
template <class T, int K>
void fill_remainders(const Layout& layout, const GroupBasis<K>& basis,
                     const PopulationPoint<T>& population, GroupTransport<T, K>& out) {
  const Eigen::Index n_scales = out.scale_h.size(), n_pairs = out.shrink.size();
  const int first = layout.n_own_scales;  // own correlations follow own scales
  out.correlation_remainder = basis.correlation_pull.template cast<T>();
  out.scale_remainder = basis.scale_pull.template cast<T>();
  if (basis.own_scales) {
    for (Eigen::Index k = 0; k < n_scales; ++k) out.scale_h[k] = population.own[k].h;
    const auto center = population.center.template head<K>(n_scales);
    out.correlation_remainder.noalias() -= basis.mixed.template cast<T>().lazyProduct(center);
    out.scale_remainder.noalias() -= basis.scale_information.template cast<T>().lazyProduct(center);
  }
  if (basis.own_correlations) {
    out.correlation_h = population.own[first].h;
    out.pushed.noalias() = basis.rotation.transpose().template cast<T>().lazyProduct(
        population.center.template segment<GroupTransport<T, K>::C>(first, n_pairs));
    out.scale_remainder.noalias() -=
        basis.mixed.transpose().template cast<T>().lazyProduct(out.pushed);
    out.correlation_remainder -= basis.eigenvalues.template cast<T>().cwiseProduct(out.pushed);
  }
  if (basis.own_scales && layout.n_shared() > 0) {
    out.scale_remainder.noalias() -=
        basis.scale_cross.template cast<T>().lazyProduct(population.shared);
  }
  if (basis.own_correlations && layout.n_shared() > 0) {
    out.correlation_remainder.noalias() -=
        basis.correlation_cross.template cast<T>().lazyProduct(population.shared);
  }
}

// Fills what does not depend on the group's own position.
template <class T, int K>
void prepare(const Layout& layout, const GroupBasis<K>& basis, const PopulationPoint<T>& population,
             GroupTransport<T, K>& out) {
  using std::log;
  using std::sqrt;
  const Eigen::Index n_scales = out.scale_h.size(), n_pairs = out.shrink.size();
  fill_remainders(layout, basis, population, out);
  out.log_root = T(0);
  for (Eigen::Index m = 0; m < n_pairs; ++m) {
    const T h = out.correlation_h, squared = T(1) / (T(1) + h * h * T(basis.eigenvalues[m]));
    out.shrink[m] = sqrt(squared);
    out.reach[m] = h * squared;
    out.taken[m] = h * out.reach[m];
    out.correlation_scaled[m] = h * out.shrink[m] * out.correlation_remainder[m];
    out.log_root -= T(0.5) * log(squared);
  }
  out.pushed = out.taken.cwiseProduct(out.correlation_remainder);
  out.scale_remainder.noalias() -=
      basis.mixed.transpose().template cast<T>().lazyProduct(out.pushed);
  for (Eigen::Index j = 0; j < n_scales; ++j) {
    out.pushed = out.taken.cwiseProduct(basis.mixed.col(j).template cast<T>());
    for (Eigen::Index i = j; i < n_scales; ++i) {
      out.schur(i, j) = out.schur(j, i) =
          T(basis.scale_information(i, j)) - basis.mixed.col(i).template cast<T>().dot(out.pushed);
      out.root(i, j) = out.scale_h[i] * out.schur(i, j) * out.scale_h[j];
    }
    out.root(j, j) += T(1);
  }
  cholesky_in_place(
      out.root);  // I plus a semidefinite matrix; where it overflows the density is NaN
  out.log_root += log_diagonal_sum<T>(out.root);
  out.scale_scaled = out.scale_h.cwiseProduct(out.scale_remainder);
  solve_lower(out.root, out.scale_scaled);
}

// Writes the own scores of the group at position x_g into `score` (over all coordinates), and fills
// the rest of `out`.
template <class T, int K, class Position>
void own_scores(const Layout& layout, const GroupBasis<K>& basis,
                const PopulationPoint<T>& population, const Position& x, GroupTransport<T, K>& out,
                Eigen::Matrix<T, Eigen::Dynamic, 1>& score) {
  constexpr int C = GroupTransport<T, K>::C;
  const Eigen::Index n_scales = out.scale_h.size(), n_pairs = out.shrink.size();
  const int first = layout.n_own_scales;
  out.scale_noise = out.scale_scaled;
  out.correlation_white = out.correlation_scaled;
  if (basis.own_scales) out.scale_noise += x.template head<K>(n_scales);
  if (basis.own_correlations) out.correlation_white += x.template segment<C>(first, n_pairs);
  solve_lower_transposed(out.root, out.scale_noise);
  out.pushed.noalias() =
      basis.mixed.template cast<T>().lazyProduct(out.scale_h.cwiseProduct(out.scale_noise));
  out.correlation_noise =
      out.shrink.cwiseProduct(out.correlation_white) - out.reach.cwiseProduct(out.pushed);
  if (basis.own_scales) {
    score.template head<K>(n_scales) =
        population.center.template head<K>(n_scales) + out.scale_h.cwiseProduct(out.scale_noise);
  }
  if (basis.own_correlations) {
    score.template segment<C>(n_scales, n_pairs) =
        population.center.template segment<C>(first, n_pairs);
    score.template segment<C>(n_scales, n_pairs).noalias() +=
        basis.rotation.template cast<T>().lazyProduct(out.correlation_h * out.correlation_noise);
  }
  out.log_density =
      T(-0.5) * (out.scale_noise.squaredNorm() + out.correlation_noise.squaredNorm()) -
      out.log_root;
}

// Fills the scores of group g and returns the log prior of its own ones with the Jacobian of the
// change of variables.
template <class T, int K>
T evaluate(const Layout& layout, const GroupBasis<K>& basis, int g,
           const Eigen::Matrix<T, Eigen::Dynamic, 1>& x, const PopulationPoint<T>& population,
           GroupTransport<T, K>& out, Eigen::Matrix<T, Eigen::Dynamic, 1>& score) {
  for (int i = 0; i < layout.n_shared(); ++i)
    score[layout.shared_coordinates[i]] = population.shared[i];
  if (layout.n_own() == 0) return T(0);
  prepare(layout, basis, population, out);
  own_scores(layout, basis, population, x.segment(layout.own + g * layout.n_own(), layout.n_own()),
             out, score);
  return out.log_density;
}

}  // namespace hmvn
