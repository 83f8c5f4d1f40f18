#include "unit_sampler.h"

#include <stdexcept>

#include "direct_unit.h"
#include "nuts_unit.h"

namespace hmvn {

UnitReport sample_unit(const UnitJob& job, const SamplingPlan& plan, const std::atomic<bool>& stop,
                       std::atomic<long long>& iterations_done, DrawSink& sink) {
  UnitReport report;
  if (plan.algorithm != Algorithm::nuts && sample_directly(job, plan, stop, iterations_done, sink, report)) return report;
  if (plan.algorithm == Algorithm::direct) {
    throw std::runtime_error(
        "direct sampling needs complete rows, more of them than features, unpooled means, own or completely pooled "
        "covariance matrices, and exponential, half-normal, half-t or gamma priors of the standard deviations");
  }
  return sample_by_nuts(job, plan, stop, iterations_done, sink);
}

}  // namespace hmvn
