// How much a group's mean is drawn towards the population's.
#pragma once

#include <cstddef>

#include "hmvn/math/packed.hpp"

namespace hmvn {

// Every `every`-th of so many draws.
struct ThinnedDraws {
  std::ptrdiff_t count;
  int every;
};

// The posterior mean of the shrinkage weight (sigma^2/n) / (sigma^2/n + tau^2) = 1 / (1 + n
// (tau/sigma)^2) of feature k. `factor`: the packed Cholesky factors of Sigma, one entry after
// another; `tau`: of the feature.
inline double mean_shrinkage(const double* factor, ThinnedDraws draws, int k, double n,
                             const double* tau) {
  const double* row = factor + draws.count * packed_index(k, 0);
  double sum = 0.0;
  std::ptrdiff_t used = 0;
  for (std::ptrdiff_t d = 0; d < draws.count; d += draws.every, ++used) {
    double variance = 0.0;
    for (int m = 0; m <= k; ++m) {
      const double entry = row[draws.count * m + d];
      variance += entry * entry;
    }
    sum += 1.0 / (1.0 + n * tau[d] * tau[d] / variance);
  }
  return sum / static_cast<double>(used);
}

}  // namespace hmvn
