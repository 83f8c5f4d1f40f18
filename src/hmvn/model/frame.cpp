#include "hmvn/model/frame.hpp"

#include "hmvn/math/dense.hpp"

namespace hmvn {

Eigen::MatrixXd lower_factor(const Eigen::MatrixXd& root) {
  Eigen::MatrixXd lower = qr_triangle(root.transpose()).transpose();
  for (Eigen::Index j = 0; j < lower.cols(); ++j) {
    if (lower(j, j) < 0.0) lower.col(j) = -lower.col(j);
  }
  return lower;
}

}  // namespace hmvn
