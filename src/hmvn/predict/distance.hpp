// How far two Normal distributions are from each other, and their covariance matrices.
#pragma once

#include <Eigen/Core>

namespace hmvn {

// The logarithm of Sigma = L L', from the singular values s and left vectors U of L: U 2 log(s) U'.
// Sigma itself, which squares the condition number, is never formed.
Eigen::MatrixXd log_covariance(const Eigen::MatrixXd& factor);

struct NormalLaw {
  Eigen::VectorXd mean;
  Eigen::MatrixXd factor;  // lower triangle L of Sigma = L L', zeros above
};

struct NormalDistances {
  double affine_invariant, bhattacharyya, jeffreys;
};

// With s and U of M = L_a^-1 L_b, d = mu_b - mu_a and z = L_a^-1 d:
//   affine-invariant  sqrt(sum_i (2 log s_i)^2), of the covariance matrices alone
//   Bhattacharyya     sum_i (log((1 + s_i^2) / 2) - log s_i) / 2 + sum_i (U'z)_i^2 / (1 + s_i^2) /
//   4 Jeffreys          KL(a, b) + KL(b, a)
//                     = sum_i (s_i^2 + s_i^-2 - 2) / 2 + sum_i (U'z)_i^2 (1 + s_i^-2) / 2
NormalDistances normal_distances(const NormalLaw& a, const NormalLaw& b);

}  // namespace hmvn
