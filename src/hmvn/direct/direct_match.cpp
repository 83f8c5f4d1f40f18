#include "hmvn/direct/direct_match.hpp"

#include <cmath>

#include "hmvn/direct/weight_bound.hpp"
#include "hmvn/math/dense.hpp"

namespace hmvn {

bool make_direct_match(const DirectTarget& target, const std::atomic<bool>& stop,
                       DirectMatch& match) {
  if (!(target.degrees_of_freedom() > target.n_features() - 1.0)) return false;
  Contact contact;
  if (!find_contact(target, stop, contact)) return false;
  match.df = target.degrees_of_freedom();
  const CholeskyFactor root(contact.covariance);
  if (!root.exists()) return false;
  match.root = root.lower();
  Eigen::MatrixXd mismatch = root.solve_lower(target.scatter);
  mismatch = root.solve_lower(mismatch.transpose());
  mismatch.diagonal().array() -= match.df;
  const CholeskyFactor mismatch_root(mismatch);
  if (!mismatch_root.exists()) return false;
  match.mismatch_root = mismatch_root.lower();
  match.extra_df = largest_extra_df(contact);
  const double log_root = match.root.diagonal().array().log().sum();
  match.log_bound = bound_log_weight(target, contact, match.extra_df, log_root, stop);
  return std::isfinite(match.log_bound);
}

}  // namespace hmvn
