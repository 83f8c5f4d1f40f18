// One group's likelihood given its covariance matrix (M1), (M2), with the group mean left open.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/special_functions.hpp"
#include "hmvn/model/sufficient_statistics.hpp"

namespace hmvn {

// As a function of the mean mu the likelihood is exp(within) times the density of Normal(estimate; mu, spread) over the
// features observed in the group. Features never observed have a unit diagonal in `spread` and do not count.
template <class T, int K>
struct GroupLikelihood {
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;

  T within;
  Vector estimate;                      // of the mean, less its prior location
  Square spread;                        // its covariance matrix given Sigma
  std::vector<Square> pattern_factors;  // Cholesky factor of Sigma over each pattern's observed features
  Square work, precision;
  Vector weighted, residual;

  void resize(int n_features, std::size_t n_patterns) {
    within = T(0);
    estimate.setZero(n_features);
    weighted.setZero(n_features);
    residual.setZero(n_features);
    spread.setIdentity(n_features, n_features);
    work.setZero(n_features, n_features);
    precision.setZero(n_features, n_features);
    pattern_factors.assign(n_patterns, Square::Identity(n_features, n_features));
  }
};

template <class T, class Factor>
T log_diagonal_sum(const Factor& factor) {
  using std::log;
  T sum(0);
  for (Eigen::Index i = 0; i < factor.rows(); ++i) sum += log(factor(i, i));
  return sum;
}

// False if a block of Sigma is not numerically positive definite.
template <class Square>
bool cholesky_in_place(Square& matrix) {
  const Eigen::LLT<Eigen::Ref<Square>> in_place(matrix);
  if (in_place.info() != Eigen::Success) return false;
  matrix.template triangularView<Eigen::StrictlyUpper>().setZero();
  return true;
}

template <class T, int K>
bool evaluate(const GroupStatistics& group, const Eigen::Matrix<T, K, K>& factor, GroupLikelihood<T, K>& out) {
  using std::log;
  if (group.complete()) {
    const PatternStatistics& pattern = group.patterns[0];
    const T n(pattern.n);
    const T n_features(pattern.n_observed);
    out.pattern_factors[0] = factor;
    out.work = pattern.scatter_root.template cast<T>();
    factor.template triangularView<Eigen::Lower>().solveInPlace(out.work);
    out.within = -(n - T(1)) * (T(0.5 * log_2pi) * n_features + log_diagonal_sum<T>(factor)) -
                 T(0.5) * n_features * log(n) - T(0.5) * out.work.squaredNorm();
    out.estimate = pattern.mean.template cast<T>();
    out.spread.noalias() = factor * factor.transpose();
    out.spread /= n;
    return true;
  }
  out.within = T(0);
  out.precision.setZero();
  out.weighted.setZero();
  out.work.noalias() = factor * factor.transpose();
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    auto& block = out.pattern_factors[p];
    block = pattern.observed.template cast<T>().asDiagonal() * out.work * pattern.observed.template cast<T>().asDiagonal();
    block.diagonal() += (T(1) - pattern.observed.template cast<T>().array()).matrix();
    if (!cholesky_in_place(block)) return false;
    out.spread = pattern.scatter_root.template cast<T>();
    block.template triangularView<Eigen::Lower>().solveInPlace(out.spread);
    out.within -= T(pattern.n) * (T(0.5 * log_2pi * pattern.n_observed) + log_diagonal_sum<T>(block)) +
                  T(0.5) * out.spread.squaredNorm();
    out.spread.setIdentity();
    block.template triangularView<Eigen::Lower>().solveInPlace(out.spread);
    out.spread = (out.spread.transpose() * out.spread).eval();
    out.spread.diagonal() -= (T(1) - pattern.observed.template cast<T>().array()).matrix();
    out.precision.noalias() += T(pattern.n) * out.spread;
    out.weighted.noalias() += T(pattern.n) * (out.spread * pattern.mean.template cast<T>());
  }
  out.precision.diagonal() += (T(1) - group.observed.template cast<T>().array()).matrix();
  if (!cholesky_in_place(out.precision)) return false;
  out.within += T(0.5 * log_2pi * group.n_observed) - log_diagonal_sum<T>(out.precision);
  out.estimate = out.weighted;
  out.precision.template triangularView<Eigen::Lower>().solveInPlace(out.estimate);
  out.precision.template triangularView<Eigen::Lower>().transpose().solveInPlace(out.estimate);
  out.spread.setIdentity();
  out.precision.template triangularView<Eigen::Lower>().solveInPlace(out.spread);
  out.spread = (out.spread.transpose() * out.spread).eval();
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    out.residual = pattern.mean.template cast<T>() - out.estimate.cwiseProduct(pattern.observed.template cast<T>());
    out.pattern_factors[p].template triangularView<Eigen::Lower>().solveInPlace(out.residual);
    out.within -= T(0.5 * pattern.n) * out.residual.squaredNorm();
  }
  return true;
}

// The gradient in the factor, lower triangle. By Fisher's identity it needs only the mean and the covariance of the
// group mean given Sigma: dlog p / dSigma = sum_p [Sigma^-1 (S + n (r r' + V)) Sigma^-1 - n Sigma^-1] / 2 over each
// pattern's block, r = ybar - E(mu), V = Cov(mu); and dlog p / dLambda = 2 (dlog p / dSigma) Lambda.
template <int K>
void differentiate(const GroupStatistics& group, const Eigen::Matrix<double, K, K>& factor,
                   GroupLikelihood<double, K>& like, const Eigen::Matrix<double, K, 1>& mean,
                   const Eigen::Matrix<double, K, K>& mean_covariance, Eigen::Matrix<double, K, K>& factor_gradient) {
  const bool complete = group.complete();
  factor_gradient.setZero();
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    const auto& block = like.pattern_factors[p];
    // precision = block^-1 (S + n (r r' + V)) block^-T - n I
    like.residual = pattern.mean - mean.cwiseProduct(pattern.observed);
    like.precision = pattern.observed.asDiagonal() * mean_covariance * pattern.observed.asDiagonal();
    like.precision.noalias() += like.residual * like.residual.transpose();
    block.template triangularView<Eigen::Lower>().solveInPlace(like.precision);
    like.precision.transposeInPlace();
    block.template triangularView<Eigen::Lower>().solveInPlace(like.precision);
    like.work = pattern.scatter_root;
    block.template triangularView<Eigen::Lower>().solveInPlace(like.work);
    like.precision *= pattern.n;
    like.precision.noalias() += like.work * like.work.transpose();
    like.precision.diagonal().array() -= pattern.n;
    block.template triangularView<Eigen::Lower>().transpose().solveInPlace(like.precision);
    if (complete) {  // Sigma^-1 (...) Sigma^-1 Lambda needs no second solve
      factor_gradient = like.precision;
      factor_gradient.template triangularView<Eigen::StrictlyUpper>().setZero();
      return;
    }
    like.work = like.precision.transpose();
    block.template triangularView<Eigen::Lower>().transpose().solveInPlace(like.work);
    like.work = (pattern.observed.asDiagonal() * like.work * pattern.observed.asDiagonal()).eval();
    factor_gradient.noalias() += like.work * factor;
  }
  factor_gradient.template triangularView<Eigen::StrictlyUpper>().setZero();
}

}  // namespace hmvn
