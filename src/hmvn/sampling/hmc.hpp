// Samples a unit by Hamiltonian Monte Carlo.
#pragma once

#include <atomic>
#include <memory>

#include "hmvn/sampling/sampling.hpp"

namespace hmvn {

// By sweeps of quarter turns where the unit has several parts, unless NUTS is asked for; else by
// NUTS.
std::unique_ptr<UnitSampler> make_hmc_sampler(Unit unit, const SamplingPlan& plan,
                                              const std::atomic<bool>& stop);

}  // namespace hmvn
