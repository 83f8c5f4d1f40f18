#include "parallel.h"

#include <Rcpp.h>
#include "rcpp_parallel.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>
#ifndef _WIN32
#include <unistd.h>
#endif

namespace hmvn {

namespace {

// How often the main thread looks up.
constexpr double wait_seconds = 0.1;

SEXP check_interrupt(void*) {
  R_CheckUserInterrupt();
  return R_NilValue;
}

#ifdef _WIN32
bool is_forked() { return false; }
#else
const pid_t loaded_by = getpid();
// Threads do not come along into a forked process, and a lock that one of them held stays locked
// there: TBB, once used, may wait forever.
bool is_forked() { return getpid() != loaded_by; }
#endif

// More threads than this only wait for each other.
std::size_t most_threads() {
  return std::max<std::size_t>(16, 2 * std::thread::hardware_concurrency());
}

// Each worker takes the next job from a common counter, so that long and short jobs spread evenly.
struct JobWorker : public RcppParallel::Worker {
  JobWorker(std::size_t n, const std::function<void(std::size_t)>& each, RunControl& of_run)
      : n_jobs(n), job(each), control(of_run), failures(n) {}

  void operator()(std::size_t, std::size_t) override {
    for (std::size_t j = next++; j < n_jobs && !control.stop && !control.pause; j = next++) {
      try {
        job(j);
      } catch (const StopRequested&) {
        // somebody else's failure, or the user
      } catch (...) {
        failures[j] = std::current_exception();
        control.stop = true;
      }
    }
  }

  void run(int cores) {
    if (cores == 1 || is_forked()) {
      (*this)(0, 1);
    } else {
      RcppParallel::parallelFor(0, static_cast<std::size_t>(cores), *this, 1, cores);
    }
  }

  std::size_t n_jobs;
  const std::function<void(std::size_t)>& job;
  RunControl& control;
  std::vector<std::exception_ptr> failures;
  std::atomic<std::size_t> next{0};
};

// Runs the worker on a thread of its own.
class Helper {
 public:
  Helper(JobWorker& worker, int cores)
      : thread_([this, &worker, cores] {
          try {
            worker.run(cores);
          } catch (...) {
            failure_ = std::current_exception();
          }
          const std::lock_guard<std::mutex> lock(mutex_);
          done_ = true;
          finished_.notify_one();
        }) {}
  ~Helper() { thread_.join(); }

  // True if it has finished within wait_seconds.
  bool wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    return finished_.wait_for(lock, std::chrono::duration<double>(wait_seconds),
                              [this] { return done_; });
  }
  // Why the worker could not be run, if so.
  std::exception_ptr failure() const { return failure_; }

 private:
  std::mutex mutex_;
  std::condition_variable finished_;
  bool done_ = false;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses the others
};

void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void check_user() { Rcpp::unwindProtect(check_interrupt, nullptr); }

void run_jobs(std::size_t n_jobs, int cores, const std::function<void(std::size_t)>& job,
              RunControl& control, const std::function<void()>& report) {
  if (n_jobs == 0) return;
  const std::size_t wanted = static_cast<std::size_t>(std::max(cores, 1));
  JobWorker worker(n_jobs, job, control);
  std::exception_ptr told, launch_failure;
  {
    Helper helper(worker, static_cast<int>(std::min({wanted, n_jobs, most_threads()})));
    double patience = control.patience_seconds;
    while (!helper.wait()) {
      try {
        if (told) {
          patience -= wait_seconds;
        } else {
          check_user();
          if (report) report();
        }
      } catch (...) {
        told = std::current_exception();
        control.pause = true;
      }
      if (told && patience <= 0.0) control.stop = true;
    }
    launch_failure = helper.failure();
  }
  rethrow(told);
  rethrow(launch_failure);
  for (const std::exception_ptr& failure : worker.failures) rethrow(failure);
}

void run_jobs(std::size_t n_jobs, int cores, const std::function<void(std::size_t)>& job) {
  RunControl control;
  run_jobs(n_jobs, cores, job, control);
}

}  // namespace hmvn
