// Draws of means and packed factors as a fit keeps them.
#pragma once

#include <Eigen/Core>
#include <cstddef>

#include "hmvn/math/packed.hpp"

namespace hmvn {

// The draws of a value lie together: value i of group g at draw s is `mean[s + n_draws (K g + i)]`.
struct StoredDraws {
  const double *mean, *factor;
  std::ptrdiff_t n_draws;
  int n_features;

  // All draws of the first value of a group (from 0); those of the next follow.
  const double* mean_of(std::ptrdiff_t group) const { return mean + n_draws * n_features * group; }
  const double* factor_of(std::ptrdiff_t group) const {
    return factor + n_draws * packed_size(n_features) * group;
  }

  void read_mean(std::ptrdiff_t draw, int group, Eigen::VectorXd& out) const {
    const double* own = mean_of(group) + draw;
    for (int k = 0; k < n_features; ++k) out[k] = own[n_draws * k];
  }
  // The lower triangle; what is above it is left as it is.
  void read_factor(std::ptrdiff_t draw, int group, Eigen::MatrixXd& out) const {
    const double* own = factor_of(group) + draw;
    for (int i = 0, at = 0; i < n_features; ++i) {
      for (int j = 0; j <= i; ++j, ++at) out(i, j) = own[n_draws * at];
    }
  }
};

}  // namespace hmvn
