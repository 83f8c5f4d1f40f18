// Border: summaries and convergence diagnostics of many quantities, shared out over threads.
#include "hmvn/diagnostics/convergence.hpp"

#include <Rcpp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <vector>

#include "parallel.h"
#include "r_check.h"
#include "r_derived.h"

namespace {

constexpr std::size_t fixed_columns = 7;
const char* const fixed_names[fixed_columns] = {"mean",     "median",   "sd",       "rhat",
                                                "ess_bulk", "ess_tail", "mcse_mean"};

// A fit is summarised by many calls that need the same scores: those of the last size are kept.
// Main thread only.
const hmvn::NormalScores& scores_for(std::size_t iterations, std::size_t chains) {
  static std::size_t last_iterations = 0, last_chains = 0;
  static std::unique_ptr<const hmvn::NormalScores> scores;
  if (!scores || iterations != last_iterations || chains != last_chains) {
    scores = std::make_unique<const hmvn::NormalScores>(
        hmvn::Convergence::split_scores(iterations, chains));
    last_iterations = iterations;
    last_chains = chains;
  }
  return *scores;
}

// Where the numbers of all quantities go: one quantity a row.
struct Table {
  Table(const hmvn::DrawsExtent& extent, std::size_t n, const Rcpp::NumericVector& named_probs,
        bool mcse)
      : iterations(static_cast<std::size_t>(extent.iterations)),
        chains(static_cast<std::size_t>(extent.chains)),
        quantities(n),
        probs(named_probs.begin(), named_probs.end()),
        with_mcse(mcse),
        scores(scores_for(iterations, chains)),
        numbers(static_cast<int>(n), static_cast<int>(fixed_columns + probs.size())),
        out(numbers.begin()) {
    Rcpp::CharacterVector names(fixed_names, fixed_names + fixed_columns);
    const SEXP given_names = Rf_getAttrib(named_probs, R_NamesSymbol);
    const Rcpp::CharacterVector given = Rf_isNull(given_names)
                                            ? Rcpp::CharacterVector(named_probs.size())
                                            : Rcpp::CharacterVector(given_names);
    for (R_xlen_t p = 0; p < given.size(); ++p) names.push_back(given[p]);
    Rcpp::colnames(numbers) = names;
  }

  std::size_t draws() const { return iterations * chains; }

  // Throws StopRequested when asked to stop: a quantity of many draws takes a while.
  void summarise(std::size_t q, const double* own, hmvn::Convergence& convergence) {
    hmvn::stop_if_asked(control.stop);
    const hmvn::DrawsSummary summary = convergence(own);
    const double mcse = with_mcse ? convergence.mcse_mean(own, summary) : NA_REAL;
    const double values[fixed_columns] = {summary.mean, convergence.median(), summary.sd,
                                          summary.rhat, summary.ess_bulk,     summary.ess_tail,
                                          mcse};
    for (std::size_t c = 0; c < fixed_columns; ++c) put(q, c, values[c]);
    for (std::size_t p = 0; p < probs.size(); ++p)
      put(q, fixed_columns + p, convergence.quantile(probs[p]));
  }
  void put(std::size_t q, std::size_t column, double value) {
    out[q + quantities * column] = std::isnan(value) ? NA_REAL : value;
  }

  std::size_t iterations, chains, quantities;
  std::vector<double> probs;
  bool with_mcse;
  const hmvn::NormalScores& scores;
  Rcpp::NumericMatrix numbers;
  double* out;
  hmvn::RunControl control;
};

// Each quantity is worked out by one thread, alone: results cannot depend on how many threads there
// are. `one(i, convergence)` is called for every i, and never touches R; `each`: how many
// quantities it works out. A job is some dozens of them.
template <class One>
void fill(Table& table, std::size_t n, std::size_t each, int cores, const One& one) {
  const std::size_t together = std::max<std::size_t>(1, 64 / std::max<std::size_t>(1, each));
  const auto job = [&](std::size_t j) {
    hmvn::Convergence convergence(table.iterations, table.chains, table.scores);
    const std::size_t end = std::min(n, (j + 1) * together);
    for (std::size_t i = j * together; i < end; ++i) one(i, convergence);
  };
  hmvn::run_jobs((n + together - 1) / together, cores, job, table.control);
}

}  // namespace

// `draws`: [iteration, chain, ...]; returns a matrix, one quantity a row, with the columns mean,
// median, sd, rhat, ess_bulk, ess_tail, mcse_mean (NA unless `mcse`), then the quantiles at
// `probs`, which have the names of `probs`.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix summarise_array_(Rcpp::NumericVector draws, Rcpp::NumericVector probs,
                                     int cores, bool mcse = false) {
  const hmvn::DrawsExtent extent = hmvn::extent_of_draws(draws);
  const std::size_t size = static_cast<std::size_t>(extent.draws());
  Table table(extent, static_cast<std::size_t>(extent.values), probs, mcse);
  const double* first = draws.begin();
  fill(table, table.quantities, 1, cores, [&](std::size_t q, hmvn::Convergence& convergence) {
    table.summarise(q, first + q * size, convergence);
  });
  return table.numbers;
}

// The same for groups' own quantities, from stored draws without building an array of them: `kind`
// "mu" from means, "sigma", "Omega" or "Sigma" from packed factors. `groups`: from 1. Rows are in
// packed order, group after group.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix summarise_groups_(Rcpp::NumericVector stored, int n_features,
                                      Rcpp::IntegerVector groups, std::string kind,
                                      Rcpp::NumericVector probs, int cores) {
  const bool means = kind == "mu";
  const hmvn::Derived derived = means ? hmvn::Derived::sd : hmvn::read_derived(kind);
  if (derived == hmvn::Derived::precision) Rcpp::stop("precisions are not summarised");
  const hmvn::DrawsExtent extent = hmvn::extent_of_draws(stored);
  const Eigen::Index size = n_features, entries = means ? size : size * (size + 1) / 2;
  if (n_features < 1) Rcpp::stop("there are no features");
  hmvn::check_positions(groups, extent.values / entries, "group");
  const std::size_t each = static_cast<std::size_t>(hmvn::packed_size(derived, size));
  Table table(extent, each * static_cast<std::size_t>(groups.size()), probs, false);
  const Eigen::Index draws = static_cast<Eigen::Index>(table.draws());
  const double* first = stored.begin();
  const int* group = groups.begin();
  fill(table, static_cast<std::size_t>(groups.size()), each, cores,
       [&](std::size_t g, hmvn::Convergence& convergence) {
         const double* own = first + draws * entries * (group[g] - 1);
         std::size_t row = g * each;
         if (means) {
           for (std::size_t k = 0; k < each; ++k, own += draws)
             table.summarise(row++, own, convergence);
           return;
         }
         const Eigen::Map<const Eigen::ArrayXXd> factor(own, draws, entries);
         hmvn::for_each_packed(derived, size, [&](Eigen::Index i, Eigen::Index j) {
           const Eigen::ArrayXd values = hmvn::derive(derived, factor, size, i, j);
           table.summarise(row++, values.data(), convergence);
         });
       });
  return table.numbers;
}
