// The border for sufficient statistics: R vectors in, the pass of
// hmvn/model/statistics.hpp over blocks of rows in parallel, R arrays out.
#include <Rcpp.h>
#include "rcpp_parallel.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <type_traits>
#include <vector>

#include "hmvn/model/moments.hpp"
#include "hmvn/model/scaled_rank.hpp"
#include "hmvn/model/statistics.hpp"

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

// Runs one pass over all blocks; what a block throws is kept in its slot and rethrown here,
// on the main thread.
template <class Pass>
struct BlockWorker : public RcppParallel::Worker {
  BlockWorker(Pass pass, std::size_t n_blocks) : pass(pass), errors(n_blocks) {}
  void operator()(std::size_t begin, std::size_t end) override {
    for (std::size_t block = begin; block < end; ++block) {
      try {
        pass(block);
      } catch (...) {
        errors[block] = std::current_exception();
      }
    }
  }
  Pass pass;
  std::vector<std::exception_ptr> errors;
};

template <class Pass>
void run_blocks(Pass pass, std::size_t n_blocks, int n_threads) {
  BlockWorker<Pass> worker(pass, n_blocks);
  if (n_threads > 1 && n_blocks > 1) {
    RcppParallel::parallelFor(0, n_blocks, worker, 1, n_threads);
  } else {
    worker(0, n_blocks);
  }
  for (const std::exception_ptr& error : worker.errors)
    if (error) std::rethrow_exception(error);
}

// R's NA is a NaN whose low word is 1954; any other NaN is the result of a computation.
bool is_bad(double value) { return !std::isfinite(value) && !R_IsNA(value); }

// What one column has besides finite numbers.
struct ColumnScan {
  bool missing = false;
  R_xlen_t first_bad = -1;
  double n_bad = 0;
};

// Without branches within a stride; what a stride may hide is looked at cell by cell.
ColumnScan scan_column(const hmvn::Column& column, R_xlen_t n) {
  ColumnScan found;
  constexpr R_xlen_t stride = 4096;
  for (R_xlen_t begin = 0; begin < n; begin += stride) {
    const R_xlen_t end = std::min(begin + stride, n);
    bool suspicious = false;
    if (column.real) {
      const double* value = column.real;  // x - x is 0 unless x is NA, NaN or infinite
      for (R_xlen_t i = begin; i < end; ++i) suspicious |= !(value[i] - value[i] == 0);
    } else {
      for (R_xlen_t i = begin; i < end; ++i)
        suspicious |= column.integer[i] == hmvn::Column::missing_integer;
    }
    if (!suspicious) continue;
    if (!column.real) {
      found.missing = true;
      continue;
    }
    for (R_xlen_t i = begin; i < end; ++i) {
      if (!is_bad(column.real[i])) {
        found.missing |= std::isnan(column.real[i]);
        continue;
      }
      if (found.first_bad < 0) found.first_bad = i;
      ++found.n_bad;
    }
  }
  return found;
}

int* numbers_of(const Rcpp::RObject& x, int) { return INTEGER(x); }
double* numbers_of(const Rcpp::RObject& x, double) { return REAL(x); }

// Codes of whole numbers by a table over their range; NULL where there are missing or broken
// numbers or the range is too wide for a table.
template <class Number>
SEXP code_by_table(const Rcpp::RObject& x, bool plain, Number zero) {
  const Number* value = numbers_of(x, zero);
  const R_xlen_t n = Rf_xlength(x);
  if (n == 0) return R_NilValue;
  Number low = value[0], high = value[0];
  bool whole = true;
  for (R_xlen_t i = 0; i < n; ++i) {
    low = std::min(low, value[i]);
    high = std::max(high, value[i]);
    if (std::is_floating_point<Number>::value) whole &= value[i] == std::trunc(value[i]);
  }
  const double first = static_cast<double>(low), width = static_cast<double>(high) - first + 1;
  const double widest = std::min(1e8, std::max(1e6, 2.0 * static_cast<double>(n)));
  const bool missing = std::is_integral<Number>::value && first == static_cast<double>(NA_INTEGER);
  // not: all comparisons with NaN are false
  if (!whole || missing || !(width <= widest) || !(std::fabs(first) <= 9007199254740992.0))
    return R_NilValue;

  std::vector<int> code(static_cast<std::size_t>(width), 0);
  for (R_xlen_t i = 0; i < n; ++i) code[static_cast<std::size_t>(value[i] - low)] = 1;
  int n_codes = 0;
  for (int& c : code) {
    if (c) c = ++n_codes;
  }
  const Rcpp::RObject values = Rf_allocVector(TYPEOF(x), n_codes);
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i]) numbers_of(values, zero)[code[i] - 1] = low + static_cast<Number>(i);
  }
  // numbers that are codes already need no copy
  const bool are_codes = plain && TYPEOF(x) == INTSXP && first == 1 && n_codes == width;
  Rcpp::RObject codes = x;
  if (!are_codes) {
    codes = Rf_allocVector(INTSXP, n);
    int* out = INTEGER(codes);
    for (R_xlen_t i = 0; i < n; ++i) out[i] = code[static_cast<std::size_t>(value[i] - low)];
  }
  return Rcpp::List::create(Rcpp::_["codes"] = codes, Rcpp::_["values"] = values);
}

}  // namespace

// One look at all cells: `missing`, which columns have missing cells; `bad`, NULL or of the first
// column with NaN or infinite cells its position, the first such row, that cell, and how many there
// are.
// [[Rcpp::export(rng = false)]]
Rcpp::List scan_cells_(Rcpp::List columns, int n_threads) {
  const std::vector<hmvn::Column> cells = as_columns(columns);
  std::vector<ColumnScan> found(cells.size());
  std::vector<R_xlen_t> length(cells.size());
  for (std::size_t k = 0; k < cells.size(); ++k) length[k] = Rf_xlength(columns[k]);
  run_blocks([&](std::size_t k) { found[k] = scan_column(cells[k], length[k]); }, cells.size(),
             n_threads);
  Rcpp::LogicalVector missing(columns.size());
  Rcpp::RObject bad = R_NilValue;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    missing[k] = found[k].missing;
    const R_xlen_t row = found[k].first_bad;
    if (row < 0 || !bad.isNULL()) continue;
    bad = Rcpp::List::create(
        Rcpp::_["column"] = static_cast<int>(k + 1), Rcpp::_["row"] = static_cast<double>(row + 1),
        Rcpp::_["value"] = cells[k].real[row], Rcpp::_["count"] = found[k].n_bad);
  }
  return Rcpp::List::create(Rcpp::_["missing"] = missing, Rcpp::_["bad"] = bad);
}

// Whole numbers, integer or double, to codes 1, 2, ... in their order, and the distinct values;
// NULL where a table does not do. `plain`: x has no attributes, so that it may stand for its own
// codes.
// [[Rcpp::export(rng = false)]]
SEXP code_whole_(Rcpp::RObject x, bool plain) {
  if (TYPEOF(x) == INTSXP) return code_by_table(x, plain, 0);
  if (TYPEOF(x) == REALSXP) return code_by_table(x, plain, 0.0);
  return R_NilValue;
}

// Statistics by (group, pattern). columns: list of K double or integer vectors of length N;
// missing: which of them have missing cells; codes: 1..n_groups; weights: NULL or N positive
// numbers.
// [[Rcpp::export(rng = false)]]
Rcpp::List group_statistics_(Rcpp::List columns, Rcpp::LogicalVector missing,
                             Rcpp::IntegerVector codes, int n_groups,
                             Rcpp::Nullable<Rcpp::NumericVector> weights, int n_threads) {
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

  const hmvn::Units units = hmvn::find_units(rows);
  hmvn::StatisticsPass pass(rows, units);
  run_blocks([&](std::size_t block) { pass.read_block(block); }, pass.n_blocks(), n_threads);
  pass.finish();

  const int K = static_cast<int>(rows.columns.size());
  const int P = static_cast<int>(units.count);
  Rcpp::NumericVector n(P), mean(Rcpp::Dimension(K, P)), scatter(Rcpp::Dimension(K, K, P));
  Rcpp::LogicalVector observed(Rcpp::Dimension(K, P));
  double* out = REAL(scatter);
  for (int p = 0; p < P; ++p) {
    n[p] = pass.n(p);
    for (int k = 0; k < K; ++k) {
      observed[K * static_cast<R_xlen_t>(p) + k] = !units.is_missing(p, k);
      mean[K * static_cast<R_xlen_t>(p) + k] = pass.mean(p, k);
      for (int j = 0; j < K; ++j) *out++ = pass.scatter(p, k, j);
    }
  }
  return Rcpp::List::create(
      Rcpp::_["patterns"] = Rcpp::List::create(
          Rcpp::_["group"] = Rcpp::IntegerVector(units.group.begin(), units.group.end()),
          Rcpp::_["n"] = n, Rcpp::_["observed"] = observed, Rcpp::_["mean"] = mean,
          Rcpp::_["scatter"] = scatter),
      Rcpp::_["n_rows"] = static_cast<double>(rows.n_rows) - units.n_empty,
      Rcpp::_["n_empty"] = units.n_empty, Rcpp::_["n_missing"] = units.n_missing);
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
  return Rcpp::List::create(Rcpp::_["n"] = n_out, Rcpp::_["mean"] = mean_out,
                            Rcpp::_["scatter"] = scatter_out);
}

// Rank and number of varying features of every slice of scatter [K, K, P]; see hmvn::scaled_rank().
// [[Rcpp::export(rng = false)]]
Rcpp::IntegerMatrix scaled_ranks_(Rcpp::NumericVector scatter, int n_features, double tolerance) {
  const R_xlen_t cells = static_cast<R_xlen_t>(n_features) * n_features;
  const R_xlen_t n_slices = scatter.size() / cells;
  Rcpp::IntegerMatrix result(n_slices, 2);
  for (R_xlen_t p = 0; p < n_slices; ++p) {
    int n_varying = 0;
    result(p, 0) = hmvn::scaled_rank(REAL(scatter) + p * cells, n_features, tolerance, &n_varying);
    result(p, 1) = n_varying;
  }
  return result;
}
