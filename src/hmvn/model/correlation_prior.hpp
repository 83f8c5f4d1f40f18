// The prior of one canonical partial correlation under LKJ (P3), seen through w = atanh(c).
#pragma once

#include <cmath>

#include "hmvn/math/special_functions.hpp"

namespace hmvn {

// (c + 1)/2 ~ Beta(b, b); w = atanh(c) then has density sech(w)^(2 b) / (2^(2 b - 1) B(b, b)).
class PartialCorrelationPrior {
 public:
  explicit PartialCorrelationPrior(double b) : b_(b), log_beta_(log_beta_function(b, b)) {}

  double shape() const { return b_; }

  double log_density(double w) const { return log_density_at(log_cosh(w)); }
  // Where log cosh(w) is known.
  double log_density_at(double log_cosh) const {
    return -2.0 * b_ * log_cosh - (2.0 * b_ - 1.0) * std::log(2.0) - log_beta_;
  }
  double log_density_slope(double w) const { return -2.0 * b_ * std::tanh(w); }
  double log_cdf(double w) const { return log_tail(-w); }
  double log_ccdf(double w) const { return log_tail(w); }
  double start() const { return 0.0; }

  static double log_cosh(double w) {
    const double a = std::abs(w);
    return a + std::log1p(std::exp(-2.0 * a)) - std::log(2.0);
  }

 private:
  // log P(W > w): x = (1 - c)/2 = 1/(1 + exp(2 w)).
  double log_tail(double w) const {
    if (w < 0.0) return std::log1p(-std::exp(log_tail(-w)));
    const double log_x = -2.0 * w - std::log1p(std::exp(-2.0 * w));
    const double log_1mx = -std::log1p(std::exp(-2.0 * w));
    return log_incomplete_beta_lower(b_, b_, log_x, log_1mx, log_beta_);
  }

  double b_, log_beta_;
};

}  // namespace hmvn
