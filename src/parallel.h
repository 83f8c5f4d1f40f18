// Runs jobs on worker threads while the main thread listens for the user, and a job's tasks on
// threads that help it: the only threads there are.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "hmvn/control/crew.hpp"
#include "hmvn/control/run_control.hpp"

namespace hmvn {

// Throws what R has to say to the main thread: a user interrupt, or a time limit that is over. What
// is thrown goes on as R's own jump once it leaves the border, so that whoever catches interrupts
// or errors in R finds the one it was.
void check_user();

// Calls job(0), ..., job(n_jobs - 1), each once, on up to `cores` threads, but no more than there
// are jobs or processors for, and on one in a forked process; jobs never touch R. The main thread
// meanwhile calls check_user() and `report`, if there is one, every 100 ms. When these throw, jobs
// are asked to pause, and to stop once `control.patience_seconds` are over; when a job throws,
// `control.stop` is set. Then the jobs are waited for. What these threw is rethrown here, else the
// first exception of a job, in order of jobs; StopRequested is none.
void run_jobs(std::size_t n_jobs, int cores, const std::function<void(std::size_t)>& job,
              RunControl& control, const std::function<void()>& report = nullptr);

// The same where jobs are short and nobody need know how far they are.
void run_jobs(std::size_t n_jobs, int cores, const std::function<void(std::size_t)>& job);

// A crew of threads for the work of one job: outside of a shift, of one.
class ThreadCrew : public Crew {
 public:
  ThreadCrew();
  ~ThreadCrew() override;

  // While it lives the crew is `cores` threads, that which calls for_each() among them, but no more
  // than there are tasks or processors for, and one in a forked process. The others start when they
  // are first needed, look for work a while when there is none, and then sleep.
  class Shift {
   public:
    Shift(ThreadCrew& crew, int cores);
    ~Shift();
    Shift(const Shift&) = delete;
    Shift& operator=(const Shift&) = delete;

   private:
    ThreadCrew& crew_;
  };

 private:
  class Helpers;

  void run(int n, TaskRef task) override;

  int n_threads_ = 1;
  std::unique_ptr<Helpers> helpers_;
};

}  // namespace hmvn
