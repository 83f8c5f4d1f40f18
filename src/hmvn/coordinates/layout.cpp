#include "hmvn/coordinates/layout.hpp"

namespace hmvn {

Layout make_layout(const Model& model, int n_groups) {
  const int n_features = model.n_features();
  Layout layout;
  layout.n_groups = n_groups;
  const auto learn = [&](const Block& block) {
    if (!block.learned()) return Layout::not_learned;
    layout.learned.push_back(block.heterogeneity);
    return static_cast<int>(layout.learned.size()) - 1;
  };
  for (const Block& block : model.coefficients) {
    layout.coefficient_heterogeneity.push_back(learn(block));
  }
  int of_correlations = Layout::not_learned;  // one for all
  const int n_covariance = model.known_covariances ? 0 : n_coordinates(n_features);
  for (int c = 0; c < n_covariance; ++c) {
    const Block& block = model.block_of(c);
    if (block.complete()) {
      layout.common_coordinates.push_back(c);
      continue;
    }
    if (c == n_features) of_correlations = learn(block);
    if (block.partial()) layout.partial.push_back(layout.n_own());
    layout.own_coordinates.push_back(c);
    layout.own_heterogeneity.push_back(c < n_features ? learn(block) : of_correlations);
    (c < n_features ? layout.n_own_scales : layout.n_own_correlations) += 1;
  }
  layout.heterogeneities = {0, static_cast<int>(layout.learned.size())};
  layout.population = {layout.heterogeneities.end(), static_cast<int>(layout.partial.size())};
  layout.common = {layout.population.end(), static_cast<int>(layout.common_coordinates.size())};
  layout.between = {layout.common.end(),
                    n_correlations(static_cast<int>(model.between_features.size()))};
  layout.learns_coefficients = layout.between.size > 0;
  for (const int h : layout.coefficient_heterogeneity) {
    if (h != Layout::not_learned) layout.learns_coefficients = true;
  }
  return layout;
}

}  // namespace hmvn
