#include "hmc_unit_of.h"

namespace hmvn {

template class UnitPosterior<8>;
template UnitReport sample_by_hmc_of<8>(const UnitJob&, const SamplingPlan&, const std::atomic<bool>&,
                                        std::atomic<long long>&, DrawSink&);

}  // namespace hmvn
