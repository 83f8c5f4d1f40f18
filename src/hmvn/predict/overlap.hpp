// How much of one Normal distribution lies within an ellipsoid of another.
#pragma once

#include <Eigen/Core>

namespace hmvn {

struct NormalLaw {
  Eigen::VectorXd mean;
  Eigen::MatrixXd factor;  // lower triangle L of Sigma = L L', zeros above
};

// The probability that x of `a` lies within the ellipsoid of `b`, (x - mu_b)' Sigma_b^-1 (x - mu_b)
// <= squared_radius. With M = L_b^-1 L_a, lower triangular, and d = L_b^-1 (mu_a - mu_b) that is
// |M z + d|^2 <= squared_radius, z standard Normal. Given all of z but its last element, which only
// the last row of M reads, the probability is a difference of two values of the Normal distribution
// function; it is averaged over `points`, [K - 1, n], of the first elements.
double share_within(const NormalLaw& a, const NormalLaw& b, double squared_radius,
                    const Eigen::Ref<const Eigen::MatrixXd>& points);

}  // namespace hmvn
