// Draws of means, slopes and packed factors as a fit keeps them.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <tuple>

#include "hmvn/math/packed.hpp"

namespace hmvn {

// Which of the stored sets of values are a group's (from 0): complete pooling stores one for all.
struct LawPlace {
  int mean = 0, slope = 0, factor = 0;

  bool operator<(const LawPlace& other) const {
    return std::tie(mean, slope, factor) < std::tie(other.mean, other.slope, other.factor);
  }
  bool operator==(const LawPlace& other) const {
    return std::tie(mean, slope, factor) == std::tie(other.mean, other.slope, other.factor);
  }
};

// The draws of a value lie together: value i of group g at draw s is `mean[s + n_draws (K g + i)]`.
// Values of slopes are those of all features on the first covariate, then on the next; without
// covariates there are none.
struct StoredDraws {
  const double *mean, *slope, *factor;
  std::ptrdiff_t n_draws;
  int n_features, n_covariates;

  // All draws of the first value of a group (from 0); those of the next follow.
  const double* mean_of(std::ptrdiff_t group) const { return mean + n_draws * n_features * group; }
  const double* slope_of(std::ptrdiff_t group) const {
    return slope + n_draws * n_features * n_covariates * group;
  }
  const double* factor_of(std::ptrdiff_t group) const {
    return factor + n_draws * packed_size(n_features) * group;
  }

  void read_mean(std::ptrdiff_t draw, int group, Eigen::VectorXd& out) const {
    const double* own = mean_of(group) + draw;
    for (int k = 0; k < n_features; ++k) out[k] = own[n_draws * k];
  }
  // `out`: [feature, covariate]
  void read_slope(std::ptrdiff_t draw, int group, Eigen::MatrixXd& out) const {
    const double* own = slope_of(group) + draw;
    for (int i = 0; i < n_features * n_covariates; ++i) out.data()[i] = own[n_draws * i];
  }
  // The lower triangle; what is above it is left as it is.
  void read_factor(std::ptrdiff_t draw, int group, Eigen::MatrixXd& out) const {
    const double* own = factor_of(group) + draw;
    for (int i = 0, at = 0; i < n_features; ++i) {
      for (int j = 0; j <= i; ++j, ++at) out(i, j) = own[n_draws * at];
    }
  }
};

// One of the draws.
struct DrawOfGroups {
  const StoredDraws& draws;
  std::ptrdiff_t draw;
};

}  // namespace hmvn
