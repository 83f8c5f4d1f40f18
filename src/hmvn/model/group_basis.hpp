// The constants of a group's change of variables: a root of B = I + H J H that is cheap for every
// H.
#pragma once

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include "hmvn/model/layout.hpp"
#include "hmvn/model/reference.hpp"

namespace hmvn {

// (C7): scales come with a heterogeneity each, correlations with one for all. With J_cc = Q diag(l)
// Q' the eigenvectors of the correlations' block, found once, a root of B = I + H J H, correlations
// first, is
//   A = [Q D^-1     0 ]     D = diag(1 + h^2 l)^(-1/2),  M = Q' J_cs,
//       [H M' h D   R ]     R R' = I + H (J_ss - M' h^2 D^2 M) H,
// so that no population asks for a factorisation larger than K x K. Correlations are kept in the
// basis Q.
template <int K>
struct GroupBasis {
  static constexpr int C = K == Eigen::Dynamic ? Eigen::Dynamic : K * (K - 1) / 2;
  using Scales = Eigen::Matrix<double, K, 1>;
  using Correlations = Eigen::Matrix<double, C, 1>;

  bool own_scales,
      own_correlations;  // what is not a group's own counts as known: no information, h = 0
  Eigen::Matrix<double, C, C> rotation;           // Q
  Correlations eigenvalues;                       // l
  Eigen::Matrix<double, C, K> mixed;              // M
  Eigen::Matrix<double, K, K> scale_information;  // J_ss
  Scales scale_pull;
  Correlations correlation_pull;
  Eigen::MatrixXd scale_cross, correlation_cross;  // by shared score; empty if there are none

  // The same with a size known to the compiler
  template <int Other>
  explicit GroupBasis(const GroupBasis<Other>& other)
      : own_scales(other.own_scales),
        own_correlations(other.own_correlations),
        rotation(other.rotation),
        eigenvalues(other.eigenvalues),
        mixed(other.mixed),
        scale_information(other.scale_information),
        scale_pull(other.scale_pull),
        correlation_pull(other.correlation_pull),
        scale_cross(other.scale_cross),
        correlation_cross(other.correlation_cross) {}

  GroupBasis(const Layout& layout, const QuadraticLikelihood& quadratic, int n_features)
      : own_scales(layout.n_own_scales > 0), own_correlations(layout.n_own_correlations > 0) {
    const int n = n_correlations(n_features);
    const auto& information = quadratic.information;
    rotation.setIdentity(n, n);
    eigenvalues.setZero(n);
    mixed.setZero(n, n_features);
    scale_information.setZero(n_features, n_features);
    scale_pull.setZero(n_features);
    correlation_pull.setZero(n);
    const Eigen::MatrixXd cross =
        select(information, layout.own_coordinates, layout.shared_coordinates);
    if (own_scales) {
      scale_information = information.topLeftCorner(n_features, n_features);
      scale_pull = quadratic.pull.head(n_features);
      scale_cross = cross.topRows(n_features);
    }
    if (own_correlations) {
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(
          information.bottomRightCorner(n, n));
      rotation = solver.eigenvectors();
      eigenvalues = solver.eigenvalues().cwiseMax(0.0);
      correlation_pull = rotation.transpose() * quadratic.pull.tail(n);
      correlation_cross = rotation.transpose() * cross.bottomRows(n);
      if (own_scales) mixed = rotation.transpose() * information.bottomLeftCorner(n, n_features);
    }
  }
};

}  // namespace hmvn
