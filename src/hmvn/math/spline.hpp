// Quintic pieces of a smooth map.
#pragma once

#include <array>

namespace hmvn {

struct SplineNode {
  double x, slope, curvature;
};

using Quintic = std::array<double, 6>;  // coefficients on [0, 1], the constant first

// The quintic between two nodes `spacing` apart that agrees with both in value, slope and
// curvature.
inline Quintic quintic_between(const SplineNode& a, const SplineNode& b, double spacing) {
  const double s0 = a.slope * spacing, s1 = b.slope * spacing;
  const double k0 = a.curvature * spacing * spacing, k1 = b.curvature * spacing * spacing;
  const double rise = b.x - a.x;
  return {a.x,
          s0,
          0.5 * k0,
          10.0 * rise - 6.0 * s0 - 4.0 * s1 - 1.5 * k0 + 0.5 * k1,
          -15.0 * rise + 8.0 * s0 + 7.0 * s1 + 1.5 * k0 - k1,
          6.0 * rise - 3.0 * (s0 + s1) - 0.5 * (k0 - k1)};
}

template <class T>
T value_of(const Quintic& p, const T& t) {
  return T(p[0]) + t * (T(p[1]) + t * (T(p[2]) + t * (T(p[3]) + t * (T(p[4]) + t * T(p[5])))));
}

template <class T>
T slope_of(const Quintic& p, const T& t) {
  return T(p[1]) + t * (T(2 * p[2]) + t * (T(3 * p[3]) + t * (T(4 * p[4]) + t * T(5 * p[5]))));
}

template <class T>
T curvature_of(const Quintic& p, const T& t) {
  return T(2 * p[2]) + t * (T(6 * p[3]) + t * (T(12 * p[4]) + t * T(20 * p[5])));
}

}  // namespace hmvn
