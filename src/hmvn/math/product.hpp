// A matrix times a vector: entry by entry where the size is known to the compiler, so that loops
// are unrolled; by Eigen's kernel, which reads the matrix column by column, where it is not and may
// be large.
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

}  // namespace hmvn
