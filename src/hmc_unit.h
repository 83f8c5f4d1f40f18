// Samples one unit with one chain by Hamiltonian Monte Carlo.
#pragma once

#include <atomic>

#include "unit_sampler.h"

namespace hmvn {

UnitReport sample_by_hmc(const UnitJob& job, const SamplingPlan& plan, const std::atomic<bool>& stop,
                         std::atomic<long long>& iterations_done, DrawSink& sink);

}  // namespace hmvn
