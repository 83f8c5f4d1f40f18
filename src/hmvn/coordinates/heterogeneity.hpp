// The heterogeneities h of (S4) and the weight sqrt(1 - h^2) of the population, from the sampler's
// coordinates.
#pragma once

#include <cmath>

#include "hmvn/coordinates/heterogeneity_map.hpp"
#include "hmvn/math/special_functions.hpp"
#include "hmvn/model/model.hpp"

namespace hmvn {

// h = Phi(x): a Beta(1, 1) prior is then a standard normal one on x. 1 - h is computed as Phi(-x),
// so that both ends keep full precision. x in turn is a map of the sampler's coordinate z.
template <class T>
struct Heterogeneity {
  T h, weight;                   // h and sqrt(1 - h^2)
  T slope, weight_slope;         // their derivatives in z; zero where h is constant
  T log_prior, log_prior_slope;  // of z: Beta density of h, and the Jacobian of the maps
};

template <class T>
Heterogeneity<T> constant_heterogeneity(double h) {
  return {T(h), T(std::sqrt((1.0 - h) * (1.0 + h))), T(0), T(0), T(0), T(0)};
}

template <class T>
Heterogeneity<T> heterogeneity_at(const HeterogeneityPrior& prior, const T& x) {
  using std::erfc;
  using std::exp;
  using std::log;
  using std::sqrt;
  const T h = T(0.5) * erfc(-x * T(sqrt_half));
  const T complement = T(0.5) * erfc(x * T(sqrt_half));
  const T density = exp(T(-0.5) * (x * x + T(log_2pi)));
  const T weight = sqrt(complement * (T(1) + h));
  const T a(prior.shape1 - 1.0), b(prior.shape2 - 1.0);
  const T log_prior =
      a * log(h) + b * log(complement) - T(prior.log_beta) - T(0.5) * (x * x + T(log_2pi));
  const T log_prior_slope = a * density / h - b * density / complement - x;
  return {h, weight, density, -h * density / weight, log_prior, log_prior_slope};
}

template <class T>
Heterogeneity<T> learned_heterogeneity(const HeterogeneityPrior& prior, const HeterogeneityMap& map,
                                       const T& z) {
  using std::log;
  const auto at = map(z);
  Heterogeneity<T> result = heterogeneity_at(prior, at.x);
  result.slope *= at.slope;
  result.weight_slope *= at.slope;
  result.log_prior += log(at.slope);
  result.log_prior_slope = result.log_prior_slope * at.slope + at.curvature / at.slope;
  return result;
}

}  // namespace hmvn
