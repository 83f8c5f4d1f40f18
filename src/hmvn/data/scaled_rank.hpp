// The rank of a scatter matrix without regard to units, for (M3).
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace hmvn {

// Rank of a scatter matrix [n x n, column major] over the features that vary, judged on the
// scale of correlations by Cholesky with pivoting: a feature adds to the rank while the share
// of its variance that the pivots so far leave unexplained (1 - R^2) exceeds `tolerance`.
inline int scaled_rank(const double* scatter, std::size_t n, double tolerance, int* n_varying) {
  std::vector<std::size_t> varying;
  for (std::size_t k = 0; k < n; ++k)
    if (scatter[k * n + k] > 0) varying.push_back(k);
  const std::size_t size = varying.size();
  *n_varying = static_cast<int>(size);

  std::vector<double> residual(size * size);
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j < size; ++j) {
      const std::size_t a = varying[i], b = varying[j];
      // divided one after the other: the product of two variances may overflow
      residual[i * size + j] =
          scatter[a * n + b] / std::sqrt(scatter[a * n + a]) / std::sqrt(scatter[b * n + b]);
    }
  for (std::size_t rank = 0; rank < size; ++rank) {
    std::size_t pivot = 0;
    for (std::size_t i = 1; i < size; ++i)
      if (residual[i * size + i] > residual[pivot * size + pivot]) pivot = i;
    const double left = residual[pivot * size + pivot];
    if (!(left > tolerance)) return static_cast<int>(rank);
    const std::vector<double> row(&residual[pivot * size], &residual[pivot * size] + size);
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) residual[i * size + j] -= row[i] / left * row[j];
    residual[pivot * size + pivot] = 0;
  }
  return static_cast<int>(size);
}

}  // namespace hmvn
