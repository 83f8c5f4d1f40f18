#include "hmvn/model/pattern_statistics.hpp"

#include <cmath>

#include "hmvn/math/dense.hpp"

namespace hmvn {

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

}  // namespace hmvn
