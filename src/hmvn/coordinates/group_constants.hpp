// The constants of a group's change of variables: a root of B = I + H J H that is cheap for every
// H.
#pragma once

#include <Eigen/Core>

#include "hmvn/coordinates/layout.hpp"
#include "hmvn/coordinates/reference.hpp"

namespace hmvn {

// (C7): scales come with a heterogeneity each, correlations with one for all. With J_cc = Q diag(l)
// Q' the eigenvectors of the correlations' block, found once, a root of B = I + H J H, correlations
// first, is
//   A = [Q D^-1     0 ]     D = diag(1 + h^2 l)^(-1/2),  M = Q' J_cs,
//       [H M' h D   R ]     R R' = I + H (J_ss - M' h^2 D^2 M) H,
// so that no population asks for a factorisation larger than K x K. Correlations are kept in the
// basis Q. Pooled blocks get zero information and h = 0, so that the formulas need no case.
template <int K>
struct GroupConstants {
  static constexpr int C = K == Eigen::Dynamic ? Eigen::Dynamic : K * (K - 1) / 2;
  using Scales = Eigen::Matrix<double, K, 1>;
  using Correlations = Eigen::Matrix<double, C, 1>;

  bool own_scales, own_correlations;
  Eigen::Matrix<double, C, C> Q;
  Correlations l;
  Eigen::Matrix<double, C, K> M;
  Eigen::Matrix<double, K, K> J_ss;
  Scales b_s;
  Correlations b_c;                        // Q' b_c
  Eigen::MatrixXd J_s_common, J_c_common;  // by common score, Q' J_c; empty if there are none

  // The same with a size known to the compiler.
  template <int Other>
  explicit GroupConstants(const GroupConstants<Other>& other)
      : own_scales(other.own_scales),
        own_correlations(other.own_correlations),
        Q(other.Q),
        l(other.l),
        M(other.M),
        J_ss(other.J_ss),
        b_s(other.b_s),
        b_c(other.b_c),
        J_s_common(other.J_s_common),
        J_c_common(other.J_c_common) {}

  GroupConstants() = default;

  // In a group's own coordinates, where correlations follow scales.
  Eigen::Index first_own_correlation() const { return own_scales ? b_s.size() : 0; }
};

GroupConstants<Eigen::Dynamic> make_group_constants(const Layout& layout,
                                                    const QuadraticLikelihood& quadratic,
                                                    int n_features);

}  // namespace hmvn
