// One group's likelihood given its covariance matrix (M1), (M2), with the group mean left open.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/special_functions.hpp"
#include "hmvn/model/sufficient_statistics.hpp"
#include "hmvn/model/triangular.hpp"

namespace hmvn {

// As a function of the mean mu the likelihood is exp(within) times the density of Normal(estimate;
// mu, spread) over the features observed in the group. Features never observed have a unit diagonal
// in `spread` and do not count.
template <class T, int K>
struct GroupLikelihood {
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;

  T within;
  Vector estimate;                       // of the mean, less its prior location
  Square spread;                         // its covariance matrix given Sigma
  std::vector<Square> pattern_inverses;  // inverse of the Cholesky factor of Sigma over each
                                         // pattern's observed features
  std::vector<Square> whitened;  // that inverse times the root of the pattern's scatter matrix
  Square work, precision;        // scratch space, as what follows
  Vector weighted, residual;

  void resize(int n_features, std::size_t n_patterns) {
    within = T(0);
    estimate.setZero(n_features);
    weighted.setZero(n_features);
    residual.setZero(n_features);
    spread.setIdentity(n_features, n_features);
    work.setZero(n_features, n_features);
    precision.setZero(n_features, n_features);
    pattern_inverses.assign(n_patterns, Square::Identity(n_features, n_features));
    whitened.assign(n_patterns, Square::Zero(n_features, n_features));
  }
};

// False if a block of Sigma is not numerically positive definite.
template <class T, int K>
bool evaluate(const GroupStatistics& group, const Eigen::Matrix<T, K, K>& factor,
              GroupLikelihood<T, K>& out) {
  return group.complete() ? evaluate_complete(group.patterns[0], factor, out)
                          : evaluate_patterns(group, factor, out);
}

template <class T, int K>
bool evaluate_complete(const PatternStatistics& rows, const Eigen::Matrix<T, K, K>& factor,
                       GroupLikelihood<T, K>& out) {
  using std::log;
  const T n(rows.n), n_features(rows.n_observed);
  invert_lower(factor, out.pattern_inverses[0]);
  multiply_lower(out.pattern_inverses[0], rows.scatter_root, out.whitened[0]);
  out.within = -(n - T(1)) * (T(0.5 * log_2pi) * n_features + log_diagonal_sum<T>(factor)) -
               T(0.5) * n_features * log(n) - T(0.5) * out.whitened[0].squaredNorm();
  out.estimate = rows.mean.template cast<T>();
  outer_square(factor, out.spread);
  out.spread /= n;
  return true;
}

template <class T, int K>
bool evaluate_patterns(const GroupStatistics& group, const Eigen::Matrix<T, K, K>& factor,
                       GroupLikelihood<T, K>& out) {
  out.within = T(0);
  out.precision.setZero();
  out.weighted.setZero();
  outer_square(factor, out.work);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    out.spread = pattern.observed.template cast<T>().asDiagonal() * out.work *
                 pattern.observed.template cast<T>().asDiagonal();
    out.spread.diagonal() += (T(1) - pattern.observed.template cast<T>().array()).matrix();
    if (!cholesky_in_place(out.spread)) return false;
    out.within -=
        T(pattern.n) * (T(0.5 * log_2pi * pattern.n_observed) + log_diagonal_sum<T>(out.spread));
    auto& inverse = out.pattern_inverses[p];
    invert_lower(out.spread, inverse);
    if (pattern.has_scatter) {
      multiply_lower(inverse, pattern.scatter_root, out.whitened[p]);
      out.within -= T(0.5) * out.whitened[p].squaredNorm();
    }
    inner_square(inverse, out.spread);
    out.spread.diagonal() -= (T(1) - pattern.observed.template cast<T>().array()).matrix();
    out.precision += T(pattern.n) * out.spread;
    out.weighted.noalias() +=
        T(pattern.n) * out.spread.lazyProduct(pattern.mean.template cast<T>());
  }
  out.precision.diagonal() += (T(1) - group.observed.template cast<T>().array()).matrix();
  if (!cholesky_in_place(out.precision)) return false;
  out.within += T(0.5 * log_2pi * group.n_observed) - log_diagonal_sum<T>(out.precision);
  out.estimate = out.weighted;
  solve_lower(out.precision, out.estimate);
  solve_lower_transposed(out.precision, out.estimate);
  invert_lower(out.precision, out.work);
  inner_square(out.work, out.spread);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    out.residual = pattern.mean.template cast<T>() -
                   out.estimate.cwiseProduct(pattern.observed.template cast<T>());
    apply_lower(out.pattern_inverses[p], out.residual);
    out.within -= T(0.5 * pattern.n) * out.residual.squaredNorm();
  }
  return true;
}

// What the likelihood's gradient in Sigma needs to know of the group mean.
template <int K>
struct GroupMeanMoments {
  Eigen::Matrix<double, K, K>
      spread_gradient;  // of log p(estimate) in `spread`, symmetric; of complete groups
  Eigen::Matrix<double, K, 1>
      mean;  // E(mu) given data and covariance matrices, and Cov(mu); of the others
  Eigen::Matrix<double, K, K> covariance;
  Eigen::Matrix<double, K, K> work, square, of_covariance;  // scratch space
  Eigen::Matrix<double, K, 1> residual;

  void resize(int n_features) {
    for (auto* m : {&spread_gradient, &covariance, &work, &square, &of_covariance})
      m->setZero(n_features, n_features);
    mean.setZero(n_features);
    residual.setZero(n_features);
  }
};

// The gradient in the factor, lower triangle.
template <int K>
void differentiate(const GroupStatistics& group, const Eigen::Matrix<double, K, K>& factor,
                   const GroupLikelihood<double, K>& like, GroupMeanMoments<K>& moments,
                   Eigen::Matrix<double, K, K>& factor_gradient) {
  if (group.complete()) {
    differentiate_complete(group.patterns[0].n, factor, like, moments, factor_gradient);
  } else {
    differentiate_patterns(group, factor, like, moments, factor_gradient);
  }
}

// Lambda^-T (Y Y' - (n - 1) I) with Y = Lambda^-1 S^(1/2), and, through spread = Lambda Lambda'/n,
// 2 G Lambda / n.
template <int K>
void differentiate_complete(double n, const Eigen::Matrix<double, K, K>& factor,
                            const GroupLikelihood<double, K>& like, GroupMeanMoments<K>& moments,
                            Eigen::Matrix<double, K, K>& factor_gradient) {
  const Eigen::Index n_features = factor.rows();
  const auto& inverse = like.pattern_inverses[0];
  outer_square(like.whitened[0], moments.work);
  moments.work.diagonal().array() -= n - 1.0;
  const double twice = 2.0 / n;
  for (Eigen::Index i = 0; i < n_features; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      double within = 0.0, between = 0.0;
      for (Eigen::Index m = i; m < n_features; ++m) within += inverse(m, i) * moments.work(m, j);
      for (Eigen::Index m = j; m < n_features; ++m)
        between += moments.spread_gradient(i, m) * factor(m, j);
      factor_gradient(i, j) = within + twice * between;
    }
    for (Eigen::Index j = i + 1; j < n_features; ++j) factor_gradient(i, j) = 0.0;
  }
}

// By Fisher's identity: dlog p / dSigma = sum_p [Sigma^-1 (S + n (r r' + V)) Sigma^-1 - n Sigma^-1]
// / 2 over each pattern's block, r = ybar - E(mu), V = Cov(mu); and dlog p / dLambda = 2 (dlog p /
// dSigma) Lambda.
template <int K>
void differentiate_patterns(const GroupStatistics& group, const Eigen::Matrix<double, K, K>& factor,
                            const GroupLikelihood<double, K>& like, GroupMeanMoments<K>& moments,
                            Eigen::Matrix<double, K, K>& factor_gradient) {
  moments.of_covariance.setZero();
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    const auto& inverse = like.pattern_inverses[p];
    // inverse' [Y Y' + n (inverse (r r' + V) inverse' - I)] inverse
    moments.residual = pattern.mean - moments.mean.cwiseProduct(pattern.observed);
    moments.square =
        pattern.observed.asDiagonal() * moments.covariance * pattern.observed.asDiagonal();
    moments.square += moments.residual * moments.residual.transpose();
    moments.work.noalias() = inverse.lazyProduct(moments.square);
    moments.square.noalias() = moments.work.lazyProduct(inverse.transpose());
    moments.square *= pattern.n;
    moments.square.diagonal().array() -= pattern.n;
    if (pattern.has_scatter) {
      outer_square(like.whitened[p], moments.work);
      moments.square += moments.work;
    }
    moments.work.noalias() = inverse.transpose().lazyProduct(moments.square);
    moments.square.noalias() = moments.work.lazyProduct(inverse);
    moments.of_covariance +=
        pattern.observed.asDiagonal() * moments.square * pattern.observed.asDiagonal();
  }
  factor_gradient.noalias() = moments.of_covariance.lazyProduct(factor);
  factor_gradient.template triangularView<Eigen::StrictlyUpper>().setZero();
}

}  // namespace hmvn
