// An upper bound on target over proposal that holds for every covariance matrix: what makes
// rejection exact.
#pragma once

#include <atomic>

#include "hmvn/direct/direct_target.hpp"

namespace hmvn {

// The largest a for which w is bounded: diag(epsilon_k / sigma*_k^2) less a Sigma*^-1 must not be
// negative. A little less, so that rounding does not decide.
double largest_extra_df(const Contact& contact);

// Bound on log w, w = |Sigma|^(a/2) exp(-tr((S - Psi) Sigma^-1)/2) prod_k exp(psi_k(sigma_k))
// exp(T(Sigma)): (D9). `log_root`: log|Sigma*| / 2.
double bound_log_weight(const DirectTarget& target, const Contact& contact, double extra_df,
                        double log_root, const std::atomic<bool>& stop);

}  // namespace hmvn
