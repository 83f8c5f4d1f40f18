// When warm-up learns the metric: the schedule as data.
#pragma once

#include <vector>

namespace hmvn {

// Stan's windows: | fast | slow | slow slow | slow slow slow slow ... | fast |
// The step size is adapted throughout; the metric is learned inside the slow windows, each twice
// as long as the one before (the last takes what is left), and renewed at the end of each.
struct WarmupSchedule {
  int first_slow = 0;            // first iteration whose draw teaches the metric
  std::vector<int> window_ends;  // one past the last iteration of each slow window
  int last_fast = 0;             // iterations after the last slow window
};

inline WarmupSchedule make_warmup_schedule(int iter_warmup) {
  WarmupSchedule schedule;
  if (iter_warmup < 20) return schedule;
  int fast_start = 75, fast_end = 50, window = 25;
  if (fast_start + window + fast_end > iter_warmup) {
    fast_start = static_cast<int>(0.15 * iter_warmup);
    fast_end = static_cast<int>(0.1 * iter_warmup);
    window = iter_warmup - fast_start - fast_end;
  }
  const int last = iter_warmup - fast_end;
  schedule.last_fast = fast_end;
  schedule.first_slow = fast_start;
  for (int end = fast_start + window;; window *= 2, end += window) {
    if (end + 2 * window > last) end = last;
    schedule.window_ends.push_back(end);
    if (end == last) return schedule;
  }
}

}  // namespace hmvn
