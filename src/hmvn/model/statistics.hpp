// Sufficient statistics of the rows by (group, pattern of observed features): what (M2) says
// the likelihood depends on.
//
// The rows are read where they lie, in two passes over fixed blocks of rows: sums about a
// pivot (the unit's first row) give a centre, then residuals about that centre give mean and
// centred scatter, with the correction for the centre's own rounding error. So an offset of
// 1e8 costs no digits of the scatter, and a constant feature has scatter exactly 0. Blocks
// depend on the sizes of the problem alone and are added in index order: whoever computes
// them, and in which order, the result is the same. A "unit" is one pattern in one group.
#ifndef HMVN_MODEL_STATISTICS_HPP
#define HMVN_MODEL_STATISTICS_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace hmvn {

// One feature as the user stores it: reals (a NaN is missing) or integers (the smallest int
// is missing, R's convention). Exactly one pointer is set.
struct Column {
  const double* real = nullptr;
  const int* integer = nullptr;

  static constexpr int missing_integer = std::numeric_limits<int>::min();

  bool is_missing(std::size_t row) const {
    return real ? real[row] != real[row] : integer[row] == missing_integer;
  }
  double value(std::size_t row) const {
    return real ? real[row] : static_cast<double>(integer[row]);
  }
  bool has_missing(std::size_t n_rows) const {
    bool found = false;
    constexpr std::size_t stride = 4096;  // branch-free inside, early exit between
    for (std::size_t begin = 0; begin < n_rows && !found; begin += stride) {
      const std::size_t end = std::min(begin + stride, n_rows);
      if (real) {
        for (std::size_t i = begin; i < end; ++i) found |= (real[i] != real[i]);
      } else {
        for (std::size_t i = begin; i < end; ++i) found |= (integer[i] == missing_integer);
      }
    }
    return found;
  }
};

// The data as given: columns, the group of every row (1..n_groups), weights or null (all 1).
struct Rows {
  std::vector<Column> columns;
  const int* group = nullptr;
  const double* weight = nullptr;
  std::size_t n_rows = 0;
  int n_groups = 0;
};

// Which unit each row belongs to, and what a unit observes. Units are ordered by group, then
// complete first, then fewer missing, then lexicographically: an order that the order of the
// rows cannot change. `missing` holds n_words words a unit, bit k of word k / 64 for feature k.
struct Units {
  std::size_t count = 0;
  std::size_t n_words = 1;
  std::vector<int> group;              // 1..n_groups, per unit
  std::vector<std::uint64_t> missing;  // [count * n_words]
  std::vector<int> of_row;             // 0-based unit of each row, -1 for an empty row; empty if complete
  std::vector<int> of_group;           // complete data: 0-based unit of each group
  std::vector<std::size_t> first_row;  // per unit: its pivot
  bool complete = true;
  double n_empty = 0;                  // rows with nothing observed
  double n_missing = 0;                // missing cells in the other rows

  bool is_missing(std::size_t unit, std::size_t feature) const {
    return (missing[unit * n_words + feature / 64] >> (feature % 64)) & 1u;
  }
  int unit_of(std::size_t row, const int* group_of_row) const {
    return complete ? of_group[group_of_row[row] - 1] : of_row[row];
  }
};

namespace detail {

inline int count_bits(std::uint64_t word) {
  int count = 0;
  for (; word; word &= word - 1) ++count;
  return count;
}

// Open addressing over (group, missing words): one look-up a row with something missing.
class UnitTable {
 public:
  explicit UnitTable(Units& units) : units_(units), slots_(1024, -1) {}

  int find_or_add(int group, const std::uint64_t* words, std::size_t row) {
    for (std::size_t slot = hash(group, words) & (slots_.size() - 1);; slot = (slot + 1) & (slots_.size() - 1)) {
      const int unit = slots_[slot];
      if (unit < 0) return add(slot, group, words, row);
      if (units_.group[unit] == group &&
          std::equal(words, words + units_.n_words, &units_.missing[unit * units_.n_words]))
        return unit;
    }
  }

 private:
  std::size_t hash(int group, const std::uint64_t* words) const {
    std::uint64_t h = static_cast<std::uint64_t>(group) * 0x9E3779B97F4A7C15ull;
    for (std::size_t w = 0; w < units_.n_words; ++w) {
      h = (h ^ words[w]) * 0xBF58476D1CE4E5B9ull;  // splitmix64's mixer
      h ^= h >> 29;
    }
    return static_cast<std::size_t>(h ^ (h >> 32));
  }
  int add(std::size_t slot, int group, const std::uint64_t* words, std::size_t row) {
    const int unit = static_cast<int>(units_.count++);
    units_.group.push_back(group);
    units_.missing.insert(units_.missing.end(), words, words + units_.n_words);
    units_.first_row.push_back(row);
    slots_[slot] = unit;
    if (2 * units_.count > slots_.size()) grow();
    return unit;
  }
  void grow() {
    std::vector<int>(2 * slots_.size(), -1).swap(slots_);
    for (std::size_t unit = 0; unit < units_.count; ++unit) {
      std::size_t slot = hash(units_.group[unit], &units_.missing[unit * units_.n_words]) & (slots_.size() - 1);
      while (slots_[slot] >= 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = static_cast<int>(unit);
    }
  }

  Units& units_;
  std::vector<int> slots_;
};

inline void sort_units(Units& units) {
  const std::size_t words = units.n_words;
  std::vector<int> n_missing(units.count);
  for (std::size_t u = 0; u < units.count; ++u)
    for (std::size_t w = 0; w < words; ++w) n_missing[u] += count_bits(units.missing[u * words + w]);

  std::vector<int> order(units.count);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    if (units.group[a] != units.group[b]) return units.group[a] < units.group[b];
    if (n_missing[a] != n_missing[b]) return n_missing[a] < n_missing[b];
    return std::lexicographical_compare(&units.missing[a * words], &units.missing[a * words] + words,
                                        &units.missing[b * words], &units.missing[b * words] + words);
  });

  Units sorted = units;
  std::vector<int> place(units.count);
  for (std::size_t to = 0; to < units.count; ++to) {
    const std::size_t from = static_cast<std::size_t>(order[to]);
    place[from] = static_cast<int>(to);
    sorted.group[to] = units.group[from];
    sorted.first_row[to] = units.first_row[from];
    std::copy_n(&units.missing[from * words], words, &sorted.missing[to * words]);
  }
  for (int& unit : sorted.of_row)
    if (unit >= 0) unit = place[unit];
  units = std::move(sorted);
}

inline Units complete_units(const Rows& rows) {
  Units units;
  units.n_words = (rows.columns.size() + 63) / 64;
  std::vector<std::size_t> first(rows.n_groups, rows.n_rows);
  int unseen = rows.n_groups;
  for (std::size_t i = 0; i < rows.n_rows && unseen > 0; ++i) {
    std::size_t& row = first[rows.group[i] - 1];
    if (row == rows.n_rows) {
      row = i;
      --unseen;
    }
  }
  units.of_group.assign(rows.n_groups, -1);
  for (int g = 0; g < rows.n_groups; ++g) {
    if (first[g] == rows.n_rows) continue;  // a group without rows has no unit
    units.of_group[g] = static_cast<int>(units.count++);
    units.group.push_back(g + 1);
    units.first_row.push_back(first[g]);
  }
  units.missing.assign(units.count * units.n_words, 0);
  return units;
}

inline Units incomplete_units(const Rows& rows, const std::vector<bool>& has_missing) {
  Units units;
  const std::size_t n_features = rows.columns.size();
  units.complete = false;
  units.n_words = (n_features + 63) / 64;
  units.of_row.resize(rows.n_rows);

  UnitTable table(units);
  constexpr std::size_t stride = 1024;
  std::vector<std::uint64_t> words(stride * units.n_words);
  for (std::size_t begin = 0; begin < rows.n_rows; begin += stride) {
    const std::size_t length = std::min(stride, rows.n_rows - begin);
    std::fill(words.begin(), words.end(), 0);
    for (std::size_t k = 0; k < n_features; ++k) {
      if (!has_missing[k]) continue;
      for (std::size_t r = 0; r < length; ++r)
        if (rows.columns[k].is_missing(begin + r))
          words[r * units.n_words + k / 64] |= std::uint64_t(1) << (k % 64);
    }
    for (std::size_t r = 0; r < length; ++r) {
      const std::uint64_t* row_words = &words[r * units.n_words];
      std::size_t n_missing = 0;
      for (std::size_t w = 0; w < units.n_words; ++w) n_missing += count_bits(row_words[w]);
      if (n_missing == n_features) {
        units.of_row[begin + r] = -1;
        ++units.n_empty;
      } else {
        units.of_row[begin + r] = table.find_or_add(rows.group[begin + r], row_words, begin + r);
        units.n_missing += static_cast<double>(n_missing);
      }
    }
  }
  sort_units(units);
  return units;
}

}  // namespace detail

inline Units find_units(const Rows& rows) {
  std::vector<bool> has_missing(rows.columns.size());
  bool any = false;
  for (std::size_t k = 0; k < rows.columns.size(); ++k) {
    has_missing[k] = rows.columns[k].has_missing(rows.n_rows);
    any = any || has_missing[k];
  }
  return any ? detail::incomplete_units(rows, has_missing) : detail::complete_units(rows);
}

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

// Rank of a scatter matrix [n x n, column major] over the features that vary, judged on the
// scale of correlations by Cholesky with pivoting: a feature adds to the rank while the share
// of its variance that the pivots so far leave unexplained (1 - R^2) exceeds `tolerance`.
inline int scaled_rank(const double* scatter, std::size_t n, double tolerance, int* n_varying) {
  std::vector<std::size_t> varying;
  for (std::size_t k = 0; k < n; ++k)
    if (scatter[k * n + k] > 0) varying.push_back(k);
  const std::size_t size = varying.size();
  *n_varying = static_cast<int>(size);

  std::vector<double> residual(size * size);
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j < size; ++j) {
      const std::size_t a = varying[i], b = varying[j];
      // divided one after the other: the product of two variances may overflow
      residual[i * size + j] = scatter[a * n + b] / std::sqrt(scatter[a * n + a]) / std::sqrt(scatter[b * n + b]);
    }
  for (std::size_t rank = 0; rank < size; ++rank) {
    std::size_t pivot = 0;
    for (std::size_t i = 1; i < size; ++i)
      if (residual[i * size + i] > residual[pivot * size + pivot]) pivot = i;
    const double left = residual[pivot * size + pivot];
    if (!(left > tolerance)) return static_cast<int>(rank);
    const std::vector<double> row(&residual[pivot * size], &residual[pivot * size] + size);
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) residual[i * size + j] -= row[i] / left * row[j];
    residual[pivot * size + pivot] = 0;
  }
  return static_cast<int>(size);
}

}  // namespace hmvn

#endif
