// sample_by_hmc() for a number of features known to the compiler. Included by one translation unit
// for each.
#pragma once

#include <chrono>

#include "hmc_unit.h"
#include "hmvn/mcmc/nuts.hpp"
#include "hmvn/mcmc/quarter_turn.hpp"
#include "unit_chain.h"

namespace hmvn {

using Clock = std::chrono::steady_clock;

// E-BFMI (Betancourt 2016): variance of the energy's changes over variance of the energy, in one
// pass.
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

template <int K, class Mover>
UnitReport run_chain(UnitChain<K, Mover> chain, UnitAlgorithm algorithm, Clock::time_point start,
                     const SamplingPlan& plan, std::atomic<long long>& iterations_done,
                     DrawSink& sink) {
  const auto seconds = [](Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
  };
  for (int i = 0; i < plan.chain.iter_warmup; ++i) {
    chain.advance();
    ++iterations_done;
  }
  const Clock::time_point warm = Clock::now();
  UnitReport report;
  report.algorithm = algorithm;
  EnergyMonitor energy;
  Draw draw;
  for (int i = 0; i < plan.iter_sampling; ++i) {
    TransitionStatistics facts = chain.advance();
    energy.add(facts.energy);
    report.divergent += facts.divergent;
    report.max_treedepth_hits += facts.tree_depth >= plan.chain.max_tree_depth;
    if ((i + 1) % plan.thin == 0) {
      chain.draw(draw);
      if (chain.n_blocks() > 1) facts.energy = -(draw.log_likelihood + draw.log_prior);
      sink.record(i / plan.thin, draw, facts);
    }
    ++iterations_done;
  }
  if (chain.n_blocks() == 1) report.ebfmi = energy.ebfmi();
  report.warmup_seconds = seconds(warm - start);
  report.sampling_seconds = seconds(Clock::now() - warm);
  return report;
}

// Fewest steps of a quarter turn. Where the target is nearly normal, two are accepted about nine
// times in ten, three 97 times in a hundred. Of groups there are many, and the worst of them is the
// one that is noticed.
constexpr int least_shared_steps = 2, least_own_steps = 3;

template <int K>
UnitReport sample_by_hmc_of(const UnitJob& job, const TransportPlan& transport,
                            const SamplingPlan& plan, const std::atomic<bool>& stop,
                            std::atomic<long long>& iterations_done, DrawSink& sink) {
  const Clock::time_point start = Clock::now();
  UnitPosterior<K> posterior(*job.model, transport, job.groups);
  const Layout& layout = posterior.layout();
  const RandomStream random(plan.seed, job.unit, job.chain);
  const int depth = plan.chain.max_tree_depth;
  const bool in_blocks = layout.n_own() > 0 && (layout.own > 0 || layout.n_groups > 1);
  if (in_blocks && plan.algorithm != Algorithm::nuts) {
    return run_chain(
        UnitChain<K, QuarterTurn>(posterior, plan.chain, plan.target_accept_scarce, random,
                                  QuarterTurn(layout.own, stop, least_shared_steps, depth),
                                  QuarterTurn(layout.n_own(), stop, least_own_steps, depth)),
        UnitAlgorithm::hmc, start, plan, iterations_done, sink);
  }
  return run_chain(
      UnitChain<K, Nuts>(posterior, plan.chain, plan.target_accept_scarce, random,
                         Nuts(layout.own, stop, depth), Nuts(layout.n_own(), stop, depth)),
      UnitAlgorithm::nuts, start, plan, iterations_done, sink);
}

}  // namespace hmvn
