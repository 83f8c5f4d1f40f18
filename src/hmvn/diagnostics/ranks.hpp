// Sorting the draws of one quantity, and the normal scores of their ranks.
#ifndef HMVN_DIAGNOSTICS_RANKS_HPP
#define HMVN_DIAGNOSTICS_RANKS_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace hmvn {

// The standard Normal quantile of a probability strictly inside (0, 1), to about 1e-16 relative: algorithm AS 241,
// PPND16 (Wichura, 1988, Applied Statistics 37).
inline double normal_quantile(double probability) {
  const double q = probability - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q *
           (((((((r * 2509.0809287301226727 + 33430.575583588128105) * r + 67265.770927008700853) * r + 45921.953931549871457) * r +
               13731.693765509461125) * r + 1971.5909503065514427) * r + 133.14166789178437745) * r + 3.387132872796366608) /
           (((((((r * 5226.495278852545925 + 28729.085735721942674) * r + 39307.89580009271061) * r + 21213.794301586595867) * r +
               5394.1960214247511077) * r + 687.1870074920579083) * r + 42.313330701600911252) * r + 1.0);
  }
  double r = std::sqrt(-std::log(q < 0.0 ? probability : 0.5 - q));
  double value;
  if (r <= 5.0) {
    r -= 1.6;
    value = (((((((r * 7.7454501427834140764e-4 + 0.0227238449892691845833) * r + 0.24178072517745061177) * r +
                1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r + 4.6303378461565452959) * r +
             1.42343711074968357734) /
            (((((((r * 1.05075007164441684324e-9 + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r +
                0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r + 2.05319162663775882187) * r +
             1.0);
  } else {
    r -= 5.0;
    value = (((((((r * 2.01033439929228813265e-7 + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r +
                0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r + 5.4637849111641143699) * r +
             6.6579046435011037772) /
            (((((((r * 2.04426310338993978564e-15 + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r +
                7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r + 0.59983220655588793769) * r +
             1.0);
  }
  return q < 0.0 ? -value : value;
}

// Normal scores of average ranks among n values. Tied values at the sorted places first..last (from 0) share the rank
// 1 + (first + last)/2 and the score qnorm((rank - 3/8)/(n + 1/4)) (Blom), kept for every possible sum of two places.
class NormalScores {
 public:
  explicit NormalScores(std::size_t n) : score_(n == 0 ? 0 : 2 * n - 1) {
    for (std::size_t t = 0; t < score_.size(); ++t) {
      score_[t] = normal_quantile((0.5 * static_cast<double>(t) + 0.625) / (static_cast<double>(n) + 0.25));
    }
  }
  double operator()(std::size_t first, std::size_t last) const { return score_[first + last]; }

 private:
  std::vector<double> score_;
};

// Sorts finite doubles and keeps the permutation. Three counting passes over the leading 33 bits that differ, then a
// comparison sort of what still shares them: several times faster than std::sort at a few thousand draws, and never worse than n log n.
class Sorter {
 public:
  // order()[i] is where the i-th smallest of x[0], ..., x[n - 1] stands in x; the order among equal values is not defined.
  void sort(const double* x, std::size_t n) {
    items_.resize(n);
    order_.resize(n);
    for (std::size_t i = 0; i < n; ++i) items_[i] = Item{sortable(x[i]), static_cast<std::uint32_t>(i)};
    if (n >= 256) {
      sort_leading_bits();
    } else {
      std::sort(items_.begin(), items_.end());
    }
    for (std::size_t i = 0; i < n; ++i) order_[i] = items_[i].place;
  }
  const std::vector<std::uint32_t>& order() const { return order_; }

 private:
  struct Item {
    std::uint64_t key;
    std::uint32_t place;
    bool operator<(const Item& other) const { return key < other.key; }
  };
  static constexpr int digit_bits = 11;
  static constexpr int passes = 3;
  static constexpr std::uint64_t digits = std::uint64_t{1} << digit_bits;

  // Unsigned integers in the order of the doubles. Adding 0.0 makes -0 and +0 one value.
  static std::uint64_t sortable(double value) {
    value += 0.0;
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const std::uint64_t sign = std::uint64_t{1} << 63;
    return (bits & sign) ? ~bits : (bits | sign);
  }

  void sort_leading_bits() {
    std::uint64_t low = items_[0].key, high = items_[0].key;
    for (const Item& item : items_) {
      low = std::min(low, item.key);
      high = std::max(high, item.key);
    }
    int width = 0;
    while (width < 64 && ((high - low) >> width) != 0) ++width;
    const int shift = std::max(0, width - passes * digit_bits);

    std::array<std::array<std::uint32_t, digits>, passes> count{};
    for (const Item& item : items_) {
      const std::uint64_t leading = (item.key - low) >> shift;
      for (int p = 0; p < passes; ++p) ++count[p][(leading >> (p * digit_bits)) & (digits - 1)];
    }
    scratch_.resize(items_.size());
    for (int p = 0; p < passes; ++p) {
      std::uint32_t start = 0;
      for (std::uint32_t& c : count[p]) start += std::exchange(c, start);
      for (const Item& item : items_) {
        const std::uint64_t leading = (item.key - low) >> shift;
        scratch_[count[p][(leading >> (p * digit_bits)) & (digits - 1)]++] = item;
      }
      items_.swap(scratch_);
    }
    if (shift == 0) return;
    for (std::size_t first = 0; first < items_.size();) {
      std::size_t end = first + 1;
      while (end < items_.size() && ((items_[end].key - low) >> shift) == ((items_[first].key - low) >> shift)) ++end;
      if (end - first > 1) std::sort(items_.begin() + first, items_.begin() + end);
      first = end;
    }
  }

  std::vector<Item> items_, scratch_;
  std::vector<std::uint32_t> order_;
};

}  // namespace hmvn

#endif
