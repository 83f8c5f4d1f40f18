// A monotone map that standardises an approximate density, given on the line: what makes the
// sampler's coordinate of a heterogeneity nearly standard normal.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "hmvn/model/special_functions.hpp"
#include "hmvn/model/spline.hpp"

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
  template <class LogDensity>
  explicit HeterogeneityMap(const LogDensity& log_q) {
    const Table table = tabulate(log_q);
    std::vector<Node> nodes;
    for (int i = 0; i <= 2 * half_count; ++i)
      nodes.push_back(table.node((i - half_count) * spacing));
    std::vector<Piece> pieces;
    for (int i = 0; i < 2 * half_count; ++i) {
      pieces.push_back(quintic_between(nodes[i], nodes[i + 1], spacing));
      if (!increases(pieces.back())) return;  // q too rough to follow: x = z will do
    }
    pieces_ = pieces;
    low_ = nodes.front();
    high_ = nodes.back();
  }

  template <class T>
  Value<T> operator()(const T& z) const {
    if (pieces_.empty()) return {z, T(1), T(0)};
    if (!(z > T(-table_end)))
      return {T(low_.x) + (z + T(table_end)) * T(low_.slope), T(low_.slope), T(0)};
    if (!(z < T(table_end)))
      return {T(high_.x) + (z - T(table_end)) * T(high_.slope), T(high_.slope), T(0)};
    const int i = static_cast<int>((static_cast<double>(z) + table_end) / spacing);
    const T t = (z + T(table_end)) / T(spacing) - T(i);
    const Piece& p = pieces_[std::min(i, 2 * half_count - 1)];
    return {value_of(p, t), slope_of(p, t) / T(spacing), curvature_of(p, t) / T(spacing * spacing)};
  }

 private:
  using Node = SplineNode;
  using Piece = Quintic;

  static constexpr double spacing = 1.0 / 8.0;
  static constexpr int half_count = 40;
  static constexpr double table_end = half_count * spacing;

  // q and its integrals from both ends on an even grid, linear in between.
  struct Table {
    double start = 0.0, step = 0.0;
    std::vector<double> q, below, above;

    Node node(double z) const {
      const bool lower = z <= 0.0;
      const std::vector<double>& tail = lower ? below : above;
      const double total = below.back();
      const double wanted = total * std::exp(log_normal_cdf(lower ? z : -z));
      const std::size_t last = q.size() - 1;
      // the cell in which the tail reaches `wanted`
      std::size_t i = lower
                          ? std::upper_bound(tail.begin(), tail.end(), wanted) - tail.begin() - 1
                          : tail.rend() - std::upper_bound(tail.rbegin(), tail.rend(), wanted) - 1;
      i = std::min(i, last - 1);
      const double missing = lower ? wanted - below[i] : above[i] - wanted;
      const double rise = (q[i + 1] - q[i]) / step;
      const double root = std::sqrt(std::max(0.0, q[i] * q[i] + 2.0 * rise * missing));
      const double along = std::min(step, std::max(0.0, 2.0 * missing / (q[i] + root)));
      const double density = q[i] + rise * along;
      const double slope = std::exp(log_normal_density(z)) * total / density;
      return {start + i * step + along, slope, slope * (-z - slope * rise / density)};
    }
  };

  // A grid over all of the line where q is above exp(-50) of its highest value, found by looking
  // ever closer.
  template <class LogDensity>
  static Table tabulate(const LogDensity& log_q) {
    double low = -9.0, high = 9.0;
    std::vector<double> value(n_grid);
    for (int pass = 0; pass < 3; ++pass) {
      const double step = (high - low) / (n_grid - 1);
      for (int i = 0; i < n_grid; ++i) value[i] = log_q(low + i * step);
      const double top = *std::max_element(value.begin(), value.end());
      int first = 0, last = n_grid - 1;
      if (pass < 2) {
        while (value[first] < top - 50.0) ++first;
        while (value[last] < top - 50.0) --last;
        const double start = low;
        low = start + std::max(first - 1, 0) * step;
        high = start + std::min(last + 1, n_grid - 1) * step;
        continue;
      }
      Table table;
      table.start = low;
      table.step = step;
      for (double v : value) table.q.push_back(std::exp(std::max(v - top, -60.0)));
      table.below.assign(n_grid, 0.0);
      table.above.assign(n_grid, 0.0);
      for (int i = 1; i < n_grid; ++i)
        table.below[i] = table.below[i - 1] + 0.5 * step * (table.q[i - 1] + table.q[i]);
      for (int i = n_grid - 2; i >= 0; --i)
        table.above[i] = table.above[i + 1] + 0.5 * step * (table.q[i] + table.q[i + 1]);
      return table;
    }
    return {};
  }

  static bool increases(const Piece& p) {
    for (int i = 0; i <= 16; ++i) {
      const double slope = slope_of(p, i / 16.0);
      if (!(slope > 0.0) || !std::isfinite(slope)) return false;
    }
    return true;
  }

  static constexpr int n_grid = 1001;
  std::vector<Piece> pieces_;
  Node low_{0.0, 1.0, 0.0}, high_{0.0, 1.0, 0.0};
};

}  // namespace hmvn
