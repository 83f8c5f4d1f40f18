// Draws from an inverse-Wishart proposal for K features, known to the compiler or Eigen::Dynamic:
// compiled once for every K, by direct_few.cpp and direct_many.cpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "hmvn/direct/exact_sampler.hpp"
#include "hmvn/direct/independence_chain.hpp"
#include "hmvn/direct/trial.hpp"
#include "hmvn/sampling/direct.hpp"
#include "hmvn/sampling/direct_run.hpp"

namespace hmvn {

// What is the same for both ways below.
class ProposedDraws {
 public:
  static constexpr bool has_energy = false;

  bool warm_up(RandomStream&) { return false; }
  void report(UnitReport&) const {}

 protected:
  static TransitionStatistics accepted_share(double share) {
    TransitionStatistics facts;
    facts.accept_stat = share;
    return facts;
  }
};

// Draws by rejection. Thinned draws would be independent of those kept: they are not made.
template <int K>
class ExactDraws : public ProposedDraws {
 public:
  static constexpr UnitAlgorithm algorithm = UnitAlgorithm::exact;

  ExactDraws(const ChosenProposal& start, const SamplingPlan&, RunControl& control, RandomStream&)
      : sampler_(start.proposal.target, start.proposal.match, control.stop) {}

  TransitionStatistics advance(RandomStream& random) {
    // A draw that takes this many proposals has come up against a wrong weight.
    constexpr int most = 10000;
    if (sampler_.advance(random, most) == 0) {
      throw std::logic_error("direct sampling is not accepted");
    }
    return accepted_share(1.0);
  }
  const CovarianceDraw<K>& draw() const { return sampler_.draw(); }
  MeanFactor<K>& means() { return sampler_.means(); }

  template <class Archive>
  void visit(Archive&) {}

 private:
  ExactSampler<K> sampler_;
};

// Steps between draws, so that a draw is the one before it with probability at most a tenth.
inline int steps_between_draws(double acceptance) {
  if (acceptance >= 0.9) return 1;
  return static_cast<int>(std::ceil(std::log(0.1) / std::log1p(-std::max(acceptance, 0.01))));
}

// Draws by independence steps, as many between draws as make a repeated draw unlikely.
template <int K>
class StepDraws : public ProposedDraws {
 public:
  static constexpr UnitAlgorithm algorithm = UnitAlgorithm::direct;

  StepDraws(const ChosenProposal& start, const SamplingPlan& plan, RunControl& control,
            RandomStream& random)
      : stop_(control.stop),
        chain_(start.proposal.target, start.proposal.match, random, control.stop),
        steps_(steps_between_draws(start.choice.steps.acceptance) *
               static_cast<std::int64_t>(plan.thin)) {
    constexpr int burn_in = 100;
    for (int i = 0; i < burn_in; ++i) advance_once(random);
  }

  // accept_stat is the share of the steps since the last draw that were accepted.
  TransitionStatistics advance(RandomStream& random) {
    std::int64_t accepted = 0;
    for (std::int64_t step = 0; step < steps_; ++step) accepted += advance_once(random);
    return accepted_share(static_cast<double>(accepted) / static_cast<double>(steps_));
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

template <int K>
std::unique_ptr<UnitRun> Direct<K>::start(const ChosenProposal& start, const SamplingPlan& plan,
                                          RandomStream random, RunControl& control) {
  const DirectTarget& target = start.proposal.target;
  if (start.choice.exact) {
    return std::make_unique<DirectRun<K, ExactDraws<K>>>(target, start, plan, random, control);
  }
  return std::make_unique<DirectRun<K, StepDraws<K>>>(target, start, plan, random, control);
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
