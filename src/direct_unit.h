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
  virtual UnitReport sample(std::uint64_t chain, const std::atomic<bool>& stop,
                            std::atomic<long long>& iterations_done, DrawSink& sink) = 0;
};

// Null where direct sampling does not apply or (`algorithm = "auto"`) would be slow. Keeps
// references to `job` and `plan`.
std::unique_ptr<DirectUnit> prepare_direct_unit(const UnitJob& job, const SamplingPlan& plan);

// Of trial steps: the share accepted, and mean(w^2) / mean(w)^2 of the proposals' weights: how long
// a chain sits on a draw of large weight, which few trials show by their acceptance alone.
struct StepTrial {
  double acceptance = 0.0, weight_spread = 1.0;
};

struct DirectAcceptance {
  double exact = 0.0;  // share of proposals that rejection keeps
  StepTrial steps;
};

// Of `proposals` trials each, of a unit that has a match.
DirectAcceptance measure_acceptance(const CovarianceTarget& target, const DirectMatch& match,
                                    std::uint64_t seed, int proposals);

}  // namespace hmvn
