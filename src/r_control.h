// From R's settings of the sampler to the core's, and what the core says back.
#pragma once

#include <Rcpp.h>

#include "hmvn/sampling/sampling.hpp"

namespace hmvn {

// `control`: list(algorithm, iter_warmup, iter_sampling, thin, max_treedepth, adapt_delta,
// adapt_delta_scarce, init, seed, ...), see R/settings.R.
SamplingPlan unpack_plan(const Rcpp::List& control);

const char* algorithm_name(UnitAlgorithm algorithm);

// Signals an R error of class hmvn_core_error with the failure's topic and reason.
[[noreturn]] void signal_failure(const SamplingFailure& failure);

}  // namespace hmvn
