// The inverse-Wishart that matches a posterior: what all draws of a unit have in common, in
// matrices of any size.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "hmvn/direct/covariance_target.hpp"
#include "hmvn/direct/weight_bound.hpp"

namespace hmvn {

struct DirectMatch {
  Eigen::MatrixXd root;           // C of Sigma* = C C'
  Eigen::MatrixXd mismatch_root;  // U of C^-1 S C^-T - nu I = U U'
  double df = 0.0,
         extra_df = 0.0;   // nu and a: proposals are inverse-Wishart(nu + a, (nu + a) Sigma*)
  double log_bound = 0.0;  // of log w, see bound_log_weight()
};

// False where the inverse-Wishart (D4) does not exist.
inline bool make_direct_match(const CovarianceTarget& target, DirectMatch& match) {
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
