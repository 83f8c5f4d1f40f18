#include "hmc_unit.h"

#include "with_features.h"

namespace hmvn {

template <int K>
UnitReport sample_by_hmc_of(const UnitJob& job, const TransportPlan& transport,
                            const SamplingPlan& plan, const std::atomic<bool>& stop,
                            std::atomic<long long>& iterations_done, DrawSink& sink);

UnitReport sample_by_hmc(const UnitJob& job, const TransportPlan& transport,
                         const SamplingPlan& plan, const std::atomic<bool>& stop,
                         std::atomic<long long>& iterations_done, DrawSink& sink) {
  return with_features<most_known_features>(job.model->n_features(), [&](auto features) {
    return sample_by_hmc_of<features>(job, transport, plan, stop, iterations_done, sink);
  });
}

}  // namespace hmvn
