#include "hmvn/direct/direct_target.hpp"
#include "hmvn/math/dense.hpp"

#include <algorithm>
#include <cmath>

namespace hmvn {

namespace {

bool has_direct_target(const Model& model, const std::vector<GroupStatistics>& groups) {
  const bool one_matrix =
      groups.size() == 1
          ? !model.scale.partial() && !model.correlation.partial()
          : model.scale.complete() && (model.correlation.complete() || model.n_features() == 1);
  if (!one_matrix || model.pools_coefficients() || model.n_covariates > 0 ||
      model.known_covariances) {
    return false;
  }
  for (const GroupStatistics& group : groups) {
    if (!group.complete()) return false;
  }
  return true;
}

}  // namespace

std::optional<DirectTarget> make_direct_target(const Model& model,
                                               const std::vector<GroupStatistics>& groups) {
  if (!has_direct_target(model, groups)) return std::nullopt;
  DirectTarget target;
  target.model = &model;
  const int n_features = model.n_features();
  target.eta = n_features > 1 ? model.eta : 1.0;
  target.scatter.setZero(n_features, n_features);
  target.mean_variance = model.coefficient_scale.cwiseAbs2().asDiagonal();
  const Eigen::MatrixXd& to_frame = model.frame_inverse;
  if (model.framed()) {
    target.mean_variance = multiply(multiply(to_frame, target.mean_variance), to_frame.transpose());
  }
  for (const GroupStatistics& group : groups) {
    const PatternStatistics& rows = group.patterns[0];
    target.n_groups += 1.0;
    target.n += rows.n;
    target.group_n.push_back(rows.n);
    if (model.framed()) {
      target.group_mean.push_back(multiply(to_frame, rows.mean));
      target.scatter += multiply(group.scatter_root, group.scatter_root.transpose());
    } else {
      target.group_mean.push_back(rows.mean);
      target.scatter += rows.scatter;
    }
  }
  return target;
}

Eigen::VectorXd mean_kappa(double n, const Eigen::VectorXd& slope, const Eigen::VectorXd& scale) {
  const Eigen::VectorXd gamma = slope.cwiseAbs().cwiseProduct(scale);
  return 0.5 / n * gamma.sum() * gamma;
}

namespace {

// How the group means, integrated out, tilt the density at a covariance matrix: their determinants
// by sum_g Sigma (Sigma + n_g D)^-1 (D10), their quadratic forms by kappa (D11).
struct MeanTilt {
  Eigen::MatrixXd determinants;
  Eigen::VectorXd kappa;
};

MeanTilt mean_tilt(const DirectTarget& target, const Eigen::MatrixXd& covariance,
                   const std::atomic<bool>& stop) {
  MeanTilt tilt{Eigen::MatrixXd::Zero(covariance.rows(), covariance.cols()),
                Eigen::VectorXd::Zero(covariance.rows())};
  for (std::size_t g = 0; g < target.group_n.size(); ++g) {
    stop_if_asked(stop);
    const double n = target.group_n[g];
    Eigen::MatrixXd spread = covariance;
    spread += n * target.mean_variance;
    const CholeskyFactor root(spread);
    tilt.determinants += root.solve(covariance).transpose();
    const Eigen::VectorXd slope = n * root.solve_vector(target.group_mean[g]);
    tilt.kappa += mean_kappa(n, slope, covariance.diagonal().cwiseSqrt());
  }
  return tilt;
}

// alpha_k = -d psi_k / d log(sigma) - 2 kappa_k, but never below a tenth of c. The bound holds for
// any positive alpha; this one makes proposal and posterior agree near Sigma*, but for the floor,
// which is reached where a prior or far means push a standard deviation up hard.
Eigen::VectorXd scale_tilt(const DirectTarget& target, const Eigen::MatrixXd& covariance,
                           const Eigen::VectorXd& kappa) {
  Eigen::VectorXd alpha(target.n_features());
  for (int k = 0; k < target.n_features(); ++k) {
    const double slope =
        target.log_scale_factor_slope(k, 0.5 * std::log(covariance(k, k))) + 2.0 * kappa[k];
    alpha[k] = std::max(-slope, 0.1 * target.sigma_power());
  }
  return alpha;
}

}  // namespace

bool find_contact(const DirectTarget& target, const std::atomic<bool>& stop, Contact& contact) {
  const double df = target.degrees_of_freedom();
  Eigen::MatrixXd& point = contact.covariance;
  point = target.scatter / std::max(df, target.n_features() - 1.0);
  double change = 1.0, caution = 1.0;
  for (int iteration = 0; iteration < 300 && change > 1e-12; ++iteration) {
    if (!(point.diagonal().minCoeff() > 0.0) || !point.allFinite()) return false;
    const MeanTilt means = mean_tilt(target, point, stop);
    const Eigen::VectorXd alpha = scale_tilt(target, point, means.kappa);
    // Solved for the right factor Sigma with all that stands left of it held. The step overshoots
    // by about alpha/(nu + alpha), which the damping takes back; a narrow prior, which alpha
    // follows steeply, wants shorter steps.
    Eigen::MatrixXd left = point * alpha.cwiseQuotient(point.diagonal()).asDiagonal();
    left += means.determinants;
    left.diagonal().array() += df;
    const double damping = caution * (df + alpha.mean()) / (df + 2.0 * alpha.mean());
    const Eigen::MatrixXd solved = solve_general(left, target.scatter);
    const Eigen::MatrixXd next =
        (1.0 - damping) * point + 0.5 * damping * (solved + solved.transpose());
    const double last_change = change;
    change = ((next - point).diagonal().array() / point.diagonal().array()).abs().maxCoeff();
    if (iteration > 0 && change > 0.9 * last_change) caution *= 0.5;
    point = next;
  }
  if (!(change < 1e-9)) return false;
  const Eigen::VectorXd kappa = mean_tilt(target, point, stop).kappa;
  contact.alpha = scale_tilt(target, point, kappa);
  contact.epsilon = contact.alpha;
  for (int k = 0; k < target.n_features(); ++k) {
    // Where log f_k is not concave in log(sigma), or alpha_k is too far below its slope, (D8) must
    // hold the bound as sigma nears 0.
    const double near_zero = 0.5 * std::log(point(k, k)) - 20.0;
    if (!target.model->scale_priors[k].concave_in_log() || kappa[k] > 0.01 * contact.alpha[k] ||
        !(target.log_scale_factor_slope(k, near_zero) + contact.alpha[k] > 0.0)) {
      contact.epsilon[k] = 0.5 * std::min(contact.alpha[k], target.sigma_power());
    }
  }
  return contact.alpha.allFinite();
}

}  // namespace hmvn
