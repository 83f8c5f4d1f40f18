// The inverse-Wishart that matches a posterior: what all draws of a unit have in common, in
// matrices of any size.
#pragma once

#include <Eigen/Core>
#include <atomic>

#include "hmvn/direct/direct_target.hpp"

namespace hmvn {

struct DirectMatch {
  Eigen::MatrixXd root;           // C of Sigma* = C C'
  Eigen::MatrixXd mismatch_root;  // U of C^-1 S C^-T - nu I = U U'
  double df = 0.0,
         extra_df = 0.0;   // nu and a: proposals are inverse-Wishart(nu + a, (nu + a) Sigma*)
  double log_bound = 0.0;  // of log w, see bound_log_weight()
};

// False where the inverse-Wishart (D4) does not exist.
bool make_direct_match(const DirectTarget& target, const std::atomic<bool>& stop,
                       DirectMatch& match);

}  // namespace hmvn
