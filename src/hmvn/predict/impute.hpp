// Imputations: the missing cells of many rows, given one draw of the groups.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/predict/missing_cells.hpp"
#include "hmvn/predict/stored_draws.hpp"

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
      draws.read_mean(draw, row.mean_group, mean);
      draws.read_factor(draw, row.factor_group, factor);
      cells.condition(factor, row.missing);
    }
    cells.draw(mean, values.col(static_cast<Eigen::Index>(i)), random,
               [&](int m, double value) { out(row.first_cell + m, value); });
  }
}

}  // namespace hmvn
