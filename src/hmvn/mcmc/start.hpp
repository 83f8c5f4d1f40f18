// Where a chain starts.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cmath>

#include "hmvn/control/run_control.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// A position uniform on (-radius, radius) in each of n coordinates, tried until the log density is
// finite there.
template <class LogDensity>
Eigen::VectorXd find_start(Eigen::Index n, double radius, const std::atomic<bool>& stop,
                           RandomStream& random, const LogDensity& log_density) {
  Eigen::VectorXd position(n);
  for (int tries = 0; tries < 100; ++tries) {
    stop_if_asked(stop);
    for (Eigen::Index i = 0; i < n; ++i) position[i] = radius * (2.0 * random.uniform() - 1.0);
    if (std::isfinite(log_density(position))) return position;
    radius *= 0.9;  // far starts can overflow; the centre is where the posterior was located
  }
  throw SamplingFailure("no_start",
                        "no starting point with a finite log density was found in 100 tries");
}

}  // namespace hmvn
