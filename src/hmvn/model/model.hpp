// What the user said about the model, in the form the core uses: priors (P1)-(P3) and pooling
// (S1)-(S4).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "hmvn/math/special_functions.hpp"
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
  double log_beta = 0.0;  // log B(shape1, shape2)

  static HeterogeneityPrior fixed_at(double h) { return {true, h}; }
  static HeterogeneityPrior beta(double shape1, double shape2) {
    return {false, 1.0, shape1, shape2, log_beta_function(shape1, shape2)};
  }

  double log_density(double log_h, double log_1mh) const {
    if (fixed) return 0.0;
    return (shape1 - 1.0) * log_h + (shape2 - 1.0) * log_1mh - log_beta;
  }
};

struct Block {
  Pooling pooling = Pooling::none;
  HeterogeneityPrior heterogeneity;

  bool pooled() const { return pooling != Pooling::none; }
  bool partial() const { return pooling == Pooling::partial; }
  bool complete() const { return pooling == Pooling::complete; }
  bool by_group() const { return !complete(); }
  bool learned() const { return partial() && !heterogeneity.fixed; }
  // h where it is not learned, else a guess.
  double h_or(double guess) const {
    return learned() ? guess : partial() ? heterogeneity.value : complete() ? 0.0 : 1.0;
  }
};

// The prior of the correlations between groups' means R_b (B1), where they are partially pooled.
struct BetweenPrior {
  bool independent = true;  // R_b = I
  double eta = 1.0;
};

// A group's coefficients are the means of its features, and then the slopes of its features on the
// first covariate, on the second, ...
struct ModelParts {
  int n_covariates = 0;
  std::vector<Block> coefficients;
  Block scale, correlation;
  Eigen::VectorXd coefficient_location, coefficient_scale;  // (P1), (P4)
  BetweenPrior between;
  std::vector<ScalePrior> scale_priors;  // (P2), K
  double eta = 1.0;                      // (P3)
  Eigen::MatrixXd frame;                 // C of (F1); empty: the raw features
  // Groups' covariance matrices are given (K1): there are neither sds nor correlations to learn.
  bool known_covariances = false;
};

// The parts with what follows from them.
class Model : public ModelParts {
 public:
  explicit Model(ModelParts parts);

  std::vector<PartialCorrelationPrior> correlation_priors;  // K - 1, by column
  CovarianceMaps maps;
  std::vector<int> between_features;  // whose means are partially pooled, where R_b is not I
  std::vector<PartialCorrelationPrior> between_priors;  // of R_b, by column
  std::vector<ScoreMap> between_maps;
  Eigen::MatrixXd frame_inverse;  // empty if raw
  double log_frame = 0.0;         // log |C|

  bool framed() const { return frame.size() > 0; }
  int n_coefficients() const { return static_cast<int>(coefficient_location.size()); }
  int n_features() const { return n_coefficients() / (1 + n_covariates); }

  // Of a coordinate of the covariance matrix.
  const Block& block_of(int coordinate) const {
    return coordinate < n_features() ? scale : correlation;
  }

  // Of the means and of the slopes: is any pooled, or partially pooled; are all groups' the same?
  bool pools_means() const { return any(0, &Block::pooled); }
  bool pools_slopes() const { return any(n_features(), &Block::pooled); }
  bool partial_means() const { return any(0, &Block::partial); }
  bool partial_slopes() const { return any(n_features(), &Block::partial); }
  bool one_means() const { return !any(0, &Block::by_group); }
  bool one_slopes() const { return !any(n_features(), &Block::by_group); }
  bool pools_coefficients() const { return pools_means() || pools_slopes(); }
  // Partially pooled means are correlated.
  bool correlates_means() const { return !between_features.empty(); }

  // All groups have one covariance matrix.
  bool one_covariance() const {
    return !known_covariances && scale.complete() && (correlation.complete() || n_features() == 1);
  }

  // Nothing is shared: every group is a sampling unit of its own.
  bool groups_apart() const {
    return !pools_coefficients() && !scale.pooled() && (n_features() == 1 || !correlation.pooled());
  }

 private:
  // Of the means (first 0) or the slopes (first K).
  bool any(int first, bool (Block::*is)() const) const {
    const auto begin = coefficients.begin() + first;
    const auto end = first == 0 ? begin + n_features() : coefficients.end();
    return std::any_of(begin, end, [is](const Block& block) { return (block.*is)(); });
  }
};

}  // namespace hmvn
