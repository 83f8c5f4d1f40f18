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

std::vector<RowLaw> unpack_laws(const Rcpp::NumericMatrix& rows,
                                const Rcpp::IntegerVector& mean_group,
                                const Rcpp::IntegerVector& chol_group) {
  std::vector<RowLaw> laws(static_cast<std::size_t>(rows.ncol()));
  for (int i = 0; i < rows.ncol(); ++i) {
    laws[i].mean_group = mean_group[i] - 1;
    laws[i].factor_group = chol_group[i] - 1;
    for (int k = 0; k < rows.nrow(); ++k) {
      if (!ISNAN(rows(k, i))) laws[i].observed.push_back(k);
    }
  }
  return laws;
}

bool read_is_density(const std::string& kind) {
  if (kind == "log_density") return true;
  if (kind == "squared_distance") return false;
  throw std::invalid_argument("unknown kind of density '" + kind + "'");
}

}  // namespace

// `rows`: [K, row], NA where missing; `mean_group`, `chol_group`: from 1, whose values a row's
// group has in `mean` [iteration, chain, index] and `chol`; `chosen`: positions of draws, from 1;
// `kind`: "log_density" or "squared_distance", of the observed cells. Returns [draw, row].
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix row_densities_(const Rcpp::NumericMatrix& rows,
                                   const Rcpp::IntegerVector& mean_group,
                                   const Rcpp::IntegerVector& chol_group,
                                   const Rcpp::NumericVector& mean, const Rcpp::NumericVector& chol,
                                   const Rcpp::IntegerVector& chosen, const std::string& kind,
                                   int cores) {
  const bool is_density = read_is_density(kind);
  const StoredDraws draws = unpack_draws(mean, chol, rows.nrow());
  check_positions(chosen, draws.n_draws, "draw");
  check_row_groups(mean_group, rows.ncol(), mean, rows.nrow());
  check_row_groups(chol_group, rows.ncol(), chol, packed_size(rows.nrow()));
  const std::vector<RowLaw> laws = unpack_laws(rows, mean_group, chol_group);
  std::vector<std::size_t> order;
  const std::vector<RowRun> runs = form_runs(laws, longest_run, order);
  std::vector<std::ptrdiff_t> at(chosen.begin(), chosen.end());
  for (std::ptrdiff_t& draw : at) --draw;

  const Eigen::Map<const Eigen::MatrixXd> values(rows.begin(), rows.nrow(), rows.ncol());
  Rcpp::NumericMatrix out(Rcpp::no_init(static_cast<int>(at.size()), rows.ncol()));
  double* const to = out.begin();
  run_jobs(runs.size(), cores, [&](std::size_t job) {
    const RowRun& run = runs[job];
    RowDensity density(laws[order[run.begin]]);
    for (std::size_t s = 0; s < at.size(); s += RowDensity::block) {
      const int n = static_cast<int>(std::min<std::size_t>(RowDensity::block, at.size() - s));
      density.read(draws, &at[s], n);
      for (std::size_t i = run.begin; i < run.end; ++i) {
        const Eigen::Index row = static_cast<Eigen::Index>(order[i]);
        Eigen::Map<Eigen::ArrayXd> place(to + s + at.size() * order[i], n);
        place = is_density ? density.log_density(values.col(row))
                           : density.squared_distance(values.col(row));
      }
    }
  });
  return out;
}
