// Runs jobs on worker threads while the main thread listens for the user: the only threads there
// are.
#pragma once

#include <cstddef>
#include <functional>

#include "hmvn/mcmc/run_control.hpp"

namespace hmvn {

// Calls job(0), ..., job(n_jobs - 1), each once, on up to `cores` threads; jobs never touch R. The
// main thread meanwhile looks for a user interrupt and calls `report`, if there is one, every 100
// ms. On an interrupt, an R error in `report` or an exception of a job, `control.stop` is set and
// the jobs are waited for. The first exception of a job, in order of jobs, is rethrown here;
// StopRequested is none.
void run_jobs(std::size_t n_jobs, int cores, const std::function<void(std::size_t)>& job,
              RunControl& control, const std::function<void()>& report = nullptr);

// The same where jobs are short and nobody need know how far they are.
void run_jobs(std::size_t n_jobs, int cores, const std::function<void(std::size_t)>& job);

}  // namespace hmvn
