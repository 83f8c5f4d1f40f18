// One group's likelihood given its covariance matrix (M1), (M2), with the group mean left open.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/math/special_functions.hpp"
#include "hmvn/math/triangles.hpp"
#include "hmvn/model/frame.hpp"
#include "hmvn/model/group_statistics.hpp"

namespace hmvn {

// As a function of the mean mu the likelihood is exp(within) times the density of Normal(estimate;
// mu, spread) over the features observed in the group. Features never observed have a unit diagonal
// in `spread` and do not count.
template <class T, int K>
struct GroupLikelihood {
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;

  T within;
  Vector estimate;  // of the mean, less its prior location
  Square spread;    // its covariance matrix given Sigma
  // By pattern: the inverse of the Cholesky factor of Sigma over its observed features, and that
  // times the root of its scatter matrix.
  std::vector<Square> inverses, whitened;

  void resize(int n_features, std::size_t n_patterns) {
    within = T(0);
    estimate.setZero(n_features);
    spread.setIdentity(n_features, n_features);
    inverses.assign(n_patterns, Square::Identity(n_features, n_features));
    whitened.assign(n_patterns, Square::Zero(n_features, n_features));
  }
};

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

// Room for what is computed on the way; holds nothing from one call to the next.
template <class T, int K>
struct LikelihoodScratch {
  Eigen::Matrix<T, K, K> covariance, block, square;
  Eigen::Matrix<T, K, 1> weighted, residual;

  void resize(int n_features) {
    for (auto* m : {&covariance, &block, &square}) m->setZero(n_features, n_features);
    for (auto* v : {&weighted, &residual}) v->setZero(n_features);
  }
};

// Of a group whose rows are complete. Sigma~^-1 C^-1 S C^-T is all that `within` needs.
template <class T, int K>
void fill_complete_likelihood(const PatternStatistics& rows, const Frame<T, K>& frame,
                              const CovariancePoint<T, K>& point, GroupLikelihood<T, K>& out) {
  using std::log;
  const T n(rows.n), n_features(rows.n_observed);
  invert_lower(point.factor, out.inverses[0]);
  multiply_lower(out.inverses[0], rows.scatter_root, out.whitened[0]);
  out.within = -(n - T(1)) * (T(0.5 * log_2pi) * n_features + log_diagonal_sum<T>(point.factor)) -
               T(0.5) * n_features * log(n) - T(0.5) * out.whitened[0].squaredNorm();
  if (!frame.raw) out.within -= (n - T(1)) * frame.log_determinant;
  out.estimate = rows.mean.template cast<T>();
  frame.fill_covariance(point, out.spread);
  out.spread /= n;
}

// Its gradient in the factor: Lambda~^-T (Y Y' - (n - 1) I) with Y = Lambda~^-1 (C^-1 S
// C^-T)^(1/2), and, through spread = A A'/n, C' 2 G A / n.
template <int K>
void differentiate_complete_likelihood(double n, const Frame<double, K>& frame,
                                       const CovariancePoint<double, K>& point,
                                       const GroupLikelihood<double, K>& like,
                                       const GroupMeanMoments<K>& moments,
                                       LikelihoodScratch<double, K>& scratch,
                                       Eigen::Matrix<double, K, K>& factor_gradient) {
  const Eigen::Index n_features = point.factor.rows();
  const auto& inverse = like.inverses[0];
  outer_square(like.whitened[0], scratch.square);
  scratch.square.diagonal().array() -= n - 1.0;
  if (!frame.raw) {
    scratch.covariance.noalias() = moments.spread_gradient.lazyProduct(point.root);
    scratch.block.noalias() = frame.C.transpose().lazyProduct(scratch.covariance);
  }
  const double twice = 2.0 / n;
  for (Eigen::Index i = 0; i < n_features; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      double within = 0.0, between = 0.0;
      for (Eigen::Index m = i; m < n_features; ++m) within += inverse(m, i) * scratch.square(m, j);
      if (frame.raw) {
        for (Eigen::Index m = j; m < n_features; ++m) {
          between += moments.spread_gradient(i, m) * point.factor(m, j);
        }
      } else {
        between = scratch.block(i, j);
      }
      factor_gradient(i, j) = within + twice * between;
    }
    for (Eigen::Index j = i + 1; j < n_features; ++j) factor_gradient(i, j) = 0.0;
  }
}

// Of a group some of whose rows have missing cells. False if a block of Sigma is not numerically
// positive definite.
template <class T, int K>
bool fill_pattern_likelihood(const GroupStatistics& group, const Frame<T, K>& frame,
                             const CovariancePoint<T, K>& point, GroupLikelihood<T, K>& out,
                             LikelihoodScratch<T, K>& scratch) {
  auto& [covariance, block, precision, weighted, residual] = scratch;
  out.within = T(0);
  precision.setZero();
  weighted.setZero();
  frame.fill_covariance(point, covariance);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    const Eigen::Matrix<T, K, 1> observed = pattern.observed.template cast<T>();
    block = observed.asDiagonal() * covariance * observed.asDiagonal();
    block.diagonal() += (T(1) - observed.array()).matrix();
    if (!cholesky_in_place(block)) return false;
    out.within -=
        T(pattern.n) * (T(0.5 * log_2pi * pattern.n_observed) + log_diagonal_sum<T>(block));
    auto& inverse = out.inverses[p];
    invert_lower(block, inverse);
    if (pattern.has_scatter) {
      multiply_lower(inverse, pattern.scatter_root, out.whitened[p]);
      out.within -= T(0.5) * out.whitened[p].squaredNorm();
    }
    inner_square(inverse, block);
    block.diagonal() -= (T(1) - observed.array()).matrix();
    precision += T(pattern.n) * block;
    weighted.noalias() += T(pattern.n) * block.lazyProduct(pattern.mean.template cast<T>());
  }
  precision.diagonal() += (T(1) - group.observed.template cast<T>().array()).matrix();
  if (!cholesky_in_place(precision)) return false;
  out.within += T(0.5 * log_2pi * group.n_observed) - log_diagonal_sum<T>(precision);
  out.estimate = weighted;
  solve_lower(precision, out.estimate);
  solve_lower_transposed(precision, out.estimate);
  invert_lower(precision, block);
  inner_square(block, out.spread);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    residual = pattern.mean.template cast<T>() -
               out.estimate.cwiseProduct(pattern.observed.template cast<T>());
    apply_lower(out.inverses[p], residual);
    out.within -= T(0.5 * pattern.n) * residual.squaredNorm();
  }
  return true;
}

// Its gradient in the factor. By Fisher's identity dlog p / dSigma = sum_p [Sigma^-1 (S + n (r r' +
// V)) Sigma^-1 - n Sigma^-1] / 2 over each pattern's block, r = ybar - E(mu), V = Cov(mu); and dlog
// p / dA = 2 (dlog p / dSigma) A.
template <int K>
void differentiate_pattern_likelihood(const GroupStatistics& group, const Frame<double, K>& frame,
                                      const CovariancePoint<double, K>& point,
                                      const GroupLikelihood<double, K>& like,
                                      const GroupMeanMoments<K>& moments,
                                      LikelihoodScratch<double, K>& scratch,
                                      Eigen::Matrix<double, K, K>& factor_gradient) {
  auto& [of_covariance, work, square, unused, residual] = scratch;
  of_covariance.setZero();
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    const auto& inverse = like.inverses[p];
    // inverse' [Y Y' + n (inverse (r r' + V) inverse' - I)] inverse
    residual = pattern.mean - moments.mean.cwiseProduct(pattern.observed);
    square = pattern.observed.asDiagonal() * moments.covariance * pattern.observed.asDiagonal();
    square += residual * residual.transpose();
    work.noalias() = inverse.lazyProduct(square);
    square.noalias() = work.lazyProduct(inverse.transpose());
    square *= pattern.n;
    square.diagonal().array() -= pattern.n;
    if (pattern.has_scatter) {
      outer_square(like.whitened[p], work);
      square += work;
    }
    work.noalias() = inverse.transpose().lazyProduct(square);
    square.noalias() = work.lazyProduct(inverse);
    of_covariance += pattern.observed.asDiagonal() * square * pattern.observed.asDiagonal();
  }
  work.noalias() = of_covariance.lazyProduct(frame.root(point));
  frame.differentiate_root(work, factor_gradient);
}

// Of any group.
template <class T, int K>
bool fill_likelihood(const GroupStatistics& group, const Frame<T, K>& frame,
                     const CovariancePoint<T, K>& point, GroupLikelihood<T, K>& out,
                     LikelihoodScratch<T, K>& scratch) {
  if (!group.complete()) return fill_pattern_likelihood(group, frame, point, out, scratch);
  fill_complete_likelihood(group.patterns[0], frame, point, out);
  return true;
}

// The gradient in the factor, lower triangle.
template <int K>
void differentiate_likelihood(const GroupStatistics& group, const Frame<double, K>& frame,
                              const CovariancePoint<double, K>& point,
                              const GroupLikelihood<double, K>& like,
                              const GroupMeanMoments<K>& moments,
                              LikelihoodScratch<double, K>& scratch,
                              Eigen::Matrix<double, K, K>& factor_gradient) {
  if (group.complete()) {
    differentiate_complete_likelihood(group.patterns[0].n, frame, point, like, moments, scratch,
                                      factor_gradient);
  } else {
    differentiate_pattern_likelihood(group, frame, point, like, moments, scratch, factor_gradient);
  }
}

}  // namespace hmvn
