// Draws of one unit on their way from a direct sampler to where they are kept.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/math/packed.hpp"

namespace hmvn {

// One row a draw, one column a value: a column is copied as it stands, since kept draws are stored
// with the iteration fastest. Small enough to stay in the nearest cache.
struct DrawBatch {
  static constexpr int capacity = 32;

  Eigen::MatrixXd mean;    // K G columns, feature fastest
  Eigen::MatrixXd factor;  // K(K+1)/2 columns: Cholesky factor of the one Sigma, packed
  Eigen::MatrixXd sigma;   // K columns, or none where nobody asks for them
  std::vector<double> log_likelihood, log_prior;
  int size = 0;

  DrawBatch(int n_features, int n_groups, bool with_sigma)
      : mean(capacity, n_features * n_groups),
        factor(capacity, packed_size(n_features)),
        sigma(capacity, with_sigma ? n_features : 0),
        log_likelihood(capacity),
        log_prior(capacity) {}
};

}  // namespace hmvn
