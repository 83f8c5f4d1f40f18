// The rows as they are given, and the units they fall into: one pattern of observed features
// in one group.
#ifndef HMVN_MODEL_UNITS_HPP
#define HMVN_MODEL_UNITS_HPP

#include <algorithm>
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
};

// The data as given: columns and which of them have missing cells, the group of every row
// (1..n_groups), weights or null (all 1).
struct Rows {
  std::vector<Column> columns;
  std::vector<bool> has_missing;
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
  std::vector<int> of_row;    // 0-based unit of each row, -1 for an empty row; empty if complete
  std::vector<int> of_group;  // complete data: 0-based unit of each group
  bool complete = true;
  double n_empty = 0;    // rows with nothing observed
  double n_missing = 0;  // missing cells in the other rows

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

  int find_or_add(int group, const std::uint64_t* words) {
    for (std::size_t slot = hash(group, words) & (slots_.size() - 1);;
         slot = (slot + 1) & (slots_.size() - 1)) {
      const int unit = slots_[slot];
      if (unit < 0) return add(slot, group, words);
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
  int add(std::size_t slot, int group, const std::uint64_t* words) {
    const int unit = static_cast<int>(units_.count++);
    units_.group.push_back(group);
    units_.missing.insert(units_.missing.end(), words, words + units_.n_words);
    slots_[slot] = unit;
    if (2 * units_.count > slots_.size()) grow();
    return unit;
  }
  void grow() {
    std::vector<int>(2 * slots_.size(), -1).swap(slots_);
    for (std::size_t unit = 0; unit < units_.count; ++unit) {
      std::size_t slot =
          hash(units_.group[unit], &units_.missing[unit * units_.n_words]) & (slots_.size() - 1);
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
    for (std::size_t w = 0; w < words; ++w)
      n_missing[u] += count_bits(units.missing[u * words + w]);

  std::vector<int> order(units.count);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    if (units.group[a] != units.group[b]) return units.group[a] < units.group[b];
    if (n_missing[a] != n_missing[b]) return n_missing[a] < n_missing[b];
    return std::lexicographical_compare(
        &units.missing[a * words], &units.missing[a * words] + words, &units.missing[b * words],
        &units.missing[b * words] + words);
  });

  Units sorted = units;
  std::vector<int> place(units.count);
  for (std::size_t to = 0; to < units.count; ++to) {
    const std::size_t from = static_cast<std::size_t>(order[to]);
    place[from] = static_cast<int>(to);
    sorted.group[to] = units.group[from];
    std::copy_n(&units.missing[from * words], words, &sorted.missing[to * words]);
  }
  for (int& unit : sorted.of_row)
    if (unit >= 0) unit = place[unit];
  units = std::move(sorted);
}

inline Units complete_units(const Rows& rows) {
  Units units;
  units.n_words = (rows.columns.size() + 63) / 64;
  std::vector<bool> seen(rows.n_groups, false);
  int unseen = rows.n_groups;
  for (std::size_t i = 0; i < rows.n_rows && unseen > 0; ++i) {
    if (seen[rows.group[i] - 1]) continue;
    seen[rows.group[i] - 1] = true;
    --unseen;
  }
  units.of_group.assign(rows.n_groups, -1);
  for (int g = 0; g < rows.n_groups; ++g) {
    if (!seen[g]) continue;  // a group without rows has no unit
    units.of_group[g] = static_cast<int>(units.count++);
    units.group.push_back(g + 1);
  }
  units.missing.assign(units.count * units.n_words, 0);
  return units;
}

inline Units incomplete_units(const Rows& rows) {
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
      if (!rows.has_missing[k]) continue;
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
        units.of_row[begin + r] = table.find_or_add(rows.group[begin + r], row_words);
        units.n_missing += static_cast<double>(n_missing);
      }
    }
  }
  sort_units(units);
  return units;
}

}  // namespace detail

inline Units find_units(const Rows& rows) {
  const bool any =
      std::find(rows.has_missing.begin(), rows.has_missing.end(), true) != rows.has_missing.end();
  return any ? detail::incomplete_units(rows) : detail::complete_units(rows);
}

}  // namespace hmvn

#endif
