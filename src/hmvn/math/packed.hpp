// Lower triangles kept as vectors, row by row: (1,1), (2,1), (2,2), (3,1), ...
#pragma once

#include <Eigen/Core>

namespace hmvn {

constexpr int packed_size(int n) { return n * (n + 1) / 2; }

// Where entry (row, column) is kept, column <= row, all from 0.
constexpr Eigen::Index packed_index(Eigen::Index row, Eigen::Index column) {
  return row * (row + 1) / 2 + column;
}

template <class Matrix, class Packed>
void pack_lower(const Matrix& lower, Packed&& packed) {
  Eigen::Index at = 0;
  for (Eigen::Index i = 0; i < lower.rows(); ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) packed[at++] = lower(i, j);
  }
}

template <class Packed, class Matrix>
void unpack_lower(const Packed& packed, Matrix& lower) {
  Eigen::Index at = 0;
  lower.setZero();
  for (Eigen::Index i = 0; i < lower.rows(); ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) lower(i, j) = packed[at++];
  }
}

}  // namespace hmvn
