// Border: summaries and convergence diagnostics of many quantities, shared out over threads.
#include <hmvn/diagnostics/convergence.hpp>

#include <Rcpp.h>
#include "rcpp_parallel.h"

#include <cmath>
#include <cstddef>
#include <exception>
#include <mutex>
#include <vector>

namespace {

constexpr std::size_t fixed_columns = 7;

// Each quantity is worked out by one thread, alone: results cannot depend on how many threads there are.
struct SummaryWorker : RcppParallel::Worker {
  const double* draws;
  std::size_t iterations, chains, quantities;
  std::vector<double> probs;
  bool with_mcse;
  double* out;
  std::exception_ptr failure;
  std::mutex failure_lock;

  void operator()(std::size_t begin, std::size_t end) override {
    try {
      hmvn::Convergence convergence(iterations, chains);
      for (std::size_t q = begin; q < end; ++q) summarise(q, convergence);
    } catch (...) {
      const std::lock_guard<std::mutex> hold(failure_lock);
      failure = std::current_exception();
    }
  }

  void summarise(std::size_t q, hmvn::Convergence& convergence) {
    const double* own = draws + q * iterations * chains;
    const hmvn::DrawsSummary summary = convergence(own);
    const double values[fixed_columns] = {summary.mean,     convergence.median(), summary.sd, summary.rhat,
                                          summary.ess_bulk, summary.ess_tail,     with_mcse ? convergence.mcse_mean(own, summary) : NA_REAL};
    for (std::size_t c = 0; c < fixed_columns; ++c) put(q, c, values[c]);
    for (std::size_t p = 0; p < probs.size(); ++p) put(q, fixed_columns + p, convergence.quantile(probs[p]));
  }
  void put(std::size_t q, std::size_t column, double value) { out[q + quantities * column] = std::isnan(value) ? NA_REAL : value; }
};

}  // namespace

// `draws`: [iteration, chain, ...]; returns one quantity a row: mean, median, sd, rhat, ess_bulk, ess_tail, mcse_mean (NA unless `mcse`), then the
// quantiles at `probs`.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix summarise_array_(Rcpp::NumericVector draws, std::vector<double> probs, int cores, bool mcse = false) {
  const Rcpp::IntegerVector dim = draws.attr("dim");
  SummaryWorker worker;
  worker.draws = draws.begin();
  worker.iterations = static_cast<std::size_t>(dim[0]);
  worker.chains = static_cast<std::size_t>(dim[1]);
  const std::size_t size = worker.iterations * worker.chains;
  worker.quantities = size == 0 ? 0 : static_cast<std::size_t>(draws.size()) / size;
  worker.probs = probs;
  worker.with_mcse = mcse;
  Rcpp::NumericMatrix out(static_cast<int>(worker.quantities), static_cast<int>(fixed_columns + probs.size()));
  worker.out = out.begin();
  if (cores > 1 && worker.quantities > 1) {
    RcppParallel::parallelFor(0, worker.quantities, worker, 8, cores);
  } else {
    worker(0, worker.quantities);
  }
  if (worker.failure) std::rethrow_exception(worker.failure);
  return out;
}
