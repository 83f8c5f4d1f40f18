#include "hmvn/model/group_statistics.hpp"

#include <utility>

#include "hmvn/math/dense.hpp"

namespace hmvn {

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
  const bool regressed = group.n > 0.0 && group.patterns[0].design.gram_root.size() > 0;
  if (regressed || !group.complete()) group.nested = nest_patterns(group.patterns);
  if (!group.complete()) return group;
  group.scatter_root = semidefinite_root(group.patterns[0].scatter);
  if (frame_inverse.size() > 0) {
    const Eigen::MatrixXd whitened = multiply(frame_inverse, group.scatter_root);
    group.scatter_root = qr_triangle(whitened.transpose()).transpose();
  }
  return group;
}

void shift_origin(const Eigen::VectorXd& origin, GroupStatistics& group) {
  for (PatternStatistics& pattern : group.patterns) {
    pattern.mean -= origin.cwiseProduct(pattern.observed);
  }
  if (!group.complete()) group.nested = nest_patterns(group.patterns);
}

}  // namespace hmvn
