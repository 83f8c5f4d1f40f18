// Imputations: the missing cells of many rows, given one draw of the groups.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/predict/missing_cells.hpp"
#include "hmvn/predict/stored_draws.hpp"

namespace hmvn {

// A row with missing cells: whose values its group has, which cells are missing, and where they go.
struct IncompleteRow {
  LawPlace place;
  std::vector<int> missing;  // by feature, 1 where missing
  int first_cell = 0;

  bool is_conditioned_like(const IncompleteRow& other) const {
    return place == other.place && missing == other.missing;
  }
};

// Rows of cells, [feature, row], and their covariates about their centres, [covariate, row].
struct RowTable {
  Eigen::Map<const Eigen::MatrixXd> values, covariates;
};

// Draws all missing cells at one draw of the groups; `out(cell, value)` takes them. Rows that are
// conditioned alike should follow each other.
template <class Out>
void impute(const std::vector<IncompleteRow>& rows, const RowTable& table, const DrawOfGroups& at,
            RandomStream& random, const Out& out) {
  const StoredDraws& draws = at.draws;
  Eigen::VectorXd mean(draws.n_features), center(draws.n_features);
  Eigen::MatrixXd slope(draws.n_features, draws.n_covariates);
  Eigen::MatrixXd factor = Eigen::MatrixXd::Zero(draws.n_features, draws.n_features);
  MissingCells cells(draws.n_features);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const IncompleteRow& row = rows[i];
    const Eigen::Index column = static_cast<Eigen::Index>(i);
    if (i == 0 || !row.is_conditioned_like(rows[i - 1])) {
      draws.read_mean(at.draw, row.place.mean, mean);
      draws.read_slope(at.draw, row.place.slope, slope);
      draws.read_factor(at.draw, row.place.factor, factor);
      cells.condition(factor, row.missing);
    }
    center = mean;
    for (int c = 0; c < draws.n_covariates; ++c)
      center += table.covariates(c, column) * slope.col(c);
    cells.draw(center, table.values.col(column), random,
               [&](int m, double value) { out(row.first_cell + m, value); });
  }
}

}  // namespace hmvn
