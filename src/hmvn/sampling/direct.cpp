#include "hmvn/sampling/direct.hpp"

#include <utility>

#include "hmvn/math/with_size.hpp"

namespace hmvn {

namespace {

constexpr int most_known_features = 10;

class DirectSampler : public UnitSampler {
 public:
  DirectSampler(Unit unit, DirectProposal proposal, const DirectChoice& choice,
                const SamplingPlan& plan)
      : unit_(std::move(unit)), proposal_(std::move(proposal)), choice_(choice), plan_(plan) {}

  std::unique_ptr<UnitRun> start(std::uint64_t chain, RunControl& control, Crew&) const override {
    const RandomStream random(plan_.seed, unit_.number, chain);
    return with_size<most_known_features>(proposal_.target.n_features(), [&](auto size) {
      return Direct<size>::start({proposal_, choice_}, plan_, random, control);
    });
  }

 private:
  const Unit unit_;
  const DirectProposal proposal_;
  const DirectChoice choice_;
  const SamplingPlan& plan_;
};

}  // namespace

std::optional<DirectProposal> make_direct_proposal(const DirectTarget& target,
                                                   const std::atomic<bool>& stop) {
  DirectProposal proposal{target, {}};
  if (!make_direct_match(proposal.target, stop, proposal.match)) return std::nullopt;
  return proposal;
}

DirectChoice choose_direct(const DirectProposal& proposal, const Unit& unit,
                           const SamplingPlan& plan, double least_exact,
                           const std::atomic<bool>& stop) {
  constexpr int short_pilot = 50, long_pilot = 1000, pilot_steps = 500;
  return with_size<most_known_features>(proposal.target.n_features(), [&](auto size) {
    RandomStream random(~plan.seed, unit.number, 0);
    DirectChoice choice;
    double acceptance = Direct<size>::try_exact(proposal, random, short_pilot, stop);
    if (acceptance < 2.5 * least_exact) {
      acceptance = Direct<size>::try_exact(proposal, random, long_pilot, stop);
    }
    choice.exact = acceptance >= least_exact;
    if (!choice.exact) {
      choice.steps = Direct<size>::try_steps(proposal, random, pilot_steps, stop);
    }
    return choice;
  });
}

DirectTrial try_direct(const DirectProposal& proposal, std::uint64_t seed, int proposals) {
  return with_size<most_known_features>(proposal.target.n_features(), [&](auto size) {
    RandomStream random(seed, 0, 0);
    DirectTrial trial;
    trial.exact = Direct<size>::try_exact(proposal, random, proposals, never_stop);
    trial.steps = Direct<size>::try_steps(proposal, random, proposals, never_stop);
    return trial;
  });
}

std::unique_ptr<UnitSampler> make_direct_sampler(Unit unit, DirectProposal proposal,
                                                 const DirectChoice& choice,
                                                 const SamplingPlan& plan) {
  return std::make_unique<DirectSampler>(std::move(unit), std::move(proposal), choice, plan);
}

}  // namespace hmvn
