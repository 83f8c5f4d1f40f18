// The border of the sampler: unpack, run the chains, pack.
#include <Rcpp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "hmvn/sampling/fit_jobs.hpp"
#include "parallel.h"
#include "r_control.h"
#include "r_model.h"
#include "r_storage.h"

using namespace hmvn;
using Rcpp::_;

namespace {

// Sums the facts over slices; [slice * n_chains + chain].
Rcpp::List pack_iterations(const std::vector<IterationFacts>& facts, const Storage& storage,
                           int n_units, int n_kept, int n_chains) {
  Rcpp::NumericVector log_joint(Rcpp::Dimension(n_kept, n_chains, 1)),
      log_prior(Rcpp::Dimension(n_kept, n_chains, 1));
  Rcpp::NumericMatrix accept_stat(n_kept, n_chains), step_size(n_kept, n_chains),
      tree_depth(n_kept, n_chains), n_leapfrog(n_kept, n_chains), divergent(n_kept, n_chains),
      energy(n_kept, n_chains);
  for (std::size_t j = 0; j < facts.size(); ++j) {
    const int chain = static_cast<int>(j % n_chains);
    for (int i = 0; i < n_kept; ++i) {
      accept_stat(i, chain) += facts[j].accept_stat[i] / n_units;
      step_size(i, chain) += facts[j].step_size[i] / n_units;
      n_leapfrog(i, chain) += facts[j].n_leapfrog[i];
      energy(i, chain) += facts[j].energy[i];
      divergent(i, chain) += facts[j].divergent[i];
      tree_depth(i, chain) = std::max<double>(tree_depth(i, chain), facts[j].tree_depth[i]);
      const R_xlen_t at = i + static_cast<R_xlen_t>(chain) * n_kept;
      log_joint[at] += facts[j].log_likelihood[i] + facts[j].log_prior[i];
      log_prior[at] += facts[j].log_prior[i];
    }
  }
  return Rcpp::List::create(
      _["draws"] = pack_draws(storage, log_joint, log_prior),
      _["sampler"] = Rcpp::List::create(_["accept_stat"] = accept_stat, _["stepsize"] = step_size,
                                        _["treedepth"] = tree_depth, _["n_leapfrog"] = n_leapfrog,
                                        _["divergent"] = divergent, _["energy"] = energy));
}

Rcpp::List pack_units(const FitJobs& jobs, int n_chains, Rcpp::NumericMatrix& seconds) {
  const int n_units = jobs.n_units();
  Rcpp::IntegerMatrix divergent(n_units, n_chains), max_treedepth(n_units, n_chains);
  Rcpp::CharacterVector algorithm(n_units);
  Rcpp::NumericMatrix ebfmi(n_units, n_chains);
  for (int chain = 0; chain < n_chains; ++chain) {
    for (int unit = 0; unit < n_units; ++unit) {
      const UnitReport& report = jobs.report(unit, chain);
      divergent(unit, chain) = report.divergent;
      max_treedepth(unit, chain) = report.max_treedepth_hits;
      ebfmi(unit, chain) = std::isnan(report.ebfmi) ? NA_REAL : report.ebfmi;
      if (chain == 0) algorithm[unit] = algorithm_name(report.algorithm);
      seconds(chain, 0) += report.warmup_seconds;
      seconds(chain, 1) += report.sampling_seconds;
    }
  }
  return Rcpp::List::create(_["n"] = n_units, _["algorithm"] = algorithm,
                            _["divergent"] = divergent, _["max_treedepth"] = max_treedepth,
                            _["ebfmi"] = ebfmi);
}

}  // namespace

// Samples all units with all chains. `report` is called with the iterations done and due, about ten
// times a second.
// [[Rcpp::export(rng = false)]]
Rcpp::List sample_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                   const Rcpp::List& control, const Rcpp::Function& report) {
  const Model model = unpack_model(model_list);
  const SamplingPlan plan = unpack_plan(control);
  const std::vector<GroupStatistics> groups =
      unpack_groups(patterns, n_groups, model, Rcpp::as<bool>(control["prior_only"]));
  const int n_chains = Rcpp::as<int>(control["chains"]), cores = Rcpp::as<int>(control["cores"]);
  const int n_kept = plan.n_kept();
  Storage storage =
      allocate(model, {n_kept, n_chains, n_groups, Rcpp::as<bool>(control["keep_mean"]),
                       Rcpp::as<bool>(control["keep_chol"])});
  RunControl run_control;
  std::vector<IterationFacts> facts;
  FitJobs jobs(model, groups, plan, n_chains, run_control, [&](int slice, int chain, int unit) {
    return std::make_unique<UnitSink>(model, storage, facts[slice * n_chains + chain], chain, unit);
  });
  facts.resize(static_cast<std::size_t>(jobs.n_slices()) * n_chains);
  for (IterationFacts& of_slice : facts) of_slice.resize(n_kept);
  const auto tell = [&] {
    report(static_cast<double>(run_control.iterations_done),
           static_cast<double>(jobs.iterations_due()));
  };
  try {
    run_jobs(
        jobs.n_to_prepare(), cores, [&](std::size_t j) { jobs.prepare(j); }, run_control);
    run_jobs(
        jobs.n_to_run(), cores, [&](std::size_t j) { jobs.run(j); }, run_control, tell);
  } catch (const SamplingFailure& failure) {
    signal_failure(failure);
  }
  Rcpp::NumericMatrix seconds(n_chains, 2);
  Rcpp::List out = pack_iterations(facts, storage, jobs.n_units(), n_kept, n_chains);
  out["units"] = pack_units(jobs, n_chains, seconds);
  out["seconds"] = seconds;
  return out;
}
