// What the user said about the model, in the form the core uses: priors (P1)-(P3) and pooling
// (S1)-(S4).
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/model/correlation_prior.hpp"
#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/scale_prior.hpp"

namespace hmvn {

enum class Pooling { none, partial, complete };

// The heterogeneity h of a block under partial pooling: fixed by the user, or Beta(shape1, shape2).
struct HeterogeneityPrior {
  bool fixed = false;
  double value = 1.0;  // if fixed
  double shape1 = 1.0, shape2 = 1.0;

  double log_density(double log_h, double log_1mh) const {
    if (fixed) return 0.0;
    return (shape1 - 1.0) * log_h + (shape2 - 1.0) * log_1mh - log_beta_function(shape1, shape2);
  }
};

struct Block {
  Pooling pooling = Pooling::none;
  HeterogeneityPrior heterogeneity;

  bool pooled() const { return pooling != Pooling::none; }
  bool partial() const { return pooling == Pooling::partial; }
  bool complete() const { return pooling == Pooling::complete; }
  bool learned() const { return partial() && !heterogeneity.fixed; }
  // h where it is not learned, else a guess.
  double h_or(double guess) const {
    return learned() ? guess : partial() ? heterogeneity.value : complete() ? 0.0 : 1.0;
  }
};

struct ModelParts {
  Block mean, scale, correlation;
  Eigen::VectorXd mean_location, mean_scale;  // (P1)
  std::vector<ScalePrior> scale_priors;       // (P2), K
  double eta = 1.0;                           // (P3)
  Eigen::MatrixXd frame;                      // C of (F1), symmetric; empty: the raw features
};

// The parts with what follows from them.
struct Model : ModelParts {
  explicit Model(ModelParts parts);

  std::vector<PartialCorrelationPrior> correlation_priors;  // K - 1, by column
  CovarianceMaps maps;
  Eigen::MatrixXd frame_inverse;  // empty if raw
  double log_frame = 0.0;         // log |C|

  bool framed() const { return frame.size() > 0; }
  int n_features() const { return static_cast<int>(mean_location.size()); }

  // Of a coordinate of the covariance matrix.
  const Block& block_of(int coordinate) const {
    return coordinate < n_features() ? scale : correlation;
  }

  // All groups have one covariance matrix.
  bool one_covariance() const {
    return scale.complete() && (correlation.complete() || n_features() == 1);
  }

  // Nothing is shared: every group is a sampling unit of its own.
  bool groups_apart() const {
    return !mean.pooled() && !scale.pooled() && (n_features() == 1 || !correlation.pooled());
  }
};

}  // namespace hmvn
