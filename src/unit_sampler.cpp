#include "unit_sampler.h"

#include <stdexcept>
#include <utility>

#include "direct_unit.h"
#include "hmc_unit.h"

namespace hmvn {

UnitSampler::UnitSampler(const Model& model, std::vector<GroupStatistics> groups,
                         std::uint64_t unit, const SamplingPlan& plan)
    : plan_(plan), job_{&model, std::move(groups), unit, 0} {
  if (plan.algorithm != Algorithm::nuts) direct_ = prepare_direct_unit(job_, plan);
  if (plan.algorithm == Algorithm::direct && !direct_) {
    throw std::runtime_error(
        "direct sampling needs complete rows, more of them than twice the features, unpooled "
        "means, and own or "
        "completely pooled covariance matrices");
  }
  if (!direct_)
    transport_ = std::make_unique<TransportPlan>(make_transport_plan(model, job_.groups));
}

UnitSampler::~UnitSampler() = default;

UnitReport UnitSampler::sample(std::uint64_t chain, const std::atomic<bool>& stop,
                               std::atomic<long long>& iterations_done, DrawSink& sink) {
  if (direct_) return direct_->sample(chain, stop, iterations_done, sink);
  job_.chain = chain;
  return sample_by_hmc(job_, *transport_, plan_, stop, iterations_done, sink);
}

}  // namespace hmvn
