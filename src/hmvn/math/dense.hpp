// Factorisations and products of dense matrices of any size, for what is done a few times a unit:
// Eigen's, compiled once.
#pragma once

#include <Eigen/Core>

namespace hmvn {

Eigen::MatrixXd multiply(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);  // a b
// Adds scale * a' a.
void add_gram(double scale, const Eigen::MatrixXd& a, Eigen::MatrixXd& sum);
// x = lower^-1 x.
void solve_lower_in_place(const Eigen::MatrixXd& lower, Eigen::VectorXd& x);

struct SymmetricEigen {
  Eigen::VectorXd values;  // ascending
  Eigen::MatrixXd vectors;
};
SymmetricEigen symmetric_eigen(const Eigen::MatrixXd& a);
double smallest_eigenvalue(const Eigen::MatrixXd& symmetric);

// The triangle R of a QR decomposition, in the upper triangle.
Eigen::MatrixXd qr_triangle(const Eigen::MatrixXd& a);

// L, lower triangular, of a = L L', positive semidefinite.
Eigen::MatrixXd semidefinite_root(const Eigen::MatrixXd& a);

// a^-1 b.
Eigen::MatrixXd solve_general(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);
Eigen::VectorXd solve_symmetric(const Eigen::MatrixXd& a, const Eigen::VectorXd& b);

// A = L L' of a positive definite matrix, from its lower triangle.
class CholeskyFactor {
 public:
  explicit CholeskyFactor(const Eigen::MatrixXd& a);

  bool exists() const { return exists_; }
  const Eigen::MatrixXd& lower() const { return lower_; }        // L, zeros above
  Eigen::MatrixXd solve(const Eigen::MatrixXd& b) const;         // A^-1 b
  Eigen::VectorXd solve_vector(const Eigen::VectorXd& b) const;  // the same
  Eigen::MatrixXd solve_lower(const Eigen::MatrixXd& b) const;   // L^-1 b
  Eigen::MatrixXd inverse_upper() const;                         // L^-T

 private:
  bool exists_;
  Eigen::MatrixXd lower_;
};

}  // namespace hmvn
