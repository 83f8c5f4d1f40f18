// Runs jobs on worker threads while the main thread listens for the user.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

namespace hmvn {

// Calls job(0), ..., job(n_jobs - 1), each once, on up to `cores` threads; jobs never touch R. The
// main thread meanwhile looks for a user interrupt and calls `report` every 100 ms. On an
// interrupt, or an R error in `report`, `stop` is set and the jobs are waited for. The first
// exception of a job, in order of jobs, is rethrown here.
void run_jobs(std::size_t n_jobs, int cores, const std::function<void(std::size_t)>& job,
              std::atomic<bool>& stop, const std::function<void()>& report);

}  // namespace hmvn
