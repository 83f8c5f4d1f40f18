#include "hmvn/model/group_statistics.hpp"
#include "hmvn/math/dense.hpp"

#include <cmath>
#include <utility>

namespace hmvn {

// Scaled to unit diagonal first, so that features of very different size are all resolved; rounding
// below zero is rounding of zero.
Eigen::MatrixXd semidefinite_root(const Eigen::MatrixXd& scatter) {
  const Eigen::VectorXd scale =
      scatter.diagonal().unaryExpr([](double v) { return v > 0.0 ? std::sqrt(v) : 1.0; });
  const Eigen::MatrixXd scaled =
      scale.cwiseInverse().asDiagonal() * scatter * scale.cwiseInverse().asDiagonal();
  const SymmetricEigen eigen = symmetric_eigen(scaled);
  const Eigen::VectorXd root = eigen.values.cwiseMax(0.0).cwiseSqrt();
  // with E diag(root) = R'Q, R of a QR decomposition of its transpose: R' is a root as well
  const Eigen::MatrixXd upper = qr_triangle(root.asDiagonal() * eigen.vectors.transpose());
  return scale.asDiagonal() * upper.transpose();
}

namespace {

// That of these features alone: the columns of others are zero as well as their rows.
Eigen::MatrixXd root_of(const std::vector<int>& places, const Eigen::MatrixXd& scatter) {
  const Eigen::Index size = static_cast<Eigen::Index>(places.size());
  const auto place = [&](Eigen::Index i) { return places[static_cast<std::size_t>(i)]; };
  Eigen::MatrixXd part(size, size);
  for (Eigen::Index j = 0; j < size; ++j) {
    for (Eigen::Index i = 0; i < size; ++i) part(i, j) = scatter(place(i), place(j));
  }
  part = semidefinite_root(part);
  Eigen::MatrixXd root = Eigen::MatrixXd::Zero(scatter.rows(), scatter.cols());
  for (Eigen::Index j = 0; j < size; ++j) {
    for (Eigen::Index i = j; i < size; ++i) root(place(i), place(j)) = part(i, j);
  }
  return root;
}

}  // namespace

PatternStatistics make_pattern(double n, const Eigen::VectorXd& observed,
                               const Eigen::VectorXd& mean, const Eigen::MatrixXd& scatter) {
  PatternStatistics pattern;
  pattern.n = n;
  pattern.n_observed = static_cast<int>(observed.sum());
  pattern.observed = observed;
  for (int k = 0; k < observed.size(); ++k) {
    if (observed[k] != 0.0) pattern.places.push_back(k);
  }
  pattern.mean = mean.cwiseProduct(observed);
  pattern.scatter = observed.asDiagonal() * scatter * observed.asDiagonal();
  pattern.has_scatter = pattern.scatter.diagonal().maxCoeff() > 0.0;
  pattern.scatter_root =
      pattern.has_scatter ? root_of(pattern.places, pattern.scatter) : pattern.scatter;
  return pattern;
}

void add_design(const CovariateMoments& covariates, const Eigen::MatrixXd& slopes,
                PatternStatistics& pattern) {
  const Eigen::Index n_covariates = covariates.mean.size(), n_features = pattern.mean.size();
  const Eigen::MatrixXd cross = covariates.cross * pattern.observed.asDiagonal();
  Eigen::MatrixXd joint(n_covariates + n_features, n_covariates + n_features);
  joint << covariates.scatter, cross, cross.transpose(), pattern.scatter;
  const Eigen::MatrixXd root = semidefinite_root(joint);
  const double root_n = std::sqrt(pattern.n);
  Design& design = pattern.design;
  design.gram_root.setZero(1 + n_covariates, 1 + n_covariates);
  design.gram_root(0, 0) = root_n;
  design.gram_root.col(0).tail(n_covariates) = root_n * covariates.mean;
  design.gram_root.bottomRightCorner(n_covariates, n_covariates) =
      root.topLeftCorner(n_covariates, n_covariates);
  design.response_root.setZero(n_features, 1 + n_covariates);
  design.response_root.col(0) = root_n * pattern.mean;
  design.response_root.rightCols(n_covariates) = root.bottomLeftCorner(n_features, n_covariates);
  design.residual_root = root.bottomRightCorner(n_features, n_features);
  design.response_root -=
      pattern.observed.asDiagonal() * multiply(slopes, design.gram_root.bottomRows(n_covariates));
  design.gram = multiply(design.gram_root, design.gram_root.transpose());
  design.cross = multiply(design.response_root, design.gram_root.transpose());
}

GroupStatistics make_group(std::vector<PatternStatistics> patterns, Eigen::Index n_features,
                           const Eigen::MatrixXd& frame_inverse) {
  GroupStatistics group;
  group.observed = Eigen::VectorXd::Zero(n_features);
  for (const PatternStatistics& pattern : patterns) {
    group.n += pattern.n;
    group.observed = group.observed.cwiseMax(pattern.observed);
  }
  group.n_observed = static_cast<int>(group.observed.sum());
  group.patterns = std::move(patterns);
  if (frame_inverse.size() > 0 && group.complete() && group.patterns[0].has_scatter) {
    Eigen::MatrixXd& root = group.patterns[0].scatter_root;
    root = qr_triangle(multiply(frame_inverse, root).transpose()).transpose();
  }
  return group;
}

}  // namespace hmvn
