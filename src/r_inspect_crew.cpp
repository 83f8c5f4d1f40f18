// Looks into crews of threads from R, for the tests.
#include <Rcpp.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "hmvn/sampling/stopwatch.hpp"
#include "parallel.h"

using namespace hmvn;
using Rcpp::Named;

// Calls a crew of `cores` so many times for `n` tasks, of which those in `failing` (from 1) throw
// their numbers. Returns how often each task was done, and what every call threw ("": nothing).
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_crew_(int n, int cores, int calls, const Rcpp::IntegerVector& failing) {
  std::vector<int> done(static_cast<std::size_t>(n));
  std::vector<char> fails(static_cast<std::size_t>(n));
  for (const int task : failing) fails[task - 1] = 1;
  Rcpp::CharacterVector thrown(calls);
  ThreadCrew crew;
  const ThreadCrew::Shift shift(crew, cores);
  for (int call = 0; call < calls; ++call) {
    try {
      crew.for_each(n, [&](int i) {
        if (fails[i]) throw std::runtime_error(std::to_string(i + 1));
        ++done[i];
      });
    } catch (const std::runtime_error& failure) {
      thrown[call] = failure.what();
    }
  }
  return Rcpp::List::create(Named("done") = Rcpp::wrap(done), Named("thrown") = thrown);
}

// Whether all of `n` tasks of a crew of `cores` are under way at the same time: each waits for the
// others for so many seconds.
// [[Rcpp::export(rng = false)]]
bool inspect_crew_meets_(int n, int cores, double seconds) {
  std::atomic<int> begun{0}, met{0};
  ThreadCrew crew;
  const ThreadCrew::Shift shift(crew, cores);
  crew.for_each(n, [&](int) {
    const Stopwatch watch;
    ++begun;
    while (begun < n && watch.seconds() < seconds) {
    }
    if (begun == n) ++met;
  });
  return met == n;
}
