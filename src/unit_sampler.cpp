#include "unit_sampler_impl.hpp"

namespace hmvn {

UnitReport sample_unit(const UnitJob& job, const SamplingPlan& plan, const std::atomic<bool>& stop,
                       std::atomic<long long>& iterations_done, DrawSink& sink) {
  return sample_unit_of<Eigen::Dynamic>(job, plan, stop, iterations_done, sink);
}

}  // namespace hmvn
