// Small lower triangular matrices by rows. Where K is known at compile time all loops are unrolled;
// Eigen's triangular solves cost several times as much at this size.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <type_traits>
#include <utility>

namespace hmvn {

template <int K>
using SquareRows = Eigen::Matrix<double, K, K, Eigen::RowMajor>;
template <int K>
using Values = Eigen::Matrix<double, K, 1>;

// A number known at compile time, or an int where it is not.
template <int N>
using Constant = std::integral_constant<int, N>;

template <int K>
inline auto size_of(Eigen::Index n) {
  if constexpr (K == Eigen::Dynamic) {
    return static_cast<int>(n);
  } else {
    return Constant<K>();
  }
}

constexpr int plus_one(int i) { return i + 1; }
template <int N>
constexpr Constant<N + 1> plus_one(Constant<N>) {
  return {};
}

template <class Use, int... I>
[[gnu::always_inline]] inline void repeat_each(std::integer_sequence<int, I...>, const Use& use) {
  (use(Constant<I>()), ...);
}

// use(0), ..., use(n - 1); unrolled, with constants, where n is one.
template <class N, class Use>
[[gnu::always_inline]] inline void repeat(N n, const Use& use) {
  if constexpr (std::is_same<N, int>::value) {
    for (int i = 0; i < n; ++i) use(i);
  } else {
    repeat_each(std::make_integer_sequence<int, N::value>(), use);
  }
}

template <int N, class Use, int... I>
[[gnu::always_inline]] inline void repeat_each_down(std::integer_sequence<int, I...>,
                                                    const Use& use) {
  (use(Constant<N - 1 - I>()), ...);
}

// The same from n - 1 down.
template <class N, class Use>
[[gnu::always_inline]] inline void repeat_down(N n, const Use& use) {
  if constexpr (std::is_same<N, int>::value) {
    for (int i = n - 1; i >= 0; --i) use(i);
  } else {
    repeat_each_down<N::value>(std::make_integer_sequence<int, N::value>(), use);
  }
}

// Row i of the product a * b of lower triangular matrices.
template <int K, class Index>
[[gnu::always_inline]] inline void product_row(const SquareRows<K>& a, const SquareRows<K>& b,
                                               Index i, Values<K>& out) {
  repeat(plus_one(i), [&](auto j) { out[j] = a(i, i) * b(i, j); });
  repeat(i, [&](auto m) {
    const double share = a(i, m);
    repeat(plus_one(m), [&](auto j) { out[j] += share * b(m, j); });
  });
}

// Row i of x = c a^-1, all lower triangular, from the last column on; `reciprocal` of a's diagonal.
template <int K, class Index>
[[gnu::always_inline]] inline void quotient_row(const SquareRows<K>& c, const SquareRows<K>& a,
                                                const Values<K>& reciprocal, Index i,
                                                SquareRows<K>& x) {
  repeat(plus_one(i), [&](auto j) { x(i, j) = c(i, j); });
  repeat_down(plus_one(i), [&](auto m) {
    const double solved = x(i, m) * reciprocal[m];
    x(i, m) = solved;
    repeat(m, [&](auto j) { x(i, j) -= solved * a(m, j); });
  });
}

// In place: the lower triangle of a positive definite matrix becomes its Cholesky factor, with the
// reciprocals of its diagonal beside it.
template <int K>
inline void cholesky_in_place(SquareRows<K>& a, Values<K>& reciprocal) {
  const int n = static_cast<int>(a.rows());
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
