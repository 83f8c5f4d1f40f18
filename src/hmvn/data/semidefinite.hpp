// Can a matrix be a scatter matrix? For what was not computed here.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace hmvn {

// Whether a symmetric matrix [n x n] has no negative eigenvalue, on the scale of correlations and
// to `tolerance`: by Cholesky of the scaled matrix with `tolerance` added to its diagonal. A
// feature with variance 0 has covariances near 0.
inline bool is_semidefinite(const double* matrix, std::size_t n, double tolerance) {
  std::vector<double> sd(n), factor(n * n);
  for (std::size_t k = 0; k < n; ++k) {
    if (!(matrix[k * n + k] >= 0.0)) return false;
    sd[k] = std::sqrt(matrix[k * n + k]);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      if (sd[i] == 0.0 || sd[j] == 0.0) {
        if (std::abs(matrix[i * n + j]) > 1e-3 * std::fmax(sd[i], sd[j])) return false;
        factor[i * n + j] = i == j ? 1.0 : 0.0;
        continue;
      }
      double left = matrix[i * n + j] / sd[i] / sd[j] + (i == j ? tolerance : 0.0);
      for (std::size_t k = 0; k < j; ++k) left -= factor[i * n + k] * factor[j * n + k];
      if (i == j && !(left > 0.0)) return false;
      factor[i * n + j] = i == j ? std::sqrt(left) : left / factor[j * n + j];
    }
  }
  return true;
}

}  // namespace hmvn
