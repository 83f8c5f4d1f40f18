// The likelihood of rows whose patterns of observed features are nested, given their covariance
// matrix, and what it says of the group mean. Of rows with covariates: nested_regression.hpp.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "hmvn/math/columns.hpp"
#include "hmvn/math/log_product.hpp"
#include "hmvn/math/special_functions.hpp"
#include "hmvn/model/nested_patterns.hpp"

namespace hmvn {

// With w_i row i of the inverse Cholesky factor of Sigma over the places of a nest, and n, ybar and
// R those of the rows that observe place i, the likelihood of all rows about a mean mu is the
// product over places of
//   (w_ii / sqrt(2 pi))^n exp(-(|R'w_i|^2 + n (w_i'(ybar - mu))^2) / 2).
template <class T, int K>
struct NestedPoint {
  using Square = Eigen::Matrix<T, K, K>;

  Square rows;      // column i: w_i
  Square whitened;  // column i: R'w_i
  T log_density;    // of all rows, every place about its own mean or regression

  void resize(int n_features) {
    rows.setZero(n_features, n_features);
    whitened.setZero(n_features, n_features);
  }
};

// Room for what is computed on the way; holds nothing from one call to the next.
template <class T, int K>
struct NestedScratch {
  Eigen::Matrix<T, K, K> square, covariance;
  Eigen::Matrix<T, K, 1> mean, residual, pulled, scaled;

  void resize(int n_features) {
    for (auto* m : {&square, &covariance}) m->setZero(n_features, n_features);
    for (auto* v : {&mean, &residual, &pulled, &scaled}) v->setZero(n_features);
  }
};

// False if Sigma is not numerically positive definite.
template <class T, int K>
bool fill_nested(const NestedPatterns& nest, const Eigen::Matrix<T, K, K>& covariance,
                 NestedScratch<T, K>& scratch, NestedPoint<T, K>& out) {
  using std::sqrt;
  out.log_density = T(0);
  LogProduct<T> diagonal;
  for (Eigen::Index i = 0; i < nest.size(); ++i) {
    const int place = nest.places[i];
    T* const w = &out.rows(0, i);
    T* const factor = &scratch.square(0, i);  // row i of the Cholesky factor
    std::fill(w, w + i, T(0));
    T pivot = covariance(place, place);
    for (Eigen::Index j = 0; j < i; ++j) {
      const T rest = covariance(nest.places[j], place) - dot<K>(j, &scratch.square(0, j), factor);
      factor[j] = rest * out.rows(j, j);
      pivot -= factor[j] * factor[j];
      add_scaled<K>(j + 1, T(-factor[j]), &out.rows(0, j), w);
    }
    if (!(pivot > T(0))) return false;
    w[i] = T(1) / sqrt(pivot);
    for (Eigen::Index j = 0; j < i; ++j) w[j] *= w[i];
    diagonal.multiply(w[i]);
    const Eigen::MatrixXd& root = nest.roots[nest.pool[i]];
    if (root.size() > 0) {
      T* const whitened = &out.whitened(0, i);
      for (Eigen::Index j = 0; j <= i; ++j) whitened[j] = dot<K>(i + 1 - j, &root(j, j), w + j);
      out.log_density -= T(0.5) * dot<K>(i + 1, whitened, whitened);
    }
    out.log_density -= T(0.5 * log_2pi * nest.n[i]);
    if (nest.ends_pool(i)) {
      out.log_density += T(nest.n[i]) * diagonal.value();
      diagonal = {};
    }
  }
  return true;
}

// What the rows say of the group mean: adds their information to the lower triangle of `precision`,
// and that times their own means to `weighted`.
template <class T, int K>
void add_mean_information(const NestedPatterns& nest, const NestedPoint<T, K>& at,
                          NestedScratch<T, K>& scratch, Eigen::Matrix<T, K, K>& precision,
                          Eigen::Matrix<T, K, 1>& weighted) {
  const Eigen::Index n = nest.size();
  scratch.square.setZero();
  scratch.pulled.setZero();
  for (Eigen::Index i = 0; i < n; ++i) {
    const T* const w = &at.rows(0, i);
    const T rows(nest.n[i]);
    for (Eigen::Index j = 0; j <= i; ++j) {
      add_scaled<K>(i + 1 - j, T(rows * w[j]), w + j, &scratch.square(j, j));
    }
    add_scaled<K>(i + 1, T(rows * dot<K>(i + 1, &nest.means(0, i), w)), w, scratch.pulled.data());
  }
  for (Eigen::Index j = 0; j < n; ++j) {
    const int column = nest.places[j];
    for (Eigen::Index i = j; i < n; ++i) {
      const int row = nest.places[i];
      precision(std::max(row, column), std::min(row, column)) += scratch.square(i, j);
    }
    weighted[column] += scratch.pulled[j];
  }
}

// The sum of squares of the rows' own means about `mean`, whitened.
template <class T, int K>
T squares_about(const NestedPatterns& nest, const NestedPoint<T, K>& at,
                const Eigen::Matrix<T, K, 1>& mean) {
  T squares(0);
  for (Eigen::Index i = 0; i < nest.size(); ++i) {
    T shift(0);
    for (Eigen::Index j = 0; j <= i; ++j) {
      shift += at.rows(j, i) * (T(nest.means(j, i)) - mean[nest.places[j]]);
    }
    squares += T(nest.n[i]) * shift * shift;
  }
  return squares;
}

// What the likelihood's gradient in Sigma needs to know of the group mean, from MeanLaw.
template <int K>
struct GroupMeanMoments {
  Eigen::Matrix<double, K, K> spread_gradient;  // of log p(estimate) in `spread`, symmetric
  // E(mu) and Cov(mu) given data and covariance matrices; of groups that are not complete.
  Eigen::Matrix<double, K, 1> mean;
  Eigen::Matrix<double, K, K> covariance;

  void resize(int n_features) {
    for (auto* m : {&spread_gradient, &covariance}) m->setZero(n_features, n_features);
    mean.setZero(n_features);
  }
};

// The gradient in Sigma, where Q_i is the expected sum of squares of the rows that observe place i.
// With G_i = Q_i w_i and B the lower triangle of w_j'G_i, less n where j = i, its diagonal halved,
// twice the gradient is W' (B + B') W, W of rows w_i. This adds to `scratch.square` what place i
// makes of it; `scratch.pulled` has G_i less what is R R' w_i.
template <class T, int K>
[[gnu::always_inline]] inline void add_gradient_of_place(const NestedPatterns& nest,
                                                         const NestedPoint<T, K>& at,
                                                         Eigen::Index i,
                                                         NestedScratch<T, K>& scratch) {
  const Eigen::Index size = i + 1;
  const T* const w = &at.rows(0, i);
  T* const pulled = scratch.pulled.data();
  T* const turned = scratch.residual.data();  // row i of B W
  const T rows(nest.n[i]);
  const Eigen::MatrixXd& root = nest.roots[nest.pool[i]];
  for (Eigen::Index j = 0; j < size && root.size() > 0; ++j) {
    add_scaled<K>(size - j, at.whitened(j, i), &root(j, j), pulled + j);
  }
  std::fill(turned, turned + size, T(0));
  for (Eigen::Index j = 0; j < size; ++j) {
    const T* const other = &at.rows(0, j);
    const T b = dot<K>(j + 1, other, pulled);
    add_scaled<K>(j + 1, j < i ? b : T(0.5) * (b - rows), other, turned);
  }
  for (Eigen::Index j = 0; j < size; ++j) {
    add_both<K>(size - j, turned[j], w + j, w[j], turned + j, &scratch.square(j, j));
  }
}

// After that of all places: adds twice the gradient.
template <class T, int K>
void add_nested_gradient(const NestedPatterns& nest, const NestedScratch<T, K>& scratch,
                         Eigen::Matrix<T, K, K>& of_covariance) {
  const Eigen::Index n = nest.size();
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      const T gradient = scratch.square(i, j);
      of_covariance(nest.places[i], nest.places[j]) += gradient;
      if (i > j) of_covariance(nest.places[j], nest.places[i]) += gradient;
    }
  }
}

// Adds twice the gradient in Sigma where the group mean has this expectation and covariance matrix
// V: Q_i is R R' + n ((ybar - mean) (ybar - mean)' + V).
template <int K>
void differentiate_nested(const NestedPatterns& nest, const NestedPoint<double, K>& at,
                          const GroupMeanMoments<K>& moments, NestedScratch<double, K>& scratch,
                          Eigen::Matrix<double, K, K>& of_covariance) {
  const Eigen::Index n = nest.size();
  for (Eigen::Index j = 0; j < n; ++j) {
    scratch.mean[j] = moments.mean[nest.places[j]];
    for (Eigen::Index i = 0; i < n; ++i) {
      scratch.covariance(i, j) = moments.covariance(nest.places[i], nest.places[j]);
    }
  }
  scratch.square.setZero();
  double* const pulled = scratch.pulled.data();
  double* const residual = scratch.residual.data();
  double* const scaled = scratch.scaled.data();
  for (Eigen::Index i = 0; i < n; ++i) {
    const double* const w = &at.rows(0, i);
    const double rows = nest.n[i];
    const Eigen::Index size = i + 1;
    for (Eigen::Index j = 0; j < size; ++j) residual[j] = nest.means(j, i) - scratch.mean[j];
    const double shift = rows * dot<K>(size, residual, w);
    for (Eigen::Index j = 0; j < size; ++j) {
      pulled[j] = shift * residual[j];
      scaled[j] = rows * w[j];
    }
    add_product<K>(size, scratch.covariance, scaled, pulled);
    add_gradient_of_place(nest, at, i, scratch);
  }
  add_nested_gradient(nest, scratch, of_covariance);
}

}  // namespace hmvn
