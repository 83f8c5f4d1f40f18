// All that is compiled once for every number of features: included by one translation unit for
// each.
#pragma once

#include "hmc_unit_of.h"
#include "posterior_view_of.h"

#define HMVN_COMPILE_FOR(K)                                                              \
  namespace hmvn {                                                                       \
  template UnitReport sample_by_hmc_of<K>(const UnitJob&, const TransportPlan&,          \
                                          const SamplingPlan&, const std::atomic<bool>&, \
                                          std::atomic<long long>&, DrawSink&);           \
  template std::unique_ptr<PosteriorView> view_posterior_of<K>(                          \
      const Model&, const TransportPlan&, const std::vector<GroupStatistics>&);          \
  }
