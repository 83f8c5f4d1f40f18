#include "hmvn/math/dense.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>

namespace hmvn {

Eigen::MatrixXd multiply(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return a * b; }

void add_gram(double scale, const Eigen::MatrixXd& a, Eigen::MatrixXd& sum) {
  sum.selfadjointView<Eigen::Lower>().rankUpdate(a.transpose(), scale);
  sum.triangularView<Eigen::StrictlyUpper>() = sum.transpose();
}

void solve_lower_in_place(const Eigen::MatrixXd& lower, Eigen::VectorXd& x) {
  lower.triangularView<Eigen::Lower>().solveInPlace(x);
}

SymmetricEigen symmetric_eigen(const Eigen::MatrixXd& a) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(a);
  return {solver.eigenvalues(), solver.eigenvectors()};
}

double smallest_eigenvalue(const Eigen::MatrixXd& symmetric) {
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(symmetric, Eigen::EigenvaluesOnly)
      .eigenvalues()[0];
}

Eigen::MatrixXd qr_triangle(const Eigen::MatrixXd& a) {
  return Eigen::HouseholderQR<Eigen::MatrixXd>(a).matrixQR().triangularView<Eigen::Upper>();
}

// Scaled to unit diagonal first, so that features of very different size are all resolved; rounding
// below zero is rounding of zero.
Eigen::MatrixXd semidefinite_root(const Eigen::MatrixXd& a) {
  const Eigen::VectorXd scale =
      a.diagonal().unaryExpr([](double v) { return v > 0.0 ? std::sqrt(v) : 1.0; });
  const Eigen::MatrixXd scaled =
      scale.cwiseInverse().asDiagonal() * a * scale.cwiseInverse().asDiagonal();
  const SymmetricEigen eigen = symmetric_eigen(scaled);
  const Eigen::VectorXd root = eigen.values.cwiseMax(0.0).cwiseSqrt();
  // with E diag(root) = R'Q, R of a QR decomposition of its transpose: R' is a root as well
  const Eigen::MatrixXd upper = qr_triangle(root.asDiagonal() * eigen.vectors.transpose());
  return scale.asDiagonal() * upper.transpose();
}

Eigen::MatrixXd solve_general(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return a.partialPivLu().solve(b);
}

Eigen::VectorXd solve_symmetric(const Eigen::MatrixXd& a, const Eigen::VectorXd& b) {
  return a.ldlt().solve(b);
}

CholeskyFactor::CholeskyFactor(const Eigen::MatrixXd& a) {
  const Eigen::LLT<Eigen::MatrixXd> factor(a);
  exists_ = factor.info() == Eigen::Success;
  lower_ = factor.matrixL();
}

Eigen::MatrixXd CholeskyFactor::solve(const Eigen::MatrixXd& b) const {
  Eigen::MatrixXd x = solve_lower(b);
  lower_.triangularView<Eigen::Lower>().adjoint().solveInPlace(x);
  return x;
}

Eigen::VectorXd CholeskyFactor::solve_vector(const Eigen::VectorXd& b) const {
  Eigen::VectorXd x = lower_.triangularView<Eigen::Lower>().solve(b);
  lower_.triangularView<Eigen::Lower>().adjoint().solveInPlace(x);
  return x;
}

Eigen::MatrixXd CholeskyFactor::solve_lower(const Eigen::MatrixXd& b) const {
  return lower_.triangularView<Eigen::Lower>().solve(b);
}

Eigen::MatrixXd CholeskyFactor::inverse_upper() const {
  const Eigen::Index n = lower_.rows();
  return lower_.triangularView<Eigen::Lower>().adjoint().solve(Eigen::MatrixXd::Identity(n, n));
}

}  // namespace hmvn
