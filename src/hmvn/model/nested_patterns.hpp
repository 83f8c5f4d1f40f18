// A group's patterns of observed features, put together where one holds all that another does.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/model/pattern_statistics.hpp"

namespace hmvn {

// Patterns each of which observes all that the one before it does, as where rows drop out: with the
// features of the first pattern first, then those that the second one adds, and so on, every
// pattern observes the leading features, and one Cholesky factor of Sigma serves all. Given the
// features before it, feature i is a regression on them, of which all rows that observe it know.
// `place`: a position in that order.
struct NestedPatterns {
  std::vector<int> places;  // the features in that order
  Eigen::VectorXd n;        // by place: of the rows that observe it, the sum of weights
  Eigen::MatrixXd means;    // column i: these rows' means of places 0 to i, zero below
  std::vector<int> pool;    // by place: which of `roots` is these rows'
  // Lower triangular, of the scatter matrix of all that such rows observe; empty where that is 0.
  std::vector<Eigen::MatrixXd> roots;

  Eigen::Index size() const { return n.size(); }
  // Whether the rows that observe the next place are others.
  bool ends_pool(Eigen::Index i) const {
    const std::size_t at = static_cast<std::size_t>(i);
    return at + 1 == pool.size() || pool[at + 1] != pool[at];
  }
};

// All patterns of a group, in as few nests as there can be (Dilworth 1950), by a maximum matching
// of every pattern with one that holds it; of hundreds of patterns in few.
std::vector<NestedPatterns> nest_patterns(const std::vector<PatternStatistics>& patterns);

}  // namespace hmvn
