// The missing cells of a row given its observed ones: a conditional normal law.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/random/random_stream.hpp"
#include "hmvn/math/dense.hpp"

namespace hmvn {

// For one covariance matrix Sigma = L L' and one pattern of observed features. With P the
// permutation that puts the observed features first, P Sigma P' = R R' for R lower triangular; with
// z = R_oo^-1 (y_o - mu_o),
//   y_m | y_o ~ Normal(mu_m + R_mo z, R_mm R_mm').
// R' is the triangle of a QR decomposition of (P L)': Sigma itself, which squares L's condition
// number, is never formed. Signs of R's columns do not matter.
class MissingCells {
 public:
  MissingCells(int n_features)
      : order_(n_features),
        permuted_(n_features, n_features),
        root_(n_features, n_features),
        z_(n_features) {}

  // `missing`: 1 where missing.
  void condition(const Eigen::MatrixXd& factor, const std::vector<int>& missing) {
    const int n_features = static_cast<int>(factor.rows());
    n_observed_ = 0;
    for (int k = 0; k < n_features; ++k) {
      if (!missing[k]) order_[n_observed_++] = k;
    }
    for (int k = 0, at = n_observed_; k < n_features; ++k) {
      if (missing[k]) order_[at++] = k;
    }
    for (int k = 0; k < n_features; ++k) permuted_.col(k) = factor.row(order_[k]).transpose();
    root_ = qr_triangle(permuted_).transpose();
  }

  // Draws the missing cells of `row` in the order of the features; `row` holds the observed ones.
  template <class Row, class Out>
  void draw(const Eigen::VectorXd& mean, const Row& row, RandomStream& random, Out&& out) {
    const int n_features = static_cast<int>(order_.size());
    for (int i = 0; i < n_observed_; ++i) {
      double residual = row[order_[i]] - mean[order_[i]];
      for (int j = 0; j < i; ++j) residual -= root_(i, j) * z_[j];
      z_[i] = residual / root_(i, i);
    }
    for (int i = n_observed_; i < n_features; ++i) {
      z_[i] = random.normal();
      double value = mean[order_[i]];
      for (int j = 0; j <= i; ++j) value += root_(i, j) * z_[j];
      out(i - n_observed_, value);
    }
  }

 private:
  std::vector<int> order_;
  int n_observed_ = 0;
  Eigen::MatrixXd permuted_, root_;
  Eigen::VectorXd z_;
};

}  // namespace hmvn
