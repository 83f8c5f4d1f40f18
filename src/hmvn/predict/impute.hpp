// Imputations: the missing cells of many rows, given one draw of the groups.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/math/packed.hpp"
#include "hmvn/predict/missing_cells.hpp"

namespace hmvn {

// A row with missing cells: whose mean and factor its group has (positions from 0), which cells are
// missing, and where they go.
struct IncompleteRow {
  int mean_group = 0, factor_group = 0;
  std::vector<int> missing;  // by feature, 1 where missing
  int first_cell = 0;

  bool is_conditioned_like(const IncompleteRow& other) const {
    return mean_group == other.mean_group && factor_group == other.factor_group &&
           missing == other.missing;
  }
};

// Draws of means and packed factors as a fit keeps them: the draws of a value lie together.
struct StoredDraws {
  const double *mean, *factor;
  std::ptrdiff_t n_draws;
  int n_features;

  void read(std::ptrdiff_t draw, const IncompleteRow& row, Eigen::VectorXd& mean_out,
            Eigen::MatrixXd& factor_out) const {
    const std::ptrdiff_t n_packed = packed_size(n_features);
    const double* own_mean = mean + draw + n_draws * n_features * row.mean_group;
    for (int k = 0; k < n_features; ++k) mean_out[k] = own_mean[n_draws * k];
    const double* own_factor = factor + draw + n_draws * n_packed * row.factor_group;
    for (int i = 0, at = 0; i < n_features; ++i) {
      for (int j = 0; j <= i; ++j, ++at) factor_out(i, j) = own_factor[n_draws * at];
    }
  }
};

// Draws all missing cells at one draw of the groups; `values`: features by rows, `out(cell, value)`
// takes them. Rows that are conditioned alike should follow each other.
template <class Values, class Out>
void impute(const std::vector<IncompleteRow>& rows, const Values& values, const StoredDraws& draws,
            std::ptrdiff_t draw, RandomStream& random, const Out& out) {
  Eigen::VectorXd mean(draws.n_features);
  Eigen::MatrixXd factor = Eigen::MatrixXd::Zero(draws.n_features, draws.n_features);
  MissingCells cells(draws.n_features);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const IncompleteRow& row = rows[i];
    if (i == 0 || !row.is_conditioned_like(rows[i - 1])) {
      draws.read(draw, row, mean, factor);
      cells.condition(factor, row.missing);
    }
    cells.draw(mean, values.col(static_cast<Eigen::Index>(i)), random,
               [&](int m, double value) { out(row.first_cell + m, value); });
  }
}

}  // namespace hmvn
