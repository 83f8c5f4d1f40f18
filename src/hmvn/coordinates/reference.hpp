// Where each group's likelihood lies and how sharp it is, found before sampling: the affine maps
// that make the sampler's space nearly standard normal are built from it. Any values are valid;
// good ones are fast.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <vector>

#include "hmvn/control/run_control.hpp"
#include "hmvn/model/group_statistics.hpp"
#include "hmvn/model/model.hpp"

namespace hmvn {

// log p(data of a group | score) ~ b' score - score' J score / 2 near its centre, over all
// coordinates.
struct QuadraticLikelihood {
  Eigen::VectorXd b;
  Eigen::MatrixXd information;  // J
};

// All groups' quadratic likelihoods, each taken at its own mode under a prior around the pooled
// mode.
struct Reference {
  Eigen::VectorXd pooled;
  std::vector<QuadraticLikelihood> groups;
  // Coefficient x group: the information j of each coefficient's own estimate c in score units
  // (S1), and j c.
  Eigen::MatrixXd coefficient_information, coefficient_b;
};

Reference make_reference(const Model& model, const std::vector<GroupStatistics>& groups,
                         const std::atomic<bool>& stop);

// Where covariance matrices are known: of the means only.
Reference known_reference(const Model& model, const std::vector<GroupStatistics>& groups);

}  // namespace hmvn
