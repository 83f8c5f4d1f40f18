// Densities of rows: the observed cells of a row given the law of a group, at many draws.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>
#include <vector>

#include "hmvn/math/dense.hpp"
#include "hmvn/math/packed.hpp"
#include "hmvn/predict/stored_draws.hpp"

namespace hmvn {

// Whose values a row is held against, and what is observed of it.
struct RowLaw {
  LawPlace place;
  std::vector<int> observed;  // positions of the observed features, ascending

  bool operator<(const RowLaw& other) const {
    return std::tie(place, observed) < std::tie(other.place, other.observed);
  }
};

// Rows that share their law, at most `longest` of them: [begin, end) of an order of the rows.
struct RowRun {
  std::size_t begin, end;
};

// Sorts the rows' positions by law and cuts them into runs.
inline std::vector<RowRun> form_runs(const std::vector<RowLaw>& laws, std::size_t longest,
                                     std::vector<std::size_t>& order) {
  order.resize(laws.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return laws[a] < laws[b]; });
  std::vector<RowRun> runs;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && end - begin < longest && !(laws[order[begin]] < laws[order[end]]))
      ++end;
    runs.push_back({begin, end});
  }
  return runs;
}

// The law of the observed cells at a block of draws, and rows held against it: each about its own
// mean mu + B' x (M1'). Draws lie together, so that every step is arithmetic on whole columns of a
// block.
class RowDensity {
 public:
  static constexpr int block = 128;

  RowDensity(const RowLaw& law, int n_covariates)
      : law_(law),
        n_observed_(static_cast<int>(law.observed.size())),
        is_leading_(n_observed_ == 0 || law.observed.back() == n_observed_ - 1),
        n_covariates_(n_covariates),
        mean_(block, n_observed_),
        slope_(block, n_observed_ * n_covariates),
        z_(block, n_observed_),
        inverse_diagonal_(block, n_observed_),
        factor_(block, packed_size(n_observed_)),
        log_constant_(block),
        distance_(block) {}

  // Reads the draws at `chosen[0], ..., chosen[n - 1]` (from 0), n <= block.
  void read(const StoredDraws& draws, const std::ptrdiff_t* chosen, int n) {
    const double* mean = draws.mean_of(law_.place.mean);
    const double* slope = draws.slope_of(law_.place.slope);
    for (int i = 0; i < n_observed_; ++i) {
      const double* own = mean + draws.n_draws * law_.observed[i];
      for (int s = 0; s < n; ++s) mean_(s, i) = own[chosen[s]];
      for (int c = 0; c < n_covariates_; ++c) {
        own = slope + draws.n_draws * (draws.n_features * c + law_.observed[i]);
        for (int s = 0; s < n; ++s) slope_(s, n_covariates_ * i + c) = own[chosen[s]];
      }
    }
    is_leading_ ? copy_factor(draws, chosen, n) : reduce_factor(draws, chosen, n);
    const double log_2_pi = 1.8378770664093453;
    log_constant_.head(n).setConstant(-0.5 * n_observed_ * log_2_pi);
    for (int i = 0; i < n_observed_; ++i) {
      const auto diagonal = factor_.col(packed_index(i, i)).head(n);
      log_constant_.head(n) -= diagonal.abs().log();
      inverse_diagonal_.col(i).head(n) = diagonal.inverse();
    }
    n_ = n;
  }

  // d' Sigma^-1 d of the observed cells, d = y - mu - B' x: |z|^2 with L z = d. `x`: the row's
  // covariates about their centres.
  template <class Row, class Covariates>
  Eigen::Ref<const Eigen::ArrayXd> squared_distance(const Row& row, const Covariates& x) {
    distance_.head(n_).setZero();
    for (int i = 0; i < n_observed_; ++i) {
      z_.col(i).head(n_) = row[law_.observed[i]] - mean_.col(i).head(n_);
      for (int c = 0; c < n_covariates_; ++c)
        z_.col(i).head(n_) -= x[c] * slope_.col(n_covariates_ * i + c).head(n_);
      for (int j = 0; j < i; ++j)
        z_.col(i).head(n_) -= factor_.col(packed_index(i, j)).head(n_) * z_.col(j).head(n_);
      z_.col(i).head(n_) *= inverse_diagonal_.col(i).head(n_);
      distance_.head(n_) += z_.col(i).head(n_).square();
    }
    return distance_.head(n_);
  }

  // log Normal(y | mu + B' x, Sigma) = -(n_o log 2 pi + |z|^2) / 2 - sum_i log |L_ii|
  template <class Row, class Covariates>
  Eigen::Ref<const Eigen::ArrayXd> log_density(const Row& row, const Covariates& x) {
    squared_distance(row, x);
    distance_.head(n_) = log_constant_.head(n_) - 0.5 * distance_.head(n_);
    return distance_.head(n_);
  }

 private:
  // The factor of the leading features' covariance matrix is the leading part of the factor.
  void copy_factor(const StoredDraws& draws, const std::ptrdiff_t* chosen, int n) {
    const double* own = draws.factor_of(law_.place.factor);
    for (int m = 0; m < packed_size(n_observed_); ++m) {
      for (int s = 0; s < n; ++s) factor_(s, m) = own[draws.n_draws * m + chosen[s]];
    }
  }

  // Sigma_oo = L_o L_o' = R' R, with L_o the observed rows of L and R the triangle of a QR
  // decomposition of L_o': Sigma_oo itself, which squares the condition number, is never formed.
  void reduce_factor(const StoredDraws& draws, const std::ptrdiff_t* chosen, int n) {
    Eigen::MatrixXd whole = Eigen::MatrixXd::Zero(draws.n_features, draws.n_features);
    Eigen::MatrixXd rows(draws.n_features, n_observed_);
    for (int s = 0; s < n; ++s) {
      draws.read_factor(chosen[s], law_.place.factor, whole);
      for (int i = 0; i < n_observed_; ++i) rows.col(i) = whole.row(law_.observed[i]).transpose();
      const Eigen::MatrixXd triangle = qr_triangle(rows);
      for (int i = 0; i < n_observed_; ++i) {
        for (int j = 0; j <= i; ++j) factor_(s, packed_index(i, j)) = triangle(j, i);
      }
    }
  }

  RowLaw law_;
  int n_observed_, n_ = 0;
  bool is_leading_;
  int n_covariates_;
  Eigen::ArrayXXd mean_, slope_, z_, inverse_diagonal_, factor_;
  Eigen::ArrayXd log_constant_, distance_;
};

}  // namespace hmvn
