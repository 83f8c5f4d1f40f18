// What follows from packed Cholesky factors of covariance matrices: sds, correlations, covariances,
// precisions, for all draws of a group at once.
#pragma once

#include <Eigen/Core>

#include "hmvn/math/packed.hpp"

namespace hmvn {

// Draws of one group's factor: one draw a row, one packed entry a column ((1,1), (2,1), (2,2),
// (3,1), ...; from 0 here). Draws lie together in memory, so every step below is arithmetic on
// whole columns.
using PackedDraws = Eigen::Ref<const Eigen::ArrayXXd>;

// Sigma_ij = sum_m L_im L_jm, i >= j
inline Eigen::ArrayXd derive_covariance(const PackedDraws& chol, Eigen::Index row,
                                        Eigen::Index column) {
  Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(chol.rows());
  for (Eigen::Index m = 0; m <= column; ++m)
    sum += chol.col(packed_index(row, m)) * chol.col(packed_index(column, m));
  return sum;
}

// sigma_i = sqrt(Sigma_ii)
inline Eigen::ArrayXd derive_sd(const PackedDraws& chol, Eigen::Index row) {
  return derive_covariance(chol, row, row).sqrt();
}

// Omega_ij = Sigma_ij / (sigma_i sigma_j), i >= j. Exactly 1 on the diagonal; rounding can carry a
// correlation beyond 1 by an ulp, hence the bounds.
inline Eigen::ArrayXd derive_correlation(const PackedDraws& chol, Eigen::Index row,
                                         Eigen::Index column) {
  if (row == column) return Eigen::ArrayXd::Ones(chol.rows());
  return (derive_covariance(chol, row, column) / (derive_sd(chol, row) * derive_sd(chol, column)))
      .min(1.0)
      .max(-1.0);
}

// Packed draws of L^-1, row by row: X_ii = 1/L_ii, X_ij = -sum_(j <= m < i) L_im X_mj / L_ii
inline Eigen::ArrayXXd invert_packed(const PackedDraws& chol, Eigen::Index size) {
  Eigen::ArrayXXd inverse(chol.rows(), chol.cols());
  for (Eigen::Index i = 0; i < size; ++i) {
    inverse.col(packed_index(i, i)) = chol.col(packed_index(i, i)).inverse();
    for (Eigen::Index j = 0; j < i; ++j) {
      Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(chol.rows());
      for (Eigen::Index m = j; m < i; ++m)
        sum += chol.col(packed_index(i, m)) * inverse.col(packed_index(m, j));
      inverse.col(packed_index(i, j)) = -sum * inverse.col(packed_index(i, i));
    }
  }
  return inverse;
}

// (Sigma^-1)_ij = sum_(m >= i) X_mi X_mj, X = L^-1, i >= j
inline Eigen::ArrayXd derive_precision(const PackedDraws& inverse, Eigen::Index size,
                                       Eigen::Index row, Eigen::Index column) {
  Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(inverse.rows());
  for (Eigen::Index m = row; m < size; ++m)
    sum += inverse.col(packed_index(m, row)) * inverse.col(packed_index(m, column));
  return sum;
}

}  // namespace hmvn
