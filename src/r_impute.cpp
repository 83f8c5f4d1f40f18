// The border of missing cells: draws them for every row that has some and every draw of the
// posterior.
#include <Rcpp.h>

#include <vector>

#include "hmvn/model/missing_cells.hpp"

using namespace hmvn;

namespace {

// Marks the streams of missing cells: no sampling unit has this number.
constexpr std::uint64_t missing_cells_stream = 0x6d697373696e67ULL;

}  // namespace

// `rows`: [K, row], NA where missing, rows of one group and one pattern in a run; `mean_group`,
// `chol_group`: from 1, whose values a row's group has in `mean` [iteration, chain, index] and
// `chol`; `first_cell`: where the row's missing cells begin (from 0); `chosen`: positions of draws,
// from 1. Returns [draw, cell], a row's cells in the order of the features.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix impute_(const Rcpp::NumericMatrix& rows, const Rcpp::IntegerVector& mean_group,
                            const Rcpp::IntegerVector& chol_group,
                            const Rcpp::IntegerVector& first_cell, int n_cells,
                            const Rcpp::NumericVector& mean, const Rcpp::NumericVector& chol,
                            const Rcpp::IntegerVector& chosen, double seed) {
  const int n_features = rows.nrow(), n_rows = rows.ncol(), n_packed = n_coordinates(n_features);
  const Rcpp::IntegerVector dim = mean.attr("dim");
  const R_xlen_t total = static_cast<R_xlen_t>(dim[0]) * dim[1];
  std::vector<std::vector<int>> missing(n_rows, std::vector<int>(n_features));
  std::vector<bool> starts(n_rows);
  for (int i = 0; i < n_rows; ++i) {
    for (int k = 0; k < n_features; ++k) missing[i][k] = ISNAN(rows(k, i));
    starts[i] = i == 0 || mean_group[i] != mean_group[i - 1] ||
                chol_group[i] != chol_group[i - 1] || missing[i] != missing[i - 1];
  }
  const int n_draws = static_cast<int>(chosen.size());
  Rcpp::NumericMatrix out(n_draws, n_cells);
  Eigen::VectorXd group_mean(n_features), packed(n_packed);
  Eigen::MatrixXd factor(n_features, n_features);
  MissingCells cells(n_features);
  for (int s = 0; s < n_draws; ++s) {
    Rcpp::checkUserInterrupt();
    const R_xlen_t draw = chosen[s] - 1;
    RandomStream random(static_cast<std::uint64_t>(seed), missing_cells_stream,
                        static_cast<std::uint64_t>(chosen[s]));
    for (int i = 0; i < n_rows; ++i) {
      if (starts[i]) {
        const R_xlen_t g = mean_group[i] - 1, h = chol_group[i] - 1;
        for (int k = 0; k < n_features; ++k)
          group_mean[k] = mean[draw + total * (g * n_features + k)];
        for (int m = 0; m < n_packed; ++m) packed[m] = chol[draw + total * (h * n_packed + m)];
        unpack_lower(packed, factor);
        cells.condition(factor, missing[i]);
      }
      const int first = first_cell[i];
      cells.draw(group_mean, rows.column(i), random,
                 [&](int m, double value) { out(s, first + m) = value; });
    }
  }
  return out;
}
