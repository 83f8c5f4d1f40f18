// A chain of independence Metropolis-Hastings steps, where few rows make rejection slow.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "hmvn/direct/covariance_draw.hpp"
#include "hmvn/math/special_functions.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Proposes from 0.9 IW(a') + 0.1 IW(a), where IW(a) is the inverse-Wishart with nu + a degrees of
// freedom and scale (nu
// + a) Sigma* (D12). The first matches better; the second is that of rejection and bounds the
// weight, whatever a' is: target over mixture is at most ten times the bounded target over IW(a).
// So the chain converges uniformly fast (Mengersen and Tweedie 1996).
template <int K>
class IndependenceChain {
 public:
  static constexpr double defensive_share = 0.1;

  IndependenceChain(const DirectTarget& target, const DirectMatch& match, RandomStream& random,
                    const std::atomic<bool>& stop)
      : extra_df_(std::max(1.6 * (target.sigma_power() + 1.0), match.extra_df)),
        defensive_extra_df_(match.extra_df),
        matched_(target.n_features(), match.df + extra_df_, match.df + extra_df_),
        defensive_(target.n_features(), match.df + match.extra_df, match.df + match.extra_df),
        completer_(target, match),
        means_(target, match.root * match.root.transpose(), stop),
        log_ratio_(log_normaliser(match, extra_df_) - log_normaliser(match, match.extra_df)) {
    current_.resize(target.n_features());
    candidate_.resize(target.n_features());
    propose(random, current_);
  }

  // One step; true if the proposal was accepted.
  bool advance(RandomStream& random) {
    propose(random, candidate_);
    proposed_log_weight_ = candidate_.log_weight;
    const bool accepted = std::log(random.uniform()) < candidate_.log_weight - current_.log_weight;
    if (accepted) std::swap(current_, candidate_);
    return accepted;
  }

  double proposed_log_weight() const { return proposed_log_weight_; }
  const CovarianceDraw<K>& draw() const { return current_; }
  MeanFactor<K>& means() { return means_; }

  template <class Archive>
  void visit(Archive& archive) {
    current_.visit(archive);
  }

 private:
  // log of the constant of the inverse-Wishart with df nu = df + a and scale nu Sigma* in its
  // density over Sigma, up to what does not depend on a: |nu Sigma*|^(nu/2) / (2^(nu K/2)
  // Gamma_K(nu/2)).
  static double log_normaliser(const DirectMatch& match, double a) {
    const int n_features = static_cast<int>(match.root.rows());
    const double df = match.df + a;
    double sum =
        0.5 * df *
        (n_features * std::log(0.5 * df) + 2.0 * match.root.diagonal().array().log().sum());
    for (int k = 0; k < n_features; ++k) sum -= log_gamma(0.5 * (df - k));
    return sum;
  }

  void propose(RandomStream& random, CovarianceDraw<K>& draw) {
    (random.uniform() < defensive_share ? defensive_ : matched_).draw(random, draw.bartlett);
    completer_.complete(draw);
    // matched over defensive density
    const double log_matched =
        log_ratio_ - (extra_df_ - defensive_extra_df_) * (draw.log_root + 0.5 * draw.size);
    const double log_mixture =
        log_matched > 0.0
            ? log_matched +
                  std::log(1.0 - defensive_share + defensive_share * std::exp(-log_matched))
            : std::log(defensive_share + (1.0 - defensive_share) * std::exp(log_matched));
    draw.log_weight = draw.log_scales - 0.5 * (draw.mismatch - defensive_extra_df_ * draw.size) +
                      defensive_extra_df_ * draw.log_root + means_(draw.factor) - log_mixture;
    if (std::isnan(draw.log_weight)) draw.log_weight = -std::numeric_limits<double>::infinity();
  }

  double extra_df_, defensive_extra_df_;
  BartlettFactor matched_, defensive_;
  DrawCompleter<K> completer_;
  MeanFactor<K> means_;
  double log_ratio_, proposed_log_weight_ = 0.0;
  CovarianceDraw<K> current_, candidate_;
};

}  // namespace hmvn
