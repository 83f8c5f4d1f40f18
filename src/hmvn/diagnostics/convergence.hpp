// Summaries and convergence diagnostics of one quantity: moments, quantiles, rank-normalised split
// R-hat, and effective sizes in bulk and tails.
#pragma once

#include "hmvn/diagnostics/effective_size.hpp"
#include "hmvn/diagnostics/ranks.hpp"
#include "hmvn/diagnostics/spread.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace hmvn {

// What the draws of one quantity say. NaN: not defined. A constant has no diagnostics, a quantity
// with a draw that is not finite nothing at all.
struct DrawsSummary {
  double mean, sd, rhat, ess_bulk, ess_tail;
};

// Diagnoses quantities one after another, all with the same number of iterations and chains; owns
// the memory for it, so one a thread. `scores`, from split_scores(), serves all threads and must
// outlive this. Definitions: Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Bayesian
// Analysis 16; equal to the R package posterior, except that a quantity counts as constant when its
// range is lost in rounding relative to its size, not below an absolute 2e-16 (variances of 1e-17
// exist).
class Convergence {
 public:
  Convergence(std::size_t iterations, std::size_t chains, const NormalScores& scores)
      : iterations_(iterations),
        chains_(chains),
        half_(iterations / 2),
        scores_(scores),
        split_(half_, 2 * chains) {
    set_places();
  }

  // Scores of the draws that are in a half of a chain.
  static NormalScores split_scores(std::size_t iterations, std::size_t chains) {
    return NormalScores(iterations / 2 * 2 * chains);
  }

  // `draws`: iterations x chains, one chain after another.
  DrawsSummary operator()(const double* draws) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    const std::size_t n = iterations_ * chains_;
    DrawsSummary out{none, none, none, none, none};
    sorted_.clear();
    if (n == 0 || !std::all_of(draws, draws + n, [](double value) { return std::isfinite(value); }))
      return out;

    sorter_.sort(draws, n);
    sorted_.resize(n);
    for (std::size_t i = 0; i < n; ++i) sorted_[i] = draws[sorter_.order()[i]];
    moments(draws, n, out);
    const double largest = std::max(std::fabs(sorted_.front()), std::fabs(sorted_.back()));
    if (sorted_.back() - sorted_.front() <= std::numeric_limits<double>::epsilon() * largest)
      return out;

    keep_split_places();
    out.rhat = rank_normalised(out.ess_bulk);
    out.ess_tail = smaller_or_nan(tail_size(0.05), tail_size(0.95));
    return out;
  }

  // Monte Carlo standard error of the mean, from the effective size of the draws as they are; for
  // the quantity that was summarised last.
  double mcse_mean(const double* draws, const DrawsSummary& summary) {
    if (std::isnan(summary.ess_bulk)) return std::numeric_limits<double>::quiet_NaN();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i] != dropped) split_.data()[places_[i]] = draws[i] - summary.mean;
    }
    return summary.sd / std::sqrt(effective_size(split_, autocovariance_, rho_));
  }

  // Quantile of the last quantity, R's type 7, in R's arithmetic.
  double quantile(double probability) const {
    if (sorted_.empty()) return std::numeric_limits<double>::quiet_NaN();
    const QuantilePlace place(sorted_.size(), probability);
    const double low = sorted_[place.low];
    return place.share > 0.0 ? place.between(low, sorted_[place.low + 1]) : low;
  }

  // Median of the last quantity. Extended precision, as R's mean() of the middle two: whether their
  // distances from the median tie decides ranks.
  double median() const {
    const std::size_t n = sorted_.size();
    if (n == 0) return std::numeric_limits<double>::quiet_NaN();
    if (n % 2 == 1) return sorted_[n / 2];
    const long double a = sorted_[n / 2 - 1], b = sorted_[n / 2];
    const long double middle = (a + b) / 2;
    return static_cast<double>(middle + ((a - middle) + (b - middle)) / 2);
  }

 private:
  static constexpr std::uint32_t dropped = 0xffffffff;

  static double smaller_or_nan(double a, double b) {
    return std::isnan(a) ? a : (b < a || std::isnan(b) ? b : a);
  }

  void moments(const double* draws, std::size_t n, DrawsSummary& out) const {
    const Eigen::Map<const Eigen::ArrayXd> x(draws, static_cast<Eigen::Index>(n));
    const double shift = draws[0];
    out.mean = shift + (x - shift).mean();
    if (n > 1) out.sd = std::sqrt((x - out.mean).square().sum() / static_cast<double>(n - 1));
  }

  // Where each draw stands in split_ after every chain is cut in two; with an odd number of
  // iterations the middle one is in neither half.
  void set_places() {
    places_.assign(iterations_ * chains_, dropped);
    for (std::size_t chain = 0; chain < chains_; ++chain) {
      for (std::size_t i = 0; i < half_; ++i) {
        places_[chain * iterations_ + i] = static_cast<std::uint32_t>(2 * chain * half_ + i);
        places_[(chain + 1) * iterations_ - half_ + i] =
            static_cast<std::uint32_t>((2 * chain + 1) * half_ + i);
      }
    }
  }

  // The sorted draws that are in a half: their values and places. Ranks are among these, the median
  // and quantiles among all.
  void keep_split_places() {
    kept_.clear();
    kept_places_.clear();
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      const std::uint32_t where = places_[sorter_.order()[i]];
      if (where == dropped) continue;
      kept_.push_back(sorted_[i]);
      kept_places_.push_back(where);
    }
  }

  // R-hat, the larger of that of the draws and of their distances from the median; also sets the
  // bulk size on the way.
  double rank_normalised(double& ess_bulk) {
    bool varies =
        score([](std::size_t i) { return i; }, [this](std::size_t i) { return kept_[i]; });
    if (!varies) return std::numeric_limits<double>::quiet_NaN();
    const double bulk = split_rhat();
    ess_bulk = effective_size(split_, autocovariance_, rho_);

    const double centre = median();
    fold(centre);
    varies = score([this](std::size_t i) { return folded_[i]; },
                   [this, centre](std::size_t i) { return std::fabs(kept_[folded_[i]] - centre); });
    if (!varies) return std::numeric_limits<double>::quiet_NaN();
    const double tail = split_rhat();
    return std::isnan(bulk) || std::isnan(tail) ? std::numeric_limits<double>::quiet_NaN()
                                                : std::max(bulk, tail);
  }

  // |x - centre| falls along the sorted draws and rises again: merging the two sides sorts it.
  // Which side comes next is a toss-up, so no branch depends on it; each step waits for the one
  // before, so the merge runs from both ends at once. Of equals the left one is first.
  void fold(double centre) {
    const std::size_t n = kept_.size();
    folded_.resize(n);
    // the left side has [outer_left, left) left to merge, the right side [right, outer_right)
    std::size_t right = static_cast<std::size_t>(
        std::lower_bound(kept_.begin(), kept_.end(), centre) - kept_.begin());
    std::size_t left = right, outer_left = 0, outer_right = n, next = 0, last = n;
    const auto pick = [](std::size_t take_first, std::size_t first, std::size_t second) {
      return static_cast<std::uint32_t>(second ^
                                        ((first ^ second) & (std::size_t{0} - take_first)));
    };
    for (std::size_t steps = std::min(left, n - right); steps > 0; --steps) {
      const std::size_t near_left = centre - kept_[left - 1] <= kept_[right] - centre;
      folded_[next++] = pick(near_left, left - 1, right);
      left -= near_left;
      right += 1 - near_left;
      const std::size_t far_right = kept_[outer_right - 1] - centre >= centre - kept_[outer_left];
      folded_[--last] = pick(far_right, outer_right - 1, outer_left);
      outer_right -= far_right;
      outer_left += 1 - far_right;
    }
    while (next < last) {
      const bool take_left =
          right == outer_right ||
          (left > outer_left && centre - kept_[left - 1] <= kept_[right] - centre);
      folded_[next++] = static_cast<std::uint32_t>(take_left ? --left : right++);
    }
  }

  // Writes the normal scores of values that come sorted into split_; false if all are tied.
  template <class Which, class Value>
  bool score(Which which, Value value) {
    const std::size_t n = kept_.size();
    for (std::size_t first = 0; first < n;) {
      std::size_t last = first;
      const double tied = value(first);
      while (last + 1 < n && value(last + 1) == tied) ++last;
      if (first == 0 && last + 1 == n) return false;
      const double z = scores_(first, last);
      for (std::size_t i = first; i <= last; ++i) split_.data()[kept_places_[which(i)]] = z;
      first = last + 1;
    }
    return n > 0;
  }

  double split_rhat() const {
    const double n = static_cast<double>(half_), m = static_cast<double>(2 * chains_);
    if (half_ < 2) return std::numeric_limits<double>::quiet_NaN();
    const Eigen::RowVectorXd mean = split_.colwise().mean();
    const double within = (split_.rowwise() - mean).squaredNorm() / ((n - 1.0) * m);
    const double between = n * (mean.array() - mean.mean()).square().sum() / (m - 1.0);
    return std::sqrt((between / within + n - 1.0) / n);
  }

  // Effective size for the quantile: that of the indicator of lying below it.
  double tail_size(double probability) {
    const double bound = quantile(probability);
    const std::size_t below = static_cast<std::size_t>(
        std::upper_bound(kept_.begin(), kept_.end(), bound) - kept_.begin());
    if (below == 0 || below == kept_.size()) return std::numeric_limits<double>::quiet_NaN();
    split_.setZero();
    for (std::size_t i = 0; i < below; ++i) split_.data()[kept_places_[i]] = 1.0;
    return effective_size(split_, autocovariance_, rho_);
  }

  std::size_t iterations_, chains_, half_;
  const NormalScores& scores_;
  Eigen::MatrixXd split_;
  Sorter sorter_;
  MeanAutocovariance autocovariance_;
  std::vector<double> sorted_, kept_, rho_;
  std::vector<std::uint32_t> places_, kept_places_, folded_;
};

}  // namespace hmvn
