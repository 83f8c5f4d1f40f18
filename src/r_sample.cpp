// The border of the sampler: unpack, run the chains, pack. A run is opened, advanced and read; R
// decides what becomes of what was read.
#include <Rcpp.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "hmvn/sampling/fit_jobs.hpp"
#include "hmvn/sampling/stopwatch.hpp"
#include "parallel.h"
#include "r_control.h"
#include "r_model.h"
#include "r_storage.h"

using namespace hmvn;
using Rcpp::Named;

namespace {

// `share`: list(n_units, n_chains, first, end), jobs from 0.
Share unpack_share(const Rcpp::List& share) {
  const Division division(Rcpp::as<int>(share["n_units"]), Rcpp::as<int>(share["n_chains"]));
  const int first = Rcpp::as<int>(share["first"]), end = Rcpp::as<int>(share["end"]);
  if (first < 0 || first >= end || end > division.n_jobs()) Rcpp::stop("there are no such jobs");
  const Share jobs{division, first, end};
  if (!jobs.is_rectangle()) Rcpp::stop("these jobs are no rectangle of units and chains");
  return jobs;
}

StateBytes unpack_bytes(SEXP bytes) {
  if (Rf_isNull(bytes)) return {};
  const Rcpp::RawVector raw(bytes);
  return StateBytes(raw.begin(), raw.end());
}

Rcpp::RawVector pack_bytes(const StateBytes& bytes) {
  return Rcpp::RawVector(bytes.begin(), bytes.end());
}

// All that sampling a share refers to, and what it has drawn so far.
class SamplingRun {
 public:
  // `starts`: see open_run_().
  SamplingRun(const Model& model, std::vector<GroupStatistics> groups, const Rcpp::List& control,
              const Share& share, const Rcpp::List& starts)
      : model_(model),
        groups_(std::move(groups)),
        plan_(unpack_plan(control)),
        share_(share),
        from_(Rcpp::as<int>(starts["iterations"])),
        first_kept_(std::max(0, from_ - plan_.chain.iter_warmup) / plan_.thin),
        n_chains_(share.end_chain() - share.first_chain()),
        storage_(allocate(model_, storage_size(control))),
        facts_(plan_.n_kept() - first_kept_, n_chains_, share.end_slice() - share.first_slice()),
        jobs_({model_, groups_, plan_, share_, Rcpp::as<bool>(control["keep_state"])}, control_,
              [this](int slice, Cell cell) { return sink(slice, cell); }) {
    add_jobs(starts);
  }

  // True if there is nothing left to do.
  bool advance(int cores, double seconds, int iterations, const Rcpp::Function& report);
  Rcpp::List draws() const { return pack_draws(storage_); }
  Rcpp::List facts() { return facts_.pack(); }
  Rcpp::List reports();
  void restore(const Rcpp::List& facts, const Rcpp::List& reports) {
    facts_.unpack(facts);
    set_reports(reports);
  }
  Rcpp::DataFrame places();
  Rcpp::List take_states();

 private:
  void set_reports(const Rcpp::List& reports);
  StorageSize storage_size(const Rcpp::List& control) const {
    return {plan_.n_kept() - first_kept_, n_chains_, static_cast<R_xlen_t>(groups_.size()),
            Rcpp::as<bool>(control["keep_mean"]), Rcpp::as<bool>(control["keep_chol"])};
  }
  void add_jobs(const Rcpp::List& starts);
  std::unique_ptr<DrawSink> sink(int slice, Cell cell) {
    const int chain = cell.chain - share_.first_chain();
    const SinkPlace place{chain, cell.unit - share_.first_unit(), first_kept_};
    IterationFacts& facts = facts_.at(slice - share_.first_slice(), chain);
    return std::make_unique<UnitSink>(model_, storage_, facts, place);
  }
  std::vector<std::size_t> unfinished_jobs();
  template <class Use>
  void for_each_cell(const Use& use);

  const Model model_;
  const std::vector<GroupStatistics> groups_;
  const SamplingPlan plan_;
  const Share share_;
  const int from_, first_kept_, n_chains_;  // iterations and draws made before this run
  Storage storage_;
  FactsTable facts_;
  RunControl control_;
  std::deque<ThreadCrew> crews_;  // of the jobs
  FitJobs jobs_;
  bool prepared_ = false;
};

void SamplingRun::add_jobs(const Rcpp::List& starts) {
  const Rcpp::List states = starts["states"], current = starts["current"];
  const Rcpp::IntegerVector cell = starts["cell"], iteration = starts["iteration"];
  const int n_jobs = share_.end - share_.first;
  for (const R_xlen_t size : {states.size(), current.size(), cell.size(), iteration.size()}) {
    if (size != 0 && size != n_jobs) Rcpp::stop("a start is needed for every job");
  }
  for (int j = 0; j < n_jobs; ++j) {
    JobStart start;
    start.iterations = from_;
    start.place.iteration = from_;
    if (states.size() > 0) start.states = StateSequence(unpack_bytes(states[j]));
    if (cell.size() > 0) {
      start.place = {cell[j], iteration[j]};
      start.current = unpack_bytes(current[j]);
    }
    crews_.emplace_back();
    jobs_.add(std::move(start), crews_.back());
  }
}

// Those of few units that are least advanced first, so that chains interrupted are of like length.
std::vector<std::size_t> SamplingRun::unfinished_jobs() {
  std::vector<std::size_t> order(jobs_.n_jobs());
  std::iota(order.begin(), order.end(), 0);
  const auto is_done = [&](std::size_t j) { return jobs_.job(j).finished(); };
  order.erase(std::remove_if(order.begin(), order.end(), is_done), order.end());
  if (share_.division.has_few_units()) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return jobs_.job(a).place().iteration < jobs_.job(b).place().iteration;
    });
  }
  return order;
}

bool SamplingRun::advance(int cores, double seconds, int iterations, const Rcpp::Function& report) {
  const Stopwatch watch;
  const std::vector<std::size_t> order = unfinished_jobs();
  const auto tell = [&] {
    report(static_cast<double>(control_.iterations_done));
    if (watch.seconds() > seconds) control_.pause = true;
  };
  control_.pause = false;
  control_.patience_seconds = std::isfinite(seconds) ? 0.3 : 0.0;
  try {
    if (!prepared_) {
      run_jobs(
          jobs_.n_to_prepare(), cores, [&](std::size_t unit) { jobs_.prepare(unit); }, control_);
      prepared_ = true;
    }
    const int n_jobs = static_cast<int>(std::max<std::size_t>(1, order.size()));
    const auto run = [&](std::size_t i) {
      const ThreadCrew::Shift shift(crews_[order[i]], cores / n_jobs);
      jobs_.run(order[i], iterations);
    };
    run_jobs(order.size(), cores, run, control_, tell);
  } catch (const SamplingFailure& failure) {
    signal_failure(failure);
  }
  return jobs_.finished();
}

// use(job, number of the cell, unit, chain), counted from the share's first.
template <class Use>
void SamplingRun::for_each_cell(const Use& use) {
  for (std::size_t j = 0; j < jobs_.n_jobs(); ++j) {
    FitJob& job = jobs_.job(j);
    for (int i = 0; i < job.range().n_cells(); ++i) {
      const Cell cell = job.range().cell(i);
      use(job, i, cell.unit - share_.first_unit(), cell.chain - share_.first_chain());
    }
  }
}

// Matrices [unit, chain].
Rcpp::List SamplingRun::reports() {
  const int n_units = share_.end_unit() - share_.first_unit();
  Rcpp::IntegerMatrix algorithm(n_units, n_chains_), iter_warmup(n_units, n_chains_),
      divergent(n_units, n_chains_), max_treedepth(n_units, n_chains_);
  Rcpp::NumericMatrix ebfmi(n_units, n_chains_), warmup(n_units, n_chains_),
      sampling(n_units, n_chains_);
  for_each_cell([&](FitJob& job, int i, int unit, int chain) {
    const UnitReport& report = job.report(i);
    algorithm(unit, chain) = static_cast<int>(report.algorithm);
    iter_warmup(unit, chain) = report.iter_warmup;
    divergent(unit, chain) = report.divergent;
    max_treedepth(unit, chain) = report.max_treedepth_hits;
    ebfmi(unit, chain) = std::isnan(report.ebfmi) ? NA_REAL : report.ebfmi;
    warmup(unit, chain) = report.warmup_seconds;
    sampling(unit, chain) = report.sampling_seconds;
  });
  return Rcpp::List::create(Named("algorithm") = algorithm, Named("iter_warmup") = iter_warmup,
                            Named("divergent") = divergent, Named("max_treedepth") = max_treedepth,
                            Named("ebfmi") = ebfmi, Named("warmup") = warmup,
                            Named("sampling") = sampling);
}

void SamplingRun::set_reports(const Rcpp::List& reports) {
  const Rcpp::IntegerMatrix algorithm = reports["algorithm"], iter_warmup = reports["iter_warmup"],
                            divergent = reports["divergent"],
                            max_treedepth = reports["max_treedepth"];
  const Rcpp::NumericMatrix ebfmi = reports["ebfmi"], warmup = reports["warmup"],
                            sampling = reports["sampling"];
  for_each_cell([&](FitJob& job, int i, int unit, int chain) {
    UnitReport report;
    report.algorithm = static_cast<UnitAlgorithm>(algorithm(unit, chain));
    report.iter_warmup = iter_warmup(unit, chain);
    report.divergent = divergent(unit, chain);
    report.max_treedepth_hits = max_treedepth(unit, chain);
    report.ebfmi = ebfmi(unit, chain);
    report.warmup_seconds = warmup(unit, chain);
    report.sampling_seconds = sampling(unit, chain);
    job.set_report(i, report);
  });
}

Rcpp::DataFrame SamplingRun::places() {
  const int n_jobs = static_cast<int>(jobs_.n_jobs());
  Rcpp::IntegerVector cell(n_jobs), iteration(n_jobs);
  Rcpp::LogicalVector whole(n_jobs);
  for (int j = 0; j < n_jobs; ++j) {
    const JobPlace place = jobs_.job(j).place();
    cell[j] = place.cell;
    iteration[j] = place.iteration;
    whole[j] = jobs_.job(j).can_go_on();
  }
  return Rcpp::DataFrame::create(Named("cell") = cell, Named("iteration") = iteration,
                                 Named("whole") = whole);
}

Rcpp::List SamplingRun::take_states() {
  const int n_jobs = static_cast<int>(jobs_.n_jobs());
  Rcpp::List finished(n_jobs), current(n_jobs);
  for (int j = 0; j < n_jobs; ++j) {
    FitJob& job = jobs_.job(j);
    if (!job.can_go_on()) continue;
    finished[j] = pack_bytes(job.take_finished());
    if (!job.finished()) current[j] = pack_bytes(job.current());
  }
  return Rcpp::List::create(Named("finished") = finished, Named("current") = current);
}

using RunPointer = Rcpp::XPtr<SamplingRun>;

}  // namespace

// The jobs of a fit, a row each: slice, first and last unit, first and last chain, from 1; units
// are walked through in order, and the chains of each.
// [[Rcpp::export(rng = false)]]
Rcpp::IntegerMatrix job_ranges_(int n_units, int n_chains) {
  const Division division(n_units, n_chains);
  Rcpp::IntegerMatrix out(division.n_jobs(), 5);
  for (int j = 0; j < division.n_jobs(); ++j) {
    const JobRange range = division.range(j);
    const int row[] = {range.slice + 1, range.first_unit + 1, range.end_unit, range.first_chain + 1,
                       range.end_chain};
    for (int i = 0; i < 5; ++i) out(j, i) = row[i];
  }
  return out;
}

// By how many slices sums are kept.
// [[Rcpp::export(rng = false)]]
int count_slices_(int n_units) { return Division(n_units, 1).n_slices(); }

// By their numbers in reports, which count from 0.
// [[Rcpp::export(rng = false)]]
Rcpp::CharacterVector algorithm_names_() {
  Rcpp::CharacterVector out;
  for (const UnitAlgorithm algorithm :
       {UnitAlgorithm::exact, UnitAlgorithm::direct, UnitAlgorithm::hmc, UnitAlgorithm::nuts}) {
    out.push_back(algorithm_name(algorithm));
  }
  return out;
}

// How many units there are: groups, or one where they share something.
// [[Rcpp::export(rng = false)]]
int count_units_(const Rcpp::List& model, int n_groups) {
  return unpack_model(model).groups_apart() ? n_groups : 1;
}

// A run that has not begun. `problem`: list(patterns, n_groups, model, control), of the groups of
// the share's units; `share`: see unpack_share(). `starts`: list(iterations, states, cell,
// iteration, current): the iterations that were done when `states` were saved, a raw vector a job
// (an empty list: 0, from scratch); and, to go on where another run was left, by job the cell
// (from 0), the iterations done there, and the state there or NULL; else empty.
// [[Rcpp::export(rng = false)]]
SEXP open_run_(const Rcpp::List& problem, const Rcpp::List& share, const Rcpp::List& starts) {
  const Rcpp::List control = problem["control"];
  const Model model = unpack_model(problem["model"]);
  std::vector<GroupStatistics> groups =
      unpack_groups(problem["patterns"], Rcpp::as<int>(problem["n_groups"]), model,
                    Rcpp::as<bool>(control["prior_only"]));
  return RunPointer(new SamplingRun(model, std::move(groups), control, unpack_share(share), starts),
                    true);
}

// Gives a run that has not begun the facts and reports of that which it goes on with.
// [[Rcpp::export(rng = false)]]
void restore_run_(SEXP run, const Rcpp::List& facts, const Rcpp::List& reports) {
  RunPointer(run)->restore(facts, reports);
}

// Goes on for so many seconds, by so many iterations of every job, or to the end; returns whether
// that was reached. `report` is called with the iterations done by this run, about ten times a
// second.
// [[Rcpp::export(rng = false)]]
bool advance_run_(SEXP run, int cores, double seconds, int iterations,
                  const Rcpp::Function& report) {
  return RunPointer(run)->advance(cores, seconds, iterations, report);
}

// What it has drawn: list(draws, arrays [iteration, chain, index], not copied: they are filled as
// the run goes on; facts, arrays [iteration, chain, slice]; reports, matrices [unit, chain];
// places: by job the cell (from 0) and the iteration where it stands, and whether its state is
// whole).
// [[Rcpp::export(rng = false)]]
Rcpp::List read_run_(SEXP run) {
  const RunPointer pointer(run);
  return Rcpp::List::create(Named("draws") = pointer->draws(), Named("facts") = pointer->facts(),
                            Named("reports") = pointer->reports(),
                            Named("places") = pointer->places());
}

// By job: states of the cells finished since the last call, and of that at which it stands (NULL
// where its state is not whole, or there is none left).
// [[Rcpp::export(rng = false)]]
Rcpp::List take_states_(SEXP run) { return RunPointer(run)->take_states(); }
