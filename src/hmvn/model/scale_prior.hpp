// The priors a standard deviation can have (P2), seen through x = log(sigma).
#pragma once

#include <cmath>
#include <limits>
#include <stdexcept>

#include "hmvn/math/special_functions.hpp"

namespace hmvn {

enum class ScaleFamily { exponential, normal, student_t, gamma, lognormal };

// Normal and Student t are truncated to (0, infinity); with location 0 they are the half-normal and
// the half-t. Parameters: exponential (rate), normal (mu, sigma), student_t (df, mu, sigma), gamma
// (shape, rate), lognormal (meanlog, sdlog).
class ScalePrior {
 public:
  ScalePrior(ScaleFamily family, double p1, double p2, double p3)
      : family_(family), p1_(p1), p2_(p2), p3_(p3) {
    if (family_ == ScaleFamily::normal) {
      log_mass_ = log_normal_cdf(p1_ / p2_);
    } else if (family_ == ScaleFamily::student_t) {
      log_beta_ = log_beta_function(0.5 * p1_, 0.5);
      log_mass_ = log_t_tail(-p2_ / p3_);
    }
    log_constant_ = log_constant();
  }

  // log of the density of x = log(sigma), that is log f(sigma) + x, and its derivative in x.
  double log_density(double x) const { return log_density_of_scale(x) + x; }

  double log_density_of_scale(double x) const {
    const double sigma = std::exp(x);
    switch (family_) {
      case ScaleFamily::exponential:
        return log_constant_ - p1_ * sigma;
      case ScaleFamily::normal:
        return log_normal_density((sigma - p1_) / p2_) + log_constant_;
      case ScaleFamily::student_t: {
        const double z = (sigma - p2_) / p3_;
        return -0.5 * (p1_ + 1.0) * std::log1p(z * z / p1_) + log_constant_;
      }
      case ScaleFamily::gamma:
        return log_constant_ + (p1_ - 1.0) * x - p2_ * sigma;
      case ScaleFamily::lognormal:
        return log_normal_density((x - p1_) / p2_) + log_constant_ - x;
    }
    throw std::logic_error("unknown scale family");
  }

  double log_density_slope(double x) const {
    const double sigma = std::exp(x);
    switch (family_) {
      case ScaleFamily::exponential:
        return 1.0 - p1_ * sigma;
      case ScaleFamily::normal:
        return 1.0 - sigma * (sigma - p1_) / (p2_ * p2_);
      case ScaleFamily::student_t: {
        const double z = (sigma - p2_) / p3_;
        return 1.0 - sigma * (p1_ + 1.0) * z / (p3_ * (p1_ + z * z));
      }
      case ScaleFamily::gamma:
        return p1_ - p2_ * sigma;
      case ScaleFamily::lognormal:
        return -(x - p1_) / (p2_ * p2_);
    }
    throw std::logic_error("unknown scale family");
  }

  // log F(sigma) and log(1 - F(sigma)).
  double log_cdf(double x) const {
    const double sigma = std::exp(x);
    switch (family_) {
      case ScaleFamily::exponential:
        return std::log(-std::expm1(-p1_ * sigma));
      case ScaleFamily::normal:
        if (sigma < 0.5 * p2_) return log_mass_near_zero(x);
        return log_complement(log_ccdf(x));
      case ScaleFamily::student_t:
        if (sigma < 0.5 * p3_) return log_mass_near_zero(x);
        return log_complement(log_ccdf(x));
      case ScaleFamily::gamma:
        return log_incomplete_gamma(p1_, std::log(p2_) + x).lower;
      case ScaleFamily::lognormal:
        return log_normal_cdf((x - p1_) / p2_);
    }
    throw std::logic_error("unknown scale family");
  }

  double log_ccdf(double x) const {
    const double sigma = std::exp(x);
    switch (family_) {
      case ScaleFamily::exponential:
        return -p1_ * sigma;
      case ScaleFamily::normal:
        return log_normal_cdf((p1_ - sigma) / p2_) - log_mass_;
      case ScaleFamily::student_t:
        return log_t_tail((sigma - p2_) / p3_) - log_mass_;
      case ScaleFamily::gamma:
        return log_incomplete_gamma(p1_, std::log(p2_) + x).upper;
      case ScaleFamily::lognormal:
        return log_normal_cdf((p1_ - x) / p2_);
    }
    throw std::logic_error("unknown scale family");
  }

  // Whether log f is concave in x = log(sigma): all are, but for a normal or Student t truncated on
  // the left of its peak.
  bool concave_in_log() const {
    switch (family_) {
      case ScaleFamily::normal:
        return p1_ <= 0.0;
      case ScaleFamily::student_t:
        return p2_ <= 0.0;
      default:
        return true;
    }
  }

  // Where log f peaks, in log(sigma), if it is not concave there: it rises up to this point and
  // falls beyond.
  double log_peak() const { return std::log(family_ == ScaleFamily::normal ? p1_ : p2_); }

  // log f = constant + power log(sigma) + linear sigma + quadratic sigma^2, where it has this form.
  struct LogTerms {
    bool exact = false;
    double constant = 0.0, power = 0.0, linear = 0.0, quadratic = 0.0;
  };
  LogTerms log_terms() const {
    switch (family_) {
      case ScaleFamily::exponential:
        return {true, log_constant_, 0.0, -p1_, 0.0};
      case ScaleFamily::normal:
        return {true, log_normal_density(p1_ / p2_) + log_constant_, 0.0, p1_ / (p2_ * p2_),
                -0.5 / (p2_ * p2_)};
      case ScaleFamily::gamma:
        return {true, log_constant_, p1_ - 1.0, -p2_, 0.0};
      default:
        return {};
    }
  }

  // A rough centre of log(sigma), from which the median is sought.
  double start() const {
    switch (family_) {
      case ScaleFamily::exponential:
        return -std::log(p1_);
      case ScaleFamily::normal:
        return std::log(p1_ > p2_ ? p1_ : p2_);
      case ScaleFamily::student_t:
        return std::log(p2_ > p3_ ? p2_ : p3_);
      case ScaleFamily::gamma:
        return p1_ >= 1.0 ? std::log(p1_ / p2_) : std::log(1.0 / p2_) - 1.0 / p1_;
      case ScaleFamily::lognormal:
        return p1_;
    }
    throw std::logic_error("unknown scale family");
  }

 private:
  // What of log f does not depend on sigma.
  double log_constant() const {
    switch (family_) {
      case ScaleFamily::exponential:
        return std::log(p1_);
      case ScaleFamily::normal:
        return -std::log(p2_) - log_mass_;
      case ScaleFamily::student_t:
        return -0.5 * std::log(p1_) - log_beta_ - std::log(p3_) - log_mass_;
      case ScaleFamily::gamma:
        return p1_ * std::log(p2_) - log_gamma(p1_);
      case ScaleFamily::lognormal:
        return -std::log(p2_);
    }
    throw std::logic_error("unknown scale family");
  }

  static double log_complement(double log_p) { return std::log(-std::expm1(log_p)); }

  // log P(T > z) for Student's t with p1_ degrees of freedom.
  double log_t_tail(double z) const {
    const double square = z * z;
    const double log_x = -std::log1p(square / p1_);  // df / (df + z^2)
    const double log_1mx =
        square > 0.0 ? -std::log1p(p1_ / square) : -std::numeric_limits<double>::infinity();
    double log_two_sided;  // P(|T| > |z|)
    if (std::exp(log_x) <= (0.5 * p1_ + 1.0) / (0.5 * p1_ + 2.5)) {
      log_two_sided = log_incomplete_beta_lower(0.5 * p1_, 0.5, log_x, log_1mx, log_beta_);
    } else if (square == 0.0) {
      log_two_sided = 0.0;
    } else {
      log_two_sided =
          log_complement(log_incomplete_beta_lower(0.5, 0.5 * p1_, log_1mx, log_x, log_beta_));
    }
    const double log_half_tail = log_two_sided - std::log(2.0);
    return z >= 0.0 ? log_half_tail : log_complement(log_half_tail);
  }

  // log F(sigma) for small sigma by Gauss-Legendre quadrature of the density over (0, sigma): the
  // difference of two nearly equal distribution functions would cancel.
  double log_mass_near_zero(double x) const {
    static constexpr double nodes[5] = {0.1488743389816312, 0.4333953941292472, 0.6794095682990244,
                                        0.8650633666889845, 0.9739065285171717};
    static constexpr double weights[5] = {0.2955242247147529, 0.2692667193099963,
                                          0.2190863625159820, 0.1494513491505806,
                                          0.0666713443086881};
    double mean_density = 0.0;
    for (int i = 0; i < 5; ++i) {
      for (double sign : {-1.0, 1.0}) {
        const double at = x + std::log(0.5 * (1.0 + sign * nodes[i]));
        mean_density += 0.5 * weights[i] * std::exp(log_density_of_scale(at));
      }
    }
    return std::log(mean_density) + x;
  }

  ScaleFamily family_;
  double p1_, p2_, p3_;
  double log_mass_ = 0.0;  // log of the mass that truncation to (0, infinity) leaves
  double log_beta_ = 0.0, log_constant_ = 0.0;
};

}  // namespace hmvn
