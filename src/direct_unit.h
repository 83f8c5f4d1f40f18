// Samples one unit directly, where an inverse-Wishart proposal matches its posterior.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "hmvn/direct/covariance_target.hpp"
#include "hmvn/direct/direct_match.hpp"
#include "unit_sampler.h"

namespace hmvn {

class DirectUnit {
 public:
  virtual ~DirectUnit() = default;
  virtual UnitReport sample(std::uint64_t chain, const std::atomic<bool>& stop, std::atomic<long long>& iterations_done,
                            DrawSink& sink) = 0;
};

// Null where direct sampling does not apply or (`algorithm = "auto"`) would be slow. Keeps references to `job` and `plan`.
std::unique_ptr<DirectUnit> prepare_direct_unit(const UnitJob& job, const SamplingPlan& plan);

// Shares of trial proposals that are accepted.
struct DirectAcceptance {
  double exact = 0.0, steps = 0.0;
};

// Of `proposals` trials each, of a unit that has a match.
DirectAcceptance measure_acceptance(const CovarianceTarget& target, const DirectMatch& match, std::uint64_t seed, int proposals);

}  // namespace hmvn
