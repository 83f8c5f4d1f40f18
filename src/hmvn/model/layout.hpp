// Where everything stands in the position vector of a sampling unit.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/model/model.hpp"

namespace hmvn {

// | learned h: mean, scale, correlation | population scores | shared scores | own scores of group 1
// | of group 2 | ... A coordinate of the covariance matrix (see CovarianceMaps) is shared by all
// groups under complete pooling; else every group has its own, and under partial pooling there is a
// population score too.
struct Layout {
  int h_mean = -1, h_scale = -1, h_correlation = -1;  // start of each, or -1 if not learned
  int population = 0, shared = 0, own = 0;            // starts
  int n_heterogeneity = 0;
  std::vector<int> own_coordinates;  // coordinates that a group has to itself
  std::vector<int> shared_coordinates;
  std::vector<int> partial;  // positions within own_coordinates that are partially pooled
  int n_groups = 0;
  int n_own_scales = 0,
      n_own_correlations = 0;  // in this order among own coordinates; each all or none

  int n_own() const { return static_cast<int>(own_coordinates.size()); }
  int n_shared() const { return static_cast<int>(shared_coordinates.size()); }
  int n_population() const { return static_cast<int>(partial.size()); }
  int dimension() const { return own + n_own() * n_groups; }
};

inline Layout make_layout(const Model& model, int n_groups) {
  const int n_features = model.n_features();
  Layout layout;
  layout.n_groups = n_groups;
  int at = 0;
  const auto place = [&at](bool learned, int size) {
    if (!learned) return -1;
    const int start = at;
    at += size;
    return start;
  };
  layout.h_mean = place(model.mean.learned(), n_features);
  layout.h_scale = place(model.scale.learned(), n_features);
  layout.h_correlation = place(model.correlation.learned() && n_features > 1, 1);
  layout.n_heterogeneity = at;
  for (int c = 0; c < n_coordinates(n_features); ++c) {
    const Block& block = c < n_features ? model.scale : model.correlation;
    if (block.complete()) {
      layout.shared_coordinates.push_back(c);
      continue;
    }
    if (block.partial()) layout.partial.push_back(layout.n_own());
    layout.own_coordinates.push_back(c);
    (c < n_features ? layout.n_own_scales : layout.n_own_correlations) += 1;
  }
  layout.population = at;
  layout.shared = layout.population + layout.n_population();
  layout.own = layout.shared + layout.n_shared();
  return layout;
}

// Parts of what is given over all coordinates.
inline Eigen::MatrixXd select(const Eigen::MatrixXd& matrix, const std::vector<int>& rows,
                              const std::vector<int>& cols) {
  Eigen::MatrixXd out(rows.size(), cols.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < cols.size(); ++j) out(i, j) = matrix(rows[i], cols[j]);
  }
  return out;
}

inline Eigen::VectorXd select(const Eigen::VectorXd& vector, const std::vector<int>& rows) {
  Eigen::VectorXd out(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = vector[rows[i]];
  return out;
}

}  // namespace hmvn
