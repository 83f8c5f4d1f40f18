// One group's likelihood given its covariance matrix (M1), (M2), with the group mean left open.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/math/special_functions.hpp"
#include "hmvn/math/triangles.hpp"
#include "hmvn/model/frame.hpp"
#include "hmvn/model/group_statistics.hpp"
#include "hmvn/model/observed.hpp"

namespace hmvn {

// A group, and the covariance matrix that it is looked at with.
template <class T, int K>
struct LikelihoodAt {
  const GroupStatistics& group;
  const Frame<T, K>& frame;
  const CovariancePoint<T, K>& point;
};

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
  // By pattern: the inverse of the Cholesky factor of Sigma over its observed features, that times
  // the root of its scatter matrix, and, of groups that are not complete, the inverse of Sigma over
  // them, 0 elsewhere.
  std::vector<Square> inverses, whitened, precisions;

  void resize(int n_features, std::size_t n_patterns) {
    within = T(0);
    estimate.setZero(n_features);
    spread.setIdentity(n_features, n_features);
    inverses.assign(n_patterns, Square::Identity(n_features, n_features));
    whitened.assign(n_patterns, Square::Zero(n_features, n_features));
    precisions.assign(n_patterns, Square::Zero(n_features, n_features));
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
  Eigen::Matrix<T, K, K> covariance, block, square;  // of all features
  Eigen::Matrix<T, K, 1> weighted, mean;
  Eigen::Matrix<T, K, K> observed, solved, part;  // of those that a pattern observed
  Eigen::Matrix<T, K, 1> residual, pulled;

  void resize(int n_features) {
    for (auto* m : {&covariance, &block, &square, &observed, &solved, &part}) {
      m->setZero(n_features, n_features);
    }
    for (auto* v : {&weighted, &mean, &residual, &pulled}) v->setZero(n_features);
  }
};

// Of a group whose rows are complete. Sigma~^-1 C^-1 S C^-T is all that `within` needs.
template <class T, int K>
void fill_complete_likelihood(const LikelihoodAt<T, K>& at, GroupLikelihood<T, K>& out) {
  using std::log;
  const auto& [group, frame, point] = at;
  const PatternStatistics& rows = group.patterns[0];
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
void differentiate_complete_likelihood(const LikelihoodAt<double, K>& at,
                                       const GroupLikelihood<double, K>& like,
                                       const GroupMeanMoments<K>& moments,
                                       LikelihoodScratch<double, K>& scratch,
                                       Eigen::Matrix<double, K, K>& factor_gradient) {
  const auto& [group, frame, point] = at;
  const double n = group.patterns[0].n;
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
bool fill_pattern_likelihood(const LikelihoodAt<T, K>& at, GroupLikelihood<T, K>& out,
                             LikelihoodScratch<T, K>& scratch) {
  const GroupStatistics& group = at.group;
  Eigen::Matrix<T, K, K>& precision = scratch.square;  // of the mean
  out.within = T(0);
  precision.setZero();
  scratch.weighted.setZero();
  at.frame.fill_covariance(at.point, scratch.covariance);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    const Observed<K> observed(pattern);
    const T n(pattern.n);
    for (auto* m : {&out.inverses[p], &out.precisions[p], &out.whitened[p]}) {
      m->resize(observed.size(), observed.size());
    }
    observed.take(scratch.covariance, scratch.part);
    observed.add_unseen(T(1), scratch.part);
    if (!cholesky_in_place(scratch.part)) return false;
    out.within -= n * (T(0.5 * log_2pi * pattern.n_observed) + log_diagonal_sum<T>(scratch.part));
    invert_lower(scratch.part, out.inverses[p]);
    if (pattern.has_scatter) {
      scratch.block = pattern.scatter_root.template cast<T>();
      observed.take(scratch.block, scratch.part);
      multiply_lower(out.inverses[p], scratch.part, out.whitened[p]);
      out.within -= T(0.5) * out.whitened[p].squaredNorm();
    }
    inner_square(out.inverses[p], out.precisions[p]);
    observed.add_unseen(T(-1), out.precisions[p]);
    observed.add(n, out.precisions[p], precision);
    scratch.mean = pattern.mean.template cast<T>();
    observed.take_vector(scratch.mean, scratch.residual);
    scratch.pulled.noalias() = out.precisions[p].lazyProduct(scratch.residual);
    observed.add(n, scratch.pulled, scratch.weighted);
  }
  precision.diagonal() += (T(1) - group.observed.template cast<T>().array()).matrix();
  if (!cholesky_in_place(precision)) return false;
  out.within += T(0.5 * log_2pi * group.n_observed) - log_diagonal_sum<T>(precision);
  out.estimate = scratch.weighted;
  solve_lower(precision, out.estimate);
  solve_lower_transposed(precision, out.estimate);
  invert_lower(precision, scratch.block);
  inner_square(scratch.block, out.spread);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    scratch.mean = pattern.mean.template cast<T>() - out.estimate;
    Observed<K>(pattern).take_vector(scratch.mean, scratch.residual);
    apply_lower(out.inverses[p], scratch.residual);
    out.within -= T(0.5 * pattern.n) * scratch.residual.squaredNorm();
  }
  return true;
}

// Its gradient in the factor. By Fisher's identity dlog p / dSigma = sum_p [P (S + n (r r' + V)) P
// - n P] / 2, P the inverse of each pattern's block, r = ybar - E(mu), V = Cov(mu); and dlog p / dA
// = 2 (dlog p / dSigma) A.
template <int K>
void differentiate_pattern_likelihood(const LikelihoodAt<double, K>& at,
                                      const GroupLikelihood<double, K>& like,
                                      const GroupMeanMoments<K>& moments,
                                      LikelihoodScratch<double, K>& scratch,
                                      Eigen::Matrix<double, K, K>& factor_gradient) {
  Eigen::Matrix<double, K, K>& of_covariance = scratch.covariance;
  of_covariance.setZero();
  for (std::size_t p = 0; p < at.group.patterns.size(); ++p) {
    const PatternStatistics& pattern = at.group.patterns[p];
    const Observed<K> observed(pattern);
    const auto& precision = like.precisions[p];
    scratch.mean = pattern.mean - moments.mean;
    observed.take_vector(scratch.mean, scratch.residual);
    scratch.pulled.noalias() = precision.lazyProduct(scratch.residual);
    observed.take(moments.covariance, scratch.observed);
    scratch.solved.noalias() = precision.lazyProduct(scratch.observed);
    scratch.part.noalias() = scratch.solved.lazyProduct(precision);
    scratch.part.noalias() += scratch.pulled * scratch.pulled.transpose();
    scratch.part -= precision;
    observed.add(pattern.n, scratch.part, of_covariance);
    if (pattern.has_scatter) {
      scratch.solved.noalias() = like.inverses[p].transpose().lazyProduct(like.whitened[p]);
      scratch.part.noalias() = scratch.solved.lazyProduct(scratch.solved.transpose());
      observed.add(1.0, scratch.part, of_covariance);
    }
  }
  scratch.block.noalias() = of_covariance.lazyProduct(at.frame.root(at.point));
  at.frame.differentiate_root(scratch.block, factor_gradient);
}

// Of any group.
template <class T, int K>
bool fill_likelihood(const LikelihoodAt<T, K>& at, GroupLikelihood<T, K>& out,
                     LikelihoodScratch<T, K>& scratch) {
  if (!at.group.complete()) return fill_pattern_likelihood(at, out, scratch);
  fill_complete_likelihood(at, out);
  return true;
}

// The gradient in the factor, lower triangle.
template <int K>
void differentiate_likelihood(const LikelihoodAt<double, K>& at,
                              const GroupLikelihood<double, K>& like,
                              const GroupMeanMoments<K>& moments,
                              LikelihoodScratch<double, K>& scratch,
                              Eigen::Matrix<double, K, K>& factor_gradient) {
  if (at.group.complete()) {
    differentiate_complete_likelihood(at, like, moments, scratch, factor_gradient);
  } else {
    differentiate_pattern_likelihood(at, like, moments, scratch, factor_gradient);
  }
}

}  // namespace hmvn
