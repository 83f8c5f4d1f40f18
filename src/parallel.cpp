#include "parallel.h"

#include <Rcpp.h>
#include "rcpp_parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
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

// A moment's rest for the processor, and for whoever shares it.
void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// How many times a thread looks for what it waits for before it sleeps. At first, for some tens of
// microseconds, which is what a chain has to do between two calls, it keeps its processor; then,
// for a tenth of a millisecond or more, it lets others have it if they want it.
constexpr int n_quick_looks = 1000, n_looks = 1200;

template <class Condition>
void look_for(const Condition& condition) {
  for (int i = 0; i < n_looks && !condition(); ++i) {
    i < n_quick_looks ? pause_processor() : std::this_thread::yield();
  }
}

}  // namespace

// The threads that help, and the call they help with. A call is open from when its tasks are there
// to when none is left to be taken. Helpers enter an open call, take tasks, and leave; who comes
// later finds it closed.
class ThreadCrew::Helpers {
 public:
  explicit Helpers(int n) {
    threads_.reserve(static_cast<std::size_t>(n));
    try {
      for (int i = 0; i < n; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::exception&) {
      // no more are to be had: those that there are will do
    }
  }
  ~Helpers() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      over_ = true;
    }
    opened_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void run(int n, TaskRef task) {
    n_tasks_ = n;
    task_ = task;
    next_ = 0;
    set_call(call_ + 1);
    opened_.notify_all();
    take_tasks();
    set_call(call_ + 1);
    const auto left = [this] { return n_inside_ == 0; };
    look_for(left);
    {
      std::unique_lock<std::mutex> lock(mutex_);
      left_.wait(lock, left);
    }
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  static bool is_open(unsigned call) { return call % 2 == 1; }

  // Under the mutex, lest who is about to sleep misses it.
  void set_call(unsigned call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    call_ = call;
  }

  void work() {
    unsigned last = 0;  // that was helped with
    const auto wanted = [&] {
      const unsigned call = call_;
      return over_ || (is_open(call) && call != last);
    };
    for (;;) {
      look_for(wanted);
      {
        std::unique_lock<std::mutex> lock(mutex_);
        opened_.wait(lock, wanted);
      }
      if (over_) return;
      ++n_inside_;
      const unsigned call = call_;  // once inside: it may be closed, and the next one open
      if (is_open(call)) {
        last = call;
        take_tasks();
      }
      if (--n_inside_ == 0) {
        { const std::lock_guard<std::mutex> lock(mutex_); }
        left_.notify_one();
      }
    }
  }

  void take_tasks() {
    for (int i = next_++; i < n_tasks_; i = next_++) {
      try {
        task_(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!failure_ || i < failed_) {
          failure_ = std::current_exception();
          failed_ = i;
        }
        next_ = n_tasks_;  // those before have all been taken
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable opened_, left_;
  std::atomic<unsigned> call_{0};  // counts openings and closings: odd while one is open
  std::atomic<int> n_inside_{0};
  std::atomic<bool> over_{false};
  int n_tasks_ = 0;  // read inside alone, as is the task
  TaskRef task_;
  std::atomic<int> next_{0};
  std::exception_ptr failure_;
  int failed_ = 0;
  std::vector<std::thread> threads_;  // last: they use the others
};

ThreadCrew::ThreadCrew() = default;
ThreadCrew::~ThreadCrew() = default;

void ThreadCrew::run(int n, TaskRef task) {
  if (!helpers_ && n_threads_ > 1) {
    helpers_ = std::make_unique<Helpers>(std::min(n_threads_, n) - 1);
  }
  if (helpers_) {
    helpers_->run(n, task);
  } else {
    for (int i = 0; i < n; ++i) task(i);
  }
}

ThreadCrew::Shift::Shift(ThreadCrew& crew, int cores) : crew_(crew) {
  const int most = static_cast<int>(most_threads());
  crew.n_threads_ = is_forked() ? 1 : std::min(cores, most);
}

ThreadCrew::Shift::~Shift() {
  crew_.helpers_.reset();
  crew_.n_threads_ = 1;
}

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
