// The posterior of a covariance matrix in the coordinates in which the inverse-Wishart is standard
// normal, or nearly so: (D13).
#pragma once

#include <Eigen/Core>
#include <atomic>

#include "hmvn/direct/covariance_draw.hpp"
#include "hmvn/direct/direct_target.hpp"

namespace hmvn {

// The inverse-Wishart whose Bartlett decomposition is the change of variables. It need not exist as
// a proposal: the density that is evaluated is the target's.
struct BartlettReference {
  Eigen::MatrixXd root;  // C of Sigma* = C C'
  double df = 0.0;       // nu_0
};

// At the posterior's mode in these coordinates, or near it: the closer, the less a chain has to
// learn.
BartlettReference make_bartlett_reference(const DirectTarget& target,
                                          const std::atomic<bool>& stop);

// Sigma = C A^-1 A^-T C' with sqrt(nu_0) A lower triangular: below its diagonal are coordinates as
// they are, on it softplus functions of them.
class BartlettDensity {
 public:
  // Keeps a reference to the target.
  BartlettDensity(const DirectTarget& target, const BartlettReference& reference);

  Eigen::Index dimension() const { return n_features_ * (n_features_ + 1) / 2; }

  // The log density at x, means integrated out, up to a constant; and its gradient.
  double operator()(const Eigen::VectorXd& x, Eigen::VectorXd& gradient);

  Eigen::MatrixXd root_of(const Eigen::VectorXd& x);

  // The covariance matrix at x.
  void read(const Eigen::VectorXd& x, CovarianceDraw<Eigen::Dynamic>& draw);

 private:
  using Square = SquareRows<Eigen::Dynamic>;

  void fill(const Eigen::VectorXd& x);
  double add_scatter();
  double add_scales();
  double add_means();
  void differentiate_means(double share);
  void differentiate_bartlett();

  const DirectTarget& target_;
  const int n_features_;
  const double unit_;                  // 1 / sqrt(nu_0)
  Square root_, scatter_;              // C, and C^-1 S C^-T
  Eigen::VectorXd middle_;             // of the diagonal's coordinates
  Square bartlett_, factor_;           // A, and C A^-1
  Square of_bartlett_, of_factor_;     // gradients
  Square covariance_, spread_, work_;  // scratch; the last is lower triangular
  Eigen::VectorXd reciprocal_, log_slope_, of_log_slope_, slope_, solution_, projection_;
};

}  // namespace hmvn
