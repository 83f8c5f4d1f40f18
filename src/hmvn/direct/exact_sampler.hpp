// Independent draws of one covariance matrix from its exact posterior, by rejection.
#pragma once

#include <cmath>
#include <stdexcept>

#include "hmvn/direct/covariance_draw.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Proposes from the inverse-Wishart (D4) and keeps with probability w / bound, w of (D5).
template <int K>
class ExactSampler {
 public:
  ExactSampler(const DirectTarget& target, const DirectMatch& match, const std::atomic<bool>& stop)
      : bartlett_(target.n_features(), match.df + match.extra_df, match.df + match.extra_df),
        completer_(target, match),
        means_(target, match.root * match.root.transpose(), stop),
        extra_df_(match.extra_df),
        log_bound_(match.log_bound) {
    draw_.resize(target.n_features());
  }

  // Returns the number of proposals it took; gives up, with 0, after `most`.
  int advance(RandomStream& random, int most) {
    for (int proposals = 1; proposals <= most; ++proposals) {
      propose(random);
      const double u = random.uniform();
      const double excess = log_covariance_weight() - log_bound_;
      // The means' factor is needed only where its bounds do not decide; log(u) where 1 + x <=
      // exp(x) does not.
      const double least = excess + means_.lower_bound(draw_.variance);
      if (least > 1e-6) throw std::logic_error("a weight of direct sampling exceeds its bound");
      if (u < 1.0 + least) return proposals;
      const double log_u = std::log(u);
      if (log_u <= least) return proposals;
      if (log_u > excess + means_.upper_bound(draw_.factor)) continue;
      if (log_u <= excess + means_(draw_.factor)) return proposals;
    }
    return 0;
  }

  void propose(RandomStream& random) {
    bartlett_.draw(random, draw_.bartlett);
    completer_.complete(draw_);
  }

  // log of w / bound, of the last proposal.
  double log_acceptance() { return log_covariance_weight() + means_(draw_.factor) - log_bound_; }

  const CovarianceDraw<K>& draw() const { return draw_; }
  MeanFactor<K>& means() { return means_; }

 private:
  double log_covariance_weight() const {
    return draw_.log_scales - 0.5 * (draw_.mismatch - extra_df_ * draw_.size) +
           extra_df_ * draw_.log_root;
  }

  BartlettFactor bartlett_;
  DrawCompleter<K> completer_;
  MeanFactor<K> means_;
  double extra_df_, log_bound_;
  CovarianceDraw<K> draw_;
};

}  // namespace hmvn
