// Samples one unit with one chain by Hamiltonian Monte Carlo.
#pragma once

#include <atomic>

#include "hmvn/model/transport_plan.hpp"
#include "unit_sampler.h"

namespace hmvn {

UnitReport sample_by_hmc(const UnitJob& job, const TransportPlan& transport,
                         const SamplingPlan& plan, const std::atomic<bool>& stop,
                         std::atomic<long long>& iterations_done, DrawSink& sink);

}  // namespace hmvn
