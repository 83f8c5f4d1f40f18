// Sufficient statistics of the rows by (group, pattern of observed features): what (M2) says
// the likelihood depends on.
//
// The rows are read where they lie, once. A pattern's sums are of residuals about a pivot that
// follows its mean: it moves there whenever the weight since its last move has doubled, and
// onto any row that outweighs all before it. So the squares about the pivot never exceed a
// small multiple of those about the mean of the same rows (half of the rows were already about
// their own mean when the others came, and what lies between the halves is scatter too):
// whatever the offset, the order of the rows or an outlying first row, no digits cancel, as in
// two passes; and a constant feature has scatter exactly 0. Chunks of rows depend on the sizes
// of the problem alone and are merged in index order: whoever computes them, and in which
// order, the result is the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "hmvn/data/moments.hpp"
#include "hmvn/data/patterns.hpp"

namespace hmvn {

// The pass over one problem. Use: for every chunk read_chunk(); then finish(). Different
// chunks may be read at the same time.
class StatisticsPass {
 public:
  StatisticsPass(const Rows& rows, const Patterns& patterns)
      : rows_(rows),
        patterns_(patterns),
        n_features_(rows.columns.size()),
        stride_(moments_size(n_features_)) {
    n_chunks_ = rows.n_rows / min_rows_a_chunk;
    n_chunks_ = std::min(n_chunks_, max_chunks);
    n_chunks_ = std::min(
        n_chunks_,
        max_cells / std::max<std::size_t>(1, patterns.count * stride_));  // bounds the memory
    n_chunks_ =
        std::min(n_chunks_, rows.n_rows / (4 * patterns.count + 1));  // merging chunks stays cheap
    n_chunks_ = std::max<std::size_t>(n_chunks_, 1);
    moments_.resize(n_chunks_);
  }

  std::size_t n_chunks() const { return n_chunks_; }

  void read_chunk(std::size_t chunk) {
    moments_[chunk].assign(patterns_.count * stride_, 0.0);
    const std::size_t begin = rows_.n_rows * chunk / n_chunks_;
    const std::size_t end = rows_.n_rows * (chunk + 1) / n_chunks_;
    double* moments = moments_[chunk].data();
    const auto& columns = rows_.columns;
    const bool all_real =
        std::all_of(columns.begin(), columns.end(), [](const Column& c) { return c.real; });
    if (!patterns_.complete || !all_real) return read_any(begin, end, moments);
    switch (n_features_) {
      case 1:
        return read_complete<1>(begin, end, moments);
      case 2:
        return read_complete<2>(begin, end, moments);
      case 3:
        return read_complete<3>(begin, end, moments);
      case 4:
        return read_complete<4>(begin, end, moments);
      case 5:
        return read_complete<5>(begin, end, moments);
      case 6:
        return read_complete<6>(begin, end, moments);
      case 7:
        return read_complete<7>(begin, end, moments);
      case 8:
        return read_complete<8>(begin, end, moments);
      default:
        return read_any(begin, end, moments);
    }
  }

  void finish() {
    for (std::size_t b = 0; b < n_chunks_; ++b) {
      for (std::size_t u = 0; u < patterns_.count; ++u) {
        double* own = &moments_[b][u * stride_];
        centre_moments(own, n_features_);
        if (b > 0) merge_moments(&moments_[0][u * stride_], own, n_features_);
      }
      if (b > 0) std::vector<double>().swap(moments_[b]);
    }
  }

  double n(std::size_t pattern) const { return moments_[0][pattern * stride_]; }
  double mean(std::size_t pattern, std::size_t k) const {
    return moments_mean(&moments_[0][pattern * stride_], n_features_, k);
  }
  double scatter(std::size_t pattern, std::size_t k, std::size_t j) const {
    if (j > k) std::swap(j, k);
    return moments_products(&moments_[0][pattern * stride_], n_features_)[k * (k + 1) / 2 + j];
  }

 private:
  static constexpr std::size_t min_rows_a_chunk = 65536;
  static constexpr std::size_t max_chunks = 64;
  static constexpr std::size_t max_cells = std::size_t(1)
                                           << 25;  // 256 MB of doubles over all chunks

  double weight(std::size_t row) const { return rows_.weight ? rows_.weight[row] : 1.0; }

  // All cells observed and real, few features: read straight from the columns, K known to the
  // compiler.
  template <int K>
  void read_complete(std::size_t begin, std::size_t end, double* moments) const {
    const double* column[K];
    for (int k = 0; k < K; ++k) column[k] = rows_.columns[k].real;
    for (std::size_t row = begin; row < end; ++row) {
      double cells[K];
#pragma GCC unroll 8
      for (int k = 0; k < K; ++k) cells[k] = column[k][row];
      const auto pattern = static_cast<std::size_t>(patterns_.of_group[rows_.group[row] - 1]);
      add_row<K>(moments + pattern * stride_, K, weight(row), cells);
    }
  }

  // A missing cell is 0 in all rows of its pattern, so that it adds nothing. Columns are read in
  // short runs, a cache's worth.
  void read_any(std::size_t begin, std::size_t end, double* moments) const {
    constexpr std::size_t run = 256;
    std::vector<double> cells(run * n_features_);
    for (std::size_t start = begin; start < end; start += run) {
      const std::size_t length = std::min(run, end - start);
      for (std::size_t k = 0; k < n_features_; ++k) load(k, start, length, &cells[k]);
      for (std::size_t r = 0; r < length; ++r) {
        const int pattern = patterns_.pattern_of(start + r, rows_.group);
        if (pattern < 0) continue;
        double* own = moments + static_cast<std::size_t>(pattern) * stride_;
        add_row<0>(own, n_features_, weight(start + r), &cells[r * n_features_]);
      }
    }
  }

  void load(std::size_t k, std::size_t start, std::size_t length, double* out) const {
    const Column& column = rows_.columns[k];
    if (!patterns_.complete) {
      for (std::size_t r = 0; r < length; ++r) {
        out[r * n_features_] = column.is_missing(start + r) ? 0.0 : column.value(start + r);
      }
    } else if (column.real) {
      const double* value = column.real + start;
      for (std::size_t r = 0; r < length; ++r) out[r * n_features_] = value[r];
    } else {
      const int* value = column.integer + start;
      for (std::size_t r = 0; r < length; ++r) out[r * n_features_] = value[r];
    }
  }

  const Rows& rows_;
  const Patterns& patterns_;
  std::size_t n_features_;
  std::size_t stride_;
  std::size_t n_chunks_;
  std::vector<std::vector<double>> moments_;  // one accumulator a chunk: [pattern * stride]
};

}  // namespace hmvn
