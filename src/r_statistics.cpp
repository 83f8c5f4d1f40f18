// The border for sufficient statistics: R vectors in, the passes of
// hmvn/model/statistics.hpp over blocks of rows in parallel, R arrays out.
#include <Rcpp.h>
#include "rcpp_parallel.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <vector>

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
enum class CellKind { fine, nan, infinite };

CellKind kind_of(double value) {
  if (std::isfinite(value)) return CellKind::fine;
  if (std::isinf(value)) return CellKind::infinite;
  return R_IsNA(value) ? CellKind::fine : CellKind::nan;
}

}  // namespace

// The first column with a NaN or infinite cell: its position, the first such row, that cell,
// and how many there are; NULL if there is none.
// [[Rcpp::export(rng = false)]]
SEXP find_bad_cells_(Rcpp::List columns) {
  for (R_xlen_t k = 0; k < columns.size(); ++k) {
    SEXP column = columns[k];
    if (TYPEOF(column) != REALSXP) continue;
    const double* value = REAL(column);
    const R_xlen_t n = XLENGTH(column);
    R_xlen_t first = -1;
    double count = 0;
    constexpr R_xlen_t stride = 4096;
    for (R_xlen_t begin = 0; begin < n; begin += stride) {
      const R_xlen_t end = std::min(begin + stride, n);
      bool suspicious = false;  // x - x is 0 unless x is NA, NaN or infinite
      for (R_xlen_t i = begin; i < end; ++i) suspicious |= !(value[i] - value[i] == 0);
      if (!suspicious) continue;
      for (R_xlen_t i = begin; i < end; ++i) {
        if (kind_of(value[i]) == CellKind::fine) continue;
        if (first < 0) first = i;
        ++count;
      }
    }
    if (first >= 0) {
      return Rcpp::List::create(Rcpp::_["column"] = static_cast<int>(k + 1),
                                Rcpp::_["row"] = static_cast<double>(first + 1),
                                Rcpp::_["value"] = value[first], Rcpp::_["count"] = count);
    }
  }
  return R_NilValue;
}

// Statistics by (group, pattern). columns: list of K double or integer vectors of length N;
// codes: 1..n_groups; weights: NULL or N positive numbers.
// [[Rcpp::export(rng = false)]]
Rcpp::List group_statistics_(Rcpp::List columns, Rcpp::IntegerVector codes, int n_groups,
                             Rcpp::Nullable<Rcpp::NumericVector> weights, int n_threads) {
  hmvn::Rows rows;
  rows.columns = as_columns(columns);
  rows.n_rows = static_cast<std::size_t>(codes.size());
  rows.n_groups = n_groups;
  rows.group = INTEGER(codes);
  for (R_xlen_t k = 0; k < columns.size(); ++k)
    if (Rf_xlength(columns[k]) != codes.size()) Rcpp::stop("columns and codes must have one length");
  for (const int code : codes)
    if (code < 1 || code > n_groups) Rcpp::stop("codes must lie in 1..n_groups");
  Rcpp::NumericVector weight;
  if (weights.isNotNull()) {
    weight = Rcpp::NumericVector(weights);
    if (weight.size() != codes.size()) Rcpp::stop("weights and codes must have one length");
    rows.weight = REAL(weight);
  }

  const hmvn::Units units = hmvn::find_units(rows);
  hmvn::StatisticsPasses passes(rows, units);
  run_blocks([&](std::size_t block) { passes.sum_block(block); }, passes.n_blocks(), n_threads);
  passes.finish_centres();
  run_blocks([&](std::size_t block) { passes.scatter_block(block); }, passes.n_blocks(), n_threads);
  passes.finish();

  const int K = static_cast<int>(rows.columns.size());
  const int P = static_cast<int>(units.count);
  Rcpp::NumericVector n(P), mean(Rcpp::Dimension(K, P)), scatter(Rcpp::Dimension(K, K, P));
  Rcpp::LogicalVector observed(Rcpp::Dimension(K, P));
  double* out = REAL(scatter);
  for (int p = 0; p < P; ++p) {
    n[p] = passes.n(p);
    for (int k = 0; k < K; ++k) {
      observed[K * static_cast<R_xlen_t>(p) + k] = !units.is_missing(p, k);
      mean[K * static_cast<R_xlen_t>(p) + k] = passes.mean(p, k);
      for (int j = 0; j < K; ++j) *out++ = passes.scatter(p, k, j);
    }
  }
  return Rcpp::List::create(
      Rcpp::_["patterns"] = Rcpp::List::create(
          Rcpp::_["group"] = Rcpp::IntegerVector(units.group.begin(), units.group.end()), Rcpp::_["n"] = n,
          Rcpp::_["observed"] = observed, Rcpp::_["mean"] = mean, Rcpp::_["scatter"] = scatter),
      Rcpp::_["n_rows"] = static_cast<double>(rows.n_rows) - units.n_empty, Rcpp::_["n_empty"] = units.n_empty,
      Rcpp::_["n_missing"] = units.n_missing);
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
