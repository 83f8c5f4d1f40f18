// Samples one unit with one chain by the No-U-Turn sampler.
#pragma once

#include <atomic>

#include "unit_sampler.h"

namespace hmvn {

UnitReport sample_by_nuts(const UnitJob& job, const SamplingPlan& plan, const std::atomic<bool>& stop,
                          std::atomic<long long>& iterations_done, DrawSink& sink);

}  // namespace hmvn
