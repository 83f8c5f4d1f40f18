// A new group's mean and covariance matrix given the population (S4).
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/draw.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// What one draw says about the population, read at v. What a block's pooling does not have is not
// read.
struct Population {
  Eigen::VectorXd mean, scale;         // mu0, sigma0
  Eigen::VectorXd correlation_factor;  // Cholesky factor of Omega0, packed
  Eigen::VectorXd h_mean, h_scale;
  double h_correlation = 0.0;

  void resize(int n_features) {
    mean.setZero(n_features);
    scale.setOnes(n_features);
    correlation_factor.setZero(n_coordinates(n_features));
    for (int i = 0; i < n_features; ++i) correlation_factor[n_coordinates(i + 1) - 1] = 1.0;
    h_mean.setZero(n_features);
    h_scale.setZero(n_features);
  }
};

// w_ij = atanh(c_ij), row by row, from a correlation matrix's packed Cholesky factor. In the
// notation of fill_factor L_ij = z_ij tanh(w_ij) and z_i,j+1 = z_ij sech(w_ij), so sinh(w_ij) =
// L_ij / z_i,j+1: nothing cancels as |c| nears 1.
inline void read_partial_correlations(int n_features, const Eigen::VectorXd& packed,
                                      Eigen::Ref<Eigen::VectorXd> w) {
  int row = 0, at = 0;
  for (int i = 0; i < n_features; ++i) {
    double rest = packed[row + i];
    for (int j = i - 1; j >= 0; --j) {
      w[at + j] = std::asinh(packed[row + j] / rest);
      rest = std::hypot(rest, packed[row + j]);
    }
    at += i;
    row += i + 1;
  }
}

// fill_factor with the values log(sigma) and atanh(c) given instead of their scores; packed row by
// row.
inline void pack_factor_of_values(int n_features, const Eigen::VectorXd& value,
                                  Eigen::VectorXd& packed) {
  int at = n_features, out = 0;
  for (int i = 0; i < n_features; ++i) {
    double rest = std::exp(value[i]);
    for (int j = 0; j < i; ++j, ++at) {
      packed[out++] = std::tanh(value[at]) * rest;
      rest /= std::cosh(value[at]);
    }
    packed[out++] = rest;
  }
}

// Draws new groups. Under no pooling v plays no part (h = 1), under complete pooling the value
// itself is kept (h = 0).
class NewGroup {
 public:
  explicit NewGroup(const Model& model)
      : model_(&model), value_(n_coordinates(model.n_features())) {}

  void draw(const Population& population, RandomStream& random, Eigen::VectorXd& mean,
            Eigen::VectorXd& packed_factor) {
    const Model& model = *model_;
    const int n_features = model.n_features();
    mean.resize(n_features);
    packed_factor.resize(n_coordinates(n_features));
    for (int k = 0; k < n_features; ++k) {
      const double e = random.normal();
      if (model.mean.pooling == Pooling::none)
        mean[k] = model.mean_location[k] + model.mean_scale[k] * e;
      if (model.mean.partial())
        mean[k] = population.mean[k] + model.mean_scale[k] * population.h_mean[k] * e;
      if (model.mean.complete()) mean[k] = population.mean[k];
    }
    value_.head(n_features) = population.scale.array().log();
    read_partial_correlations(n_features, population.correlation_factor,
                              value_.tail(n_correlations(n_features)));
    for (int k = 0; k < n_features; ++k) {
      value_[k] = step(model.scale, model.maps.scale[k], value_[k], population.h_scale[k], random);
    }
    for (int i = 1, at = n_features; i < n_features; ++i) {
      for (int j = 0; j < i; ++j, ++at) {
        value_[at] = step(model.correlation, model.maps.correlation[j], value_[at],
                          population.h_correlation, random);
      }
    }
    pack_factor_of_values(n_features, value_, packed_factor);
  }

 private:
  // (S4) in one coordinate: u = v + h e, with v the score of the population's value.
  static double step(const Block& block, const ScoreMap& map, double value, double h,
                     RandomStream& random) {
    const double e = random.normal();
    if (block.complete()) return value;
    return map(block.partial() ? map.inverse(value) + h * e : e).x;
  }

  const Model* model_;
  Eigen::VectorXd value_;
};

}  // namespace hmvn
