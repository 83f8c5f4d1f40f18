// What the group means add to the posterior of their covariance matrix once integrated out, and
// their draws given it.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "hmvn/direct/direct_target.hpp"
#include "hmvn/math/unrolled.hpp"
#include "hmvn/math/log_product.hpp"
#include "hmvn/random/random_stream.hpp"
#include "hmvn/math/dense.hpp"

namespace hmvn {

// T(Sigma) = sum_g -1/2 log|Sigma/n_g + D| - 1/2 delta_g' (Sigma/n_g + D)^-1 delta_g, delta_g =
// ybar_g - m (D2).
template <int K>
class MeanFactor {
 public:
  // `contact`: Sigma*
  MeanFactor(const DirectTarget& target, const Eigen::MatrixXd& contact,
             const std::atomic<bool>& stop)
      : n_features_(target.n_features()),
        framed_(target.model->framed()),
        variance_(target.model->coefficient_scale.array().square()),
        precision_(variance_.cwiseInverse()) {
    fill_frame(target);
    spread_.setZero(n_features_, n_features_);
    covariance_ = spread_;
    for (Values<K>* v : {&reciprocal_, &solution_, &noise_, &tilt_, &variance_share_})
      v->setZero(n_features_);
    const double log_variance =
        variance_.array().log().sum() - 2.0 * target.model->log_frame;  // log |D|
    for (std::size_t g = 0; g < target.group_n.size(); ++g) {
      stop_if_asked(stop);
      Group group{target.group_n[g],
                  std::sqrt(target.group_n[g]),
                  target.group_mean[g],
                  precision_times(target.group_mean[g]),
                  {},
                  0.0};
      floor_ -= 0.5 * (log_variance + group.delta.dot(group.tilt));
      variance_share_ += 0.5 / group.n * precision_;
      Eigen::MatrixXd spread = contact / group.n;
      spread += target.mean_variance;
      group.slope = CholeskyFactor(spread).solve_vector(target.group_mean[g]);
      group.tangent = -0.5 * group.delta.dot(group.slope) -
                      0.5 / group.n * group.slope.dot(contact * group.slope);
      ceiling_ -= 0.5 * log_variance;
      groups_.push_back(group);
    }
  }

  int n_groups() const { return static_cast<int>(groups_.size()); }

  // T is at least this: |Sigma/n + D| is at most the product of its diagonal (Hadamard), and
  // Sigma/n only takes from the quadratic form.
  double lower_bound(const Values<K>& variance) const {
    // in a frame it would take a factor as the whole does
    if (framed_) return -std::numeric_limits<double>::infinity();
    return floor_ - variance_share_.dot(variance);
  }

  // T is at most this: |Sigma/n + D| is at least |D|, and the quadratic form's tangent at Sigma* is
  // above it (D11).
  double upper_bound(const SquareRows<K>& factor) const {
    double sum = ceiling_;
    for (const Group& group : groups_) {
      double square = 0.0;
      for (int j = 0; j < n_features_; ++j) {
        double product = 0.0;
        for (int i = j; i < n_features_; ++i) product += factor(i, j) * group.slope[i];
        square += product * product;
      }
      sum += std::min(0.0, group.tangent + 0.5 / group.n * square);
    }
    return sum;
  }

  double operator()(const SquareRows<K>& factor) {
    fill_covariance(factor);
    double sum = 0.0;
    for (int g = 0; g < n_groups(); ++g) {
      factor_spread(g);
      solution_ = groups_[g].delta;
      forward_solve();
      LogProduct<> root;
      for (int i = 0; i < n_features_; ++i) root.multiply(spread_(i, i));
      sum -= root.value() + 0.5 * solution_.squaredNorm();
    }
    return sum;
  }

  // Draws mu_g - ybar_g = factor * white from its law given Sigma. Since Normal(ybar; mu, Sigma/n)
  // Normal(mu; m, D) is, in e = mu - ybar, proportional to Normal(e; -Sigma D^-1 delta / n,
  // Sigma/n) exp(-e' D^-1 e / 2), a draw from the first factor may be kept with the second as its
  // probability, which is near 1 where there are many rows. After a few refusals the exact
  // conditional is taken instead; each way has the same law, so that which is taken does not
  // matter.
  [[gnu::noinline]] void draw(int g, const SquareRows<K>& factor, RandomStream& random,
                              Values<K>& white, Values<K>& deviation) {
    const int n_features = size_of<K>(n_features_);
    const Group& group = groups_[g];
    const double spread = 1.0 / group.root_n, share = spread * spread;
    multiply_columns<K>(factor, group.tilt, tilt_);
    for (int attempt = 0; attempt < 4; ++attempt) {
      for (int j = 0; j < n_features; ++j) white[j] = random.normal() * spread - tilt_[j] * share;
      multiply_rows<K>(factor, white, deviation);
      double square = 0.0;
      if (framed_) {
        square = prior_square(deviation);
      } else {
        for (int i = 0; i < n_features; ++i) square += deviation[i] * deviation[i] * precision_[i];
      }
      const double u = random.uniform();
      if (u < 1.0 - 0.5 * square || std::log(u) < -0.5 * square) return;
    }
    draw_conditional(g, factor, random, white, deviation);
  }

  // log of prod_k Normal(mu_gk; m_k, s_k^2), constants aside.
  double log_prior(int g, const Values<K>& deviation) const {
    if (framed_) return -0.5 * prior_square(groups_[g].delta + deviation);
    double square = 0.0;
    for (int i = 0; i < n_features_; ++i) {
      const double distance = groups_[g].delta[i] + deviation[i];
      square += distance * distance * precision_[i];
    }
    return -0.5 * square;
  }

  double n(int g) const { return groups_[g].n; }
  const Values<K>& delta(int g) const { return groups_[g].delta; }

 private:
  struct Group {
    double n, root_n;
    Values<K> delta, tilt, slope;  // tilt = D^-1 delta; slope = (Sigma*/n + D)^-1 delta
    double tangent;                // -delta' slope / 2 - slope' Sigma* slope / 2n
  };

  void fill_frame(const DirectTarget& target) {
    if (!framed_) return;
    const Eigen::MatrixXd& C = target.model->frame;
    mean_variance_ = target.mean_variance;
    mean_precision_ = multiply(C.transpose() * Eigen::VectorXd(precision_).asDiagonal(), C);
    mean_root_ = target.model->frame_inverse;
  }

  // D^-1 x and x' D^-1 x.
  Values<K> precision_times(const Values<K>& x) const {
    if (framed_) return mean_precision_ * x;
    return precision_.cwiseProduct(x);
  }
  double prior_square(const Values<K>& x) const { return x.dot(mean_precision_ * x); }

  // A pair (e, d) from Normal(0, Sigma/n) and Normal(0, D), moved to where d - e = delta
  // (conditioning by kriging).
  void draw_conditional(int g, const SquareRows<K>& factor, RandomStream& random, Values<K>& white,
                        Values<K>& deviation) {
    for (int i = 0; i < n_features_; ++i) noise_[i] = random.normal() / groups_[g].root_n;
    multiply_rows<K>(factor, noise_, deviation);
    for (int i = 0; i < n_features_; ++i) white[i] = std::sqrt(variance_[i]) * random.normal();
    if (framed_) white = (mean_root_ * white).eval();
    for (int i = 0; i < n_features_; ++i) {
      solution_[i] = groups_[g].delta[i] + deviation[i] - white[i];
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
      white[j] = noise_[j] - sum / groups_[g].n;
    }
    multiply_rows<K>(factor, white, deviation);
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
    const double share = 1.0 / groups_[g].n;
    for (int i = 0; i < n_features_; ++i) {
      for (int j = 0; j < i; ++j) spread_(i, j) = share * covariance_(i, j);
      spread_(i, i) = share * covariance_(i, i) + variance_[i];
    }
    if (framed_) spread_ = share * covariance_ + mean_variance_;
    factor_rows<K>(spread_, reciprocal_);
  }

  void forward_solve() {
    for (int i = 0; i < n_features_; ++i) {
      double sum = solution_[i];
      for (int m = 0; m < i; ++m) sum -= spread_(i, m) * solution_[m];
      solution_[i] = sum * reciprocal_[i];
    }
  }

  int n_features_;
  bool framed_;
  Values<K> variance_, precision_;  // s^2 of (P1) and its inverse: D, where the frame is raw
  // In a frame (F1): D = C^-1 diag(s^2) C^-T, its inverse, and C^-1.
  SquareRows<K> mean_variance_, mean_precision_, mean_root_;
  std::vector<Group> groups_;
  double floor_ = 0.0, ceiling_ = 0.0;
  Values<K> variance_share_;
  SquareRows<K> spread_, covariance_;
  Values<K> reciprocal_, solution_, noise_, tilt_;
};

}  // namespace hmvn
