// One group's likelihood given its covariance matrix (M1), (M2), with the group mean left open.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/math/product.hpp"
#include "hmvn/math/special_functions.hpp"
#include "hmvn/math/triangles.hpp"
#include "hmvn/model/frame.hpp"
#include "hmvn/model/group_statistics.hpp"
#include "hmvn/model/nested_likelihood.hpp"

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
  // Of complete rows: the inverse of the Cholesky factor, that times the root of the scatter
  // matrix.
  Square inverse, whitened;
  std::vector<NestedPoint<T, K>> nested;  // of others, by nest

  void resize(int n_features, std::size_t n_nests) {
    within = T(0);
    estimate.setZero(n_features);
    spread.setIdentity(n_features, n_features);
    inverse.setIdentity(n_features, n_features);
    whitened.setZero(n_features, n_features);
    nested.resize(n_nests);
    for (NestedPoint<T, K>& nest : nested) nest.resize(n_features);
  }
};

// Room for what is computed on the way; holds nothing from one call to the next.
template <class T, int K>
struct LikelihoodScratch {
  Eigen::Matrix<T, K, K> covariance, block, square;
  Eigen::Matrix<T, K, 1> weighted;
  NestedScratch<T, K> nested;

  void resize(int n_features) {
    for (auto* m : {&covariance, &block, &square}) m->setZero(n_features, n_features);
    weighted.setZero(n_features);
    nested.resize(n_features);
  }
};

// Of a group whose rows are complete. Sigma~^-1 C^-1 S C^-T is all that `within` needs.
template <class T, int K>
void fill_complete_likelihood(const LikelihoodAt<T, K>& at, GroupLikelihood<T, K>& out) {
  using std::log;
  const auto& [group, frame, point] = at;
  const PatternStatistics& rows = group.patterns[0];
  const T n(rows.n), n_features(rows.n_observed);
  invert_lower(point.factor, out.inverse);
  multiply_lower(out.inverse, group.scatter_root, out.whitened);
  out.within = -(n - T(1)) * (T(0.5 * log_2pi) * n_features + log_diagonal_sum<T>(point.factor)) -
               T(0.5) * n_features * log(n) - T(0.5) * out.whitened.squaredNorm();
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
  const auto& inverse = like.inverse;
  outer_square(like.whitened, scratch.square);
  scratch.square.diagonal().array() -= n - 1.0;
  if (!frame.raw) {
    scratch.covariance.noalias() = moments.spread_gradient.lazyProduct(point.root);
    fill_lower_of_product(frame.C.transpose(), scratch.covariance, scratch.block);
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
bool fill_nested_likelihood(const LikelihoodAt<T, K>& at, GroupLikelihood<T, K>& out,
                            LikelihoodScratch<T, K>& scratch) {
  const GroupStatistics& group = at.group;
  Eigen::Matrix<T, K, K>& precision = scratch.square;  // of the mean
  out.within = T(0.5 * log_2pi * group.n_observed);
  precision.setZero();
  scratch.weighted.setZero();
  at.frame.fill_covariance(at.point, scratch.covariance);
  for (std::size_t i = 0; i < group.nested.size(); ++i) {
    const NestedPatterns& nest = group.nested[i];
    NestedPoint<T, K>& point = out.nested[i];
    if (!fill_nested<T, K>(nest, scratch.covariance, scratch.nested, point)) return false;
    out.within += point.log_density;
    add_mean_information<T, K>(nest, point, scratch.nested, precision, scratch.weighted);
  }
  precision.diagonal() += (T(1) - group.observed.template cast<T>().array()).matrix();
  if (!cholesky_in_place(precision)) return false;
  out.within -= log_diagonal_sum<T>(precision);
  out.estimate = scratch.weighted;
  solve_lower(precision, out.estimate);
  solve_lower_transposed(precision, out.estimate);
  invert_lower(precision, scratch.block);
  inner_square(scratch.block, out.spread);
  for (std::size_t i = 0; i < group.nested.size(); ++i) {
    out.within -= T(0.5) * squares_about<T, K>(group.nested[i], out.nested[i], out.estimate);
  }
  return true;
}

// Its gradient in the factor, where mean and covariance matrix of the group mean given all rows
// are known (Fisher's identity); dlog p / dA = 2 (dlog p / dSigma) A.
template <int K>
void differentiate_nested_likelihood(const LikelihoodAt<double, K>& at,
                                     const GroupLikelihood<double, K>& like,
                                     const GroupMeanMoments<K>& moments,
                                     LikelihoodScratch<double, K>& scratch,
                                     Eigen::Matrix<double, K, K>& factor_gradient) {
  Eigen::Matrix<double, K, K>& of_covariance = scratch.covariance;  // twice
  of_covariance.setZero();
  for (std::size_t i = 0; i < at.group.nested.size(); ++i) {
    differentiate_nested(at.group.nested[i], like.nested[i], moments, scratch.nested,
                         of_covariance);
  }
  scratch.block.noalias() = of_covariance.lazyProduct(at.frame.root(at.point));
  at.frame.differentiate_root(scratch.block, factor_gradient);
}

// Of any group.
template <class T, int K>
bool fill_likelihood(const LikelihoodAt<T, K>& at, GroupLikelihood<T, K>& out,
                     LikelihoodScratch<T, K>& scratch) {
  if (!at.group.complete()) return fill_nested_likelihood(at, out, scratch);
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
    differentiate_nested_likelihood(at, like, moments, scratch, factor_gradient);
  }
}

}  // namespace hmvn
