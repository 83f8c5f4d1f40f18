// One draw of a sampling unit in the user's terms.
#pragma once

#include <Eigen/Core>

namespace hmvn {

struct Draw {
  Eigen::MatrixXd mean;  // K x G, on the user's scale
  Eigen::MatrixXd
      slope;  // K C x G: all features' slopes on the first covariate, on the second, ...
  Eigen::MatrixXd factor;  // K(K+1)/2 x G: Cholesky factor of Sigma_g, lower triangle row by row
  // Population (typical group), read at v; meaningful where the block is pooled.
  Eigen::VectorXd mean0, slope0, scale0;
  Eigen::VectorXd correlation_factor0;  // Cholesky factor of Omega0, packed likewise
  Eigen::MatrixXd between_factor;       // of R_b, where means are correlated
  Eigen::VectorXd h_mean, h_slope, h_scale;
  double h_correlation = 0.0;
  double log_likelihood = 0.0, log_prior = 0.0;  // lp__ is their sum

  double log_joint() const { return log_likelihood + log_prior; }
};

}  // namespace hmvn
