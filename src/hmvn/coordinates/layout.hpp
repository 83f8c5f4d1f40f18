// Where everything stands in the position vector of a sampling unit.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/model/model.hpp"

namespace hmvn {

// A stretch of a vector.
struct Range {
  int begin = 0, size = 0;
  int end() const { return begin + size; }
};

// | learned h | population scores | common scores | scores of R_b | own scores of group 1 | ...
// A coordinate of the covariance matrix (see CovarianceMaps) is common to all groups under complete
// pooling; else every group has its own, and under partial pooling there is a population score too.
// What comes before the groups' own scores is what groups share.
struct Layout {
  static constexpr int not_learned = -1;

  int n_groups = 0;
  Range heterogeneities, population, common, between;
  std::vector<HeterogeneityPrior> learned;  // the prior of every learned h: coefficients', scales',
                                            // then the one of correlations
  std::vector<int>
      coefficient_heterogeneity;       // of every coefficient: which of them, or not_learned
  bool learns_coefficients = false;    // their prior given the rest changes with the position
  std::vector<int> own_heterogeneity;  // of every own coordinate
  std::vector<int> own_coordinates;    // coordinates that a group has to itself
  std::vector<int> common_coordinates;
  std::vector<int> partial;                      // positions within own_coordinates that are
                                                 // partially pooled
  int n_own_scales = 0, n_own_correlations = 0;  // in this order among own coordinates; each all
                                                 // or none

  int n_own() const { return static_cast<int>(own_coordinates.size()); }
  int n_shared() const { return between.end(); }
  Range own(int group) const { return {n_shared() + group * n_own(), n_own()}; }
  int dimension() const { return n_shared() + n_own() * n_groups; }
};

Layout make_layout(const Model& model, int n_groups);

}  // namespace hmvn
