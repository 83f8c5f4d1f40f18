// What the group means add to the posterior of their covariance matrix once integrated out, and their draws given it.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/direct/covariance_target.hpp"
#include "hmvn/direct/small_triangles.hpp"
#include "hmvn/model/special_functions.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// T(Sigma) = sum_g -1/2 log|Sigma/n_g + D| - 1/2 delta_g' (Sigma/n_g + D)^-1 delta_g, delta_g = ybar_g - m (D2).
template <int K>
class MeanFactor {
 public:
  explicit MeanFactor(const CovarianceTarget& target)
      : n_features_(target.n_features()), variance_(target.model->mean_scale.array().square()), n_(target.group_n) {
    spread_.setZero(n_features_, n_features_);
    covariance_ = spread_;
    for (Values<K>* v : {&reciprocal_, &solution_, &noise_, &tilt_}) v->setZero(n_features_);
    variance_share_.setZero(n_features_);
    for (std::size_t g = 0; g < n_.size(); ++g) {
      delta_.emplace_back(target.group_mean[g]);
      pull_.emplace_back(delta_.back().cwiseQuotient(variance_));
      floor_ -= 0.5 * (variance_.array().log().sum() + delta_.back().dot(pull_.back()));
      variance_share_ += 0.5 / n_[g] * variance_.cwiseInverse();
    }
  }

  int n_groups() const { return static_cast<int>(n_.size()); }

  // T is at least this: |Sigma/n + D| is at most the product of its diagonal (Hadamard), and Sigma/n only takes from the
  // quadratic form.
  double lower_bound(const Values<K>& variance) const { return floor_ - variance_share_.dot(variance); }

  double operator()(const SquareRows<K>& factor) {
    fill_covariance(factor);
    double sum = 0.0;
    for (int g = 0; g < n_groups(); ++g) {
      factor_spread(g);
      solution_ = delta_[g];
      forward_solve();
      LogProduct root;
      for (int i = 0; i < n_features_; ++i) root.multiply(spread_(i, i));
      sum -= root.value() + 0.5 * solution_.squaredNorm();
    }
    return sum;
  }

  // Draws mu_g - ybar_g = factor * white from its law given Sigma. Since Normal(ybar; mu, Sigma/n) Normal(mu; m, D) is, in
  // e = mu - ybar, proportional to Normal(e; -Sigma D^-1 delta / n, Sigma/n) exp(-e' D^-1 e / 2), a draw from the first factor
  // may be kept with the second as its probability, which is near 1 where there are many rows. After a few refusals
  // the exact conditional is taken instead; each way has the same law, so that which is taken does not matter.
  void draw(int g, const SquareRows<K>& factor, RandomStream& random, Values<K>& white, Values<K>& deviation) {
    const double root_n = std::sqrt(n_[g]);
    for (int j = 0; j < n_features_; ++j) {
      double sum = 0.0;
      for (int i = j; i < n_features_; ++i) sum += factor(i, j) * pull_[g][i];
      tilt_[j] = sum / n_[g];
    }
    for (int attempt = 0; attempt < 4; ++attempt) {
      for (int j = 0; j < n_features_; ++j) white[j] = random.normal() / root_n - tilt_[j];
      multiply(factor, white, deviation);
      double square = 0.0;
      for (int i = 0; i < n_features_; ++i) square += deviation[i] * deviation[i] / variance_[i];
      const double u = random.uniform();
      if (u < 1.0 - 0.5 * square || std::log(u) < -0.5 * square) return;
    }
    draw_conditional(g, factor, random, white, deviation);
  }

  // log of prod_k Normal(mu_gk; m_k, s_k^2), constants aside.
  double log_prior(int g, const Values<K>& deviation) const {
    double square = 0.0;
    for (int i = 0; i < n_features_; ++i) {
      const double distance = delta_[g][i] + deviation[i];
      square += distance * distance / variance_[i];
    }
    return -0.5 * square;
  }

  double n(int g) const { return n_[g]; }
  const Values<K>& delta(int g) const { return delta_[g]; }

 private:
  // A pair (e, d) from Normal(0, Sigma/n) and Normal(0, D), moved to where d - e = delta (conditioning by kriging).
  void draw_conditional(int g, const SquareRows<K>& factor, RandomStream& random, Values<K>& white, Values<K>& deviation) {
    for (int i = 0; i < n_features_; ++i) noise_[i] = random.normal() / std::sqrt(n_[g]);
    multiply(factor, noise_, deviation);
    for (int i = 0; i < n_features_; ++i) {
      solution_[i] = delta_[g][i] + deviation[i] - std::sqrt(variance_[i]) * random.normal();
    }
    fill_covariance(factor);
    factor_spread(g);
    forward_solve();
    for (int i = n_features_ - 1; i >= 0; --i) {
      double sum = solution_[i];
      for (int m = i + 1; m < n_features_; ++m) sum -= spread_(m, i) * solution_[m];
      solution_[i] = sum * reciprocal_[i];
    }
    for (int j = 0; j < n_features_; ++j) {
      double sum = 0.0;
      for (int i = j; i < n_features_; ++i) sum += factor(i, j) * solution_[i];
      white[j] = noise_[j] - sum / n_[g];
    }
    multiply(factor, white, deviation);
  }

  void multiply(const SquareRows<K>& factor, const Values<K>& x, Values<K>& out) const {
    for (int i = 0; i < n_features_; ++i) {
      double sum = 0.0;
      for (int j = 0; j <= i; ++j) sum += factor(i, j) * x[j];
      out[i] = sum;
    }
  }

  void fill_covariance(const SquareRows<K>& factor) {
    for (int i = 0; i < n_features_; ++i) {
      for (int j = 0; j <= i; ++j) {
        double sum = 0.0;
        for (int m = 0; m <= j; ++m) sum += factor(i, m) * factor(j, m);
        covariance_(i, j) = sum;
      }
    }
  }

  // Cholesky factor of Sigma/n_g + D
  void factor_spread(int g) {
    const double share = 1.0 / n_[g];
    for (int i = 0; i < n_features_; ++i) {
      for (int j = 0; j < i; ++j) spread_(i, j) = share * covariance_(i, j);
      spread_(i, i) = share * covariance_(i, i) + variance_[i];
    }
    cholesky_in_place<K>(spread_, reciprocal_);
  }

  void forward_solve() {
    for (int i = 0; i < n_features_; ++i) {
      double sum = solution_[i];
      for (int m = 0; m < i; ++m) sum -= spread_(i, m) * solution_[m];
      solution_[i] = sum * reciprocal_[i];
    }
  }

  int n_features_;
  Values<K> variance_;  // of the prior
  std::vector<double> n_;
  std::vector<Values<K>> delta_, pull_;  // pull = D^-1 delta
  double floor_ = 0.0;
  Values<K> variance_share_;
  SquareRows<K> spread_, covariance_;
  Values<K> reciprocal_, solution_, noise_, tilt_;
};

}  // namespace hmvn
