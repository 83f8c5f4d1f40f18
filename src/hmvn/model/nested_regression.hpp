// The likelihood of rows with covariates whose patterns of observed features are nested, given
// their covariance matrix, and what it says of the group's coefficients.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hmvn/math/columns.hpp"
#include "hmvn/model/nested_likelihood.hpp"
#include "hmvn/model/nested_patterns.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// With w_i row i of the inverse Cholesky factor of Sigma over the places of a nest, F of Design
// that of the rows that observe place i, and Theta the coefficients of places 0 to i, the
// likelihood of all rows is the product over places of
//   (w_ii / sqrt(2 pi))^n exp(-(|residual_root'w_i|^2 + |(response_root - Theta gram_root)'w_i|^2)
//   / 2).
// Of this NestedPoint has all but the last square. Coefficients come one below the other, as
// [feature, 1 + covariate].
template <class T>
using AnyVector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
template <class T>
using AnyMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using RegressionPoint = NestedPoint<T, Eigen::Dynamic>;

// Room for what is computed on the way; holds nothing from one call to the next.
template <class T>
struct RegressionScratch {
  NestedScratch<T, Eigen::Dynamic> nested;
  AnyMatrix<T> left;  // response_root - Theta gram_root, of a pool

  void resize(int n_features, int n_coefficients) {
    nested.resize(n_features);
    left.setZero(n_features, n_coefficients / n_features);
  }
};

// Adds the Kronecker product of a pool's Z'Z and a symmetric matrix over its places, from the lower
// triangles of both, to these of `sum`; mirror_kronecker() then fills in the others.
template <class T>
void add_kronecker(const NestedPatterns& nest, Eigen::Index size, const Eigen::MatrixXd& gram,
                   const AnyMatrix<T>& square, AnyMatrix<T>& sum) {
  const Eigen::Index n_features = square.rows();
  for (Eigen::Index b = 0; b < gram.cols(); ++b) {
    for (Eigen::Index a = b; a < gram.rows(); ++a) {
      const T product(gram(a, b));
      for (Eigen::Index j = 0; j < size; ++j) {
        for (Eigen::Index i = j; i < size; ++i) {
          const auto [low, high] = std::minmax(nest.places[i], nest.places[j]);
          sum(a * n_features + high, b * n_features + low) += product * square(i, j);
        }
      }
    }
  }
}

template <class T>
void mirror_kronecker(Eigen::Index n_features, AnyMatrix<T>& sum) {
  for (Eigen::Index b = 0; b < sum.cols(); b += n_features) {
    for (Eigen::Index a = b; a < sum.rows(); a += n_features) {
      for (Eigen::Index j = 0; j < n_features; ++j) {
        for (Eigen::Index i = j; i < n_features; ++i) {
          const T value = sum(a + i, b + j);
          sum(a + j, b + i) = sum(b + i, a + j) = sum(b + j, a + i) = value;
        }
      }
    }
  }
}

// What the rows say of the coefficients: adds their information, as add_kronecker() does, and the
// score where all are 0.
template <class T>
void add_information(const NestedPatterns& nest, const RegressionPoint<T>& at,
                     RegressionScratch<T>& scratch, AnyMatrix<T>& information,
                     AnyVector<T>& score) {
  constexpr int any = Eigen::Dynamic;
  AnyMatrix<T>& square = scratch.nested.square;
  for (Eigen::Index i = 0; i < nest.size(); ++i) {
    const NestedPatterns::Regression& pool = nest.regression_at(i);
    const T* const w = &at.rows(0, i);
    if (nest.starts_pool(i)) square.setZero();
    for (Eigen::Index j = 0; j <= i; ++j) {
      add_scaled<any>(i + 1 - j, w[j], w + j, &square(j, j));
    }
    if (nest.ends_pool(i)) add_kronecker(nest, i + 1, pool.gram, square, information);
    for (Eigen::Index a = 0; a < pool.cross.cols(); ++a) {
      const T along = dot<any>(i + 1, &pool.cross(0, a), w);
      T* const of_column = score.data() + a * square.rows();
      for (Eigen::Index j = 0; j <= i; ++j) of_column[nest.places[j]] += along * w[j];
    }
  }
}

// Fills `left` over a pool's places.
template <class T>
void fill_left(const NestedPatterns& nest, const NestedPatterns::Regression& pool,
               const AnyVector<T>& coefficients, AnyMatrix<T>& left) {
  for (Eigen::Index c = 0; c < left.cols(); ++c) {
    for (Eigen::Index j = 0; j < pool.response_root.rows(); ++j) {
      T explained(0);
      for (Eigen::Index a = c; a < left.cols(); ++a) {
        explained += coefficients[a * left.rows() + nest.places[j]] * T(pool.gram_root(a, c));
      }
      left(j, c) = T(pool.response_root(j, c)) - explained;
    }
  }
}

// The sum over places of |(response_root - Theta gram_root)'w_i|^2.
template <class T>
T squares_about(const NestedPatterns& nest, const RegressionPoint<T>& at,
                const AnyVector<T>& coefficients, AnyMatrix<T>& left) {
  T squares(0);
  for (Eigen::Index i = 0; i < nest.size(); ++i) {
    if (nest.starts_pool(i)) fill_left(nest, nest.regression_at(i), coefficients, left);
    for (Eigen::Index c = 0; c < left.cols(); ++c) {
      const T along = dot<Eigen::Dynamic>(i + 1, &left(0, c), &at.rows(0, i));
      squares += along * along;
    }
  }
  return squares;
}

// What a pool's sum of squares is expected to gain by the coefficients' covariance matrix: the sum
// of (Z'Z)_ab times its block a, b, over the pool's places.
template <class T>
void fill_spread(const NestedPatterns& nest, const NestedPatterns::Regression& pool,
                 const AnyMatrix<T>& covariance, AnyMatrix<T>& spread) {
  const Eigen::Index n_features = spread.rows(), size = pool.response_root.rows();
  for (Eigen::Index j = 0; j < size; ++j) {
    for (Eigen::Index i = j; i < size; ++i) {
      T sum(0);
      for (Eigen::Index b = 0; b < pool.gram.cols(); ++b) {
        const T* const column = &covariance(0, b * n_features + nest.places[j]) + nest.places[i];
        for (Eigen::Index a = 0; a < pool.gram.rows(); ++a) {
          sum += T(pool.gram(a, b)) * column[a * n_features];
        }
      }
      spread(i, j) = spread(j, i) = sum;
    }
  }
}

// A group's coefficients given everything else.
template <class T>
struct CoefficientMoments {
  const AnyVector<T>& mean;
  const AnyMatrix<T>& covariance;
};

// Adds twice the gradient in Sigma where the coefficients have these moments.
template <class T>
void differentiate_regression(const NestedPatterns& nest, const RegressionPoint<T>& at,
                              const CoefficientMoments<T>& moments, RegressionScratch<T>& scratch,
                              AnyMatrix<T>& of_covariance) {
  constexpr int any = Eigen::Dynamic;
  scratch.nested.square.setZero();
  T* const pulled = scratch.nested.pulled.data();
  for (Eigen::Index i = 0; i < nest.size(); ++i) {
    const T* const w = &at.rows(0, i);
    if (nest.starts_pool(i)) {
      fill_left(nest, nest.regression_at(i), moments.mean, scratch.left);
      fill_spread(nest, nest.regression_at(i), moments.covariance, scratch.nested.covariance);
    }
    std::fill(pulled, pulled + i + 1, T(0));
    for (Eigen::Index c = 0; c < scratch.left.cols(); ++c) {
      const T* const left = &scratch.left(0, c);
      add_scaled<any>(i + 1, dot<any>(i + 1, left, w), left, pulled);
    }
    add_product<any>(i + 1, scratch.nested.covariance, w, pulled);
    add_gradient_of_place(nest, at, i, scratch.nested);
  }
  add_nested_gradient(nest, scratch.nested, of_covariance);
}

// Adds a draw from Normal(0, the rows' information on the coefficients).
template <class T>
void add_noise(const NestedPatterns& nest, const RegressionPoint<T>& at, RandomStream& random,
               AnyVector<T>& noise) {
  const Eigen::Index n_features = at.rows.rows();
  for (Eigen::Index i = 0; i < nest.size(); ++i) {
    const Eigen::MatrixXd& root = nest.regression_at(i).gram_root;
    for (Eigen::Index c = 0; c < root.cols(); ++c) {
      const T normal(random.normal());
      for (Eigen::Index a = c; a < root.rows(); ++a) {
        const T scale = normal * T(root(a, c));
        T* const of_column = noise.data() + a * n_features;
        for (Eigen::Index j = 0; j <= i; ++j) of_column[nest.places[j]] += scale * at.rows(j, i);
      }
    }
  }
}

}  // namespace hmvn
