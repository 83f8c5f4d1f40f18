#include "hmvn/coordinates/heterogeneity_map.hpp"

#include <cmath>

#include "hmvn/math/special_functions.hpp"

namespace hmvn {

namespace {

constexpr int n_grid = 1001;

// q and its integrals from both ends on an even grid, linear in between.
struct Table {
  double start = 0.0, step = 0.0;
  std::vector<double> q, below, above;

  SplineNode node(double z) const {
    const bool lower = z <= 0.0;
    const std::vector<double>& tail = lower ? below : above;
    const double total = below.back();
    const double wanted = total * std::exp(log_normal_cdf(lower ? z : -z));
    const std::size_t last = q.size() - 1;
    // the cell in which the tail reaches `wanted`
    std::size_t i = lower ? std::upper_bound(tail.begin(), tail.end(), wanted) - tail.begin() - 1
                          : tail.rend() - std::upper_bound(tail.rbegin(), tail.rend(), wanted) - 1;
    i = std::min(i, last - 1);
    const double missing = lower ? wanted - below[i] : above[i] - wanted;
    const double rise = (q[i + 1] - q[i]) / step;
    const double root = std::sqrt(std::max(0.0, q[i] * q[i] + 2.0 * rise * missing));
    const double along = std::min(step, std::max(0.0, 2.0 * missing / (q[i] + root)));
    const double density = q[i] + rise * along;
    const double slope = std::exp(log_normal_density(z)) * total / density;
    return {start + static_cast<double>(i) * step + along, slope,
            slope * (-z - slope * rise / density)};
  }
};

// Integrates q, given by its log on an even grid.
Table integrate(double start, double step, const std::vector<double>& log_q) {
  Table table;
  table.start = start;
  table.step = step;
  const double top = *std::max_element(log_q.begin(), log_q.end());
  for (double v : log_q) table.q.push_back(std::exp(std::max(v - top, -60.0)));
  table.below.assign(n_grid, 0.0);
  table.above.assign(n_grid, 0.0);
  for (int i = 1; i < n_grid; ++i) {
    table.below[i] = table.below[i - 1] + 0.5 * step * (table.q[i - 1] + table.q[i]);
  }
  for (int i = n_grid - 2; i >= 0; --i) {
    table.above[i] = table.above[i + 1] + 0.5 * step * (table.q[i] + table.q[i + 1]);
  }
  return table;
}

// On a grid over all of the line where q is above exp(-50) of its highest value, found by looking
// ever closer.
Table tabulate(const std::function<double(double)>& log_q) {
  double low = -9.0, high = 9.0;
  std::vector<double> value(n_grid);
  for (int pass = 0;; ++pass) {
    const double step = (high - low) / (n_grid - 1);
    for (int i = 0; i < n_grid; ++i) value[i] = log_q(low + i * step);
    if (pass == 2) return integrate(low, step, value);
    const double top = *std::max_element(value.begin(), value.end());
    int first = 0, last = n_grid - 1;
    while (value[first] < top - 50.0) ++first;
    while (value[last] < top - 50.0) --last;
    const double start = low;
    low = start + std::max(first - 1, 0) * step;
    high = start + std::min(last + 1, n_grid - 1) * step;
  }
}

bool increases(const Quintic& p) {
  for (int i = 0; i <= 16; ++i) {
    const double slope = slope_of(p, i / 16.0);
    if (!(slope > 0.0) || !std::isfinite(slope)) return false;
  }
  return true;
}

}  // namespace

HeterogeneityMap::HeterogeneityMap(const std::function<double(double)>& log_q) {
  const Table table = tabulate(log_q);
  std::vector<SplineNode> nodes;
  for (int i = 0; i <= 2 * half_count; ++i) nodes.push_back(table.node((i - half_count) * spacing));
  std::vector<Quintic> pieces;
  for (int i = 0; i < 2 * half_count; ++i) {
    pieces.push_back(quintic_between(nodes[i], nodes[i + 1], spacing));
    if (!increases(pieces.back())) return;  // q too rough to follow: x = z will do
  }
  pieces_ = pieces;
  low_ = nodes.front();
  high_ = nodes.back();
}

double HeterogeneityMap::inverse(double x) const {
  if (pieces_.empty()) return x;
  if (!(x > low_.x)) return -table_end + (x - low_.x) / low_.slope;
  if (!(x < high_.x)) return table_end + (x - high_.x) / high_.slope;
  double low = -table_end, high = table_end;
  while (true) {
    const double z = 0.5 * (low + high);
    if (!(low < z && z < high)) return z;  // no number is left between them
    ((*this)(z).x < x ? low : high) = z;
  }
}

}  // namespace hmvn
