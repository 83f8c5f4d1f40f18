// Samples one unit with one chain directly, where an inverse-Wishart proposal matches its posterior.
#pragma once

#include <atomic>

#include "unit_sampler.h"

namespace hmvn {

// False, with nothing done, where direct sampling does not apply or (`algorithm = "auto"`) would be slow.
bool sample_directly(const UnitJob& job, const SamplingPlan& plan, const std::atomic<bool>& stop,
                     std::atomic<long long>& iterations_done, DrawSink& sink, UnitReport& report);

}  // namespace hmvn
