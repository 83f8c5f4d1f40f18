// Mean, standard deviation, shares and quantiles of the draws of one quantity, found without
// putting the draws in order.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

namespace hmvn {

// Where a quantile of n ordered values lies, R's type 7.
struct QuantilePlace {
  QuantilePlace(std::size_t n, double probability) {
    const double index = static_cast<double>(n - 1) * probability;
    low = static_cast<std::size_t>(std::floor(index));
    share = index - static_cast<double>(low);
  }

  // `a`: the value at `low`, `b`: the next one.
  double between(double a, double b) const { return a == b ? a : (1.0 - share) * a + share * b; }

  std::size_t low;
  double share;  // of the next value; 0: there may be none
};

class Spread {
 public:
  Spread(std::size_t n_draws, const std::vector<double>& probabilities)
      : n_(n_draws), order_(probabilities.size()) {
    for (double p : probabilities) places_.emplace_back(n_, p);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t i, std::size_t j) { return places_[i].low < places_[j].low; });
  }

  // Mean, standard deviation, a number a quantile, the share above 0 and, if `half_width` is no
  // NaN, the share nearer to 0 than that, else NaN. Leaves `draws` in another order. All are NaN if
  // one of the draws is.
  template <class Put>
  void operator()(double* draws, double half_width, const Put& put) const {
    const Eigen::Index n = static_cast<Eigen::Index>(n_);
    const Eigen::Map<const Eigen::ArrayXd> x(draws, n);
    const double mean = draws[0] + (x - draws[0]).mean();
    const std::size_t last = places_.size() + 3;
    if (x.isNaN().any()) {
      for (std::size_t i = 0; i <= last; ++i) put(i, std::numeric_limits<double>::quiet_NaN());
      return;
    }
    put(0, mean);
    put(1, std::sqrt((x - mean).square().sum() / static_cast<double>(n - 1)));
    put(last - 1, share_of((x > 0.0).count()));
    put(last, std::isnan(half_width) ? half_width : share_of((x.abs() < half_width).count()));
    double* from = draws;
    for (std::size_t i : order_) {
      const QuantilePlace& place = places_[i];
      double* low = draws + place.low;
      std::nth_element(from, low, draws + n_);
      from = low;
      put(2 + i,
          place.share > 0.0 ? place.between(*low, *std::min_element(low + 1, draws + n_)) : *low);
    }
  }

 private:
  double share_of(Eigen::Index count) const {
    return static_cast<double>(count) / static_cast<double>(n_);
  }

  std::size_t n_;
  std::vector<QuantilePlace> places_;
  std::vector<std::size_t> order_;  // of the places, from low to high
};

}  // namespace hmvn
