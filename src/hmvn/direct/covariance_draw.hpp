// One proposed covariance matrix with all that its weight and lp__ need, K known at compile time or
// Eigen::Dynamic.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/direct/direct_match.hpp"
#include "hmvn/direct/inverse_wishart.hpp"
#include "hmvn/direct/mean_factor.hpp"
#include "hmvn/math/log_product.hpp"

namespace hmvn {

template <int K>
struct CovarianceDraw {
  SquareRows<K> bartlett, factor;  // A, Cholesky factor of Sigma
  Values<K> variance, sigma;
  double log_root = 0.0,
         log_sigma_sum = 0.0;  // log|Sigma| / 2 and log(sigma_1) + ... + log(sigma_K)
  double size = 0.0;           // tr(Sigma* Sigma^-1)
  double mismatch = 0.0;       // tr((S - nu Sigma*) Sigma^-1)
  double log_scales = 0.0;     // sum_k psi_k(sigma_k)
  double log_weight = 0.0;     // of the independence chain

  void resize(int n_features) {
    for (SquareRows<K>* m : {&bartlett, &factor}) m->setZero(n_features, n_features);
    variance.setZero(n_features);
    sigma.setZero(n_features);
  }

  template <class Archive>
  void visit(Archive& archive) {
    archive(bartlett);
    archive(factor);
    archive(variance);
    archive(sigma);
    for (double* x : {&log_root, &log_sigma_sum, &size, &mismatch, &log_scales, &log_weight}) {
      archive(*x);
    }
  }
};

// sum_k log(sigma_k^-c f_k(sigma_k)) with as few logarithms as the families allow.
template <int K>
class ScaleFactors {
 public:
  explicit ScaleFactors(const DirectTarget& target) : priors_(target.model->scale_priors) {
    const int n_features = target.n_features();
    power_.setZero(n_features);
    linear_.setZero(n_features);
    quadratic_.setZero(n_features);
    for (int k = 0; k < n_features; ++k) {
      const ScalePrior::LogTerms terms = priors_[k].log_terms();
      if (!terms.exact) other_.push_back(k);
      constant_ += terms.constant;
      power_[k] = terms.power;
      linear_[k] = terms.linear;
      quadratic_[k] = terms.quadratic;
    }
    same_power_ = (power_.array() == power_[0]).all();
    sigma_power_ = target.sigma_power();
  }

  double operator()(const Values<K>& sigma, const Values<K>& variance, double log_sigma_sum) const {
    double sum =
        constant_ + (same_power_ ? power_[0] - sigma_power_ : -sigma_power_) * log_sigma_sum;
    for (int k = 0; k < linear_.size(); ++k)
      sum += linear_[k] * sigma[k] + quadratic_[k] * variance[k];
    if (!same_power_) {
      for (int k = 0; k < power_.size(); ++k) sum += power_[k] * std::log(sigma[k]);
    }
    for (const int k : other_) sum += priors_[k].log_density_of_scale(std::log(sigma[k]));
    return sum;
  }

 private:
  const std::vector<ScalePrior>& priors_;
  std::vector<int> other_;
  Values<K> power_, linear_, quadratic_;
  bool same_power_ = true;
  double constant_ = 0.0, sigma_power_ = 0.0;
};

// Fills a draw from the Bartlett factor A that it holds.
template <int K>
class DrawCompleter {
 public:
  DrawCompleter(const DirectTarget& target, const DirectMatch& match)
      : root_(match.root), mismatch_root_(match.mismatch_root), scales_(target) {
    row_.setZero(target.n_features());
    reciprocal_.setZero(target.n_features());
  }

  // Sigma^-1 = C^-T A'A C^-1, so that tr(Sigma* Sigma^-1) = |A|^2 and tr((S - nu Sigma*) Sigma^-1)
  // = |A U|^2 (squared norms).
  [[gnu::noinline]] void complete(CovarianceDraw<K>& draw) {
    const int n_features = size_of<K>(draw.sigma.size());
    factor_from_bartlett<K>(root_, draw.bartlett, reciprocal_, draw.factor);
    double all_size = 0.0, all_mismatch = 0.0;
    LogProduct<> scales, root;
#pragma GCC unroll 16
    for (int i = 0; i < n_features; ++i) {
      product_row<K>(draw.bartlett, mismatch_root_, i, row_);
      double square = 0.0;
#pragma GCC unroll 16
      for (int j = 0; j <= i; ++j) {
        square += draw.factor(i, j) * draw.factor(i, j);
        all_size += draw.bartlett(i, j) * draw.bartlett(i, j);
        all_mismatch += row_[j] * row_[j];
      }
      draw.variance[i] = square;
      draw.sigma[i] = std::sqrt(square);
      scales.multiply(draw.sigma[i]);
      root.multiply(draw.factor(i, i));
    }
    draw.size = all_size;
    draw.mismatch = all_mismatch;
    draw.log_sigma_sum = scales.value();
    draw.log_root = root.value();
    draw.log_scales = scales_(draw.sigma, draw.variance, draw.log_sigma_sum);
  }

 private:
  SquareRows<K> root_, mismatch_root_;
  ScaleFactors<K> scales_;
  Values<K> row_, reciprocal_;
};

}  // namespace hmvn
