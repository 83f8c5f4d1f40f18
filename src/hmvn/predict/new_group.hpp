// A new group's mean and covariance matrix given the population (S4).
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "hmvn/math/dense.hpp"
#include "hmvn/math/packed.hpp"
#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/frame.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// What one draw says about the population, read at v. What a block's pooling does not have is not
// read.
struct Population {
  Eigen::VectorXd coefficients, scale;  // mu0, then the typical slopes; sigma0
  Eigen::VectorXd correlation_factor;   // Cholesky factor of Omega0, packed
  Eigen::VectorXd between_factor;       // of R_b, packed
  Eigen::VectorXd h_coefficients, h_scale;
  double h_correlation = 0.0;

  explicit Population(const Model& model) {
    const int n_features = model.n_features();
    coefficients.setZero(model.n_coefficients());
    scale.setOnes(n_features);
    correlation_factor.setZero(packed_size(n_features));
    for (int i = 0; i < n_features; ++i) correlation_factor[packed_size(i + 1) - 1] = 1.0;
    const int n_between = static_cast<int>(model.between_features.size());
    between_factor.setZero(packed_size(n_between));
    for (int i = 0; i < n_between; ++i) between_factor[packed_size(i + 1) - 1] = 1.0;
    h_coefficients.setZero(model.n_coefficients());
    h_scale.setZero(n_features);
  }
};

// Draws new groups. Under no pooling v plays no part (h = 1), under complete pooling the value
// itself is kept (h = 0).
class NewGroup {
 public:
  explicit NewGroup(const Model& model)
      : model_(&model),
        value_(n_coordinates(model.n_features())),
        factor_(model.n_features(), model.n_features()) {}

  void draw(const Population& population, RandomStream& random, Eigen::VectorXd& coefficients,
            Eigen::VectorXd& packed_factor) {
    const Model& model = *model_;
    const int n_features = model.n_features();
    packed_factor.resize(packed_size(n_features));
    draw_coefficients(population, random, coefficients);
    read_population(population);
    for (int k = 0; k < n_features; ++k) {
      value_[k] = step(model.scale, model.maps.scale[k], value_[k], population.h_scale[k], random);
    }
    for (int i = 1, at = n_features; i < n_features; ++i) {
      for (int j = 0; j < i; ++j, ++at) {
        value_[at] = step(model.correlation, model.maps.correlation[j], value_[at],
                          population.h_correlation, random);
      }
    }
    for (int i = 0; i < n_features; ++i) {
      break_stick(i, std::exp(value_[i]), value_.segment(first_correlation(n_features, i), i),
                  packed_factor.segment(packed_size(i), i + 1));
    }
    if (!model.framed()) return;
    unpack_lower(packed_factor, factor_);
    pack_lower(lower_factor(multiply(model.frame, factor_)), packed_factor);
  }

 private:
  // The means' deviations from the population are correlated over features as R_b says (B1).
  void draw_coefficients(const Population& population, RandomStream& random,
                         Eigen::VectorXd& coefficients) const {
    const Model& model = *model_;
    Eigen::VectorXd e(model.n_coefficients());
    for (Eigen::Index k = 0; k < e.size(); ++k) e[k] = random.normal();
    const Eigen::VectorXd given = e;
    const int n_between = static_cast<int>(model.between_features.size());
    for (int i = 0; i < n_between; ++i) {
      double& sum = e[model.between_features[i]];
      sum = 0.0;
      for (int j = 0; j <= i; ++j) {
        sum += population.between_factor[packed_index(i, j)] * given[model.between_features[j]];
      }
    }
    coefficients = population.coefficients;
    for (int k = 0; k < coefficients.size(); ++k) {
      const Block& block = model.coefficients[k];
      const double scale = model.coefficient_scale[k];
      if (!block.pooled()) coefficients[k] = model.coefficient_location[k] + scale * e[k];
      if (block.partial()) coefficients[k] += scale * population.h_coefficients[k] * e[k];
    }
  }

  // log(sigma) and atanh(c) of the population, in the frame.
  void read_population(const Population& population) {
    const int n_features = model_->n_features();
    unpack_lower(population.correlation_factor, factor_);
    Eigen::VectorXd scale = population.scale;
    if (model_->framed()) {
      factor_ = lower_factor(multiply(model_->frame_inverse, scale.asDiagonal() * factor_));
      scale = factor_.rowwise().norm();
      factor_ = (scale.cwiseInverse().asDiagonal() * factor_).eval();
    }
    for (int i = 0; i < n_features; ++i) {
      value_[i] = std::log(scale[i]);
      const Eigen::VectorXd row = factor_.row(i);
      rejoin_stick(i, row, value_.segment(first_correlation(n_features, i), i));
    }
  }

  // (S4) in one coordinate: u = v + h e, with v the score of the population's value.
  static double step(const Block& block, const ScoreMap& map, double value, double h,
                     RandomStream& random) {
    const double e = random.normal();
    if (block.complete()) return value;
    return map(block.partial() ? map.inverse(value) + h * e : e).x;
  }

  const Model* model_;
  Eigen::VectorXd value_;
  Eigen::MatrixXd factor_;
};

}  // namespace hmvn
