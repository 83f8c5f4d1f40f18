// The groups as they would be had covariates their estimated effect taken from them: what the
// reference is made of where there are covariates.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <vector>

#include "hmvn/control/run_control.hpp"
#include "hmvn/model/group_statistics.hpp"
#include "hmvn/model/model.hpp"

namespace hmvn {

struct AdjustedGroups {
  std::vector<GroupStatistics> groups;  // without covariates
  // K C x G, as coefficients are ordered: every slope's estimate from its group alone, less its
  // prior location, and its precision in units of the residual variance; 0 where there is none.
  Eigen::MatrixXd slopes, precisions;
};

// A group's slopes are its own, drawn towards those of all rows by as many rows as there are
// coefficients of a feature; or those of all rows, where slopes are completely pooled. Patterns
// stay in their order.
AdjustedGroups adjust_for_covariates(const Model& model, const std::vector<GroupStatistics>& groups,
                                     const std::atomic<bool>& stop);

}  // namespace hmvn
