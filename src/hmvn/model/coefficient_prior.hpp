// The prior of every group's coefficients given the heterogeneities: (P1), (P4), (S4), (B1).
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/math/triangles.hpp"

namespace hmvn {

// A group's coefficients, less their prior locations, are T u_0 + H e_g with T = s sqrt(1 - h^2),
// one a coefficient, and H = diag(s h) L_b, L_b the factor of R_b among the means that are
// correlated (B1) and the identity elsewhere. D = H H' is their covariance matrix given u_0. No
// pooling is T = 0, complete pooling D = 0. K: their number, or Eigen::Dynamic.
template <class T, int K>
class CoefficientPrior {
 public:
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;

  void resize(int n_coefficients) {
    population_scale_.setZero(n_coefficients);
    for (Square* m : {&root_, &covariance_}) m->setZero(n_coefficients, n_coefficients);
  }

  // Order of calls: set() for every coefficient; correlate(), if some are; finish().
  void set(Eigen::Index k, const T& scale, const T& h, const T& weight) {
    population_scale_[k] = scale * weight;
    root_.row(k).setZero();
    root_(k, k) = scale * h;
  }

  // `factor`: L_b, over these coefficients.
  template <class Factor>
  void correlate(const std::vector<int>& among, const Factor& factor) {
    correlated_ = factor.rows() > 1;
    for (Eigen::Index i = 0; i < factor.rows(); ++i) {
      const T sd = root_(among[i], among[i]);
      for (Eigen::Index j = 0; j <= i; ++j) root_(among[i], among[j]) = sd * factor(i, j);
    }
  }

  void finish() { outer_square(root_, covariance_); }

  const Vector& population_scale() const { return population_scale_; }  // T
  const Square& root() const { return root_; }                          // H
  const Square& covariance() const { return covariance_; }              // D
  bool correlated() const { return correlated_; }

  // out = a D
  void times_covariance(const Square& a, Square& out) const {
    if (correlated_) {
      out.noalias() = a.lazyProduct(covariance_);
    } else {
      out = a * covariance_.diagonal().asDiagonal();
    }
  }

 private:
  bool correlated_ = false;
  Vector population_scale_;
  Square root_, covariance_;
};

}  // namespace hmvn
