// The rows as they are given, and the patterns they fall into: one pattern of observed features
// in one group.
#pragma once

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

// Which pattern each row belongs to, and what a pattern observes. Patterns are ordered by group,
// then complete first, then fewer missing, then lexicographically: an order that the order of the
// rows cannot change. `missing` holds n_words words a pattern, bit k of word k / 64 for feature k.
struct Patterns {
  std::size_t count = 0;
  std::size_t n_words = 1;
  std::vector<int> group;              // 1..n_groups, per pattern
  std::vector<std::uint64_t> missing;  // [count * n_words]
  std::vector<int> of_row;    // 0-based pattern of each row, -1 for an empty row; empty if complete
  std::vector<int> of_group;  // complete data: 0-based pattern of each group
  bool complete = true;
  double n_empty = 0;    // rows with nothing observed
  double n_missing = 0;  // missing cells in the other rows

  bool is_missing(std::size_t pattern, std::size_t feature) const {
    return (missing[pattern * n_words + feature / 64] >> (feature % 64)) & 1u;
  }
  int pattern_of(std::size_t row, const int* group_of_row) const {
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
class PatternTable {
 public:
  explicit PatternTable(Patterns& patterns) : patterns_(patterns), slots_(1024, -1) {}

  int find_or_add(int group, const std::uint64_t* words) {
    for (std::size_t slot = hash(group, words) & (slots_.size() - 1);;
         slot = (slot + 1) & (slots_.size() - 1)) {
      const int pattern = slots_[slot];
      if (pattern < 0) return add(slot, group, words);
      if (patterns_.group[pattern] == group &&
          std::equal(words, words + patterns_.n_words,
                     &patterns_.missing[pattern * patterns_.n_words]))
        return pattern;
    }
  }

 private:
  std::size_t hash(int group, const std::uint64_t* words) const {
    std::uint64_t h = static_cast<std::uint64_t>(group) * 0x9E3779B97F4A7C15ull;
    for (std::size_t w = 0; w < patterns_.n_words; ++w) {
      h = (h ^ words[w]) * 0xBF58476D1CE4E5B9ull;  // splitmix64's mixer
      h ^= h >> 29;
    }
    return static_cast<std::size_t>(h ^ (h >> 32));
  }
  int add(std::size_t slot, int group, const std::uint64_t* words) {
    const int pattern = static_cast<int>(patterns_.count++);
    patterns_.group.push_back(group);
    patterns_.missing.insert(patterns_.missing.end(), words, words + patterns_.n_words);
    slots_[slot] = pattern;
    if (2 * patterns_.count > slots_.size()) grow();
    return pattern;
  }
  void grow() {
    std::vector<int>(2 * slots_.size(), -1).swap(slots_);
    for (std::size_t pattern = 0; pattern < patterns_.count; ++pattern) {
      std::size_t slot =
          hash(patterns_.group[pattern], &patterns_.missing[pattern * patterns_.n_words]) &
          (slots_.size() - 1);
      while (slots_[slot] >= 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = static_cast<int>(pattern);
    }
  }

  Patterns& patterns_;
  std::vector<int> slots_;
};

inline void sort_patterns(Patterns& patterns) {
  const std::size_t words = patterns.n_words;
  std::vector<int> n_missing(patterns.count);
  for (std::size_t u = 0; u < patterns.count; ++u)
    for (std::size_t w = 0; w < words; ++w)
      n_missing[u] += count_bits(patterns.missing[u * words + w]);

  std::vector<int> order(patterns.count);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    if (patterns.group[a] != patterns.group[b]) return patterns.group[a] < patterns.group[b];
    if (n_missing[a] != n_missing[b]) return n_missing[a] < n_missing[b];
    return std::lexicographical_compare(
        &patterns.missing[a * words], &patterns.missing[a * words] + words,
        &patterns.missing[b * words], &patterns.missing[b * words] + words);
  });

  Patterns sorted = patterns;
  std::vector<int> place(patterns.count);
  for (std::size_t to = 0; to < patterns.count; ++to) {
    const std::size_t from = static_cast<std::size_t>(order[to]);
    place[from] = static_cast<int>(to);
    sorted.group[to] = patterns.group[from];
    std::copy_n(&patterns.missing[from * words], words, &sorted.missing[to * words]);
  }
  for (int& pattern : sorted.of_row)
    if (pattern >= 0) pattern = place[pattern];
  patterns = std::move(sorted);
}

inline Patterns complete_patterns(const Rows& rows) {
  Patterns patterns;
  patterns.n_words = (rows.columns.size() + 63) / 64;
  std::vector<bool> seen(rows.n_groups, false);
  int unseen = rows.n_groups;
  for (std::size_t i = 0; i < rows.n_rows && unseen > 0; ++i) {
    if (seen[rows.group[i] - 1]) continue;
    seen[rows.group[i] - 1] = true;
    --unseen;
  }
  patterns.of_group.assign(rows.n_groups, -1);
  for (int g = 0; g < rows.n_groups; ++g) {
    if (!seen[g]) continue;  // a group without rows has no pattern
    patterns.of_group[g] = static_cast<int>(patterns.count++);
    patterns.group.push_back(g + 1);
  }
  patterns.missing.assign(patterns.count * patterns.n_words, 0);
  return patterns;
}

inline Patterns incomplete_patterns(const Rows& rows) {
  Patterns patterns;
  const std::size_t n_features = rows.columns.size();
  patterns.complete = false;
  patterns.n_words = (n_features + 63) / 64;
  patterns.of_row.resize(rows.n_rows);

  PatternTable table(patterns);
  constexpr std::size_t stride = 1024;
  std::vector<std::uint64_t> words(stride * patterns.n_words);
  for (std::size_t begin = 0; begin < rows.n_rows; begin += stride) {
    const std::size_t length = std::min(stride, rows.n_rows - begin);
    std::fill(words.begin(), words.end(), 0);
    for (std::size_t k = 0; k < n_features; ++k) {
      if (!rows.has_missing[k]) continue;
      for (std::size_t r = 0; r < length; ++r)
        if (rows.columns[k].is_missing(begin + r))
          words[r * patterns.n_words + k / 64] |= std::uint64_t(1) << (k % 64);
    }
    for (std::size_t r = 0; r < length; ++r) {
      const std::uint64_t* row_words = &words[r * patterns.n_words];
      std::size_t n_missing = 0;
      for (std::size_t w = 0; w < patterns.n_words; ++w) n_missing += count_bits(row_words[w]);
      if (n_missing == n_features) {
        patterns.of_row[begin + r] = -1;
        ++patterns.n_empty;
      } else {
        patterns.of_row[begin + r] = table.find_or_add(rows.group[begin + r], row_words);
        patterns.n_missing += static_cast<double>(n_missing);
      }
    }
  }
  sort_patterns(patterns);
  return patterns;
}

}  // namespace detail

inline Patterns find_patterns(const Rows& rows) {
  const bool any =
      std::find(rows.has_missing.begin(), rows.has_missing.end(), true) != rows.has_missing.end();
  return any ? detail::incomplete_patterns(rows) : detail::complete_patterns(rows);
}

}  // namespace hmvn
