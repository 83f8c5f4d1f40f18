// The border for sufficient statistics: R vectors in, passes over their cells, R arrays out.
#include <Rcpp.h>

#include <cstdint>
#include <cstdio>
#include <vector>

#include "hmvn/data/column_scan.hpp"
#include "hmvn/data/fingerprint.hpp"
#include "hmvn/data/moments.hpp"
#include "hmvn/data/scaled_rank.hpp"
#include "hmvn/data/semidefinite.hpp"
#include "hmvn/data/statistics.hpp"
#include "hmvn/data/whole_codes.hpp"
#include "parallel.h"
#include "r_check.h"

namespace {

std::vector<hmvn::Column> as_columns(const Rcpp::List& columns) {
  std::vector<hmvn::Column> result(columns.size());
  for (R_xlen_t k = 0; k < columns.size(); ++k) {
    SEXP column = columns[k];
    if (TYPEOF(column) == REALSXP) {
      result[k].real = REAL(column);
    } else if (TYPEOF(column) == INTSXP) {
      result[k].integer = INTEGER(column);
    } else {
      Rcpp::stop("columns must be double or integer vectors");
    }
  }
  return result;
}

int* numbers_of(const Rcpp::RObject& x, int) { return INTEGER(x); }
double* numbers_of(const Rcpp::RObject& x, double) { return REAL(x); }

template <class Number>
SEXP code_whole(const Rcpp::RObject& x, bool plain, Number zero) {
  const hmvn::WholeCodes<Number> table(numbers_of(x, zero),
                                       static_cast<std::size_t>(Rf_xlength(x)));
  if (!table.found) return R_NilValue;
  const Rcpp::RObject values = Rf_allocVector(TYPEOF(x), table.n_codes);
  table.write_values(numbers_of(values, zero));
  Rcpp::RObject codes = x;  // numbers that are codes already need no copy
  if (!plain || TYPEOF(x) != INTSXP || !table.are_codes()) {
    codes = Rf_allocVector(INTSXP, Rf_xlength(x));
    table.write_codes(INTEGER(codes));
  }
  return Rcpp::List::create(Rcpp::Named("codes") = codes, Rcpp::Named("values") = values);
}

}  // namespace

// One look at all cells: `missing`, which columns have missing cells; `bad`, NULL or of the first
// column with NaN or infinite cells its position, the first such row, that cell, and how many there
// are.
// [[Rcpp::export(rng = false)]]
Rcpp::List scan_cells_(Rcpp::List columns, int n_threads) {
  const std::vector<hmvn::Column> cells = as_columns(columns);
  std::vector<hmvn::ColumnScan> found(cells.size());
  std::vector<R_xlen_t> length(cells.size());
  for (std::size_t k = 0; k < cells.size(); ++k) length[k] = Rf_xlength(columns[k]);
  hmvn::run_jobs(cells.size(), n_threads, [&](std::size_t k) {
    found[k] = hmvn::scan_column(cells[k], static_cast<std::size_t>(length[k]));
  });
  Rcpp::LogicalVector missing(columns.size());
  Rcpp::RObject bad = R_NilValue;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    missing[k] = found[k].missing;
    const R_xlen_t row = found[k].first_bad;
    if (row < 0 || !bad.isNULL()) continue;
    bad = Rcpp::List::create(Rcpp::Named("column") = static_cast<int>(k + 1),
                             Rcpp::Named("row") = static_cast<double>(row + 1),
                             Rcpp::Named("value") = cells[k].real[row],
                             Rcpp::Named("count") = found[k].n_bad);
  }
  return Rcpp::List::create(Rcpp::Named("missing") = missing, Rcpp::Named("bad") = bad);
}

// A text a column, made of its bytes: columns that differ in one cell never have the same.
// [[Rcpp::export(rng = false)]]
Rcpp::CharacterVector fingerprints_(Rcpp::List columns, int n_threads) {
  const std::vector<hmvn::Column> cells = as_columns(columns);
  std::vector<std::size_t> bytes(cells.size());
  for (std::size_t k = 0; k < cells.size(); ++k) {
    bytes[k] = static_cast<std::size_t>(Rf_xlength(columns[static_cast<R_xlen_t>(k)])) *
               (cells[k].real ? sizeof(double) : sizeof(int));
  }
  std::vector<std::uint64_t> found(cells.size());
  hmvn::run_jobs(cells.size(), n_threads, [&](std::size_t k) {
    const void* data = cells[k].real ? static_cast<const void*>(cells[k].real) : cells[k].integer;
    found[k] = hmvn::fingerprint(data, bytes[k]);
  });
  Rcpp::CharacterVector out(columns.size());
  for (std::size_t k = 0; k < cells.size(); ++k) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(found[k]));
    out[static_cast<R_xlen_t>(k)] = text;
  }
  return out;
}

// Whole numbers, integer or double, to codes 1, 2, ... in their order, and the distinct values;
// NULL where a table does not do. `plain`: x has no attributes, so that it may stand for its own
// codes.
// [[Rcpp::export(rng = false)]]
SEXP code_whole_(Rcpp::RObject x, bool plain) {
  if (TYPEOF(x) == INTSXP) return code_whole(x, plain, 0);
  if (TYPEOF(x) == REALSXP) return code_whole(x, plain, 0.0);
  return R_NilValue;
}

// Statistics by (group, pattern). columns: list of K double or integer vectors of length N;
// missing: which of them have missing cells; codes: 1..n_groups; weights: NULL or N positive
// numbers. Where the result would take more than max_bytes, only how many: list(bytes).
// [[Rcpp::export(rng = false)]]
Rcpp::List group_statistics_(Rcpp::List columns, Rcpp::LogicalVector missing,
                             Rcpp::IntegerVector codes, int n_groups,
                             Rcpp::Nullable<Rcpp::NumericVector> weights, int n_threads,
                             double max_bytes) {
  hmvn::Rows rows;
  rows.columns = as_columns(columns);
  rows.has_missing.assign(missing.begin(), missing.end());
  if (rows.has_missing.size() != rows.columns.size())
    Rcpp::stop("columns and missing must have one length");
  rows.n_rows = static_cast<std::size_t>(codes.size());
  rows.n_groups = n_groups;
  rows.group = INTEGER(codes);
  for (R_xlen_t k = 0; k < columns.size(); ++k)
    if (Rf_xlength(columns[k]) != codes.size())
      Rcpp::stop("columns and codes must have one length");
  bool inside = true;
  for (const int code : codes) inside &= code >= 1 && code <= n_groups;
  if (!inside) Rcpp::stop("codes must lie in 1..n_groups");
  Rcpp::NumericVector weight;
  if (weights.isNotNull()) {
    weight = Rcpp::NumericVector(weights);
    if (weight.size() != codes.size()) Rcpp::stop("weights and codes must have one length");
    rows.weight = REAL(weight);
  }

  // where there are many patterns, each of these steps takes long
  const hmvn::Patterns patterns = hmvn::find_patterns(rows);
  hmvn::check_user();
  // once while rows are read, as a triangle, and once as R's arrays
  const double size = static_cast<double>(rows.columns.size());
  const double bytes = 12.0 * size * (size + 1.0) * static_cast<double>(patterns.count);
  if (bytes > max_bytes) return Rcpp::List::create(Rcpp::Named("bytes") = bytes);
  hmvn::StatisticsPass pass(rows, patterns);
  hmvn::run_jobs(pass.n_chunks(), n_threads, [&](std::size_t chunk) { pass.read_chunk(chunk); });
  pass.finish();
  hmvn::check_user();

  const int K = static_cast<int>(rows.columns.size());
  const int P = static_cast<int>(patterns.count);
  Rcpp::NumericVector n(P), mean(Rcpp::Dimension(K, P)), scatter(Rcpp::Dimension(K, K, P));
  Rcpp::LogicalVector observed(Rcpp::Dimension(K, P));
  double* out = REAL(scatter);
  for (int p = 0; p < P; ++p) {
    n[p] = pass.n(p);
    for (int k = 0; k < K; ++k) {
      observed[K * static_cast<R_xlen_t>(p) + k] = !patterns.is_missing(p, k);
      mean[K * static_cast<R_xlen_t>(p) + k] = pass.mean(p, k);
      for (int j = 0; j < K; ++j) *out++ = pass.scatter(p, k, j);
    }
  }
  return Rcpp::List::create(
      Rcpp::Named("patterns") = Rcpp::List::create(
          Rcpp::Named("group") = Rcpp::IntegerVector(patterns.group.begin(), patterns.group.end()),
          Rcpp::Named("n") = n, Rcpp::Named("observed") = observed, Rcpp::Named("mean") = mean,
          Rcpp::Named("scatter") = scatter),
      Rcpp::Named("n_rows") = static_cast<double>(rows.n_rows) - patterns.n_empty,
      Rcpp::Named("n_empty") = patterns.n_empty, Rcpp::Named("n_missing") = patterns.n_missing);
}

// Merges patterns: pattern which[i] goes to into[i], 1..n_merged, all of them over `features`
// (positions), which every pattern must observe (or none of those that go together, where mean and
// scatter are 0). Returns n, mean [feature, merged] and scatter [feature, feature, merged].
// [[Rcpp::export(rng = false)]]
Rcpp::List merge_moments_(const Rcpp::List& patterns, const Rcpp::IntegerVector& which,
                          const Rcpp::IntegerVector& into, int n_merged,
                          const Rcpp::IntegerVector& features) {
  const Rcpp::NumericVector n = patterns["n"], mean = patterns["mean"],
                            scatter = patterns["scatter"];
  const R_xlen_t K = n.size() == 0 ? 0 : mean.size() / n.size(), size = features.size();
  const std::size_t stride = hmvn::moments_size(static_cast<std::size_t>(size));
  hmvn::check_positions(which, n.size(), "pattern");
  hmvn::check_positions(features, K, "feature");
  hmvn::check_positions(into, n_merged, "merged pattern");
  hmvn::check_length(into.size(), which.size(), "positions of merged patterns");
  hmvn::check_length(mean.size(), K * n.size(), "means");
  hmvn::check_length(scatter.size(), K * K * n.size(), "scatter matrices");
  std::vector<double> all(stride * static_cast<std::size_t>(n_merged), 0.0), one(stride, 0.0);
  for (R_xlen_t i = 0; i < which.size(); ++i) {
    const R_xlen_t p = which[i] - 1;
    one[0] = n[p];
    double* product = &one[2 + 2 * static_cast<std::size_t>(size)];
    for (R_xlen_t k = 0; k < size; ++k) {
      const R_xlen_t row = features[k] - 1;
      one[static_cast<std::size_t>(2 + k)] = mean[p * K + row];
      for (R_xlen_t j = 0; j <= k; ++j) *product++ = scatter[(p * K + features[j] - 1) * K + row];
    }
    double* to = &all[stride * static_cast<std::size_t>(into[i] - 1)];
    hmvn::merge_moments(to, one.data(), static_cast<std::size_t>(size));
  }
  Rcpp::NumericVector n_out(n_merged), mean_out(Rcpp::Dimension(size, n_merged)),
      scatter_out(Rcpp::Dimension(size, size, n_merged));
  for (R_xlen_t m = 0; m < n_merged; ++m) {
    const double* own = &all[stride * static_cast<std::size_t>(m)];
    const double* product = hmvn::moments_products(own, static_cast<std::size_t>(size));
    n_out[m] = own[0];
    for (R_xlen_t k = 0; k < size; ++k) {
      mean_out[m * size + k] =
          hmvn::moments_mean(own, static_cast<std::size_t>(size), static_cast<std::size_t>(k));
      for (R_xlen_t j = 0; j <= k; ++j, ++product) {
        scatter_out[(m * size + k) * size + j] = scatter_out[(m * size + j) * size + k] = *product;
      }
    }
  }
  return Rcpp::List::create(Rcpp::Named("n") = n_out, Rcpp::Named("mean") = mean_out,
                            Rcpp::Named("scatter") = scatter_out);
}

// Which slices of scatter [K, K, P] can be no scatter matrices; see hmvn::is_semidefinite().
// [[Rcpp::export(rng = false)]]
Rcpp::LogicalVector indefinite_(Rcpp::NumericVector scatter, int n_features, double tolerance) {
  if (n_features < 1) Rcpp::stop("there are no features");
  const R_xlen_t cells = static_cast<R_xlen_t>(n_features) * n_features;
  Rcpp::LogicalVector out(scatter.size() / cells);
  for (R_xlen_t p = 0; p < out.size(); ++p) {
    out[p] = !hmvn::is_semidefinite(REAL(scatter) + p * cells, static_cast<std::size_t>(n_features),
                                    tolerance);
  }
  return out;
}

// Rank and number of varying features of every slice of scatter [K, K, P]; see hmvn::scaled_rank().
// [[Rcpp::export(rng = false)]]
Rcpp::IntegerMatrix scaled_ranks_(Rcpp::NumericVector scatter, int n_features, double tolerance) {
  const R_xlen_t cells = static_cast<R_xlen_t>(n_features) * n_features;
  if (n_features < 1) Rcpp::stop("there are no features");
  const R_xlen_t n_slices = scatter.size() / cells;
  Rcpp::IntegerMatrix result(static_cast<int>(n_slices), 2);
  for (R_xlen_t p = 0; p < n_slices; ++p) {
    int n_varying = 0;
    result(p, 0) = hmvn::scaled_rank(REAL(scatter) + p * cells, n_features, tolerance, &n_varying);
    result(p, 1) = n_varying;
  }
  return result;
}
