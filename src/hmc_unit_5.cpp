#include "hmc_unit_of.h"
#include "posterior_view_of.h"

namespace hmvn {

template UnitReport sample_by_hmc_of<5>(const UnitJob&, const TransportPlan&, const SamplingPlan&,
                                        const std::atomic<bool>&, std::atomic<long long>&, DrawSink&);
template std::unique_ptr<PosteriorView> view_posterior_of<5>(const Model&, const TransportPlan&,
                                                             const std::vector<GroupStatistics>&);

}  // namespace hmvn
