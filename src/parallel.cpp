#include "parallel.h"

#include <Rcpp.h>
#include "rcpp_parallel.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace hmvn {

namespace {

void check_interrupt(void*) { R_CheckUserInterrupt(); }

// R_CheckUserInterrupt() jumps; inside R_ToplevelExec() the jump ends here.
bool interrupt_pending() { return R_ToplevelExec(check_interrupt, nullptr) == FALSE; }

// Each worker takes the next job from a common counter, so that long and short jobs spread evenly.
struct JobWorker : public RcppParallel::Worker {
  JobWorker(std::size_t n_jobs, const std::function<void(std::size_t)>& job,
            std::atomic<bool>& stop, std::vector<std::exception_ptr>& failures)
      : n_jobs(n_jobs), job(job), stop(stop), failures(failures) {}

  void operator()(std::size_t, std::size_t) override {
    for (std::size_t j = next++; j < n_jobs && !stop; j = next++) {
      try {
        job(j);
      } catch (...) {
        failures[j] = std::current_exception();
        stop = true;
      }
    }
  }

  std::size_t n_jobs;
  const std::function<void(std::size_t)>& job;
  std::atomic<bool>& stop;
  std::vector<std::exception_ptr>& failures;
  std::atomic<std::size_t> next{0};
};

}  // namespace

void run_jobs(std::size_t n_jobs, int cores, const std::function<void(std::size_t)>& job,
              std::atomic<bool>& stop, const std::function<void()>& report) {
  std::vector<std::exception_ptr> failures(n_jobs);
  JobWorker worker(n_jobs, job, stop, failures);
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  std::exception_ptr launch_failure;
  std::thread helper([&] {
    try {
      if (cores == 1) {
        worker(0, 1);
      } else {
        RcppParallel::parallelFor(0, cores, worker, 1, cores);
      }
    } catch (...) {
      launch_failure = std::current_exception();
    }
    const std::lock_guard<std::mutex> lock(mutex);
    done = true;
    finished.notify_one();
  });
  bool interrupted = false;
  std::exception_ptr report_failure;
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex);
      if (finished.wait_for(lock, std::chrono::milliseconds(100), [&] { return done; })) break;
    }
    if (interrupted || report_failure) continue;
    if (interrupt_pending()) {
      interrupted = true;
      stop = true;
      continue;
    }
    try {
      report();
    } catch (...) {
      report_failure = std::current_exception();
      stop = true;
    }
  }
  helper.join();
  if (interrupted) throw Rcpp::internal::InterruptedException();
  if (report_failure) std::rethrow_exception(report_failure);
  if (launch_failure) std::rethrow_exception(launch_failure);
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace hmvn
