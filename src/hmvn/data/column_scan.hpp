// One look at the cells of a column.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hmvn/data/patterns.hpp"

namespace hmvn {

// What one column has besides finite numbers.
struct ColumnScan {
  bool missing = false;
  std::ptrdiff_t first_bad = -1;  // row of the first cell that is infinite, or NaN but not missing
  double n_bad = 0;
};

// R's missing number is a NaN whose low word is 1954; any other NaN is the result of a computation.
inline bool is_missing_number(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return std::isnan(value) && static_cast<std::uint32_t>(bits) == 1954;
}

// Without branches within a stride; what a stride may hide is looked at cell by cell.
inline ColumnScan scan_column(const Column& column, std::size_t n) {
  ColumnScan found;
  constexpr std::size_t stride = 4096;
  for (std::size_t begin = 0; begin < n; begin += stride) {
    const std::size_t end = begin + stride < n ? begin + stride : n;
    bool suspicious = false;
    if (column.real) {
      const double* value = column.real;  // x - x is 0 unless x is missing, NaN or infinite
      for (std::size_t i = begin; i < end; ++i) suspicious |= !(value[i] - value[i] == 0);
    } else {
      for (std::size_t i = begin; i < end; ++i)
        suspicious |= column.integer[i] == Column::missing_integer;
    }
    if (!suspicious) continue;
    if (!column.real) {
      found.missing = true;
      continue;
    }
    for (std::size_t i = begin; i < end; ++i) {
      const double value = column.real[i];
      if (std::isfinite(value) || is_missing_number(value)) {
        found.missing |= std::isnan(value);
        continue;
      }
      if (found.first_bad < 0) found.first_bad = static_cast<std::ptrdiff_t>(i);
      ++found.n_bad;
    }
  }
  return found;
}

}  // namespace hmvn
