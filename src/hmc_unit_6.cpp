#include "hmc_unit_of.h"

namespace hmvn {

template class UnitPosterior<6>;
template UnitReport sample_by_hmc_of<6>(const UnitJob&, const SamplingPlan&, const std::atomic<bool>&,
                                        std::atomic<long long>&, DrawSink&);

}  // namespace hmvn
