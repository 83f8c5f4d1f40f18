// The correlations between the groups' means (B1), where these are partially pooled.
#pragma once

#include <Eigen/Core>

#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/model.hpp"

namespace hmvn {

// The scores of R_b's partial correlations and its factor, R_b = L L', over the features whose
// means are partially pooled. Of size 0 where means are independent.
template <class T>
struct BetweenPoint : ScorePoint<T> {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> factor;

  void resize(const Model& model) {
    const int size = static_cast<int>(model.between_features.size());
    this->resize_scores(n_correlations(size));
    factor.setIdentity(size, size);
  }
};

template <class T>
void fill_between(const Model& model, BetweenPoint<T>& point) {
  for (int i = 0; i < point.factor.rows(); ++i) {
    fill_factor_row(model.between_maps, {i, n_correlations(i)}, T(1), point, point.factor);
  }
}

// Its reverse: the gradient in the scores from that in the factor.
inline void differentiate_between(const BetweenPoint<double>& point,
                                  const Eigen::MatrixXd& factor_gradient,
                                  Eigen::VectorXd& score_gradient) {
  for (int i = 0; i < point.factor.rows(); ++i) {
    differentiate_factor_row({i, n_correlations(i)}, point, point.factor, factor_gradient,
                             score_gradient);
  }
}

}  // namespace hmvn
