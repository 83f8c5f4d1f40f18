#include "hmvn/model/nested_patterns.hpp"

#include <algorithm>
#include <numeric>

#include "hmvn/math/dense.hpp"

namespace hmvn {

namespace {

// Matches every pattern with one that holds it and more, such that none holds two: augmenting paths
// (Kuhn 1955), pattern by pattern.
class Matching {
 public:
  explicit Matching(const std::vector<PatternStatistics>& patterns)
      : patterns_(patterns), held_(patterns.size(), nobody) {
    by_size_.resize(patterns.size());
    std::iota(by_size_.begin(), by_size_.end(), std::size_t(0));
    std::stable_sort(by_size_.begin(), by_size_.end(), [&](std::size_t a, std::size_t b) {
      return patterns[a].n_observed < patterns[b].n_observed;
    });
    for (auto p = by_size_.rbegin(); p != by_size_.rend(); ++p) {
      std::vector<char> asked(patterns.size(), 0);
      attach(*p, asked);
    }
  }

  // The patterns of every nest, the smallest first.
  std::vector<std::vector<const PatternStatistics*>> nests() const {
    std::vector<char> is_held(patterns_.size(), 0);
    for (const std::size_t p : held_) {
      if (p != nobody) is_held[p] = 1;
    }
    std::vector<std::vector<const PatternStatistics*>> out;
    for (std::size_t p = 0; p < patterns_.size(); ++p) {
      if (is_held[p]) continue;
      out.emplace_back();
      for (std::size_t at = p; at != nobody; at = held_[at]) out.back().push_back(&patterns_[at]);
      std::reverse(out.back().begin(), out.back().end());
    }
    return out;
  }

 private:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
  // Of more patterns only those that hold nothing yet are asked: paths would take too long.
  static constexpr std::size_t most_patterns = 500;

  bool holds(std::size_t larger, std::size_t smaller) const {
    const PatternStatistics &a = patterns_[larger], &b = patterns_[smaller];
    return a.n_observed > b.n_observed &&
           std::includes(a.places.begin(), a.places.end(), b.places.begin(), b.places.end());
  }

  // Finds one to hold p, the smallest first.
  bool attach(std::size_t p, std::vector<char>& asked) {
    for (const std::size_t larger : by_size_) {
      if (asked[larger] || !holds(larger, p)) continue;
      asked[larger] = 1;
      const std::size_t before = held_[larger];
      const bool may_move = patterns_.size() <= most_patterns;
      if (before == nobody || (may_move && attach(before, asked))) {
        held_[larger] = p;
        return true;
      }
    }
    return false;
  }

  const std::vector<PatternStatistics>& patterns_;
  std::vector<std::size_t> by_size_;
  std::vector<std::size_t> held_;  // by pattern: the one that it holds
};

// Rows of several patterns, in places that they all observe.
class Pool {
 public:
  template <class Rows>
  Pool(Rows first, Rows end, const std::vector<int>& places)
      : mean(Eigen::VectorXd::Zero(size_of(places))),
        scatter(Eigen::MatrixXd::Zero(mean.size(), mean.size())) {
    for (Rows rows = first; rows != end; ++rows) {
      n += (*rows)->n;
      mean += (*rows)->n * mean_at(**rows, places);
    }
    mean /= n;
    for (Rows rows = first; rows != end; ++rows) add_scatter(**rows, places);
  }

  double n = 0.0;
  Eigen::VectorXd mean;
  Eigen::MatrixXd scatter;

 private:
  static Eigen::Index size_of(const std::vector<int>& places) {
    return static_cast<Eigen::Index>(places.size());
  }

  static Eigen::VectorXd mean_at(const PatternStatistics& rows, const std::vector<int>& places) {
    Eigen::VectorXd at(size_of(places));
    std::transform(places.begin(), places.end(), at.data(), [&](int k) { return rows.mean[k]; });
    return at;
  }

  void add_scatter(const PatternStatistics& rows, const std::vector<int>& places) {
    const Eigen::VectorXd shift = mean_at(rows, places) - mean;
    scatter += rows.n * shift * shift.transpose();
    for (std::size_t j = 0; j < places.size(); ++j) {
      for (std::size_t i = 0; i < places.size(); ++i) {
        scatter(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) +=
            rows.scatter(places[i], places[j]);
      }
    }
  }
};

NestedPatterns make_nest(const std::vector<const PatternStatistics*>& rows) {
  NestedPatterns nest;
  const Eigen::Index n_places = rows.back()->n_observed;
  nest.n.setZero(n_places);
  nest.means.setZero(n_places, n_places);
  for (auto first = rows.begin(); first != rows.end(); ++first) {
    const std::vector<int> known = nest.places;
    for (const int place : (*first)->places) {
      if (std::find(known.begin(), known.end(), place) == known.end()) nest.places.push_back(place);
    }
    const Eigen::Index size = static_cast<Eigen::Index>(nest.places.size());
    const Pool pool(first, rows.end(), nest.places);
    for (Eigen::Index i = static_cast<Eigen::Index>(known.size()); i < size; ++i) {
      nest.n[i] = pool.n;
      nest.means.col(i).head(i + 1) = pool.mean.head(i + 1);
      nest.pool.push_back(static_cast<int>(nest.roots.size()));
    }
    const bool has_scatter = size > 0 && pool.scatter.diagonal().maxCoeff() > 0.0;
    nest.roots.push_back(has_scatter ? semidefinite_root(pool.scatter) : Eigen::MatrixXd());
  }
  return nest;
}

}  // namespace

std::vector<NestedPatterns> nest_patterns(const std::vector<PatternStatistics>& patterns) {
  std::vector<NestedPatterns> out;
  for (const auto& rows : Matching(patterns).nests()) out.push_back(make_nest(rows));
  return out;
}

}  // namespace hmvn
