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
// `place`: a position in that order. `pool`: the rows that observe a place, which may be those that
// observe the next one, too.
struct NestedPatterns {
  // Of a pool's rows, in all places that they observe, as in Design.
  struct Regression {
    Eigen::MatrixXd gram, cross;  // Z'Z; Y'Z
    Eigen::MatrixXd gram_root, response_root;
  };

  std::vector<int> places;  // the features in that order
  Eigen::VectorXd n;        // by place: of the rows that observe it, the sum of weights
  std::vector<int> pool;    // by place: which pool is these rows
  // By pool: lower triangular, of the scatter matrix of all that its rows observe, with covariates
  // about their regression on these; empty where that is 0.
  std::vector<Eigen::MatrixXd> roots;
  Eigen::MatrixXd means;                // without covariates: column i those of places 0 to i
  std::vector<Regression> regressions;  // with covariates: by pool

  Eigen::Index size() const { return n.size(); }
  const Regression& regression_at(Eigen::Index i) const { return regressions[pool[i]]; }
  // Whether the rows that observe the place before are others.
  bool starts_pool(Eigen::Index i) const { return i == 0 || ends_pool(i - 1); }
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
