// Products: entry by entry where the size is known to the compiler, so that loops are unrolled.
// Where it is not and may be large, a matrix times a vector is left to Eigen's kernel, which reads
// the matrix column by column, and what is 0 or not asked for in products of matrices is left out.
#pragma once

#include <Eigen/Core>
#include <type_traits>

namespace hmvn {

template <class Matrix, class Vector>
auto product(const Eigen::MatrixBase<Matrix>& a, const Eigen::MatrixBase<Vector>& x) {
  static_assert(Vector::ColsAtCompileTime == 1);
  if constexpr (Matrix::SizeAtCompileTime == Eigen::Dynamic &&
                std::is_same_v<typename Matrix::Scalar, double>) {
    return a.derived() * x.derived();
  } else {
    return a.derived().lazyProduct(x.derived());
  }
}

// out = a b, b lower triangular.
template <class A, class B, class Out>
void multiply_by_lower(const A& a, const B& b, Out& out) {
  if constexpr (Out::SizeAtCompileTime != Eigen::Dynamic) {
    out.noalias() = a.lazyProduct(b);
  } else {
    for (Eigen::Index j = 0, n = b.cols(); j < n; ++j) {
      out.col(j).noalias() = a.rightCols(n - j).lazyProduct(b.col(j).tail(n - j));
    }
  }
}

// The lower triangle of out = a b. What is above it may be anything.
template <class A, class B, class Out>
void fill_lower_of_product(const A& a, const B& b, Out& out) {
  if constexpr (Out::SizeAtCompileTime != Eigen::Dynamic) {
    out.noalias() = a.lazyProduct(b);
  } else {
    for (Eigen::Index j = 0, n = b.cols(); j < n; ++j) {
      out.col(j).tail(n - j).noalias() = a.bottomRows(n - j).lazyProduct(b.col(j));
    }
  }
}

// Above the diagonal what is below it.
template <class Square>
void mirror_lower(Square& a) {
  for (Eigen::Index j = 1; j < a.cols(); ++j) {
    for (Eigen::Index i = 0; i < j; ++i) a(i, j) = a(j, i);
  }
}

// out = a b, symmetric.
template <class A, class B, class Out>
void multiply_symmetric(const A& a, const B& b, Out& out) {
  fill_lower_of_product(a, b, out);
  if (Out::SizeAtCompileTime == Eigen::Dynamic) mirror_lower(out);
}

}  // namespace hmvn
