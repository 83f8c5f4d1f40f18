#include "hmvn/direct/direct_match.hpp"

#include <Eigen/Cholesky>
#include <cmath>

#include "hmvn/direct/weight_bound.hpp"

namespace hmvn {

bool make_direct_match(const DirectTarget& target, DirectMatch& match) {
  Contact contact;
  if (!find_contact(target, contact)) return false;
  match.df = target.degrees_of_freedom();
  const Eigen::LLT<Eigen::MatrixXd> root(contact.covariance);
  if (root.info() != Eigen::Success) return false;
  match.root = root.matrixL();
  Eigen::MatrixXd mismatch = root.matrixL().solve(target.scatter);
  mismatch = root.matrixL().solve(mismatch.transpose()).eval();
  mismatch.diagonal().array() -= match.df;
  const Eigen::LLT<Eigen::MatrixXd> mismatch_root(mismatch);
  if (mismatch_root.info() != Eigen::Success) return false;
  match.mismatch_root = mismatch_root.matrixL();
  match.extra_df = largest_extra_df(contact);
  match.log_bound =
      bound_log_weight(target, contact, match.extra_df, match.root.diagonal().array().log().sum());
  return std::isfinite(match.log_bound);
}

}  // namespace hmvn
