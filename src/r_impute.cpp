// The border of missing cells: draws them for every row that has some and every draw of the
// posterior.
#include <Rcpp.h>

#include <vector>

#include "hmvn/predict/impute.hpp"

using namespace hmvn;

namespace {

// Marks the streams of missing cells: no sampling unit has this number.
constexpr std::uint64_t missing_cells_stream = 0x6d697373696e67ULL;

std::vector<IncompleteRow> unpack_rows(const Rcpp::NumericMatrix& rows,
                                       const Rcpp::IntegerVector& mean_group,
                                       const Rcpp::IntegerVector& chol_group,
                                       const Rcpp::IntegerVector& first_cell) {
  std::vector<IncompleteRow> out(static_cast<std::size_t>(rows.ncol()));
  for (int i = 0; i < rows.ncol(); ++i) {
    out[i].mean_group = mean_group[i] - 1;
    out[i].factor_group = chol_group[i] - 1;
    out[i].first_cell = first_cell[i];
    for (int k = 0; k < rows.nrow(); ++k) out[i].missing.push_back(ISNAN(rows(k, i)));
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
  const std::vector<IncompleteRow> incomplete =
      unpack_rows(rows, mean_group, chol_group, first_cell);
  const Rcpp::IntegerVector dim = mean.attr("dim");
  const StoredDraws draws{mean.begin(), chol.begin(), static_cast<std::ptrdiff_t>(dim[0]) * dim[1],
                          rows.nrow()};
  const Eigen::Map<const Eigen::MatrixXd> values(rows.begin(), rows.nrow(), rows.ncol());
  Rcpp::NumericMatrix out(static_cast<int>(chosen.size()), n_cells);
  for (int s = 0; s < out.nrow(); ++s) {
    Rcpp::checkUserInterrupt();
    RandomStream random(static_cast<std::uint64_t>(seed), missing_cells_stream,
                        static_cast<std::uint64_t>(chosen[s]));
    impute(incomplete, values, draws, chosen[s] - 1, random,
           [&](int cell, double value) { out(s, cell) = value; });
  }
  return out;
}
