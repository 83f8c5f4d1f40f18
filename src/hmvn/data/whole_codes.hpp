// Whole numbers to codes 1, 2, ... in their order, by a table over their range.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "hmvn/data/patterns.hpp"

namespace hmvn {

// `found` is false where a table does not do: numbers are missing, broken or none, or their range
// is too wide.
template <class Number>
class WholeCodes {
 public:
  WholeCodes(const Number* value, std::size_t n) : value_(value), n_(n) {
    if (n == 0) return;
    Number low = value[0], high = value[0];
    bool whole = true;
    for (std::size_t i = 0; i < n; ++i) {
      low = std::min(low, value[i]);
      high = std::max(high, value[i]);
      if (std::is_floating_point<Number>::value) whole &= value[i] == std::trunc(value[i]);
    }
    const double first = static_cast<double>(low), width = static_cast<double>(high) - first + 1;
    const double widest = std::min(1e8, std::max(1e6, 2.0 * static_cast<double>(n)));
    const bool missing = std::is_integral<Number>::value && first == Column::missing_integer;
    // not: all comparisons with NaN are false
    if (!whole || missing || !(width <= widest) || !(std::fabs(first) <= 9007199254740992.0)) {
      return;
    }
    found = true;
    low_ = low;
    code_.assign(static_cast<std::size_t>(width), 0);
    for (std::size_t i = 0; i < n; ++i) code_[static_cast<std::size_t>(value[i] - low)] = 1;
    for (int& c : code_) {
      if (c) c = ++n_codes;
    }
  }

  bool found = false;
  int n_codes = 0;

  // The numbers are the codes already.
  bool are_codes() const { return low_ == 1 && static_cast<std::size_t>(n_codes) == code_.size(); }

  void write_values(Number* out) const {
    for (std::size_t i = 0; i < code_.size(); ++i) {
      if (code_[i]) out[code_[i] - 1] = low_ + static_cast<Number>(i);
    }
  }
  void write_codes(int* out) const {
    for (std::size_t i = 0; i < n_; ++i) {
      out[i] = code_[static_cast<std::size_t>(value_[i] - low_)];
    }
  }

 private:
  const Number* value_;
  std::size_t n_;
  Number low_ = 0;
  std::vector<int> code_;
};

}  // namespace hmvn
