// What the likelihood knows of the data (M2), in the form the density uses.
#pragma once

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <cmath>
#include <vector>

namespace hmvn {

// One pattern of observed features in one group. Everything is K long or K x K and zero where not
// observed, so that no index list is needed: `unobserved` is added to a diagonal to make a block
// invertible without changing it.
struct PatternStatistics {
  double n = 0.0;                // sum of weights
  int n_observed = 0;            // features observed
  Eigen::VectorXd observed;      // 1 where observed, else 0
  Eigen::VectorXd mean;          // of the rows, less the prior location of the means
  Eigen::MatrixXd scatter;       // centred
  Eigen::MatrixXd scatter_root;  // lower triangular, scatter = scatter_root * scatter_root'
  bool has_scatter = false;      // not zero
};

struct GroupStatistics {
  std::vector<PatternStatistics> patterns;
  Eigen::VectorXd observed;  // 1 where observed in some row of the group
  double n = 0.0;
  int n_observed = 0;

  bool complete() const {
    return patterns.size() == 1 && patterns[0].n_observed == patterns[0].observed.size();
  }
};

// The lower triangular root of a positive semidefinite matrix. Scaled to unit diagonal first, so
// that features of very different size are all resolved; rounding below zero is rounding of zero.
inline Eigen::MatrixXd semidefinite_root(const Eigen::MatrixXd& scatter) {
  const Eigen::VectorXd scale =
      scatter.diagonal().unaryExpr([](double v) { return v > 0.0 ? std::sqrt(v) : 1.0; });
  const Eigen::MatrixXd scaled =
      scale.cwiseInverse().asDiagonal() * scatter * scale.cwiseInverse().asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(scaled);
  const Eigen::VectorXd root = eigen.eigenvalues().cwiseMax(0.0).cwiseSqrt();
  // with E diag(root) = R'Q, R of a QR decomposition of its transpose: R' is a root as well
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(root.asDiagonal() *
                                                 eigen.eigenvectors().transpose());
  const Eigen::MatrixXd upper = qr.matrixQR().triangularView<Eigen::Upper>();
  return scale.asDiagonal() * upper.transpose();
}

inline PatternStatistics make_pattern(double n, const Eigen::VectorXd& observed,
                                      const Eigen::VectorXd& mean, const Eigen::MatrixXd& scatter) {
  PatternStatistics pattern;
  pattern.n = n;
  pattern.n_observed = static_cast<int>(observed.sum());
  pattern.observed = observed;
  pattern.mean = mean.cwiseProduct(observed);
  pattern.scatter = observed.asDiagonal() * scatter * observed.asDiagonal();
  pattern.has_scatter = pattern.scatter.diagonal().maxCoeff() > 0.0;
  pattern.scatter_root = pattern.has_scatter ? semidefinite_root(pattern.scatter) : pattern.scatter;
  return pattern;
}

inline GroupStatistics make_group(std::vector<PatternStatistics> patterns,
                                  Eigen::Index n_features) {
  GroupStatistics group;
  group.observed = Eigen::VectorXd::Zero(n_features);
  for (const PatternStatistics& pattern : patterns) {
    group.n += pattern.n;
    group.observed = group.observed.cwiseMax(pattern.observed);
  }
  group.n_observed = static_cast<int>(group.observed.sum());
  group.patterns = std::move(patterns);
  return group;
}

}  // namespace hmvn
