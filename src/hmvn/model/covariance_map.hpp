// From the scores of one covariance matrix to its Cholesky factor: (M1), (S2), (S3).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/partial_correlations.hpp"
#include "hmvn/model/score_map.hpp"

namespace hmvn {

constexpr int n_correlations(int n_features) { return n_features * (n_features - 1) / 2; }
constexpr int n_coordinates(int n_features) { return n_features * (n_features + 1) / 2; }

// Coordinates of a covariance matrix: the K standard deviations, then the canonical partial
// correlations c_ij row by row: (2,1), (3,1), (3,2), ... Row i (from 0) begins at
// first_correlation(K, i).
constexpr int first_correlation(int n_features, int i) { return n_features + i * (i - 1) / 2; }

// The maps of every coordinate. That of c_ij depends on its column j only.
struct CovarianceMaps {
  std::vector<ScoreMap> scale;        // K: u -> log(sigma_k)
  std::vector<ScoreMap> correlation;  // K - 1, by column: u -> atanh(c)

  int n_features() const { return static_cast<int>(scale.size()); }
};

// Scores and the quantities they stand for.
template <class T>
struct ScorePoint {
  using Coordinates = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  Coordinates score;        // u, all coordinates
  Coordinates value;        // log(sigma) or atanh(c)
  Coordinates value_slope;  // d value / d score
  Coordinates piece, rest;  // of correlations: StickBreak at w = atanh(c)

  void resize_scores(int n) {
    for (Coordinates* v : {&score, &value, &value_slope, &piece, &rest}) v->setZero(n);
  }
};

// With the factor Lambda of Sigma = Lambda Lambda'.
template <class T, int K>
struct CovariancePoint : ScorePoint<T> {
  Eigen::Matrix<T, K, K> factor;  // Lambda, lower triangular
  Eigen::Matrix<T, K, K> root;    // A of (F1), where the frame is not raw

  void resize(int n_features) {
    this->resize_scores(n_coordinates(n_features));
    factor.setZero(n_features, n_features);
    root.setZero(n_features, n_features);
  }
};

// Row i of a factor, and where its i scores begin.
struct FactorRow {
  int i, first;
};

// This row, of this length, from its scores.
template <class T, class Factor>
void fill_factor_row(const std::vector<ScoreMap>& maps, FactorRow row, T length,
                     ScorePoint<T>& point, Factor& factor) {
  const int i = row.i;
  for (int j = 0, at = row.first; j < i; ++j, ++at) {
    const auto w = maps[j](point.score[at]);
    const StickBreak<T> broken = break_at(w.x);
    point.value[at] = w.x;
    point.value_slope[at] = w.slope;
    point.piece[at] = broken.piece;
    point.rest[at] = broken.rest;
    factor(i, j) = broken.piece * length;
    length *= broken.rest;
  }
  factor(i, i) = length;
}

// Fills value, slopes and factor from the scores.
template <class T, int K>
void fill_factor(const CovarianceMaps& maps, CovariancePoint<T, K>& point) {
  using std::exp;
  const int n_features = static_cast<int>(point.factor.rows());
  for (int i = 0; i < n_features; ++i) {
    const auto scale = maps.scale[i](point.score[i]);
    point.value[i] = scale.x;
    point.value_slope[i] = scale.slope;
    fill_factor_row<T>(maps.correlation, {i, first_correlation(n_features, i)}, exp(scale.x), point,
                       point.factor);
  }
}

// The reverse of fill_factor_row(): adds to the gradient in the scores from that in the factor;
// returns the length and the gradient in it.
struct RowLength {
  double length, gradient;
};
template <class Factor>
RowLength differentiate_factor_row(FactorRow row, const ScorePoint<double>& point,
                                   const Factor& factor, const Factor& factor_gradient,
                                   Eigen::VectorXd& score_gradient) {
  const auto [i, first] = row;
  RowLength rest{factor(i, i), factor_gradient(i, i)};
  for (int j = i - 1; j >= 0; --j) {
    const StickBreak<double> broken{point.piece[first + j], point.rest[first + j]};
    const double w_gradient =
        reverse_break(broken, factor_gradient(i, j), rest.length, rest.gradient);
    score_gradient[first + j] += w_gradient * point.value_slope[first + j];
  }
  return rest;
}

// The reverse of fill_factor(): the gradient in the scores from that in the factor (lower
// triangle), added to `score_gradient`.
template <int K>
void differentiate_factor(const CovariancePoint<double, K>& point,
                          const Eigen::Matrix<double, K, K>& factor_gradient,
                          Eigen::VectorXd& score_gradient) {
  const int n_features = static_cast<int>(point.factor.rows());
  for (int i = 0; i < n_features; ++i) {
    const RowLength sigma = differentiate_factor_row({i, first_correlation(n_features, i)}, point,
                                                     point.factor, factor_gradient, score_gradient);
    score_gradient[i] += sigma.gradient * sigma.length * point.value_slope[i];
  }
}

}  // namespace hmvn
