#include "hmvn/model/model.hpp"

#include <utility>

namespace hmvn {

Model::Model(ModelParts parts) : ModelParts(std::move(parts)) {
  for (const ScalePrior& prior : scale_priors) maps.scale.emplace_back(prior);
  for (int j = 1; j < n_features(); ++j) {
    const double b = eta + 0.5 * (n_features() - 1 - j);  // b_j of (P3)
    correlation_priors.emplace_back(b);
    maps.correlation.emplace_back(correlation_priors.back());
  }
}

}  // namespace hmvn
