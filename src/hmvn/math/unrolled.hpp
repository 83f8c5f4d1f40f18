// Small lower triangular matrices by rows, in loops that are unrolled where their size is known to
// the compiler: Eigen's triangular solves cost several times as much at this size.
#pragma once

#include <Eigen/Core>
#include <cmath>

namespace hmvn {

template <int K>
using SquareRows = Eigen::Matrix<double, K, K, Eigen::RowMajor>;
template <int K>
using Values = Eigen::Matrix<double, K, 1>;

// The number of rows, a constant where it is known.
template <int K>
constexpr int size_of(Eigen::Index n) {
  return K == Eigen::Dynamic ? static_cast<int>(n) : K;
}

// Row i of the product a * b of lower triangular matrices.
template <int K>
[[gnu::always_inline]] inline void product_row(const SquareRows<K>& a, const SquareRows<K>& b,
                                               int i, Values<K>& out) {
#pragma GCC unroll 16
  for (int j = 0; j <= i; ++j) out[j] = a(i, i) * b(i, j);
#pragma GCC unroll 16
  for (int m = 0; m < i; ++m) {
    const double share = a(i, m);
#pragma GCC unroll 16
    for (int j = 0; j <= m; ++j) out[j] += share * b(m, j);
  }
}

// Row i of x = c a^-1, all lower triangular, from the last column on; `reciprocal` of a's diagonal.
template <int K>
[[gnu::always_inline]] inline void quotient_row(const SquareRows<K>& c, const SquareRows<K>& a,
                                                const Values<K>& reciprocal, int i,
                                                SquareRows<K>& x) {
#pragma GCC unroll 16
  for (int j = 0; j <= i; ++j) x(i, j) = c(i, j);
#pragma GCC unroll 16
  for (int m = i; m >= 0; --m) {
    const double solved = x(i, m) * reciprocal[m];
    x(i, m) = solved;
#pragma GCC unroll 16
    for (int j = 0; j < m; ++j) x(i, j) -= solved * a(m, j);
  }
}

// out = a x.
template <int K>
[[gnu::always_inline]] inline void multiply_rows(const SquareRows<K>& a, const Values<K>& x,
                                                 Values<K>& out) {
  const int n = size_of<K>(a.rows());
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) {
    double sum = 0.0;
#pragma GCC unroll 16
    for (int j = 0; j <= i; ++j) sum += a(i, j) * x[j];
    out[i] = sum;
  }
}

// out = a' x.
template <int K>
[[gnu::always_inline]] inline void multiply_columns(const SquareRows<K>& a, const Values<K>& x,
                                                    Values<K>& out) {
  const int n = size_of<K>(a.rows());
  out.setZero();
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j <= i; ++j) out[j] += a(i, j) * x[i];
  }
}

// In place: the lower triangle of a positive definite matrix becomes its Cholesky factor, with the
// reciprocals of its diagonal beside it.
template <int K>
inline void factor_rows(SquareRows<K>& a, Values<K>& reciprocal) {
  const int n = size_of<K>(a.rows());
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < i; ++j) {
      double sum = a(i, j);
      for (int m = 0; m < j; ++m) sum -= a(i, m) * a(j, m);
      a(i, j) = sum * reciprocal[j];
    }
    double square = a(i, i);
    for (int m = 0; m < i; ++m) square -= a(i, m) * a(i, m);
    a(i, i) = std::sqrt(square);
    reciprocal[i] = 1.0 / a(i, i);
  }
}

}  // namespace hmvn
