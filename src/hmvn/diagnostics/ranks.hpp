// Sorting the draws of one quantity, and the normal scores of their ranks.
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace hmvn {

// The standard Normal quantile of a probability strictly inside (0, 1), to about 1e-16 relative:
// algorithm AS 241, PPND16 (Wichura, 1988, Applied Statistics 37).
inline double normal_quantile(double probability) {
  const double q = probability - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q *
           (((((((r * 2509.0809287301226727 + 33430.575583588128105) * r + 67265.770927008700853) *
                    r +
                45921.953931549871457) *
                   r +
               13731.693765509461125) *
                  r +
              1971.5909503065514427) *
                 r +
             133.14166789178437745) *
                r +
            3.387132872796366608) /
           (((((((r * 5226.495278852545925 + 28729.085735721942674) * r + 39307.89580009271061) *
                    r +
                21213.794301586595867) *
                   r +
               5394.1960214247511077) *
                  r +
              687.1870074920579083) *
                 r +
             42.313330701600911252) *
                r +
            1.0);
  }
  double r = std::sqrt(-std::log(q < 0.0 ? probability : 0.5 - q));
  double value;
  if (r <= 5.0) {
    r -= 1.6;
    value = (((((((r * 7.7454501427834140764e-4 + 0.0227238449892691845833) * r +
                  0.24178072517745061177) *
                     r +
                 1.27045825245236838258) *
                    r +
                3.64784832476320460504) *
                   r +
               5.7694972214606914055) *
                  r +
              4.6303378461565452959) *
                 r +
             1.42343711074968357734) /
            (((((((r * 1.05075007164441684324e-9 + 5.475938084995344946e-4) * r +
                  0.0151986665636164571966) *
                     r +
                 0.14810397642748007459) *
                    r +
                0.68976733498510000455) *
                   r +
               1.6763848301838038494) *
                  r +
              2.05319162663775882187) *
                 r +
             1.0);
  } else {
    r -= 5.0;
    value = (((((((r * 2.01033439929228813265e-7 + 2.71155556874348757815e-5) * r +
                  0.0012426609473880784386) *
                     r +
                 0.026532189526576123093) *
                    r +
                0.29656057182850489123) *
                   r +
               1.7848265399172913358) *
                  r +
              5.4637849111641143699) *
                 r +
             6.6579046435011037772) /
            (((((((r * 2.04426310338993978564e-15 + 1.4215117583164458887e-7) * r +
                  1.8463183175100546818e-5) *
                     r +
                 7.868691311456132591e-4) *
                    r +
                0.0148753612908506148525) *
                   r +
               0.13692988092273580531) *
                  r +
              0.59983220655588793769) *
                 r +
             1.0);
  }
  return q < 0.0 ? -value : value;
}

// Normal scores of average ranks among n values. Tied values at the sorted places first..last (from
// 0) share the rank 1 + (first + last)/2 and the score qnorm((rank - 3/8)/(n + 1/4)) (Blom). These
// are the same for every quantity and kept, so one object serves all quantities and threads.
class NormalScores {
 public:
  explicit NormalScores(std::size_t n) : score_(n > 0 ? 2 * n - 1 : 0) {
    for (std::size_t sum = 0; sum < score_.size(); ++sum) {
      score_[sum] = normal_quantile((0.5 * static_cast<double>(sum) + 0.625) /
                                    (static_cast<double>(n) + 0.25));
    }
  }
  double operator()(std::size_t first, std::size_t last) const { return score_[first + last]; }

 private:
  std::vector<double> score_;  // by the sum of the places
};

// Sorts finite doubles and keeps the permutation. Values are put into 2^22 bins of equal width by
// two counting passes, then a comparison sort orders what shares a bin: nothing to do for most
// quantities, and never worse than n log n.
class Sorter {
 public:
  // order()[i] is where the i-th smallest of x[0], ..., x[n - 1] stands in x; the order among equal
  // values is not defined.
  void sort(const double* x, std::size_t n) {
    order_.resize(n);
    const auto less = [x](std::uint32_t a, std::uint32_t b) { return x[a] < x[b]; };
    if (n < 256 || !bin(x, n)) {
      for (std::size_t i = 0; i < n; ++i) order_[i] = static_cast<std::uint32_t>(i);
      std::sort(order_.begin(), order_.end(), less);
      return;
    }
    sort_bins();
    for (std::size_t i = 0; i < n; ++i) order_[i] = items_[i].place;
    for (std::size_t first = 0; first < n;) {
      std::size_t end = first + 1;
      while (end < n && items_[end].bin == items_[first].bin) ++end;
      if (end - first > 1) std::sort(order_.begin() + first, order_.begin() + end, less);
      first = end;
    }
  }
  const std::vector<std::uint32_t>& order() const { return order_; }

 private:
  struct Item {
    std::uint32_t bin, place;
  };
  static constexpr int digit_bits = 11;
  static constexpr std::uint32_t digits = std::uint32_t{1} << digit_bits;

  // Rounding keeps the order of values, so bins are in order whatever it does. Halves, for the
  // range may exceed the largest double. False where the range is nothing or too small to divide
  // by.
  bool bin(const double* x, std::size_t n) {
    const Eigen::Map<const Eigen::ArrayXd> values(x, static_cast<Eigen::Index>(n));
    const double low = 0.5 * values.minCoeff();
    const double scale =
        (static_cast<double>(digits) * digits - 1.0) / (0.5 * values.maxCoeff() - low);
    if (!std::isfinite(scale)) return false;
    items_.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto number = static_cast<std::int32_t>((0.5 * x[i] - low) * scale);
      items_[i] = Item{static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(i)};
    }
    return true;
  }

  void sort_bins() {
    std::array<std::uint32_t, digits> low{}, high{};
    for (const Item& item : items_) {
      ++low[item.bin & (digits - 1)];
      ++high[item.bin >> digit_bits];
    }
    std::uint32_t low_start = 0, high_start = 0;
    for (std::uint32_t d = 0; d < digits; ++d) {
      low_start += std::exchange(low[d], low_start);
      high_start += std::exchange(high[d], high_start);
    }
    scratch_.resize(items_.size());
    for (const Item& item : items_) scratch_[low[item.bin & (digits - 1)]++] = item;
    for (const Item& item : scratch_) items_[high[item.bin >> digit_bits]++] = item;
  }

  std::vector<Item> items_, scratch_;
  std::vector<std::uint32_t> order_;
};

}  // namespace hmvn
