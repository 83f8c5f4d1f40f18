// From the sampler's coordinates to a group's own scores, given the population: (C6), (C7).
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "hmvn/coordinates/group_constants.hpp"
#include "hmvn/coordinates/population.hpp"
#include "hmvn/math/product.hpp"
#include "hmvn/math/triangles.hpp"

namespace hmvn {

// In the letters of (C7): with r = b - J v - J_common u_common, e = B^-1 H r + A^-T x,
//   A = [Q D^-1     0 ]     D = diag(1 + h^2 l)^(-1/2),  M = Q' J_cs,
//       [H M' h D   R ]     R R' = I + H P H,  P = J_ss - M' h^2 D^2 M.
// Scales have an H each, correlations one h; _s is of scales, _c of correlations in the basis Q.
template <class T, int K>
struct GroupPoint {
  static constexpr int C = GroupConstants<K>::C;
  using Scales = Eigen::Matrix<T, K, 1>;
  using Correlations = Eigen::Matrix<T, C, 1>;

  // Of the population.
  Scales H;  // diagonal
  T h;
  Correlations D, hD2, h2D2;
  Eigen::Matrix<T, K, K> P, R;
  Correlations r_c;  // Q' r_c
  Scales r_s;        // r_s - M' h^2 D^2 Q' r_c
  Correlations z_c;  // A^-1 H r
  Scales z_s;
  T log_A;  // log |A|
  // Of the position.
  Correlations w_c, e_c, MHe;  // A^-1 H r + x; Q' e_c; M H e_s
  Scales e_s;
  T log_density;  // log prior of the own scores, with the Jacobian of the change of variables

  void resize(int n_features) {
    for (Scales* v : {&H, &r_s, &z_s, &e_s}) v->setZero(n_features);
    for (Correlations* v : {&D, &hD2, &h2D2, &r_c, &z_c, &w_c, &e_c, &MHe}) {
      v->setZero(n_correlations(n_features));
    }
    P.setZero(n_features, n_features);
    R.setIdentity(n_features, n_features);
    h = log_A = log_density = T(0);
  }
};

// Fills H and r; `scratch` is room for correlations.
template <class T, int K>
void fill_residual(const GroupConstants<K>& constants, const PopulationPoint<T>& population,
                   GroupPoint<T, K>& out, typename GroupPoint<T, K>::Correlations& scratch) {
  constexpr int C = GroupPoint<T, K>::C;
  const Eigen::Index n_scales = out.H.size(), n_pairs = out.D.size();
  const Eigen::Index first = constants.first_own_correlation();
  out.r_c = constants.b_c.template cast<T>();
  out.r_s = constants.b_s.template cast<T>();
  if (constants.own_scales) {
    for (Eigen::Index k = 0; k < n_scales; ++k) out.H[k] = population.own[k].h;
    const auto center = population.center.template head<K>(n_scales);
    out.r_c.noalias() -= product(constants.M.template cast<T>(), center);
    out.r_s.noalias() -= constants.J_ss.template cast<T>().lazyProduct(center);
  }
  if (constants.own_correlations) {
    out.h = population.own[first].h;
    scratch.noalias() = product(constants.Q.transpose().template cast<T>(),
                                population.center.template segment<C>(first, n_pairs));
    out.r_s.noalias() -= product(constants.M.transpose().template cast<T>(), scratch);
    out.r_c -= constants.l.template cast<T>().cwiseProduct(scratch);
  }
  if (population.common.size() == 0) return;
  if (constants.own_scales) {
    out.r_s.noalias() -= constants.J_s_common.template cast<T>().lazyProduct(population.common);
  }
  if (constants.own_correlations) {
    out.r_c.noalias() -= product(constants.J_c_common.template cast<T>(), population.common);
  }
}

// Fills what does not depend on the group's own position.
template <class T, int K>
void fill_of_population(const GroupConstants<K>& constants, const PopulationPoint<T>& population,
                        GroupPoint<T, K>& out, typename GroupPoint<T, K>::Correlations& scratch) {
  using std::log;
  using std::sqrt;
  const Eigen::Index n_scales = out.H.size(), n_pairs = out.D.size();
  fill_residual(constants, population, out, scratch);
  out.log_A = T(0);
  for (Eigen::Index m = 0; m < n_pairs; ++m) {
    const T squared = T(1) / (T(1) + out.h * out.h * T(constants.l[m]));
    out.D[m] = sqrt(squared);
    out.hD2[m] = out.h * squared;
    out.h2D2[m] = out.h * out.hD2[m];
    out.z_c[m] = out.h * out.D[m] * out.r_c[m];
    out.log_A -= T(0.5) * log(squared);
  }
  scratch = out.h2D2.cwiseProduct(out.r_c);
  out.r_s.noalias() -= product(constants.M.transpose().template cast<T>(), scratch);
  for (Eigen::Index j = 0; j < n_scales; ++j) {
    scratch = out.h2D2.cwiseProduct(constants.M.col(j).template cast<T>());
    for (Eigen::Index i = j; i < n_scales; ++i) {
      out.P(i, j) = out.P(j, i) =
          T(constants.J_ss(i, j)) - constants.M.col(i).template cast<T>().dot(scratch);
      out.R(i, j) = out.H[i] * out.P(i, j) * out.H[j];
    }
    out.R(j, j) += T(1);
  }
  cholesky_in_place(out.R);  // I plus a semidefinite matrix; where it overflows the density is NaN
  out.log_A += log_diagonal_sum<T>(out.R);
  out.z_s = out.H.cwiseProduct(out.r_s);
  solve_lower(out.R, out.z_s);
}

// Fills the rest at the group's position x, and writes its own scores into `score` (over all
// coordinates).
template <class T, int K, class Position>
void fill_own_scores(const GroupConstants<K>& constants, const PopulationPoint<T>& population,
                     const Position& x, GroupPoint<T, K>& out,
                     Eigen::Matrix<T, Eigen::Dynamic, 1>& score) {
  constexpr int C = GroupPoint<T, K>::C;
  const Eigen::Index n_scales = out.H.size(), n_pairs = out.D.size();
  const Eigen::Index first = constants.first_own_correlation();
  out.e_s = out.z_s;
  out.w_c = out.z_c;
  if (constants.own_scales) out.e_s += x.template head<K>(n_scales);
  if (constants.own_correlations) out.w_c += x.template segment<C>(first, n_pairs);
  solve_lower_transposed(out.R, out.e_s);
  out.MHe.noalias() = product(constants.M.template cast<T>(), out.H.cwiseProduct(out.e_s));
  out.e_c = out.D.cwiseProduct(out.w_c) - out.hD2.cwiseProduct(out.MHe);
  if (constants.own_scales) {
    score.template head<K>(n_scales) =
        population.center.template head<K>(n_scales) + out.H.cwiseProduct(out.e_s);
  }
  if (constants.own_correlations) {
    auto own = score.template segment<C>(n_scales, n_pairs);
    own = population.center.template segment<C>(first, n_pairs);
    own.noalias() += product(constants.Q.template cast<T>(), out.h * out.e_c);
  }
  out.log_density = T(-0.5) * (out.e_s.squaredNorm() + out.e_c.squaredNorm()) - out.log_A;
}

}  // namespace hmvn
