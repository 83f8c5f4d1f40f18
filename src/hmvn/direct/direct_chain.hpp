// Draws one covariance matrix, and the means that go with it, by independence Metropolis-Hastings steps with an
// inverse-Wishart proposal.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "hmvn/direct/covariance_target.hpp"
#include "hmvn/model/special_functions.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// The proposal has df nu = n - G + 1 - 2 eta - K + a and scale Psi = (n - G + 2 - 2 eta + a) Sigma*, Sigma* the mode in
// Sigma^-1; target over proposal is |Sigma|^(a/2) exp(-tr((S - Psi) Sigma^-1)/2) prod_k sigma_k^-c f_k(sigma_k), times the
// prior of the means, which are proposed from Normal(ybar, Sigma/n). S - Psi = Sigma* diag(a_k) Sigma* - a Sigma*. With
// a = 0 the weight's covariance part is largest at Sigma*; a share a > 0 of the degrees of freedom matches better where
// data are few. It is taken as large as keeps S - Psi positive definite, so that the weight stays bounded and the chain
// converges uniformly fast.
class DirectChain {
 public:
  // True where the weight is known to be bounded: log f_k is concave in Sigma^-1 (exponential, half-normal, half-t,
  // gamma of shape at most c + 1).
  static bool bounded(const CovarianceTarget& target) {
    for (const ScalePrior& prior : target.model->scale_priors) {
      if (!prior.concave_in_precision(target.sigma_power() + 1.0)) return false;
    }
    return true;
  }

  // The extra degrees of freedom a.
  static double choose_extra_df(const CovarianceTarget& target, const Eigen::MatrixXd& mode) {
    const Eigen::VectorXd root = target.scale_pull(mode).cwiseMax(0.0).cwiseSqrt();
    const Eigen::MatrixXd scaled = root.asDiagonal() * mode * root.asDiagonal();
    const double smallest = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(scaled).eigenvalues()[0];
    return std::max(0.0, std::min(0.9 * smallest, 1.6 * (target.sigma_power() + 1.0)));
  }

  // False if the inverse-Wishart that matches the target does not exist.
  static bool exists(const CovarianceTarget& target, double extra_df) {
    return target.degrees_of_freedom() + extra_df > static_cast<double>(target.scatter.rows()) - 1.0;
  }

  DirectChain(const CovarianceTarget& target, const Eigen::MatrixXd& mode, double extra_df, const RandomStream& random)
      : target_(target), random_(random), extra_df_(extra_df), df_(target.degrees_of_freedom() + extra_df),
        n_features_(mode.rows()) {
    const Eigen::MatrixXd scale = (target.n - target.n_groups + 2.0 - 2.0 * target.eta + extra_df) * mode;
    const Eigen::LLT<Eigen::MatrixXd> root(scale);
    scale_root_ = root.matrixL();
    log_scale_root_ = scale_root_.diagonal().array().log().sum();
    // root^-1 (S - Psi) root^-T
    mismatch_ = target.scatter - scale;
    root.matrixL().solveInPlace(mismatch_);
    mismatch_.transposeInPlace();
    root.matrixL().solveInPlace(mismatch_);
    current_.resize(n_features_, target.group_n.size());
    candidate_ = current_;
    noise_.setZero(n_features_);
    wishart_root_.setZero(n_features_, n_features_);
    propose(current_);
  }

  // One step; true if the proposal was accepted.
  bool advance() {
    propose(candidate_);
    const bool accepted = std::log(random_.uniform()) < candidate_.log_weight - current_.log_weight;
    if (accepted) std::swap(current_, candidate_);
    return accepted;
  }

  const Eigen::MatrixXd& factor() const { return current_.factor; }  // Cholesky factor of Sigma
  const Eigen::MatrixXd& means() const { return current_.means; }    // K x G, less m
  const Eigen::VectorXd& log_sigma() const { return current_.log_sigma; }
  RandomStream& random() { return random_; }

 private:
  struct State {
    Eigen::MatrixXd factor, means;
    Eigen::VectorXd log_sigma;
    double log_weight = 0.0;

    void resize(Eigen::Index n_features, std::size_t n_groups) {
      factor.setZero(n_features, n_features);
      means.setZero(n_features, static_cast<Eigen::Index>(n_groups));
      log_sigma.setZero(n_features);
    }
  };

  void propose(State& state) {
    // Sigma^-1 = root^-T A' A root^-1 with A'A a standard Wishart matrix: A lower triangular, below the diagonal standard
    // normal, squares on the diagonal chi-square with df - K + k degrees (Bartlett, taken from the last row up).
    double log_a = 0.0;
    for (Eigen::Index i = 0; i < n_features_; ++i) {
      for (Eigen::Index j = 0; j < i; ++j) wishart_root_(i, j) = random_.normal();
      wishart_root_(i, i) = std::sqrt(random_.chi_square(df_ - static_cast<double>(n_features_ - 1 - i)));
      log_a += std::log(wishart_root_(i, i));
    }
    double trace = 0.0;  // tr((S - Psi) Sigma^-1)
    for (Eigen::Index i = 0; i < n_features_; ++i) {
      const auto row = wishart_root_.row(i).head(i + 1);
      for (Eigen::Index j = 0; j <= i; ++j) trace += row[j] * mismatch_.row(j).head(i + 1).dot(row);
    }
    // factor = root A^-1
    state.factor = scale_root_;
    wishart_root_.triangularView<Eigen::Lower>().solveInPlace<Eigen::OnTheRight>(state.factor);
    for (Eigen::Index k = 0; k < n_features_; ++k) {
      state.log_sigma[k] = 0.5 * std::log(state.factor.row(k).head(k + 1).squaredNorm());
    }
    state.log_weight = extra_df_ * (log_scale_root_ - log_a) - 0.5 * trace + target_.log_scale_factor(state.log_sigma);
    for (Eigen::Index g = 0; g < state.means.cols(); ++g) {
      for (Eigen::Index k = 0; k < n_features_; ++k) noise_[k] = random_.normal();
      state.means.col(g) = target_.group_mean[g];
      state.means.col(g).noalias() +=
          state.factor.triangularView<Eigen::Lower>() * noise_ / std::sqrt(target_.group_n[g]);
      state.log_weight -= 0.5 * state.means.col(g).cwiseQuotient(target_.model->mean_scale).squaredNorm();
    }
    if (std::isnan(state.log_weight)) state.log_weight = -std::numeric_limits<double>::infinity();
  }

  const CovarianceTarget& target_;
  RandomStream random_;
  double extra_df_, df_;
  Eigen::Index n_features_;
  Eigen::MatrixXd scale_root_, mismatch_, wishart_root_;
  double log_scale_root_ = 0.0;
  Eigen::VectorXd noise_;
  State current_, candidate_;
};

}  // namespace hmvn
