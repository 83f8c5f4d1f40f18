// The inverse metric of a chain: what scales, and for few dimensions rotates, its space.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

#include "hmvn/random/random_stream.hpp"

namespace hmvn {

enum class MetricShape { diagonal, dense };

// The inverse metric is the covariance matrix that a chain has learned of its target, or its diagonal; before that, I.
class Metric {
 public:
  Metric(Eigen::Index n, MetricShape shape) : shape_(shape), diagonal_(Eigen::VectorXd::Ones(n)) {}

  void set_inverse(const Eigen::MatrixXd& inverse) {
    if (shape_ == MetricShape::diagonal) {
      diagonal_ = inverse;
      return;
    }
    inverse_ = inverse;
    root_ = inverse.llt().matrixL();
  }

  // The velocity that belongs to a momentum.
  void velocity(const Eigen::VectorXd& momentum, Eigen::VectorXd& out) const {
    if (inverse_.size() == 0) {
      out = diagonal_.cwiseProduct(momentum);
    } else {
      out.noalias() = inverse_.lazyProduct(momentum);
    }
  }

  void draw_momentum(RandomStream& random, Eigen::VectorXd& momentum) const {
    for (Eigen::Index i = 0; i < momentum.size(); ++i) momentum[i] = random.normal();
    if (inverse_.size() == 0) {
      momentum.array() /= diagonal_.array().sqrt();
    } else {
      root_.triangularView<Eigen::Lower>().transpose().solveInPlace(momentum);
    }
  }

 private:
  MetricShape shape_;
  Eigen::VectorXd diagonal_;
  Eigen::MatrixXd inverse_, root_;  // empty until learned
};

// Running mean and covariance of the position (Welford); of a diagonal metric only the variances, as one column.
class CovarianceEstimator {
 public:
  CovarianceEstimator(Eigen::Index n, MetricShape shape)
      : mean_(n), delta_(n), squares_(n, shape == MetricShape::dense ? n : 1) { restart(); }

  void restart() {
    count_ = 0.0;
    mean_.setZero();
    squares_.setZero();
  }

  void add(const Eigen::VectorXd& x) {
    count_ += 1.0;
    delta_ = x - mean_;
    mean_ += delta_ / count_;
    if (squares_.cols() == squares_.rows()) {
      squares_.noalias() += delta_ * (x - mean_).transpose();
    } else {
      squares_.array() += delta_.array() * (x - mean_).array();
    }
  }

  // Shrunk towards the identity, the scale the target is standardised to, with the weight of five draws for every
  // column to be learned.
  Eigen::MatrixXd inverse_metric() const {
    const double prior = 5.0 * static_cast<double>(squares_.cols());
    const double weight = count_ / (count_ + prior);
    Eigen::MatrixXd estimate = (weight / (count_ - 1.0)) * squares_;
    if (squares_.cols() == squares_.rows()) {
      estimate.diagonal().array() += 1.0 - weight;
    } else {
      estimate.array() += 1.0 - weight;
    }
    return estimate;
  }

  double count() const { return count_; }
  const Eigen::VectorXd& mean() const { return mean_; }

 private:
  double count_ = 0.0;
  Eigen::VectorXd mean_, delta_;
  Eigen::MatrixXd squares_;
};

}  // namespace hmvn
