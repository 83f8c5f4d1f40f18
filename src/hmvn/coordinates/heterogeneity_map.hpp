// A monotone map that standardises an approximate density, given on the line: what makes the
// sampler's coordinate of a heterogeneity nearly standard normal.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "hmvn/math/spline.hpp"

namespace hmvn {

// x(z) solves Q(x) = Phi(z), Q the distribution function of the approximate density q: where q is
// right, z is standard normal. Between nodes in z the map is a quintic spline and beyond them
// linear, so that it is smooth, and its derivatives are exactly those that the Jacobian needs,
// however roughly q is known.
class HeterogeneityMap {
 public:
  template <class T>
  struct Value {
    T x, slope, curvature;
  };

  HeterogeneityMap() = default;  // x = z

  // log_q: the log of q up to a constant.
  explicit HeterogeneityMap(const std::function<double(double)>& log_q);

  template <class T>
  Value<T> operator()(const T& z) const {
    if (pieces_.empty()) return {z, T(1), T(0)};
    if (!(z > T(-table_end)))
      return {T(low_.x) + (z + T(table_end)) * T(low_.slope), T(low_.slope), T(0)};
    if (!(z < T(table_end)))
      return {T(high_.x) + (z - T(table_end)) * T(high_.slope), T(high_.slope), T(0)};
    const int i = static_cast<int>((static_cast<double>(z) + table_end) / spacing);
    const T t = (z + T(table_end)) / T(spacing) - T(i);
    const Quintic& p = pieces_[std::min(i, 2 * half_count - 1)];
    return {value_of(p, t), slope_of(p, t) / T(spacing), curvature_of(p, t) / T(spacing * spacing)};
  }

  // The z at which the map is x.
  double inverse(double x) const;

 private:
  static constexpr double spacing = 1.0 / 8.0;
  static constexpr int half_count = 40;
  static constexpr double table_end = half_count * spacing;

  std::vector<Quintic> pieces_;
  SplineNode low_{0.0, 1.0, 0.0}, high_{0.0, 1.0, 0.0};
};

}  // namespace hmvn
