#include "hmvn/direct/bartlett_density.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hmvn/control/run_control.hpp"
#include "hmvn/math/dense.hpp"
#include "hmvn/math/special_functions.hpp"
#include "hmvn/math/triangles.hpp"

namespace hmvn {

namespace {

// A diagonal entry as a function of its coordinate: positive, y = middle + x / sqrt(2) where that
// is large, as chi's density is near Normal(middle, 1/2), and exp(2 y) / 2 where it is far below 0.
struct Diagonal {
  double value, slope, log_slope, log_slope_gradient;  // in x

  Diagonal(double middle, double x) {
    const double y = middle + sqrt_half * x, small = std::exp(-2.0 * std::abs(y));
    const double share = (y > 0.0 ? 1.0 : small) / (1.0 + small), rest = std::log1p(small);
    value = std::max(y, 0.0) + 0.5 * rest;
    slope = sqrt_half * share;
    log_slope = std::min(2.0 * y, 0.0) - rest - 0.5 * std::log(2.0);
    log_slope_gradient = 2.0 * sqrt_half * (1.0 - share);
  }
};

// Where Sigma* is looked for first: the contact (D3) if there is one, else the scatter matrix, its
// correlations shrunk by the prior's weight. Where the scatter matrix is singular the contact would
// be, too.
Eigen::MatrixXd first_covariance(const DirectTarget& target, const std::atomic<bool>& stop) {
  const double rows = target.n - target.n_groups, weight = target.n_features() + 1.0;
  Contact contact;
  if (rows >= target.n_features() && find_contact(target, stop, contact)) return contact.covariance;
  Eigen::MatrixXd covariance = target.scatter;
  for (int k = 0; k < target.n_features(); ++k) {
    double& variance = covariance(k, k);
    if (!(variance > 0.0)) variance = rows * std::exp(2.0 * target.model->scale_priors[k].start());
    variance *= 1.0 + weight / std::max(rows, 1.0);
  }
  return covariance / (rows + weight);
}

}  // namespace

BartlettReference make_bartlett_reference(const DirectTarget& target,
                                          const std::atomic<bool>& stop) {
  const int n_features = target.n_features();
  BartlettReference reference;
  reference.root = CholeskyFactor(first_covariance(target, stop)).lower();
  reference.df =
      std::max(target.degrees_of_freedom() + 1.6 * (target.sigma_power() + 1.0), n_features + 4.0);
  BartlettDensity density(target, reference);
  Eigen::VectorXd x = Eigen::VectorXd::Zero(density.dimension()), gradient, next, next_gradient;
  double value = density(x, gradient), step = 1.0;
  for (int i = 0; i < 200 && gradient.cwiseAbs().maxCoeff() > 0.01 && step > 1e-6; ++i) {
    stop_if_asked(stop);
    next = x + step * gradient;
    const double next_value = density(next, next_gradient);
    if (next_value >= value + 0.25 * step * gradient.squaredNorm()) {
      x.swap(next);
      gradient.swap(next_gradient);
      value = next_value;
      step = std::min(1.0, 2.0 * step);
    } else {
      step *= 0.5;
    }
  }
  reference.root = density.root_of(x);
  return reference;
}

BartlettDensity::BartlettDensity(const DirectTarget& target, const BartlettReference& reference)
    : target_(target),
      n_features_(target.n_features()),
      unit_(1.0 / std::sqrt(reference.df)),
      root_(reference.root) {
  const CholeskyFactor scale(reference.root * reference.root.transpose());
  Eigen::MatrixXd whitened = scale.solve_lower(target.scatter);
  scatter_ = scale.solve_lower(whitened.transpose());
  middle_.resize(n_features_);
  for (int i = 0; i < n_features_; ++i) {
    middle_[i] = std::sqrt(std::max(reference.df - (n_features_ - 1 - i) - 0.5, 0.5));
  }
  for (Square* m :
       {&bartlett_, &factor_, &of_bartlett_, &of_factor_, &covariance_, &spread_, &work_}) {
    m->setZero(n_features_, n_features_);
  }
  for (Eigen::VectorXd* v :
       {&reciprocal_, &log_slope_, &of_log_slope_, &slope_, &solution_, &projection_}) {
    v->setZero(n_features_);
  }
}

void BartlettDensity::fill(const Eigen::VectorXd& x) {
  for (int i = 0, at = 0; i < n_features_; ++i) {
    for (int j = 0; j < i; ++j) bartlett_(i, j) = unit_ * x[at++];
    const Diagonal diagonal(middle_[i], x[at++]);
    bartlett_(i, i) = unit_ * diagonal.value;
    slope_[i] = unit_ * diagonal.slope;
    log_slope_[i] = diagonal.log_slope;
    of_log_slope_[i] = diagonal.log_slope_gradient;
  }
}

double BartlettDensity::operator()(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
  gradient.resize(x.size());
  fill(x);
  factor_from_bartlett<Eigen::Dynamic>(root_, bartlett_, reciprocal_, factor_);
  double sum = add_scatter();
  of_factor_.setZero();
  sum += add_scales() + add_means();
  differentiate_bartlett();
  const double power = target_.degrees_of_freedom() - n_features_;
  for (int i = 0, at = 0; i < n_features_; ++i) {
    for (int j = 0; j < i; ++j) gradient[at++] = unit_ * of_bartlett_(i, j);
    sum += (power + i) * std::log(bartlett_(i, i)) + log_slope_[i];
    gradient[at++] =
        slope_[i] * (of_bartlett_(i, i) + (power + i) / bartlett_(i, i)) + of_log_slope_[i];
  }
  return sum;
}

// -tr(S Sigma^-1) / 2 = -tr(A (C^-1 S C^-T) A') / 2.
double BartlettDensity::add_scatter() {
  double sum = 0.0;
  for (int i = 0; i < n_features_; ++i) {
    const auto row = bartlett_.row(i).head(i + 1);
    auto of_row = of_bartlett_.row(i).head(i + 1);
    of_row.noalias() = -row * scatter_.topLeftCorner(i + 1, i + 1);
    sum += 0.5 * of_row.dot(row);
  }
  return sum;
}

double BartlettDensity::add_scales() {
  double sum = 0.0;
  for (int k = 0; k < n_features_; ++k) {
    double square = 0.0;
    for (int j = 0; j <= k; ++j) square += factor_(k, j) * factor_(k, j);
    const double log_sigma = 0.5 * std::log(square);
    sum += target_.log_scale_factor(k, log_sigma);
    const double slope = target_.log_scale_factor_slope(k, log_sigma) / square;
    for (int j = 0; j <= k; ++j) of_factor_(k, j) += slope * factor_(k, j);
  }
  return sum;
}

// sum_g -log|W_g| / 2 - delta' W_g^-1 delta / 2, W_g = Sigma / n_g + D: with alpha = W^-1 delta its
// gradient in Sigma = F F' is (alpha alpha' - W^-1) / 2n, and that in F twice this times F.
double BartlettDensity::add_means() {
  double sum = 0.0;
  outer_square(factor_, covariance_);
  for (std::size_t g = 0; g < target_.group_n.size(); ++g) {
    const double share = 1.0 / target_.group_n[g];
    spread_ = share * covariance_ + target_.mean_variance;
    if (!cholesky_in_place(spread_)) return -std::numeric_limits<double>::infinity();
    solution_ = target_.group_mean[g];
    solve_lower(spread_, solution_);
    sum -= log_diagonal_sum<double>(spread_) + 0.5 * solution_.squaredNorm();
    solve_lower_transposed(spread_, solution_);
    differentiate_means(share);
  }
  return sum;
}

// Of one group, from the Cholesky factor L of its W and alpha: adds the lower triangle of (alpha
// alpha' - L^-T L^-1) F / n to the gradient in F. `work_` stays lower triangular.
void BartlettDensity::differentiate_means(double share) {
  projection_.noalias() = factor_.transpose() * solution_;
  for (int i = 0; i < n_features_; ++i) {
    auto row = work_.row(i).head(i + 1);
    row = factor_.row(i).head(i + 1);
    row.head(i).noalias() -= spread_.row(i).head(i) * work_.topLeftCorner(i, i);
    row *= 1.0 / spread_(i, i);
  }
  for (int i = n_features_ - 1, below = 0; i >= 0; --i, ++below) {
    auto row = work_.row(i).head(i + 1);
    row.noalias() -= spread_.col(i).tail(below).transpose() * work_.block(i + 1, 0, below, i + 1);
    row *= 1.0 / spread_(i, i);
    of_factor_.row(i).head(i + 1) +=
        share * (solution_[i] * projection_.head(i + 1).transpose() - row);
  }
}

// Through F = C A^-1, dF = -F dA A^-1: adds the lower triangle of -F' G A^-T to the gradient in A.
// Column by column, as its entries do not wait for each other.
void BartlettDensity::differentiate_bartlett() {
  for (int i = 0; i < n_features_; ++i) {
    const int left = n_features_ - i;
    work_.row(i).head(i + 1).noalias() =
        factor_.col(i).tail(left).transpose() * of_factor_.block(i, 0, left, i + 1);
  }
  for (int j = 0; j < n_features_; ++j) {
    for (int i = j; i < n_features_; ++i) {
      double sum = work_(i, j);
      for (int m = 0; m < j; ++m) sum -= work_(i, m) * bartlett_(j, m);
      work_(i, j) = sum * reciprocal_[j];
      of_bartlett_(i, j) -= work_(i, j);
    }
  }
}

// C such that the covariance matrix at x is at 0.
Eigen::MatrixXd BartlettDensity::root_of(const Eigen::VectorXd& x) {
  fill(x);
  factor_from_bartlett<Eigen::Dynamic>(root_, bartlett_, reciprocal_, factor_);
  Eigen::MatrixXd root = factor_;
  for (int i = 0; i < n_features_; ++i) root.col(i) *= unit_ * Diagonal(middle_[i], 0.0).value;
  return root;
}

void BartlettDensity::read(const Eigen::VectorXd& x, CovarianceDraw<Eigen::Dynamic>& draw) {
  fill(x);
  factor_from_bartlett<Eigen::Dynamic>(root_, bartlett_, reciprocal_, draw.factor);
  // nu size + mismatch is to be tr(S Sigma^-1)
  draw.size = 0.0;
  draw.mismatch = -2.0 * add_scatter();
  draw.log_root = draw.log_sigma_sum = draw.log_scales = 0.0;
  for (int k = 0; k < n_features_; ++k) {
    draw.variance[k] = draw.factor.row(k).head(k + 1).squaredNorm();
    draw.sigma[k] = std::sqrt(draw.variance[k]);
    const double log_sigma = std::log(draw.sigma[k]);
    draw.log_sigma_sum += log_sigma;
    draw.log_root += std::log(draw.factor(k, k));
    draw.log_scales += target_.log_scale_factor(k, log_sigma);
  }
}

}  // namespace hmvn
