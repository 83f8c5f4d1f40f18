#include "hmc_unit_of.h"

namespace hmvn {

template class UnitPosterior<Eigen::Dynamic>;
template UnitReport sample_by_hmc_of<Eigen::Dynamic>(const UnitJob&, const SamplingPlan&, const std::atomic<bool>&,
                                                     std::atomic<long long>&, DrawSink&);

}  // namespace hmvn
