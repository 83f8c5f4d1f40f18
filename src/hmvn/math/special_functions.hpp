// Logarithms of distribution functions that stay accurate far into both tails.
#pragma once

#include <math.h>  // lgamma_r is not in <cmath>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hmvn {

constexpr double log_2pi = 1.837877066409345483560659472811;
constexpr double sqrt_half = 0.707106781186547524400844362105;

inline double log_normal_density(double z) { return -0.5 * (z * z + log_2pi); }

inline double normal_cdf(double z) { return 0.5 * std::erfc(-z * sqrt_half); }

// log Phi(z). Below -25 by Laplace's continued fraction for Mills' ratio.
inline double log_normal_cdf(double z) {
  if (z > 5.0) return std::log1p(-0.5 * std::erfc(z * sqrt_half));
  if (z > -25.0) return std::log(0.5 * std::erfc(-z * sqrt_half));
  const double x = -z;
  double fraction = x;
  for (int k = 24; k >= 1; --k) fraction = x + k / fraction;
  return log_normal_density(z) - std::log(fraction);
}

// The z <= 0 with log Phi(z) = log_probability, for log_probability <= log(1/2), by Newton's method
// on log Phi, which is concave: from the left every step stays left.
inline double normal_quantile_from_log(double log_probability) {
  double z = log_probability > -2.0 ? -1.5 : -std::sqrt(-2.0 * log_probability);
  for (int iteration = 0; iteration < 100; ++iteration) {
    const double value = log_normal_cdf(z);
    const double step = (value - log_probability) / std::exp(log_normal_density(z) - value);
    z -= step;
    if (std::abs(step) <= 1e-15 * std::max(1.0, std::abs(z))) break;
  }
  return z;
}

// log Gamma(x) for x > 0. std::lgamma writes the sign into a variable that all threads share;
// Windows has no such variable, and no lgamma_r.
inline double log_gamma(double x) {
#ifdef _WIN32
  return std::lgamma(x);
#else
  int sign = 0;
  return ::lgamma_r(x, &sign);
#endif
}

// log of the beta function B(a, b)
inline double log_beta_function(double a, double b) {
  return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

// log I_x(a, b), the regularised incomplete beta function, for x <= (a + 1)/(a + b + 2), from log x
// and log(1 - x); Lentz's method on the continued fraction DLMF 8.17.22.
inline double log_incomplete_beta_lower(double a, double b, double log_x, double log_1mx,
                                        double log_beta) {
  const double x = std::exp(log_x);
  const double tiny = 1e-300;
  double c = 1.0;
  double d = 1.0 - (a + b) * x / (a + 1.0);
  if (std::abs(d) < tiny) d = tiny;
  d = 1.0 / d;
  double fraction = d;
  for (int m = 1; m <= 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m));
    d = 1.0 + even * d;
    if (std::abs(d) < tiny) d = tiny;
    c = 1.0 + even / c;
    if (std::abs(c) < tiny) c = tiny;
    d = 1.0 / d;
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0));
    d = 1.0 + odd * d;
    if (std::abs(d) < tiny) d = tiny;
    c = 1.0 + odd / c;
    if (std::abs(c) < tiny) c = tiny;
    d = 1.0 / d;
    const double change = d * c;
    fraction *= change;
    if (std::abs(change - 1.0) < 1e-16) break;
  }
  return a * log_x + b * log_1mx - std::log(a) - log_beta + std::log(fraction);
}

// log P(a, x) and log Q(a, x), the regularised incomplete gamma functions (DLMF 8.7.1, 8.9.2), from
// log x.
struct LogGammaTails {
  double lower, upper;
};

inline LogGammaTails log_incomplete_gamma(double a, double log_x) {
  const double x = std::exp(log_x);
  const double log_front = a * log_x - x - log_gamma(a);
  if (x < a + 1.0) {
    double term = 1.0 / a, sum = term;
    for (int n = 1; n <= 100000; ++n) {
      term *= x / (a + n);
      sum += term;
      if (term < sum * 1e-17) break;
    }
    const double lower = log_front + std::log(sum);
    return {lower,
            lower < 0.0 ? std::log(-std::expm1(lower)) : -std::numeric_limits<double>::infinity()};
  }
  const double tiny = 1e-300;
  double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, fraction = d;
  for (int n = 1; n <= 100000; ++n) {
    const double numerator = -n * (n - a);
    b += 2.0;
    d = numerator * d + b;
    if (std::abs(d) < tiny) d = tiny;
    c = b + numerator / c;
    if (std::abs(c) < tiny) c = tiny;
    d = 1.0 / d;
    fraction *= d * c;
    if (std::abs(d * c - 1.0) < 1e-16) break;
  }
  const double upper = log_front + std::log(fraction);
  return {std::log(-std::expm1(upper)), upper};
}

}  // namespace hmvn
