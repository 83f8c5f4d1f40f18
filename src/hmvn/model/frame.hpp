// The frame: where the priors of scales and correlations are stated (F1).
#pragma once

#include <Eigen/Core>

#include "hmvn/math/triangles.hpp"
#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/model.hpp"

namespace hmvn {

// Sigma = C Sigma~ C': (P2), (P3), scores and partial correlations are those of Sigma~ = Lambda~
// Lambda~'. A = C Lambda~ is a root of Sigma, triangular in the raw frame only, where C = I.
template <class T, int K>
struct Frame {
  using Square = Eigen::Matrix<T, K, K>;

  explicit Frame(const Model& model) : raw(!model.framed()), log_determinant(T(model.log_frame)) {
    if (!raw) C = model.frame.template cast<T>();
  }

  bool raw;
  T log_determinant;  // of C
  Square C;

  const Square& root(const CovariancePoint<T, K>& point) const {
    return raw ? point.factor : point.root;
  }
  void fill_root(CovariancePoint<T, K>& point) const {
    if (!raw) point.root.noalias() = C.lazyProduct(point.factor);
  }
  // out = Sigma
  void fill_covariance(const CovariancePoint<T, K>& point, Square& out) const {
    if (raw) {
      outer_square(point.factor, out);
    } else {
      out.noalias() = point.root.lazyProduct(point.root.transpose());
    }
  }
  // From the gradient in A to that in Lambda~, lower triangle, zeros above.
  void differentiate_root(const Square& of_root, Square& of_factor) const {
    if (raw) {
      of_factor = of_root;
    } else {
      of_factor.noalias() = C.transpose().lazyProduct(of_root);
    }
    of_factor.template triangularView<Eigen::StrictlyUpper>().setZero();
  }
};

// The triangular factor of Sigma from its root A: A' = Q R, Sigma = R' R, with a positive diagonal.
Eigen::MatrixXd lower_factor(const Eigen::MatrixXd& root);

}  // namespace hmvn
