// The posterior of one covariance matrix that no h touches, seen from the inverse-Wishart: what direct sampling needs.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/model.hpp"
#include "hmvn/model/sufficient_statistics.hpp"

namespace hmvn {

// Complete rows, independent means. Over (mu_g, Sigma) the posterior is
//   |Sigma|^(-(n - G)/2 + eta - 1) exp(-tr(S Sigma^-1)/2) prod_k sigma_k^-c f_k(sigma_k)
//     x prod_g Normal(mu_g; ybar_g, Sigma/n_g) Normal(mu_g; m, diag(s)^2),   c = 2 eta - 2 + K,
// n rows in G groups that share Sigma, S their pooled scatter matrix.
struct CovarianceTarget {
  const Model* model;
  double eta = 1.0;
  double n_groups = 0.0, n = 0.0;
  std::vector<double> group_n;
  std::vector<Eigen::VectorXd> group_mean;  // less m
  Eigen::MatrixXd scatter;

  double sigma_power() const { return 2.0 * eta - 2.0 + static_cast<double>(scatter.rows()); }

  // Degrees of freedom of the matching inverse-Wishart.
  double degrees_of_freedom() const { return n - n_groups + 1.0 - 2.0 * eta - static_cast<double>(scatter.rows()); }

  // log of prod_k sigma_k^-c f_k(sigma_k), from log(sigma).
  double log_scale_factor(const Eigen::VectorXd& log_sigma) const {
    double sum = -sigma_power() * log_sigma.sum();
    for (Eigen::Index k = 0; k < log_sigma.size(); ++k) sum += model->scale_priors[k].log_density_of_scale(log_sigma[k]);
    return sum;
  }

  // a_k = (c - sigma f'/f)/sigma^2: minus twice the slope of that factor in sigma_k^2.
  Eigen::VectorXd scale_pull(const Eigen::MatrixXd& covariance) const {
    Eigen::VectorXd pull(covariance.rows());
    for (Eigen::Index k = 0; k < pull.size(); ++k) {
      const double slope = model->scale_priors[k].log_density_slope(0.5 * std::log(covariance(k, k))) - 1.0;
      pull[k] = (sigma_power() - slope) / covariance(k, k);
    }
    return pull;
  }
};

// Whether a unit has this form: one covariance matrix, unpooled means, complete rows.
inline bool has_covariance_target(const Model& model, const std::vector<GroupStatistics>& groups) {
  const bool one_matrix = groups.size() == 1 ? !model.scale.partial() && !model.correlation.partial()
                                             : model.scale.complete() && (model.correlation.complete() || model.n_features() == 1);
  if (!one_matrix || model.mean.pooling != Pooling::none) return false;
  for (const GroupStatistics& group : groups) {
    if (!group.complete()) return false;
  }
  return true;
}

inline CovarianceTarget make_covariance_target(const Model& model, const std::vector<GroupStatistics>& groups) {
  CovarianceTarget target;
  target.model = &model;
  const int n_features = model.n_features();
  target.eta = n_features > 1 ? model.correlation_priors.back().shape() : 1.0;  // b of the last column is eta
  target.scatter.setZero(n_features, n_features);
  for (const GroupStatistics& group : groups) {
    const PatternStatistics& rows = group.patterns[0];
    target.n_groups += 1.0;
    target.n += rows.n;
    target.group_n.push_back(rows.n);
    target.group_mean.push_back(rows.mean);
    target.scatter += rows.scatter;
  }
  return target;
}

// The mode in Sigma^-1, where S - Sigma diag(a) Sigma = (n - G + 2 - 2 eta) Sigma, by damped fixed-point steps; false if
// none was found.
inline bool find_mode(const CovarianceTarget& target, Eigen::MatrixXd& mode) {
  const double weight = target.n - target.n_groups + 2.0 - 2.0 * target.eta;
  if (!(weight > 0.0)) return false;
  mode = target.scatter / weight;
  for (int iteration = 0; iteration < 200; ++iteration) {
    if (!(mode.diagonal().minCoeff() > 0.0)) return false;
    // (weight I + Sigma diag(a)) Sigma = S, solved for the right factor with the left one held.
    const Eigen::VectorXd pull = target.scale_pull(mode);
    Eigen::MatrixXd left = mode * pull.asDiagonal();
    left.diagonal().array() += weight;
    Eigen::MatrixXd next = left.partialPivLu().solve(target.scatter);
    next = (0.25 * (next + next.transpose()) + 0.5 * mode).eval();
    const double change = ((next - mode).diagonal().array() / mode.diagonal().array()).abs().maxCoeff();
    mode = next;
    if (!mode.allFinite()) return false;
    if (change < 1e-13) break;
  }
  return Eigen::LLT<Eigen::MatrixXd>(mode).info() == Eigen::Success;
}

}  // namespace hmvn
