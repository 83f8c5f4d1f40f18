// What the likelihood knows of a group's data, in the form the density uses.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/model/nested_patterns.hpp"
#include "hmvn/model/pattern_statistics.hpp"

namespace hmvn {

struct GroupStatistics {
  std::vector<PatternStatistics> patterns;
  // The same, of a group that is not complete, or has covariates.
  std::vector<NestedPatterns> nested;
  // Of a complete group: lower triangular, scatter = scatter_root * scatter_root', and in a frame
  // C^-1 scatter C^-T.
  Eigen::MatrixXd scatter_root;
  Eigen::VectorXd observed;  // 1 where observed in some row of the group
  double n = 0.0;
  int n_observed = 0;

  bool complete() const {
    return patterns.size() == 1 && patterns[0].n_observed == patterns[0].observed.size();
  }
};

// `frame_inverse`: C^-1 of (F1), or empty.
GroupStatistics make_group(std::vector<PatternStatistics> patterns, Eigen::Index n_features,
                           const Eigen::MatrixXd& frame_inverse);

// Measures all means from `origin`; without covariates.
void shift_origin(const Eigen::VectorXd& origin, GroupStatistics& group);

}  // namespace hmvn
