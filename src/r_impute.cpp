// The border of missing cells: draws them for every row that has some and every draw of the
// posterior.
#include <Rcpp.h>

#include <vector>

#include "hmvn/predict/impute.hpp"
#include "parallel.h"
#include "r_rows.h"

using namespace hmvn;

namespace {

// Marks the streams of missing cells: no sampling unit has this number.
constexpr std::uint64_t missing_cells_stream = 0x6d697373696e67ULL;

std::vector<IncompleteRow> unpack_rows(const Rcpp::NumericMatrix& rows,
                                       const Rcpp::IntegerVector& mean_group,
                                       const Rcpp::IntegerVector& chol_group,
                                       const Rcpp::IntegerVector& first_cell, int n_cells) {
  check_length(first_cell.size(), rows.ncol(), "cells of the rows");
  std::vector<IncompleteRow> out(static_cast<std::size_t>(rows.ncol()));
  for (int i = 0; i < rows.ncol(); ++i) {
    out[i].mean_group = mean_group[i] - 1;
    out[i].factor_group = chol_group[i] - 1;
    out[i].first_cell = first_cell[i];
    int n_missing = 0;
    for (int k = 0; k < rows.nrow(); ++k) {
      out[i].missing.push_back(ISNAN(rows(k, i)));
      n_missing += ISNAN(rows(k, i));
    }
    if (first_cell[i] < 0 || first_cell[i] > n_cells - n_missing) {
      Rcpp::stop("missing cells of a row are not there");
    }
  }
  return out;
}

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
  const StoredDraws draws = unpack_draws(mean, chol, rows.nrow());
  check_positions(chosen, draws.n_draws, "draw");
  check_row_groups(mean_group, rows.ncol(), mean, rows.nrow());
  check_row_groups(chol_group, rows.ncol(), chol, packed_size(rows.nrow()));
  const std::vector<IncompleteRow> incomplete =
      unpack_rows(rows, mean_group, chol_group, first_cell, n_cells);
  const Eigen::Map<const Eigen::MatrixXd> values(rows.begin(), rows.nrow(), rows.ncol());
  Rcpp::NumericMatrix out(static_cast<int>(chosen.size()), n_cells);
  for (int s = 0; s < out.nrow(); ++s) {
    check_user();
    RandomStream random(static_cast<std::uint64_t>(seed), missing_cells_stream,
                        static_cast<std::uint64_t>(chosen[s]));
    impute(incomplete, values, draws, chosen[s] - 1, random,
           [&](int cell, double value) { out(s, cell) = value; });
  }
  return out;
}
