#include "hmvn/model/nested_patterns.hpp"

#include <algorithm>
#include <cmath>
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

using Patterns = std::vector<const PatternStatistics*>;

double total_n(const Patterns& patterns) {
  double n = 0.0;
  for (const PatternStatistics* rows : patterns) n += rows->n;
  return n;
}

// Rows of several patterns, in places that they all observe.
class Pool {
 public:
  Pool(const Patterns& patterns, const std::vector<int>& places)
      : n(total_n(patterns)),
        mean(Eigen::VectorXd::Zero(size_of(places))),
        scatter(Eigen::MatrixXd::Zero(mean.size(), mean.size())) {
    for (const PatternStatistics* rows : patterns) mean += rows->n * mean_at(*rows, places);
    mean /= n;
    for (const PatternStatistics* rows : patterns) add_scatter(*rows, places);
  }

  const double n;
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

// Of [x - centre, y] of a pattern's rows, y in these places: the columns of their F.
Eigen::MatrixXd joint_root(const Design& design, const std::vector<int>& places) {
  const Eigen::Index n_coefficients = design.gram_root.rows(), n_covariates = n_coefficients - 1;
  Eigen::MatrixXd root(n_covariates + static_cast<Eigen::Index>(places.size()),
                       n_coefficients + design.residual_root.cols());
  root.setZero();
  root.topLeftCorner(n_covariates, n_coefficients) = design.gram_root.bottomRows(n_covariates);
  for (std::size_t i = 0; i < places.size(); ++i) {
    root.row(n_covariates + static_cast<Eigen::Index>(i)) << design.response_root.row(places[i]),
        design.residual_root.row(places[i]);
  }
  return root;
}

// Of all rows of several patterns, in places that they all observe. Their scatter matrix has for a
// root those of the patterns side by side, and their means' distances from the mean of all.
Design pool_designs(const Patterns& patterns, const std::vector<int>& places) {
  const double n = total_n(patterns);
  std::vector<Eigen::MatrixXd> roots;
  for (const PatternStatistics* rows : patterns) roots.push_back(joint_root(rows->design, places));
  const Eigen::Index size = roots[0].rows(), width = roots[0].cols();
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(size);
  for (std::size_t p = 0; p < roots.size(); ++p) {
    mean += std::sqrt(patterns[p]->n) * roots[p].col(0);
  }
  mean /= n;
  Eigen::MatrixXd stacked(size, width * static_cast<Eigen::Index>(roots.size()));
  for (std::size_t p = 0; p < roots.size(); ++p) {
    roots[p].col(0) -= std::sqrt(patterns[p]->n) * mean;
    stacked.middleCols(width * static_cast<Eigen::Index>(p), width) = roots[p];
  }
  const Eigen::MatrixXd upper = qr_triangle(stacked.transpose());
  return make_design(n, mean, upper.topRows(size).transpose(),
                     patterns[0]->design.gram_root.rows() - 1);
}

// The two ways of adding a pool, of the last places of a nest.
void add_with_covariates(const Patterns& patterns, NestedPatterns& nest) {
  const Design design = pool_designs(patterns, nest.places);
  nest.regressions.push_back({multiply(design.gram_root, design.gram_root.transpose()),
                              multiply(design.response_root, design.gram_root.transpose()),
                              design.gram_root, design.response_root});
  const bool has_residuals = (design.residual_root.array() != 0.0).any();
  nest.roots.push_back(has_residuals ? design.residual_root : Eigen::MatrixXd());
}

void add_without_covariates(const Patterns& patterns, Eigen::Index n_before, NestedPatterns& nest) {
  const Pool pool(patterns, nest.places);
  const Eigen::Index size = pool.mean.size();
  for (Eigen::Index i = n_before; i < size; ++i) {
    nest.means.col(i).head(i + 1) = pool.mean.head(i + 1);
  }
  const bool has_scatter = size > 0 && pool.scatter.diagonal().maxCoeff() > 0.0;
  nest.roots.push_back(has_scatter ? semidefinite_root(pool.scatter) : Eigen::MatrixXd());
}

NestedPatterns make_nest(const Patterns& patterns) {
  NestedPatterns nest;
  const Eigen::Index n_places = patterns.back()->n_observed;
  const bool regressed = patterns.back()->design.gram_root.size() > 0;
  nest.n.setZero(n_places);
  if (!regressed) nest.means.setZero(n_places, n_places);
  for (auto first = patterns.begin(); first != patterns.end(); ++first) {
    const std::vector<int> known = nest.places;
    for (const int place : (*first)->places) {
      if (std::find(known.begin(), known.end(), place) == known.end()) nest.places.push_back(place);
    }
    const Patterns pool(first, patterns.end());
    const Eigen::Index n_before = static_cast<Eigen::Index>(known.size());
    nest.n.segment(n_before, static_cast<Eigen::Index>(nest.places.size()) - n_before)
        .setConstant(total_n(pool));
    nest.pool.resize(nest.places.size(), static_cast<int>(nest.roots.size()));
    if (regressed) {
      add_with_covariates(pool, nest);
    } else {
      add_without_covariates(pool, n_before, nest);
    }
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
