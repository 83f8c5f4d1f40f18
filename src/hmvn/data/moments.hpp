// Running moments of rows of cells about a moving pivot: n, mean and centred scatter without a
// second pass and without cancellation (see statistics.hpp for why). They live in a plain array,
// many side by side: n, the weight at which the pivot moves, pivot, sums about the pivot, and
// products about the pivot, lower triangle row by row.
#pragma once

#include <cstddef>

namespace hmvn {

constexpr std::size_t moments_size(std::size_t n_features) {
  return 2 + 2 * n_features + n_features * (n_features + 1) / 2;
}
inline const double* moments_products(const double* moments, std::size_t n_features) {
  return moments + 2 + 2 * n_features;
}

// After centre_moments().
inline double moments_mean(const double* moments, std::size_t n_features, std::size_t k) {
  return moments[2 + k] + moments[2 + n_features + k];
}

namespace detail {

// Before a row of this weight is added: to the mean, or onto the row if that outweighs all before
// it.
inline void move_pivot(double* moments, std::size_t n_features, double weight,
                       const double* cells) {
  const double n = moments[0];
  double *pivot = moments + 2, *sum = pivot + n_features, *product = sum + n_features;
  moments[1] = 2.0 * (n + weight);
  if (n == 0.0) {
    for (std::size_t k = 0; k < n_features; ++k) pivot[k] = cells[k];
    return;
  }
  const auto to = [&](std::size_t k) { return weight > n ? cells[k] : pivot[k] + sum[k] / n; };
  // sum (r - d)(r - d)' = sum r r' - d sum r' - (sum r) d' + n d d', with d what the rounded pivot
  // really moves by
  for (std::size_t k = 0; k < n_features; ++k) {
    const double step = to(k) - pivot[k];
    for (std::size_t j = 0; j <= k; ++j) {
      *product++ -= step * sum[j] + (to(j) - pivot[j]) * (sum[k] - n * step);
    }
  }
  for (std::size_t k = 0; k < n_features; ++k) {
    const double next = to(k);
    sum[k] -= n * (next - pivot[k]);
    pivot[k] = next;
  }
}

}  // namespace detail

// Adds a row. K: the number of features where it is known to the compiler, else 0. The row is used
// as scratch.
template <int K>
inline void add_row(double* moments, std::size_t n_features, double weight, double* cells) {
  const std::size_t size = K > 0 ? K : n_features;
  if (moments[0] + weight > moments[1]) detail::move_pivot(moments, size, weight, cells);
  double *pivot = moments + 2, *sum = pivot + size, *product = sum + size;
  moments[0] += weight;
#pragma GCC unroll 8
  for (std::size_t k = 0; k < size; ++k) {
    cells[k] -= pivot[k];
    const double weighted = weight * cells[k];
    sum[k] += weighted;
#pragma GCC unroll 8
    for (std::size_t j = 0; j <= k; ++j) product[j] += weighted * cells[j];
    product += k + 1;
  }
}

// Sums become the mean's distance from the pivot, products the centred scatter.
inline void centre_moments(double* moments, std::size_t n_features) {
  const double n = moments[0];
  if (n == 0.0) return;
  double *sum = moments + 2 + n_features, *product = sum + n_features;
  for (std::size_t k = 0; k < n_features; ++k)
    for (std::size_t j = 0; j <= k; ++j) *product++ -= sum[k] / n * sum[j];
  for (std::size_t k = 0; k < n_features; ++k) sum[k] /= n;
}

// Adds centred moments to centred moments. The pivot stays, so that means keep the digits below its
// own.
inline void merge_moments(double* into, const double* from, std::size_t n_features) {
  const double n = into[0], m = from[0];
  if (m == 0.0) return;
  if (n == 0.0) {
    for (std::size_t i = 0; i < moments_size(n_features); ++i) into[i] = from[i];
    return;
  }
  double *offset = into + 2 + n_features, *product = offset + n_features;
  const double* product_from = moments_products(from, n_features);
  const auto apart = [&](std::size_t k) {
    return (from[2 + k] - into[2 + k]) + (from[2 + n_features + k] - offset[k]);
  };
  for (std::size_t k = 0; k < n_features; ++k) {
    const double weighted = n * (m / (n + m)) * apart(k);
    for (std::size_t j = 0; j <= k; ++j) *product++ += *product_from++ + weighted * apart(j);
  }
  for (std::size_t k = 0; k < n_features; ++k) offset[k] += m / (n + m) * apart(k);
  into[0] = n + m;
}

}  // namespace hmvn
