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

Design make_design(double n, const Eigen::VectorXd& mean, const Eigen::MatrixXd& root,
                   Eigen::Index n_covariates) {
  const double root_n = std::sqrt(n);
  const Eigen::Index n_features = mean.size() - n_covariates;
  Design design;
  design.gram_root.setZero(1 + n_covariates, 1 + n_covariates);
  design.gram_root(0, 0) = root_n;
  design.gram_root.col(0).tail(n_covariates) = root_n * mean.head(n_covariates);
  design.gram_root.bottomRightCorner(n_covariates, n_covariates) =
      root.topLeftCorner(n_covariates, n_covariates);
  design.response_root.resize(n_features, 1 + n_covariates);
  design.response_root << root_n * mean.tail(n_features),
      root.bottomLeftCorner(n_features, n_covariates);
  design.residual_root = root.bottomRightCorner(n_features, n_features);
  return design;
}

void add_design(const CovariateMoments& covariates, const Eigen::MatrixXd& slopes,
                PatternStatistics& pattern) {
  const Eigen::Index n_covariates = covariates.mean.size(), n_features = pattern.mean.size();
  const Eigen::MatrixXd cross = covariates.cross * pattern.observed.asDiagonal();
  Eigen::VectorXd mean(n_covariates + n_features);
  mean << covariates.mean, pattern.mean;
  Eigen::MatrixXd joint(mean.size(), mean.size());
  joint << covariates.scatter, cross, cross.transpose(), pattern.scatter;
  Design& design = pattern.design;
  design = make_design(pattern.n, mean, semidefinite_root(joint), n_covariates);
  design.response_root -=
      pattern.observed.asDiagonal() * multiply(slopes, design.gram_root.bottomRows(n_covariates));
}

}  // namespace hmvn
