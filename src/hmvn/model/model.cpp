#include "hmvn/model/model.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "hmvn/math/dense.hpp"

namespace hmvn {

namespace {

// Priors and maps of the partial correlations of `size` features under LKJ(eta) (P3).
void add_lkj(int size, double eta, std::vector<PartialCorrelationPrior>& priors,
             std::vector<ScoreMap>& maps) {
  for (int j = 1; j < size; ++j) {
    priors.emplace_back(eta + 0.5 * (size - 1 - j));  // b_j
    maps.emplace_back(priors.back());
  }
}

}  // namespace

Model::Model(ModelParts parts) : ModelParts(std::move(parts)) {
  for (const ScalePrior& prior : scale_priors) maps.scale.emplace_back(prior);
  add_lkj(n_features(), eta, correlation_priors, maps.correlation);
  for (int k = 0; k < n_features() && !between.independent; ++k) {
    if (coefficients[k].partial()) between_features.push_back(k);
  }
  if (between_features.size() < 2) between_features.clear();
  add_lkj(static_cast<int>(between_features.size()), between.eta, between_priors, between_maps);
  if (!framed()) return;
  // in units of its rows, powers of two, so that features may be in any
  const Eigen::VectorXd unit = frame.rowwise().lpNorm<Eigen::Infinity>().unaryExpr(
      [](double x) { return std::ldexp(1.0, std::ilogb(x)); });
  const Eigen::MatrixXd scaled = unit.cwiseInverse().asDiagonal() * frame;
  frame_inverse = solve_general(scaled, unit.cwiseInverse().asDiagonal());
  log_frame = qr_triangle(scaled).diagonal().array().abs().log().sum() + unit.array().log().sum();
  if (!frame_inverse.allFinite() || !std::isfinite(log_frame)) {
    throw std::invalid_argument("the frame has no inverse");
  }
}

}  // namespace hmvn
