// What the likelihood knows of the data (M2), in the form the density uses.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace hmvn {

// One pattern of observed features in one group. Everything is K long or K x K and zero where not
// observed, so that no index list is needed: 1 - observed is added to a diagonal to make a block
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

// The lower triangular root of a positive semidefinite matrix.
Eigen::MatrixXd semidefinite_root(const Eigen::MatrixXd& scatter);

// `mean` and `scatter` are read where `observed` is 1.
PatternStatistics make_pattern(double n, const Eigen::VectorXd& observed,
                               const Eigen::VectorXd& mean, const Eigen::MatrixXd& scatter);

// `frame_inverse`: C^-1 of (F1), or empty. Complete rows are whitened by it: their scatter root is
// that of C^-1 S C^-1.
GroupStatistics make_group(std::vector<PatternStatistics> patterns, Eigen::Index n_features,
                           const Eigen::MatrixXd& frame_inverse);

}  // namespace hmvn
