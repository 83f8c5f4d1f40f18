// From the scores of one covariance matrix to its Cholesky factor: (M1), (S2), (S3).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/score_map.hpp"

namespace hmvn {

inline int n_correlations(int n_features) { return n_features * (n_features - 1) / 2; }
inline int n_coordinates(int n_features) { return n_features * (n_features + 1) / 2; }

// The maps of every coordinate of a covariance matrix. Coordinates are ordered: the K standard
// deviations, then the canonical partial correlations c_ij row by row: (2,1), (3,1), (3,2), ... The
// map of c_ij depends on its column j only.
struct CovarianceMaps {
  std::vector<ScoreMap> scale;        // K: u -> log(sigma_k)
  std::vector<ScoreMap> correlation;  // K - 1, by column: u -> atanh(c)

  int n_features() const { return static_cast<int>(scale.size()); }
};

// Scores, the quantities they stand for, and the factor Lambda of Sigma = Lambda Lambda'.
template <class T, int K>
struct CovariancePoint {
  Eigen::Matrix<T, Eigen::Dynamic, 1> score;        // u, all coordinates
  Eigen::Matrix<T, Eigen::Dynamic, 1> value;        // log(sigma) or atanh(c)
  Eigen::Matrix<T, Eigen::Dynamic, 1> value_slope;  // d value / d score
  Eigen::Matrix<T, Eigen::Dynamic, 1> partial,
      rest_share;                 // of correlations: c = tanh(w) and sqrt(1 - c^2) = sech(w)
  Eigen::Matrix<T, K, K> factor;  // Lambda, lower triangular

  void resize(int n_features) {
    score.setZero(n_coordinates(n_features));
    value.setZero(n_coordinates(n_features));
    value_slope.setZero(n_coordinates(n_features));
    partial.setZero(n_coordinates(n_features));
    rest_share.setZero(n_coordinates(n_features));
    factor.setZero(n_features, n_features);
  }
};

// Row i of the correlation's factor by stick-breaking (Lewandowski, Kurowicka and Joe 2009): L_ij =
// c_ij z_ij, z_i1 = 1, z_i,j+1 = z_ij sqrt(1 - c_ij^2), L_ii = z_ii. In w = atanh(c), c = tanh(w)
// and sqrt(1 - c^2) = sech(w), so that nothing cancels as |c| nears 1.
template <class T, int K>
void fill_factor(const CovarianceMaps& maps, CovariancePoint<T, K>& point) {
  using std::abs;
  using std::exp;
  const int n_features = static_cast<int>(point.factor.rows());
  int at = n_features;
  for (int i = 0; i < n_features; ++i) {
    const auto scale = maps.scale[i](point.score[i]);
    point.value[i] = scale.x;
    point.value_slope[i] = scale.slope;
    T rest = exp(scale.x);
    for (int j = 0; j < i; ++j, ++at) {
      const auto w = maps.correlation[j](point.score[at]);
      point.value[at] = w.x;
      point.value_slope[at] = w.slope;
      const T decay = exp(-abs(w.x)), share = T(1) / (T(1) + decay * decay);
      const T size = (T(1) - decay * decay) * share;
      point.partial[at] = w.x < T(0) ? -size : size;
      point.rest_share[at] = T(2) * decay * share;
      point.factor(i, j) = point.partial[at] * rest;
      rest *= point.rest_share[at];
    }
    point.factor(i, i) = rest;
  }
}

// The gradient in the scores from the gradient in the factor (lower triangle), added to
// `score_gradient`.
template <int K>
void pull_back_factor(const CovariancePoint<double, K>& point,
                      const Eigen::Matrix<double, K, K>& factor_gradient,
                      Eigen::VectorXd& score_gradient) {
  const int n_features = static_cast<int>(point.factor.rows());
  for (int i = 0; i < n_features; ++i) {
    const int row = n_features + i * (i - 1) / 2;
    double rest = point.factor(i, i);
    double rest_gradient = factor_gradient(i, i);
    for (int j = i - 1; j >= 0; --j) {
      const double partial = point.partial[row + j], share = point.rest_share[row + j];
      rest /= share;  // the stick before column j was broken off
      const double w_gradient =
          rest * share * (factor_gradient(i, j) * share - rest_gradient * partial);
      score_gradient[row + j] += w_gradient * point.value_slope[row + j];
      rest_gradient = rest_gradient * share + factor_gradient(i, j) * partial;
    }
    score_gradient[i] += rest_gradient * rest * point.value_slope[i];  // rest is sigma_i here
  }
}

}  // namespace hmvn
