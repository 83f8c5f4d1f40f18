// The posterior of a covariance matrix that is not partially pooled (D1), in the form from which
// direct sampling proposes.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <optional>
#include <vector>

#include "hmvn/control/run_control.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/model/group_statistics.hpp"

namespace hmvn {

// Complete rows, independent means, n rows in G groups that share Sigma, S their pooled scatter
// matrix: (D1) in the model vignette.
struct DirectTarget {
  const Model* model;
  double eta = 1.0;
  double n_groups = 0.0, n = 0.0;
  std::vector<double> group_n;
  // In the frame (F1), as all that follows: means less m, the prior variance of means D, the pooled
  // scatter matrix S.
  std::vector<Eigen::VectorXd> group_mean;
  Eigen::MatrixXd mean_variance, scatter;

  int n_features() const { return static_cast<int>(scatter.rows()); }

  // c
  double sigma_power() const { return 2.0 * eta - 2.0 + n_features(); }

  // Degrees of freedom nu of the matching inverse-Wishart.
  double degrees_of_freedom() const { return n - n_groups + 1.0 - 2.0 * eta - n_features(); }

  // psi_k = log(sigma^-c f_k(sigma)) at x = log(sigma), and its derivative in x.
  double log_scale_factor(int k, double x) const {
    return model->scale_priors[k].log_density_of_scale(x) - sigma_power() * x;
  }
  double log_scale_factor_slope(int k, double x) const {
    return model->scale_priors[k].log_density_slope(x) - 1.0 - sigma_power();
  }
};

// That of a unit; nothing where it has another form than this: one covariance matrix, unpooled
// means, complete rows. Keeps a pointer to the model.
std::optional<DirectTarget> make_direct_target(const Model& model,
                                               const std::vector<GroupStatistics>& groups);

// kappa of one group (D11), from its n, (Sigma/n + D)^-1 delta and the standard deviations.
Eigen::VectorXd mean_kappa(double n, const Eigen::VectorXd& slope, const Eigen::VectorXd& scale);

// The point Sigma* at which proposal and posterior touch (D4).
struct Contact {
  Eigen::MatrixXd covariance;  // Sigma*
  Eigen::VectorXd alpha;       // positive
  Eigen::VectorXd epsilon;     // the part of alpha that is bounded by (D7), the rest is by (D8)
};

// Solves nu Sigma + Sigma diag(alpha_k / sigma_k^2) Sigma + sum_g Sigma (Sigma + n_g D)^-1 Sigma =
// S, nu the degrees of freedom, by fixed-point steps. False if there is no such matrix.
bool find_contact(const DirectTarget& target, const std::atomic<bool>& stop, Contact& contact);

}  // namespace hmvn
