// One draw of a sampling unit in the user's terms.
#pragma once

#include <Eigen/Core>

namespace hmvn {

struct Draw {
  Eigen::MatrixXd mean;    // K x G, on the user's scale
  Eigen::MatrixXd factor;  // K(K+1)/2 x G: Cholesky factor of Sigma_g, lower triangle row by row
  Eigen::VectorXd mean0,
      scale0;  // population (typical group), read at v; meaningful where the block is pooled
  Eigen::VectorXd correlation_factor0;  // Cholesky factor of Omega0, packed likewise
  Eigen::VectorXd h_mean, h_scale;
  double h_correlation = 0.0;
  double log_likelihood = 0.0, log_prior = 0.0;  // lp__ is their sum
};

template <class Matrix, class Packed>
void pack_lower(const Matrix& lower, Packed&& packed) {
  Eigen::Index at = 0;
  for (Eigen::Index i = 0; i < lower.rows(); ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) packed[at++] = lower(i, j);
  }
}

}  // namespace hmvn
