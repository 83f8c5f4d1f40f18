// Code for a number of features known to the compiler, chosen at run time.
#pragma once

#include <Eigen/Core>
#include <type_traits>

namespace hmvn {

// Up to here the posterior is compiled for every number of features, hmc_unit_1.cpp to
// hmc_unit_8.cpp; hmc_unit_any.cpp is for all beyond.
constexpr int most_known_features = 8;

// Calls f(std::integral_constant<int, K>) with K the number of features, or Eigen::Dynamic for more
// than `Largest`.
template <int Largest, int K = 1, class F>
auto with_features(int n_features, const F& f) {
  if constexpr (K > Largest) {
    return f(std::integral_constant<int, Eigen::Dynamic>());
  } else {
    return n_features == K ? f(std::integral_constant<int, K>())
                           : with_features<Largest, K + 1>(n_features, f);
  }
}

}  // namespace hmvn
