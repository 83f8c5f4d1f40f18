// Direct sampling for K features, known to the compiler or Eigen::Dynamic: compiled once for every
// K, by direct_few.cpp and direct_many.cpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "hmvn/direct/batch_writer.hpp"
#include "hmvn/direct/exact_sampler.hpp"
#include "hmvn/direct/independence_chain.hpp"
#include "hmvn/direct/trial.hpp"
#include "hmvn/sampling/direct.hpp"
#include "hmvn/sampling/stopwatch.hpp"

namespace hmvn {

// Steps between draws, so that a draw is the one before it with probability at most a tenth.
inline int steps_between_draws(double acceptance) {
  if (acceptance >= 0.9) return 1;
  return static_cast<int>(std::ceil(std::log(0.1) / std::log1p(-std::max(acceptance, 0.01))));
}

// Draws by rejection. Thinned draws would be independent of those kept: they are not made.
template <int K>
class ExactDraws {
 public:
  static constexpr UnitAlgorithm algorithm = UnitAlgorithm::exact;

  ExactDraws(const DirectProposal& proposal, const StepTrial&, int, RandomStream&,
             const std::atomic<bool>& stop)
      : sampler_(proposal.target, proposal.match, stop) {}

  // Makes the next draw to be kept; returns the share of proposals accepted for it, of those that
  // could be refused.
  double advance(RandomStream& random) {
    // A draw that takes this many proposals has come up against a wrong weight.
    constexpr int most = 10000;
    if (sampler_.advance(random, most) == 0) {
      throw std::logic_error("direct sampling is not accepted");
    }
    return 1.0;
  }
  const CovarianceDraw<K>& draw() const { return sampler_.draw(); }
  MeanFactor<K>& means() { return sampler_.means(); }

  template <class Archive>
  void visit(Archive&) {}

 private:
  ExactSampler<K> sampler_;
};

// Draws by independence steps, as many between draws as make a repeated draw unlikely.
template <int K>
class StepDraws {
 public:
  static constexpr UnitAlgorithm algorithm = UnitAlgorithm::direct;

  StepDraws(const DirectProposal& proposal, const StepTrial& trial, int thin, RandomStream& random,
            const std::atomic<bool>& stop)
      : stop_(stop),
        chain_(proposal.target, proposal.match, random, stop),
        steps_(steps_between_draws(trial.acceptance) * static_cast<std::int64_t>(thin)) {
    constexpr int burn_in = 100;
    for (int i = 0; i < burn_in; ++i) advance_once(random);
  }

  double advance(RandomStream& random) {
    std::int64_t accepted = 0;
    for (std::int64_t step = 0; step < steps_; ++step) accepted += advance_once(random);
    return static_cast<double>(accepted) / static_cast<double>(steps_);
  }
  const CovarianceDraw<K>& draw() const { return chain_.draw(); }
  MeanFactor<K>& means() { return chain_.means(); }

  template <class Archive>
  void visit(Archive& archive) {
    chain_.visit(archive);
  }

 private:
  bool advance_once(RandomStream& random) {
    stop_if_asked(stop_);
    return chain_.advance(random);
  }

  const std::atomic<bool>& stop_;
  IndependenceChain<K> chain_;
  std::int64_t steps_;  // a large thin takes them beyond an int
};

template <int K, template <int> class Draws>
class DirectRun : public UnitRun {
 public:
  DirectRun(const DirectProposal& proposal, const StepTrial& trial, const SamplingPlan& plan,
            RandomStream random, RunControl& control)
      : plan_(plan),
        control_(control),
        random_(random),
        draws_(proposal, trial, plan.thin, random_, control.stop),
        writer_(proposal.target),
        batch_(proposal.target.n_features(), draws_.means().n_groups(),
               !proposal.target.model->groups_apart()) {
    report_.algorithm = Draws<K>::algorithm;
    report_.warmup_seconds = watch_.seconds();
  }

  void advance(int iterations, DrawSink& sink) override {
    const Stopwatch watch;
    const int begin = iteration_;
    const int end = begin + std::min(iterations, plan_.n_iterations() - begin);
    // warm-up takes no time
    iteration_ = std::max(begin, std::min(end, plan_.chain.iter_warmup));
    for (; iteration_ < end && !control_.pause; ++iteration_) {
      const int n = iteration_ - plan_.chain.iter_warmup + 1;  // of sampling, this one among them
      if (n % plan_.thin == 0) make_draw(n / plan_.thin, sink);
    }
    if (batch_.size > 0) flush(kept_, sink);
    control_.iterations_done += iteration_ - begin;
    report_.sampling_seconds += watch.seconds();
  }

  int iteration() const override { return iteration_; }
  bool finished() const override { return iteration_ == plan_.n_iterations(); }
  UnitReport report() const override { return report_; }
  void save(StateWriter& archive) override { visit(archive); }
  void load(StateReader& archive) override { visit(archive); }

 private:
  // Adds draw number `kept`, from 1.
  void make_draw(int kept, DrawSink& sink) {
    stop_if_asked(control_.stop);
    const double accept_stat = draws_.advance(random_);
    writer_.write(draws_.draw(), draws_.means(), accept_stat, random_, batch_);
    kept_ = kept;
    if (batch_.size == DrawBatch::capacity) flush(kept, sink);
  }

  void flush(int kept, DrawSink& sink) {
    sink.record(kept - batch_.size, batch_);
    batch_.size = 0;
  }

  template <class Archive>
  void visit(Archive& archive) {
    archive(iteration_);
    for (double* x : {&report_.warmup_seconds, &report_.sampling_seconds}) archive(*x);
    random_.visit(archive);
    draws_.visit(archive);
  }

  Stopwatch watch_;  // first: making the rest is part of warm-up
  const SamplingPlan& plan_;
  RunControl& control_;
  RandomStream random_;
  Draws<K> draws_;
  BatchWriter<K> writer_;
  DrawBatch batch_;
  UnitReport report_;
  int iteration_ = 0, kept_ = 0;
};

template <int K>
std::unique_ptr<UnitRun> Direct<K>::start(const DirectProposal& proposal,
                                          const DirectChoice& choice, const SamplingPlan& plan,
                                          RandomStream random, RunControl& control) {
  if (choice.exact) {
    return std::make_unique<DirectRun<K, ExactDraws>>(proposal, choice.steps, plan, random,
                                                      control);
  }
  return std::make_unique<DirectRun<K, StepDraws>>(proposal, choice.steps, plan, random, control);
}

template <int K>
double Direct<K>::try_exact(const DirectProposal& proposal, RandomStream& random, int proposals,
                            const std::atomic<bool>& stop) {
  ExactSampler<K> sampler(proposal.target, proposal.match, stop);
  return exact_acceptance(sampler, random, proposals, stop);
}

template <int K>
StepTrial Direct<K>::try_steps(const DirectProposal& proposal, RandomStream& random, int steps,
                               const std::atomic<bool>& stop) {
  return hmvn::try_steps<K>(proposal.target, proposal.match, random, steps, stop);
}

}  // namespace hmvn
