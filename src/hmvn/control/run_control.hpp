// How whoever runs the core and the core speak: stop, and how far it is.
#pragma once

#include <atomic>
#include <stdexcept>

namespace hmvn {

// Thrown when the owner of the flag asks to stop. Not a failure. What takes a flag asks at least
// once for every group, step of a trajectory, or proposal, preparing as well as sampling.
struct StopRequested : std::runtime_error {
  StopRequested() : std::runtime_error("stopped") {}
};

inline void stop_if_asked(const std::atomic<bool>& stop) {
  if (stop.load(std::memory_order_relaxed)) throw StopRequested();
}

// For who is never asked to stop.
inline const std::atomic<bool> never_stop{false};

// One for all threads. Who is asked to pause does so between two iterations, and can go on later;
// who is asked to stop does so within one, and cannot.
struct RunControl {
  std::atomic<bool> stop{false}, pause{false};
  std::atomic<long long> iterations_done{0};  // for the progress bar
  // How long an interrupt waits for jobs to pause before they are stopped.
  double patience_seconds = 0.0;
};

// What cannot go on, with the topic that the border tells R: see failure_topics in
// R/sample_chains.R.
class SamplingFailure : public std::runtime_error {
 public:
  SamplingFailure(const char* topic, const char* reason)
      : std::runtime_error(reason), topic_(topic) {}
  const char* topic() const { return topic_; }

 private:
  const char* topic_;
};

}  // namespace hmvn
