// How far two Normal distributions are from each other, and their covariance matrices.
#pragma once

#include <Eigen/Core>

namespace hmvn {

// The logarithm of Sigma = L L', from the singular values s and left vectors U of L: U 2 log(s) U'.
// Sigma itself, which squares the condition number, is never formed.
Eigen::MatrixXd log_covariance(const Eigen::MatrixXd& factor);

// Draws of a Normal distribution: means [draw, K], packed factors L of Sigma = L L' [draw, entry].
struct NormalDraws {
  Eigen::Map<const Eigen::MatrixXd> mean, chol;
};

// Distances of two Normal distributions, of several draws at once: the same small matrix of each,
// side by side. With s and U of M = L_a^-1 L_b, d = mu_b - mu_a and z = L_a^-1 d:
//   affine-invariant  sqrt(sum_i (2 log s_i)^2), of the covariance matrices alone
//   Bhattacharyya     sum_i (log((1 + s_i^2) / 2) - log s_i) / 2 +
//                     sum_i (U'z)_i^2 / (1 + s_i^2) / 4
//   Jeffreys          KL(a, b) + KL(b, a)
//                     = sum_i (s_i^2 + s_i^-2 - 2) / 2 + sum_i (U'z)_i^2 (1 + s_i^-2) / 2
class NormalDistances {
 public:
  // How many draws are worked out at once.
  static constexpr int lanes = 16;
  using Lanes = Eigen::Array<double, lanes, 1>;

  explicit NormalDistances(Eigen::Index n_features)
      : k_(n_features), rows_(lanes, n_features * (n_features + 1)), squares_(lanes, n_features) {}

  // Of the draws from `first` on, as many as there are lanes; where there are no more draws, lanes
  // repeat the last one.
  void operator()(const NormalDraws& a, const NormalDraws& b, Eigen::Index first);

  Lanes affine_invariant, bhattacharyya, jeffreys;

 private:
  using Many = Eigen::Array<double, lanes, Eigen::Dynamic>;

  // Entry (i, j) of [M | z].
  Many::ColXpr at(Eigen::Index i, Eigen::Index j) { return rows_.col(i * (k_ + 1) + j); }

  void solve(const NormalDraws& a, const NormalDraws& b, Eigen::Index first);
  void make_rows_orthogonal();
  bool sweep();
  void rotate(Eigen::Index p, Eigen::Index q, const Lanes& tangent);
  void set_squares();

  Eigen::Index k_;
  Many rows_;     // [M | z], row after row
  Many squares_;  // squared norms of the rows of M
};

}  // namespace hmvn
