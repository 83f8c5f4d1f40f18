// The quantities that follow from a group's packed factor, by the names they have in R.
#pragma once

#include "hmvn/predict/derive.hpp"

#include <stdexcept>
#include <string>

namespace hmvn {

enum class Derived { sd, correlation, covariance, precision };

inline Derived read_derived(const std::string& kind) {
  if (kind == "sigma") return Derived::sd;
  if (kind == "Omega") return Derived::correlation;
  if (kind == "Sigma") return Derived::covariance;
  if (kind == "precision") return Derived::precision;
  throw std::invalid_argument("unknown quantity '" + kind + "'");
}

inline Eigen::ArrayXd derive(Derived kind, const PackedDraws& factor, Eigen::Index size,
                             Eigen::Index row, Eigen::Index column) {
  switch (kind) {
    case Derived::sd:
      return derive_sd(factor, row);
    case Derived::correlation:
      return derive_correlation(factor, row, column);
    case Derived::covariance:
      return derive_covariance(factor, row, column);
    default:
      return derive_precision(factor, size, row, column);
  }
}

// How many entries one group has: sds, lower triangles with their diagonal, of correlations without
// it.
inline Eigen::Index packed_size(Derived kind, Eigen::Index size) {
  if (kind == Derived::sd) return size;
  return size * (size + (kind == Derived::correlation ? -1 : 1)) / 2;
}

// Calls visit(row, column) for these entries in the order they are packed in.
template <class Visit>
void for_each_packed(Derived kind, Eigen::Index size, Visit visit) {
  for (Eigen::Index i = 0; i < size; ++i) {
    const Eigen::Index first = kind == Derived::sd ? i : 0,
                       last = kind == Derived::correlation ? i - 1 : i;
    for (Eigen::Index j = first; j <= last; ++j) visit(i, j);
  }
}

}  // namespace hmvn
