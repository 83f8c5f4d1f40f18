#include "hmvn/predict/distance.hpp"

#include <Eigen/SVD>
#include <cmath>

namespace hmvn {

Eigen::MatrixXd log_covariance(const Eigen::MatrixXd& factor) {
  const Eigen::JacobiSVD<Eigen::MatrixXd, Eigen::NoQRPreconditioner> svd(factor,
                                                                         Eigen::ComputeFullU);
  const Eigen::VectorXd log_values = 2.0 * svd.singularValues().array().log();
  return svd.matrixU() * log_values.asDiagonal() * svd.matrixU().transpose();
}

NormalDistances normal_distances(const NormalLaw& a, const NormalLaw& b) {
  Eigen::MatrixXd ratio = b.factor;
  Eigen::VectorXd z = b.mean - a.mean;
  a.factor.triangularView<Eigen::Lower>().solveInPlace(ratio);
  a.factor.triangularView<Eigen::Lower>().solveInPlace(z);
  const Eigen::JacobiSVD<Eigen::MatrixXd, Eigen::NoQRPreconditioner> svd(ratio,
                                                                         Eigen::ComputeFullU);
  const Eigen::ArrayXd squared = svd.singularValues().array().square();
  const Eigen::ArrayXd log_squared = 2.0 * svd.singularValues().array().log();
  const Eigen::ArrayXd along = (svd.matrixU().transpose() * z).array().square();
  NormalDistances out;
  out.affine_invariant = std::sqrt(log_squared.square().sum());
  out.bhattacharyya = 0.5 * (((1.0 + squared) / 2.0).log() - 0.5 * log_squared).sum() +
                      0.25 * (along / (1.0 + squared)).sum();
  out.jeffreys = 0.5 * (squared + squared.inverse() - 2.0).sum() +
                 0.5 * (along * (1.0 + squared.inverse())).sum();
  return out;
}

}  // namespace hmvn
