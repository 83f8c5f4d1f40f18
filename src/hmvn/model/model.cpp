#include "hmvn/model/model.hpp"

#include <stdexcept>
#include <utility>

#include "hmvn/math/dense.hpp"

namespace hmvn {

Model::Model(ModelParts parts) : ModelParts(std::move(parts)) {
  for (const ScalePrior& prior : scale_priors) maps.scale.emplace_back(prior);
  for (int j = 1; j < n_features(); ++j) {
    const double b = eta + 0.5 * (n_features() - 1 - j);  // b_j of (P3)
    correlation_priors.emplace_back(b);
    maps.correlation.emplace_back(correlation_priors.back());
  }
  if (!framed()) return;
  const CholeskyFactor factor(frame);
  if (!factor.exists()) throw std::invalid_argument("the frame is not positive definite");
  frame_inverse = factor.solve(Eigen::MatrixXd::Identity(n_features(), n_features()));
  log_frame = 2.0 * factor.lower().diagonal().array().log().sum();
}

}  // namespace hmvn
