// Sums over contiguous numbers, as the columns of matrices are: of a few numbers where the number
// of features K is known to the compiler, in plain loops; else Eigen's, which take several at a
// time.
#pragma once

#include <Eigen/Core>

namespace hmvn {

// x'y of n numbers.
template <int K, class X, class T>
[[gnu::always_inline]] inline T dot(Eigen::Index n, const X* x, const T* y) {
  if constexpr (K == Eigen::Dynamic) {
    using Values = Eigen::Matrix<X, Eigen::Dynamic, 1>;
    return Eigen::Map<const Values>(x, n).template cast<T>().dot(
        Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(y, n));
  } else {
    T sum(0);
    for (Eigen::Index i = 0; i < n; ++i) sum += T(x[i]) * y[i];
    return sum;
  }
}

// y += scale * x of n numbers.
template <int K, class X, class T>
[[gnu::always_inline]] inline void add_scaled(Eigen::Index n, const T& scale, const X* x, T* y) {
  if constexpr (K == Eigen::Dynamic) {
    using Values = Eigen::Matrix<X, Eigen::Dynamic, 1>;
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>(y, n) +=
        scale * Eigen::Map<const Values>(x, n).template cast<T>();
  } else {
    for (Eigen::Index i = 0; i < n; ++i) y[i] += scale * T(x[i]);
  }
}

// z += a x + b y of n numbers.
template <int K, class T>
[[gnu::always_inline]] inline void add_both(Eigen::Index n, const T& a, const T* x, const T& b,
                                            const T* y, T* z) {
  if constexpr (K == Eigen::Dynamic) {
    using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
    using Values = Eigen::Map<const Vector>;
    Eigen::Map<Vector>(z, n) += a * Values(x, n) + b * Values(y, n);
  } else {
    for (Eigen::Index i = 0; i < n; ++i) z[i] += a * x[i] + b * y[i];
  }
}

// y += a x of the leading n rows and columns of a.
template <int K, class Square, class T>
[[gnu::always_inline]] inline void add_product(Eigen::Index n, const Square& a, const T* x, T* y) {
  if constexpr (K == Eigen::Dynamic) {
    using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
    Eigen::Map<Vector>(y, n).noalias() += a.topLeftCorner(n, n) * Eigen::Map<const Vector>(x, n);
  } else {
    for (Eigen::Index j = 0; j < n; ++j) add_scaled<K>(n, x[j], &a(0, j), y);
  }
}

}  // namespace hmvn
