// The frame: where the priors of scales and correlations are stated (F1).
#pragma once

#include <Eigen/Core>

#include "hmvn/math/product.hpp"
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
    if (!raw) multiply_by_lower(C, point.factor, point.root);
  }
  // out = Sigma
  void fill_covariance(const CovariancePoint<T, K>& point, Square& out) const {
    if (raw) {
      outer_square(point.factor, out);
    } else {
      multiply_symmetric(point.root, point.root.transpose(), out);
    }
  }
  // From the gradient in A to that in Lambda~, lower triangle, zeros above.
  void differentiate_root(const Square& of_root, Square& of_factor) const {
    if (raw) {
      of_factor = of_root;
    } else {
      fill_lower_of_product(C.transpose(), of_root, of_factor);
    }
    of_factor.template triangularView<Eigen::StrictlyUpper>().setZero();
  }
};

// The triangular factor of Sigma = A A', with a positive diagonal, from the root A, which is used
// up: modified Gram-Schmidt on its rows, whose triangle is as accurate as one by reflections
// (Bjorck 1967).
template <class Square>
void triangularise(Square& root, Square& lower) {
  const Eigen::Index n = root.rows();
  for (Eigen::Index i = 0; i < n; ++i) {
    lower(i, i) = root.row(i).norm();
    root.row(i) /= lower(i, i);
    for (Eigen::Index k = i + 1; k < n; ++k) {
      lower(k, i) = root.row(i).dot(root.row(k));
      lower(i, k) = 0.0;
      root.row(k) -= lower(k, i) * root.row(i);
    }
  }
}

template <class Square>
Square lower_factor(Square root) {
  Square lower(root.rows(), root.cols());
  triangularise(root, lower);
  return lower;
}

}  // namespace hmvn
