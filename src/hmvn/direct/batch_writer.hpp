// Directly drawn covariance matrices on their way into batches, with their means and lp__.
#pragma once

#include <Eigen/Core>

#include "hmvn/direct/covariance_draw.hpp"
#include "hmvn/direct/draw_batch.hpp"
#include "hmvn/direct/mean_factor.hpp"
#include "hmvn/math/log_product.hpp"
#include "hmvn/math/packed.hpp"
#include "hmvn/math/special_functions.hpp"
#include "hmvn/model/frame.hpp"

namespace hmvn {

// Writes a covariance matrix's draw, with its means and the parts of lp__, to a row of a batch.
template <int K>
class BatchWriter {
 public:
  BatchWriter(const DirectTarget& target) : target_(target), n_features_(target.n_features()) {
    const Model& model = *target.model;
    if (model.framed()) frame_ = model.frame;
    for (SquareRows<K>* m : {&factor_, &root_, &lower_}) m->setZero(n_features_, n_features_);
    white_.setZero(n_features_);
    deviation_.setZero(n_features_);
    log_likelihood_ = -0.5 * log_2pi * n_features_ * target.n - target.n * model.log_frame;
    log_prior_ = target.n_groups * (n_features_ * log_normal_density(0.0) -
                                    model.coefficient_scale.array().log().sum());
    for (int k = 1; k < n_features_; ++k)
      log_prior_ += (n_features_ - k) * model.correlation_priors[k - 1].log_density(0.0);
  }

  void write(const CovarianceDraw<K>& draw, MeanFactor<K>& means, RandomStream& random,
             DrawBatch& batch) {
    const int n_features = size_of<K>(n_features_);
    const int row = batch.size++;
    // LKJ density of the factor L of Omega: prod_i L_ii^(K - i + 2 eta - 2), i = 2..K, over its
    // constant. |L| goes apart; the powers K - i are those of a product of products.
    LogProduct<> products;
    double product = 1.0;
    for (int k = 1; k < n_features - 1; ++k) {
      product *= draw.factor(k, k) / draw.sigma[k];
      products.multiply(product);
    }
    if (target_.model->framed()) {
      write_framed(draw, row, batch);
    } else {
      for (int k = 0, at = 0; k < n_features; ++k) {
        for (int j = 0; j <= k; ++j) batch.factor(row, at++) = draw.factor(k, j);
      }
      for (int k = 0; k < batch.sigma.cols(); ++k) batch.sigma(row, k) = draw.sigma[k];
    }
    // tr(S Sigma^-1)
    double quadratic = target_.degrees_of_freedom() * draw.size + draw.mismatch;
    double log_prior = log_prior_ + draw.log_scales + target_.sigma_power() * draw.log_sigma_sum +
                       (2.0 * target_.eta - 2.0) * (draw.log_root - draw.log_sigma_sum) +
                       (n_features > 2 ? products.value() : 0.0);
    for (int g = 0; g < means.n_groups(); ++g) {
      means.draw(g, draw.factor, random, white_, deviation_);
      quadratic += means.n(g) * white_.squaredNorm();
      log_prior += means.log_prior(g, deviation_);
      const Eigen::Index first = static_cast<Eigen::Index>(g) * n_features;
      if (target_.model->framed()) {
        batch.mean.row(row).segment(first, n_features) =
            target_.model->coefficient_location + frame_.lazyProduct(means.delta(g) + deviation_);
        continue;
      }
      for (int k = 0; k < n_features; ++k) {
        batch.mean(row, first + k) =
            target_.model->coefficient_location[k] + means.delta(g)[k] + deviation_[k];
      }
    }
    batch.log_likelihood[row] = log_likelihood_ - target_.n * draw.log_root - 0.5 * quadratic;
    batch.log_prior[row] = log_prior;
  }

 private:
  // The factor of C Sigma~ C' (F1).
  void write_framed(const CovarianceDraw<K>& draw, int row, DrawBatch& batch) {
    for (int k = 0; k < n_features_; ++k) {
      for (int j = 0; j <= k; ++j) factor_(k, j) = draw.factor(k, j);
    }
    root_.noalias() = frame_.lazyProduct(factor_);
    triangularise(root_, lower_);
    pack_lower(lower_, batch.factor.row(row));
    if (batch.sigma.cols() > 0) batch.sigma.row(row) = lower_.rowwise().norm();
  }

  const DirectTarget& target_;
  int n_features_;
  double log_likelihood_ = 0.0, log_prior_ = 0.0;  // constants
  SquareRows<K> frame_, factor_, root_,
      lower_;  // of features in a frame: C, Lambda~, A, its triangle
  Values<K> white_, deviation_;
};

}  // namespace hmvn
