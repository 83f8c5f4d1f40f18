// Samples a unit that has a direct target by Hamiltonian Monte Carlo in Bartlett's coordinates
// (D13), where few rows leave no proposal that is accepted often enough.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "hmvn/direct/direct_target.hpp"
#include "hmvn/sampling/sampling.hpp"

namespace hmvn {

// Samples unit `number`. Keeps a reference to the plan, and the target's pointer to the model.
std::unique_ptr<UnitSampler> make_turn_sampler(const DirectTarget& target, std::uint64_t number,
                                               const SamplingPlan& plan,
                                               const std::atomic<bool>& stop);

}  // namespace hmvn
