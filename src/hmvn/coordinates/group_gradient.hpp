// The reverse of group.hpp: from the likelihood's gradient in a group's scores to that in its
// position and in the population. Letters are those of (C7), as there.
#pragma once

#include <Eigen/Core>

#include "hmvn/coordinates/group.hpp"
#include "hmvn/math/product.hpp"

namespace hmvn {

// Gradients of one group's density in what its change of variables goes through, and room for the
// way.
template <int K>
struct GroupGradient {
  using Scales = Eigen::Matrix<double, K, 1>;
  using Correlations = Eigen::Matrix<double, GroupConstants<K>::C, 1>;
  using Square = Eigen::Matrix<double, K, K>;

  Correlations score;  // Q' times the likelihood's in the correlations' scores
  Correlations e_c;
  Correlations w_c;  // in A^-1 H r + x of correlations, which is that in x
  Scales He;         // in H e_s
  Scales w_s;        // in A^-1 H r + x of scales
  Scales Hr;         // in H times r_s
  Scales r_s, H;
  Correlations r_c, h2D2;
  Square RR;                           // in R R', symmetric
  Square root, inverse;                // scratch
  Correlations through, correlations;  // scratch

  void resize(int n_features) {
    for (auto* m : {&root, &inverse, &RR}) m->setZero(n_features, n_features);
    for (auto* v : {&He, &w_s, &Hr, &r_s, &H}) v->setZero(n_features);
    for (auto* v : {&score, &e_c, &w_c, &r_c, &h2D2, &through, &correlations}) {
      v->setZero(n_correlations(n_features));
    }
  }
};

// The reverse of fill_own_scores(): from the gradient of the likelihood in the group's scores to
// that in its position.
template <int K>
void differentiate_own(const GroupConstants<K>& constants, const GroupPoint<double, K>& point,
                       const Eigen::VectorXd& of_score, GroupGradient<K>& of,
                       Eigen::Ref<Eigen::VectorXd> gradient) {
  constexpr int C = GroupConstants<K>::C;
  const Eigen::Index n_scales = point.H.size(), n_pairs = point.D.size();
  of.score.noalias() =
      product(constants.Q.transpose(), of_score.template segment<C>(n_scales, n_pairs));
  of.e_c = point.h * of.score - point.e_c;
  of.w_c = point.D.cwiseProduct(of.e_c);
  of.He = of_score.template head<K>(n_scales);
  of.through = point.hD2.cwiseProduct(of.e_c);
  of.He.noalias() -= product(constants.M.transpose(), of.through);
  of.w_s = point.H.cwiseProduct(of.He) - point.e_s;
  solve_lower(point.R, of.w_s);
  if (constants.own_scales) gradient.template head<K>(n_scales) = of.w_s;
  if (constants.own_correlations) {
    gradient.template segment<C>(constants.first_own_correlation(), n_pairs) = of.w_c;
  }
}

// Through A^-1 H r, from the gradient in it, which is that in x, to those in r and in all that made
// it.
template <int K>
void differentiate_shift(const GroupConstants<K>& constants, const GroupPoint<double, K>& point,
                         GroupGradient<K>& of) {
  of.Hr = of.w_s;
  solve_lower_transposed(point.R, of.Hr);
  of.H = of.Hr.cwiseProduct(point.r_s) + of.He.cwiseProduct(point.e_s);
  of.r_s = point.H.cwiseProduct(of.Hr);
  of.through.noalias() = product(constants.M, of.r_s);
  of.h2D2 = -point.r_c.cwiseProduct(of.through);
  of.r_c = point.h * point.D.cwiseProduct(of.w_c) - point.h2D2.cwiseProduct(of.through);
}

// From the gradient in R, -tril(e w' + z q') - diag(1/R), to that in R R' as in Murray (2016),
// equation (10): the symmetric part of R^-T Phi(R' grad) R^-1, with Phi the lower triangle, its
// diagonal halved.
template <int K>
void differentiate_root(const GroupPoint<double, K>& point, GroupGradient<K>& of) {
  const Eigen::Index n = point.R.rows();
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      of.root(i, j) = -point.e_s[i] * of.w_s[j] - of.Hr[i] * point.z_s[j];
    }
    of.root(j, j) -= 1.0 / point.R(j, j);
  }
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      double sum = 0.0;
      for (Eigen::Index m = i; m < n; ++m) sum += point.R(m, i) * of.root(m, j);
      of.RR(i, j) = sum;
    }
    of.RR(j, j) *= 0.5;
  }
  invert_lower(point.R, of.inverse);
  multiply_lower(of.RR, of.inverse, of.root);
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = 0; i < n; ++i) {
      double sum = 0.0;
      for (Eigen::Index m = i > j ? i : j; m < n; ++m) sum += of.inverse(m, i) * of.root(m, j);
      of.RR(i, j) = sum;
    }
  }
  of.root = 0.5 * (of.RR + of.RR.transpose());
  of.RR = of.root;
}

// Through R R' = I + H P H with P = J_ss - M' h^2 D^2 M.
template <int K>
void differentiate_schur(const GroupConstants<K>& constants, const GroupPoint<double, K>& point,
                         GroupGradient<K>& of) {
  const Eigen::Index n_scales = point.H.size();
  for (Eigen::Index i = 0; i < n_scales; ++i) {
    for (Eigen::Index j = 0; j < n_scales; ++j) {
      of.H[i] += 2.0 * of.RR(i, j) * point.P(i, j) * point.H[j];
      of.RR(i, j) *= point.H[i] * point.H[j];
    }
  }
  for (Eigen::Index j = 0; j < n_scales; ++j) {
    of.through.noalias() = product(constants.M, of.RR.col(j));
    of.h2D2 -= constants.M.col(j).cwiseProduct(of.through);
  }
}

// The gradient in the correlations' h: dD/dh = -h l D^3, d(h D^2)/dh = D^2 (2 D^2 - 1), d(h^2
// D^2)/dh = 2 h D^4.
template <int K>
double correlation_h_gradient(const GroupConstants<K>& constants,
                              const GroupPoint<double, K>& point, const GroupGradient<K>& of) {
  const double h = point.h;
  double sum = of.score.dot(point.e_c);
  for (Eigen::Index m = 0; m < point.D.size(); ++m) {
    const double D = point.D[m], squared = D * D;
    const double of_z = point.r_c[m] * of.w_c[m];
    const double of_D = of.e_c[m] * point.w_c[m] + h * of_z + 1.0 / D;
    const double of_hD2 = -of.e_c[m] * point.MHe[m];
    sum += D * of_z - of_D * h * constants.l[m] * D * squared +
           of_hD2 * squared * (2.0 * squared - 1.0) + 2.0 * of.h2D2[m] * h * squared * squared;
  }
  return sum;
}

// The reverse of fill_of_population(), after differentiate_own(): adds to the gradients in v, h and
// the common scores.
template <int K>
void differentiate_of_population(const GroupConstants<K>& constants,
                                 const GroupPoint<double, K>& point,
                                 const Eigen::VectorXd& of_score, GroupGradient<K>& of,
                                 PopulationGradient& outer) {
  constexpr int C = GroupConstants<K>::C;
  const Eigen::Index n_scales = point.H.size(), n_pairs = point.D.size();
  const bool has_common = outer.common.size() > 0;
  differentiate_shift(constants, point, of);
  differentiate_root(point, of);
  differentiate_schur(constants, point, of);
  if (constants.own_scales) {
    outer.h.template head<K>(n_scales) += of.H;
    auto center = outer.center.template head<K>(n_scales);
    center += of_score.template head<K>(n_scales);
    center.noalias() -= constants.J_ss.lazyProduct(of.r_s);
    center.noalias() -= product(constants.M.transpose(), of.r_c);
    if (has_common) outer.common.noalias() -= constants.J_s_common.transpose().lazyProduct(of.r_s);
  }
  if (constants.own_correlations) {
    const Eigen::Index first = constants.first_own_correlation();
    outer.h[first] += correlation_h_gradient(constants, point, of);
    of.correlations = -constants.l.cwiseProduct(of.r_c);
    of.correlations.noalias() -= product(constants.M, of.r_s);
    auto center = outer.center.template segment<C>(first, n_pairs);
    center += of_score.template segment<C>(n_scales, n_pairs);
    center.noalias() += product(constants.Q, of.correlations);
    if (has_common) outer.common.noalias() -= product(constants.J_c_common.transpose(), of.r_c);
  }
}

}  // namespace hmvn
