// Lower triangular matrices of a few rows. Short loops in place of Eigen's solvers, which are made
// for large matrices: at the sizes of this model they spend most of their time on deciding how to
// block.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "hmvn/math/log_product.hpp"

namespace hmvn {

template <class T, class Factor>
T log_diagonal_sum(const Factor& factor) {
  LogProduct<T> product;
  for (Eigen::Index i = 0; i < factor.rows(); ++i) product.multiply(factor(i, i));
  return product.value();
}

// A = L L' from the lower triangle of A, which L overwrites, with zeros above. False if A is not
// numerically positive definite.
template <class Square>
bool cholesky_in_place(Square& a) {
  using T = typename Square::Scalar;
  using std::sqrt;
  const Eigen::Index n = a.rows();
  for (Eigen::Index j = 0; j < n; ++j) {
    T pivot = a(j, j);
    for (Eigen::Index m = 0; m < j; ++m) pivot -= a(j, m) * a(j, m);
    if (!(pivot > T(0))) return false;
    const T root = sqrt(pivot), inverse = T(1) / root;
    a(j, j) = root;
    for (Eigen::Index i = j + 1; i < n; ++i) {
      T sum = a(i, j);
      for (Eigen::Index m = 0; m < j; ++m) sum -= a(i, m) * a(j, m);
      a(i, j) = sum * inverse;
      a(j, i) = T(0);
    }
  }
  return true;
}

// out = L^-1, zeros above the diagonal.
template <class Lower, class Square>
void invert_lower(const Lower& l, Square& out) {
  using T = typename Square::Scalar;
  const Eigen::Index n = l.rows();
  for (Eigen::Index i = 0; i < n; ++i) {
    const T inverse = T(1) / l(i, i);
    for (Eigen::Index j = 0; j < i; ++j) {
      T sum(0);
      for (Eigen::Index m = j; m < i; ++m) sum += l(i, m) * out(m, j);
      out(i, j) = -sum * inverse;
      out(j, i) = T(0);
    }
    out(i, i) = inverse;
  }
}

// x = L x
template <class Lower, class Vector>
void apply_lower(const Lower& l, Vector&& x) {
  for (Eigen::Index i = l.rows() - 1; i >= 0; --i) {
    auto sum = l(i, i) * x[i];
    for (Eigen::Index m = 0; m < i; ++m) sum += l(i, m) * x[m];
    x[i] = sum;
  }
}

// x = L^-1 x
template <class Lower, class Vector>
void solve_lower(const Lower& l, Vector&& x) {
  const Eigen::Index n = l.rows();
  for (Eigen::Index i = 0; i < n; ++i) {
    auto sum = x[i];
    for (Eigen::Index m = 0; m < i; ++m) sum -= l(i, m) * x[m];
    x[i] = sum / l(i, i);
  }
}

// x = L^-T x
template <class Lower, class Vector>
void solve_lower_transposed(const Lower& l, Vector&& x) {
  for (Eigen::Index i = l.rows() - 1; i >= 0; --i) {
    const auto value = x[i] / l(i, i);
    x[i] = value;
    for (Eigen::Index m = 0; m < i; ++m) x[m] -= l(i, m) * value;
  }
}

// out = L L', both triangles.
template <class Lower, class Square>
void outer_square(const Lower& l, Square& out) {
  using T = typename Square::Scalar;
  for (Eigen::Index i = 0; i < l.rows(); ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      T sum(0);
      for (Eigen::Index m = 0; m <= j; ++m) sum += l(i, m) * l(j, m);
      out(i, j) = out(j, i) = sum;
    }
  }
}

// out = L' L, both triangles: with L the inverse of a factor, the inverse of what it factorises.
template <class Lower, class Square>
void inner_square(const Lower& l, Square& out) {
  using T = typename Square::Scalar;
  for (Eigen::Index i = 0; i < l.rows(); ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      T sum(0);
      for (Eigen::Index m = i; m < l.rows(); ++m) sum += l(m, i) * l(m, j);
      out(i, j) = out(j, i) = sum;
    }
  }
}

// out = A B of two lower triangular matrices, zeros above the diagonal.
template <class A, class B, class Square>
void multiply_lower(const A& a, const B& b, Square& out) {
  using T = typename Square::Scalar;
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      T sum(0);
      for (Eigen::Index m = j; m <= i; ++m) sum += a(i, m) * T(b(m, j));
      out(i, j) = sum;
      if (j < i) out(j, i) = T(0);
    }
  }
}

}  // namespace hmvn
