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
