// Samples a unit directly, where an inverse-Wishart proposal matches its posterior.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "hmvn/direct/direct_match.hpp"
#include "hmvn/direct/direct_target.hpp"
#include "hmvn/direct/trial.hpp"
#include "hmvn/sampling/sampling.hpp"

namespace hmvn {

// What direct sampling proposes for a unit.
struct DirectProposal {
  DirectTarget target;
  DirectMatch match;
};

// Nothing where the inverse-Wishart (D4) does not exist.
std::optional<DirectProposal> make_direct_proposal(const DirectTarget& target,
                                                   const std::atomic<bool>& stop);

// What trial proposals say.
struct DirectTrial {
  double exact = 0.0;  // share of proposals that rejection keeps
  StepTrial steps;
};

// Of `proposals` trials each.
DirectTrial try_direct(const DirectProposal& proposal, std::uint64_t seed, int proposals);

// The same with as many as decide whether rejection is taken, and steps tried only if it is not.
// The unit's chains share the stream, so that all choose alike.
struct DirectChoice {
  bool exact = false;  // by rejection; else by independence steps
  StepTrial steps;
};
struct ChosenProposal {
  const DirectProposal& proposal;
  const DirectChoice& choice;
};
DirectChoice choose_direct(const DirectProposal& proposal, const Unit& unit,
                           const SamplingPlan& plan, double least_exact,
                           const std::atomic<bool>& stop);

// What is compiled for every number of features, known to the compiler or Eigen::Dynamic: defined
// in direct_of.hpp.
template <int K>
struct Direct {
  static std::unique_ptr<UnitRun> start(const ChosenProposal& start, const SamplingPlan& plan,
                                        RandomStream random, RunControl& control);
  static double try_exact(const DirectProposal& proposal, RandomStream& random, int proposals,
                          const std::atomic<bool>& stop);
  static StepTrial try_steps(const DirectProposal& proposal, RandomStream& random, int steps,
                             const std::atomic<bool>& stop);
};

std::unique_ptr<UnitSampler> make_direct_sampler(Unit unit, DirectProposal proposal,
                                                 const DirectChoice& choice,
                                                 const SamplingPlan& plan);

}  // namespace hmvn
