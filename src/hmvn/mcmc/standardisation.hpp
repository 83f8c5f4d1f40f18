// The affine map between a chain's position and the standardised space it moves in.
#pragma once

#include <Eigen/Core>

#include "hmvn/math/dense.hpp"

namespace hmvn {

enum class MetricShape { diagonal, dense };

// position = center + root * standard, with center and root root' the mean and the covariance
// matrix (or its diagonal) that the chain has learned of its target; before that, position =
// standard. Moving in the standardised space with a unit metric is the same as moving among
// positions with this covariance matrix as inverse metric.
class Standardisation {
 public:
  Standardisation(Eigen::Index n, MetricShape shape)
      : shape_(shape), center_(Eigen::VectorXd::Zero(n)), scale_(Eigen::VectorXd::Ones(n)) {}

  void learn(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance) {
    center_ = mean;
    if (shape_ == MetricShape::diagonal) {
      scale_ = covariance.array().sqrt();
    } else {
      root_ = CholeskyFactor(covariance).lower();
    }
  }

  void to_position(const Eigen::VectorXd& standard, Eigen::VectorXd& position) const {
    if (root_.size() == 0) {
      position = center_ + scale_.cwiseProduct(standard);
      return;
    }
    position = center_;
    for (Eigen::Index j = 0, n = standard.size(); j < n; ++j) {
      position.tail(n - j) += standard[j] * root_.col(j).tail(n - j);
    }
  }

  void to_standard(const Eigen::VectorXd& position, Eigen::VectorXd& standard) const {
    standard = position - center_;
    if (root_.size() == 0) {
      standard.array() /= scale_.array();
    } else {
      solve_lower_in_place(root_, standard);
    }
  }

  // The gradient in the standardised space from that in the position.
  void standardise_gradient(const Eigen::VectorXd& of_position, Eigen::VectorXd& gradient) const {
    if (root_.size() == 0) {
      gradient = scale_.cwiseProduct(of_position);
      return;
    }
    for (Eigen::Index j = 0, n = of_position.size(); j < n; ++j) {
      gradient[j] = root_.col(j).tail(n - j).dot(of_position.tail(n - j));
    }
  }

  template <class Archive>
  void visit(Archive& archive) {
    archive(center_);
    archive(scale_);
    archive(root_);
  }

 private:
  MetricShape shape_;
  Eigen::VectorXd center_, scale_;
  Eigen::MatrixXd root_;  // empty until learned
};

// Means and variances of draws, by coordinate.
struct DrawSummary {
  Eigen::VectorXd mean, variance;
};

// Running mean and covariance of the position (Welford); of a diagonal metric only the variances,
// as one column.
class CovarianceEstimator {
 public:
  CovarianceEstimator(Eigen::Index n, MetricShape shape)
      : mean_(n),
        delta_(n),
        squares_(n, shape == MetricShape::dense ? n : 1),
        dense_(shape == MetricShape::dense) {
    restart();
  }

  void restart() {
    count_ = 0.0;
    mean_.setZero();
    squares_.setZero();
  }

  void add(const Eigen::VectorXd& x) {
    count_ += 1.0;
    delta_ = x - mean_;
    mean_ += delta_ / count_;
    if (dense_) {
      squares_.noalias() += delta_ * (x - mean_).transpose();
    } else {
      squares_.array() += delta_.array() * (x - mean_).array();
    }
  }

  double count() const { return count_; }
  DrawSummary summary() const {
    const Eigen::VectorXd squares = dense_ ? Eigen::VectorXd(squares_.diagonal()) : squares_.col(0);
    return {mean_, squares / (count_ - 1.0)};
  }

  // Shrunk towards mean 0 and the identity matrix, at which the coordinates (C5)-(C9) aim; the
  // prior weighs as much as five draws a column.
  Eigen::VectorXd mean() const { return weight() * mean_; }
  Eigen::MatrixXd covariance() const {
    Eigen::MatrixXd estimate = (weight() / (count_ - 1.0)) * squares_;
    if (dense_) {
      estimate.diagonal().array() += 1.0 - weight();
    } else {
      estimate.array() += 1.0 - weight();
    }
    return estimate;
  }

  template <class Archive>
  void visit(Archive& archive) {
    archive(count_);
    archive(mean_);
    archive(squares_);
  }

 private:
  double weight() const { return count_ / (count_ + 5.0 * static_cast<double>(squares_.cols())); }

  double count_ = 0.0;
  Eigen::VectorXd mean_, delta_;
  Eigen::MatrixXd squares_;
  bool dense_;
};

}  // namespace hmvn
