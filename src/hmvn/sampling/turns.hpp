// Samples a unit that has a direct target by Hamiltonian Monte Carlo in Bartlett's coordinates
// (D13), where few rows leave no proposal that is accepted often enough.
#pragma once

#include <atomic>
#include <memory>

#include "hmvn/direct/direct_target.hpp"
#include "hmvn/sampling/sampling.hpp"

namespace hmvn {

// Null where the unit has no direct target, or so few rows that the prior says nearly all: 2 (n -
// G) < K. There the coordinates of the scores, in which priors are normal, are better. Keeps
// references to the plan and to the unit's model.
std::unique_ptr<UnitSampler> make_turn_sampler(const Unit& unit, const SamplingPlan& plan,
                                               const std::atomic<bool>& stop);

}  // namespace hmvn
