// The one-dimensional maps between a standard normal score u and a quantity x with a given prior:
// (S2), (S3).
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "hmvn/math/special_functions.hpp"
#include "hmvn/math/spline.hpp"

namespace hmvn {

// F(x) = Phi(u) solved for x, where F is the prior's distribution function. x is log(sigma) or
// atanh(c), so that x runs over the whole line. `Prior` offers log_density, log_density_slope,
// log_cdf, log_ccdf (all in x) and start.
//
// Between -table_end and table_end the map is a quintic spline that takes value, slope and
// curvature from the exact map at every node (error about 1e-14); beyond, the equation is solved
// each time.
class ScoreMap {
 public:
  template <class T>
  struct Value {
    T x, slope;
  };

  template <class Prior>
  explicit ScoreMap(const Prior& prior)
      : solve_([prior](double u, double start) { return solve(prior, u, start); }),
        slope_([prior](double u, double x) { return exact_slope(prior, u, x); }),
        score_([prior](double x) { return score(prior, x); }) {
    const Node median = node(prior, 0.0, solve_median(prior));
    std::vector<Node> nodes(2 * std::size_t{half_count} + 1);
    nodes[half_count] = median;
    for (int direction : {-1, 1}) {
      Node last = median;
      for (int i = 1; i <= half_count; ++i) {
        const double step = direction * spacing;
        const double guess = last.x + step * (last.slope + 0.5 * step * last.curvature);
        last = node(prior, direction * i * spacing, guess);
        nodes[half_count + direction * i] = last;
      }
    }
    pieces_.reserve(2 * std::size_t{half_count});
    for (int i = 0; i < 2 * half_count; ++i)
      pieces_.push_back(quintic_between(nodes[i], nodes[i + 1], spacing));
    low_end_ = nodes.front().x;
    high_end_ = nodes.back().x;
  }

  // x and dx/du at the score u.
  template <class T>
  Value<T> operator()(const T& u) const {
    const double position = (static_cast<double>(u) + table_end) / spacing;
    if (!(position >= 0.0 && position < 2 * half_count)) return beyond(u);
    const int i = static_cast<int>(position);
    const T t = (u + T(table_end)) / T(spacing) - T(i);
    const Piece& p = pieces_[i];
    return {value_of(p, t), slope_of(p, t) / T(spacing)};
  }

  // The score u of a quantity x: (S2), (S3) read forwards.
  double inverse(double x) const { return score_(x); }

 private:
  using Node = SplineNode;
  using Piece = Quintic;

  static constexpr double spacing = 1.0 / 32.0;
  static constexpr int half_count = 320;
  static constexpr double table_end = half_count * spacing;

  template <class T>
  Value<T> beyond(const T& u) const {
    const double v = static_cast<double>(u);
    if (!std::isfinite(v)) return {T(v), T(v)};
    const double x = solve_(v, v < 0.0 ? low_end_ : high_end_);
    const double slope = slope_(v, x);
    return {T(x) + (u - T(v)) * T(slope), T(slope)};
  }

  template <class Prior>
  static double exact_slope(const Prior& prior, double u, double x) {
    return std::exp(log_normal_density(u) - prior.log_density(x));
  }

  template <class Prior>
  static Node node(const Prior& prior, double u, double guess) {
    const double x = u == 0.0 ? guess : solve(prior, u, guess);
    const double slope = exact_slope(prior, u, x);
    return {x, slope, slope * (-u - slope * prior.log_density_slope(x))};
  }

  // Newton on the log of the tail that u lies in; the log tails of all priors here are concave in
  // x, so that the iteration converges from anywhere. A step is kept below 2 + |x|/2 for the first,
  // far ones.
  template <class Prior>
  static double solve(const Prior& prior, double u, double start) {
    const bool upper = u > 0.0;
    const double wanted = log_normal_cdf(upper ? -u : u);
    double x = start;
    for (int iteration = 0; iteration < 200; ++iteration) {
      const double value = upper ? prior.log_ccdf(x) : prior.log_cdf(x);
      const double slope = std::exp(prior.log_density(x) - value);
      double step = (upper ? value - wanted : wanted - value) / slope;
      const double longest = 2.0 + 0.5 * std::abs(x);
      if (!(std::abs(step) <= longest))
        step = std::copysign(longest, upper ? value - wanted : wanted - value);
      x += step;
      if (std::abs(step) <= 2e-15 * (1.0 + std::abs(x))) break;
    }
    return x;
  }

  template <class Prior>
  static double solve_median(const Prior& prior) {
    return solve(prior, 0.0, prior.start());
  }

  template <class Prior>
  static double score(const Prior& prior, double x) {
    const double lower = prior.log_cdf(x);
    if (lower <= -0.69314718055994531) return normal_quantile_from_log(lower);
    return -normal_quantile_from_log(prior.log_ccdf(x));
  }

  std::function<double(double, double)> solve_, slope_;
  std::function<double(double)> score_;
  std::vector<Piece> pieces_;
  double low_end_ = 0.0, high_end_ = 0.0;
};

}  // namespace hmvn
