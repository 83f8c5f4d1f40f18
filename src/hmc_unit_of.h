// sample_by_nuts() for a number of features known to the compiler. Included by one translation unit for each.
#pragma once

#include <chrono>

#include "nuts_blocks.h"
#include "nuts_unit.h"
#include "unit_posterior.h"

namespace hmvn {

// E-BFMI (Betancourt 2016): variance of the energy's changes over variance of the energy, in one pass.
class EnergyMonitor {
 public:
  void add(double energy) {
    if (count_ > 0) changes_ += (energy - last_) * (energy - last_);
    last_ = energy;
    ++count_;
    const double delta = energy - mean_;
    mean_ += delta / count_;
    squares_ += delta * (energy - mean_);
  }
  double ebfmi() const { return squares_ > 0.0 ? changes_ / squares_ : 1.0; }

 private:
  int count_ = 0;
  double last_ = 0.0, mean_ = 0.0, squares_ = 0.0, changes_ = 0.0;
};

template <int K>
UnitReport sample_by_nuts_of(const UnitJob& job, const SamplingPlan& plan, const std::atomic<bool>& stop,
                             std::atomic<long long>& iterations_done, DrawSink& sink) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::duration duration) { return std::chrono::duration<double>(duration).count(); };
  const Clock::time_point start = Clock::now();
  UnitPosterior<K> posterior(*job.model, job.groups);
  NutsBlocks<K> chain(posterior, plan.chain, plan.target_accept_scarce, RandomStream(plan.seed, job.unit, job.chain), stop);
  for (int i = 0; i < plan.chain.iter_warmup; ++i) {
    chain.advance();
    ++iterations_done;
  }
  const Clock::time_point warm = Clock::now();
  UnitReport report;
  EnergyMonitor energy;
  Draw draw;
  bool one_block = true;
  for (int i = 0; i < plan.iter_sampling; ++i) {
    IterationFacts facts = chain.advance();
    one_block = facts.n_blocks == 1;
    energy.add(facts.transition.energy);
    report.divergent += facts.transition.divergent;
    report.max_treedepth_hits += facts.transition.tree_depth >= plan.chain.max_tree_depth;
    if ((i + 1) % plan.thin == 0) {
      chain.draw(draw);
      if (!one_block) facts.transition.energy = -(draw.log_likelihood + draw.log_prior);
      sink.record(i / plan.thin, draw, facts.transition);
    }
    ++iterations_done;
  }
  if (one_block) report.ebfmi = energy.ebfmi();
  report.warmup_seconds = seconds(warm - start);
  report.sampling_seconds = seconds(Clock::now() - warm);
  return report;
}

}  // namespace hmvn
