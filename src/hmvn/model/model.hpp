// What the user said about the model, in the form the core uses: priors (P1)-(P3) and pooling
// (S1)-(S4).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/correlation_prior.hpp"
#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/scale_prior.hpp"

namespace hmvn {

enum class Pooling { none, partial, complete };

// The heterogeneity h of a block under partial pooling: fixed by the user, or Beta(shape1, shape2).
struct HeterogeneityPrior {
  bool fixed = false;
  double value = 1.0;
  double shape1 = 1.0, shape2 = 1.0;

  double log_density(double log_h, double log_1mh) const {
    if (fixed) return 0.0;
    return (shape1 - 1.0) * log_h + (shape2 - 1.0) * log_1mh - log_beta_function(shape1, shape2);
  }
};

struct Block {
  Pooling pooling = Pooling::none;
  HeterogeneityPrior heterogeneity;

  bool partial() const { return pooling == Pooling::partial; }
  bool complete() const { return pooling == Pooling::complete; }
  bool learned() const { return partial() && !heterogeneity.fixed; }
  // h where it is not learned.
  double constant() const { return partial() ? heterogeneity.value : complete() ? 0.0 : 1.0; }
};

struct Model {
  Block mean, scale, correlation;
  Eigen::VectorXd mean_location, mean_scale;
  std::vector<ScalePrior> scale_priors;                     // K
  std::vector<PartialCorrelationPrior> correlation_priors;  // K - 1, by column
  CovarianceMaps maps;

  int n_features() const { return static_cast<int>(mean_location.size()); }

  // Nothing is shared: every group is a sampling unit of its own.
  bool groups_apart() const {
    return mean.pooling == Pooling::none && scale.pooling == Pooling::none &&
           (n_features() == 1 || correlation.pooling == Pooling::none);
  }
};

// b_j of (P3) for column j = 1..K-1.
inline double partial_correlation_shape(double eta, int n_features, int column) {
  return eta + 0.5 * (n_features - 1 - column);
}

inline void build_maps(Model& model) {
  for (const ScalePrior& prior : model.scale_priors) model.maps.scale.emplace_back(prior);
  for (const PartialCorrelationPrior& prior : model.correlation_priors)
    model.maps.correlation.emplace_back(prior);
}

}  // namespace hmvn
