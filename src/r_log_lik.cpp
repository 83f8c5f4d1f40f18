// The border of densities of rows: every row at every draw of the law of its group.
#include <Rcpp.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "hmvn/predict/row_density.hpp"
#include "parallel.h"
#include "r_rows.h"

using namespace hmvn;

namespace {

// Rows that one job takes: enough that reading draws is little beside them.
constexpr std::size_t longest_run = 256;

std::vector<RowLaw> unpack_laws(const RowsOfR& rows, const LawsOfR& laws) {
  std::vector<RowLaw> out(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) {
    out[i].place = laws.place(i);
    for (int k = 0; k < rows.values.nrow(); ++k) {
      if (!ISNAN(rows.values(k, i))) out[i].observed.push_back(k);
    }
  }
  return out;
}

bool read_is_density(const std::string& kind) {
  if (kind == "log_density") return true;
  if (kind == "squared_distance") return false;
  throw std::invalid_argument("unknown kind of density '" + kind + "'");
}

}  // namespace

// `rows`, `laws`: see r_rows.h; `chosen`: positions of draws, from 1; `kind`: "log_density" or
// "squared_distance", of the observed cells. Returns [draw, row].
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix row_densities_(const Rcpp::List& rows, const Rcpp::List& laws,
                                   const Rcpp::IntegerVector& chosen, const std::string& kind,
                                   int cores) {
  const bool is_density = read_is_density(kind);
  const RowsOfR table(rows);
  const LawsOfR own(laws, table);
  check_positions(chosen, own.n_draws(), "draw");
  const StoredDraws draws = own.draws();
  const std::vector<RowLaw> by_row = unpack_laws(table, own);
  std::vector<std::size_t> order;
  const std::vector<RowRun> runs = form_runs(by_row, longest_run, order);
  std::vector<std::ptrdiff_t> at(chosen.begin(), chosen.end());
  for (std::ptrdiff_t& draw : at) --draw;

  const Eigen::Map<const Eigen::MatrixXd> values = as_map(table.values);
  const Eigen::Map<const Eigen::MatrixXd> covariates = as_map(table.covariates);
  Rcpp::NumericMatrix out(Rcpp::no_init(static_cast<int>(at.size()), table.size()));
  double* const to = out.begin();
  RunControl control;
  const auto job = [&](std::size_t j) {
    const RowRun& run = runs[j];
    RowDensity density(by_row[order[run.begin]], draws.n_covariates);
    for (std::size_t s = 0; s < at.size(); s += RowDensity::block) {
      stop_if_asked(control.stop);
      const int n = static_cast<int>(std::min<std::size_t>(RowDensity::block, at.size() - s));
      density.read(draws, &at[s], n);
      for (std::size_t i = run.begin; i < run.end; ++i) {
        const Eigen::Index row = static_cast<Eigen::Index>(order[i]);
        Eigen::Map<Eigen::ArrayXd> place(to + s + at.size() * order[i], n);
        place = is_density ? density.log_density(values.col(row), covariates.col(row))
                           : density.squared_distance(values.col(row), covariates.col(row));
      }
    }
  };
  run_jobs(runs.size(), cores, job, control);
  return out;
}
