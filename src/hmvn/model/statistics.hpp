// Sufficient statistics of the rows by (group, pattern of observed features): what (M2) says
// the likelihood depends on.
//
// The rows are read where they lie, in two passes over fixed blocks of rows: sums about a
// pivot (the unit's first row) give a centre, then residuals about that centre give mean and
// centred scatter, with the correction for the centre's own rounding error. So an offset of
// 1e8 costs no digits of the scatter, and a constant feature has scatter exactly 0. Blocks
// depend on the sizes of the problem alone and are added in index order: whoever computes
// them, and in which order, the result is the same.
#ifndef HMVN_MODEL_STATISTICS_HPP
#define HMVN_MODEL_STATISTICS_HPP

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "hmvn/model/units.hpp"

namespace hmvn {

// Both passes over one problem. Use: for every block sum_block(); finish_centres(); for every
// block scatter_block(); finish(). Different blocks may be computed at the same time.
class StatisticsPasses {
 public:
  StatisticsPasses(const Rows& rows, const Units& units)
      : rows_(rows), units_(units), n_features_(rows.columns.size()), packed_(n_features_ * (n_features_ + 1) / 2) {
    const std::size_t cells = std::max<std::size_t>(1, units.count * (n_features_ + packed_));
    n_blocks_ = rows.n_rows / min_rows_a_block;
    n_blocks_ = std::min(n_blocks_, max_blocks);
    n_blocks_ = std::min(n_blocks_, max_cells / cells);               // bounds the memory
    n_blocks_ = std::min(n_blocks_, rows.n_rows / (4 * units.count + 1));  // adding blocks stays cheap
    n_blocks_ = std::max<std::size_t>(n_blocks_, 1);
    centre_.assign(units.count * n_features_, 0.0);
    for (std::size_t u = 0; u < units.count; ++u)
      for (std::size_t k = 0; k < n_features_; ++k)
        if (!units.is_missing(u, k)) centre_[u * n_features_ + k] = rows.columns[k].value(units.first_row[u]);
    sums_.resize(n_blocks_);
  }

  std::size_t n_blocks() const { return n_blocks_; }

  // Pass 1: per unit the sum of weights and the weighted sums about the pivot.
  void sum_block(std::size_t block) {
    const std::size_t stride = 1 + n_features_;
    std::vector<double>& sums = sums_[block];
    sums.assign(units_.count * stride, 0.0);
    for_each_row(block, [&](std::size_t unit, double weight, const double* residual) {
      double* sum = &sums[unit * stride];
      sum[0] += weight;
      for (std::size_t k = 0; k < n_features_; ++k) sum[1 + k] += weight * residual[k];
    });
  }

  void finish_centres() {
    const std::size_t stride = 1 + n_features_;
    const std::vector<double>& total = add_blocks();
    n_.resize(units_.count);
    for (std::size_t u = 0; u < units_.count; ++u) {
      n_[u] = total[u * stride];
      for (std::size_t k = 0; k < n_features_; ++k) centre_[u * n_features_ + k] += total[u * stride + 1 + k] / n_[u];
    }
  }

  // Pass 2: per unit the weighted sums of residuals about the centre and of their products,
  // lower triangle row by row.
  void scatter_block(std::size_t block) {
    const std::size_t stride = n_features_ + packed_;
    std::vector<double>& sums = sums_[block];
    sums.assign(units_.count * stride, 0.0);
    for_each_row(block, [&](std::size_t unit, double weight, const double* residual) {
      double* sum = &sums[unit * stride];
      double* product = sum + n_features_;
      for (std::size_t k = 0; k < n_features_; ++k) {
        const double weighted = weight * residual[k];
        sum[k] += weighted;
        for (std::size_t j = 0; j <= k; ++j) product[j] += weighted * residual[j];
        product += k + 1;
      }
    });
  }

  void finish() {
    const std::size_t stride = n_features_ + packed_;
    const std::vector<double>& total = add_blocks();
    scatter_.assign(units_.count * packed_, 0.0);
    for (std::size_t u = 0; u < units_.count; ++u) {
      const double* sum = &total[u * stride];
      const double* product = sum + n_features_;
      double* scatter = &scatter_[u * packed_];
      for (std::size_t k = 0; k < n_features_; ++k)
        for (std::size_t j = 0; j <= k; ++j) *scatter++ = *product++ - sum[k] / n_[u] * sum[j];
      for (std::size_t k = 0; k < n_features_; ++k) centre_[u * n_features_ + k] += sum[k] / n_[u];
    }
  }

  double n(std::size_t unit) const { return n_[unit]; }
  double mean(std::size_t unit, std::size_t k) const { return centre_[unit * n_features_ + k]; }
  double scatter(std::size_t unit, std::size_t k, std::size_t j) const {
    if (j > k) std::swap(j, k);
    return scatter_[unit * packed_ + k * (k + 1) / 2 + j];
  }

 private:
  static constexpr std::size_t min_rows_a_block = 65536;
  static constexpr std::size_t max_blocks = 64;
  static constexpr std::size_t max_cells = std::size_t(1) << 25;  // 256 MB of doubles over all blocks

  // Calls visit(unit, weight, residuals) for the rows of a block in order; the residual of a
  // missing cell is 0, so that it adds nothing. Columns are read in short runs, a cache's worth.
  template <class Visit>
  void for_each_row(std::size_t block, Visit visit) const {
    const std::size_t begin = rows_.n_rows * block / n_blocks_;
    const std::size_t end = rows_.n_rows * (block + 1) / n_blocks_;
    constexpr std::size_t run = 256;
    std::vector<double> residual(run * n_features_);
    std::vector<int> unit(run);
    for (std::size_t start = begin; start < end; start += run) {
      const std::size_t length = std::min(run, end - start);
      for (std::size_t r = 0; r < length; ++r) unit[r] = units_.unit_of(start + r, rows_.group);
      for (std::size_t k = 0; k < n_features_; ++k) load(k, start, length, unit.data(), residual.data());
      for (std::size_t r = 0; r < length; ++r) {
        if (unit[r] < 0) continue;
        visit(static_cast<std::size_t>(unit[r]), rows_.weight ? rows_.weight[start + r] : 1.0,
              &residual[r * n_features_]);
      }
    }
  }

  void load(std::size_t k, std::size_t start, std::size_t length, const int* unit, double* residual) const {
    const Column& column = rows_.columns[k];
    const double* centre = centre_.data() + k;
    double* out = residual + k;
    if (!units_.complete) {
      for (std::size_t r = 0; r < length; ++r) {
        const bool skip = unit[r] < 0 || column.is_missing(start + r);
        out[r * n_features_] = skip ? 0.0 : column.value(start + r) - centre[unit[r] * n_features_];
      }
    } else if (column.real) {
      const double* value = column.real + start;
      for (std::size_t r = 0; r < length; ++r) out[r * n_features_] = value[r] - centre[unit[r] * n_features_];
    } else {
      const int* value = column.integer + start;
      for (std::size_t r = 0; r < length; ++r) out[r * n_features_] = value[r] - centre[unit[r] * n_features_];
    }
  }

  const std::vector<double>& add_blocks() {
    for (std::size_t b = 1; b < n_blocks_; ++b) {
      for (std::size_t i = 0; i < sums_[0].size(); ++i) sums_[0][i] += sums_[b][i];
      std::vector<double>().swap(sums_[b]);
    }
    return sums_[0];
  }

  const Rows& rows_;
  const Units& units_;
  std::size_t n_features_;
  std::size_t packed_;
  std::size_t n_blocks_;
  std::vector<double> centre_;               // [unit * n_features + k]: pivot, then mean
  std::vector<double> n_;                    // [unit]
  std::vector<double> scatter_;              // [unit * packed + lower triangle]
  std::vector<std::vector<double>> sums_;    // one accumulator a block
};

}  // namespace hmvn

#endif
