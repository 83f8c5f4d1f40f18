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

std::vector<IncompleteRow> unpack_rows(const RowsOfR& rows, const LawsOfR& laws,
                                       const Rcpp::IntegerVector& first_cell, int n_cells) {
  check_length(first_cell.size(), rows.size(), "cells of the rows");
  std::vector<IncompleteRow> out(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) {
    out[i].place = laws.place(i);
    out[i].first_cell = first_cell[i];
    int n_missing = 0;
    for (int k = 0; k < rows.values.nrow(); ++k) {
      out[i].missing.push_back(ISNAN(rows.values(k, i)));
      n_missing += ISNAN(rows.values(k, i));
    }
    if (first_cell[i] < 0 || first_cell[i] > n_cells - n_missing) {
      Rcpp::stop("missing cells of a row are not there");
    }
  }
  return out;
}

}  // namespace

// `rows`, `laws`: see r_rows.h, rows of one group and one pattern in a run; `first_cell`: where the
// row's missing cells begin (from 0), of `n_cells`; `chosen`: positions of draws, from 1. Returns
// [draw, cell], a row's cells in the order of the features.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix impute_(const Rcpp::List& rows, const Rcpp::List& laws,
                            const Rcpp::IntegerVector& first_cell, int n_cells,
                            const Rcpp::IntegerVector& chosen, double seed) {
  const RowsOfR table(rows);
  const LawsOfR own(laws, table);
  check_positions(chosen, own.n_draws(), "draw");
  const std::vector<IncompleteRow> incomplete = unpack_rows(table, own, first_cell, n_cells);
  const RowTable cells{as_map(table.values), as_map(table.covariates)};
  const StoredDraws draws = own.draws();
  Rcpp::NumericMatrix out(static_cast<int>(chosen.size()), n_cells);
  for (int s = 0; s < out.nrow(); ++s) {
    RandomStream random(static_cast<std::uint64_t>(seed), missing_cells_stream,
                        static_cast<std::uint64_t>(chosen[s]));
    impute(incomplete, cells, DrawOfGroups{draws, chosen[s] - 1}, random,
           [&](int cell, double value) {
             if (cell % 4096 == 0) check_user();
             out(s, cell) = value;
           });
  }
  return out;
}
