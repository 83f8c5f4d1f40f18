// Cuts the sampling of a whole fit into jobs that may run at the same time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "hmvn/sampling/sampling.hpp"

namespace hmvn {

// Units are cut into slices by their number alone: neither draws nor sums depend on the number of
// threads. With few units every chain of every unit is a job, after a first round that prepares
// units; with many a job is a slice with all its chains, so that no more units are prepared at once
// than there are jobs under way.
class FitJobs {
 public:
  // Makes the sink for a unit's chain in a slice.
  using MakeSink = std::function<std::unique_ptr<DrawSink>(int slice, int chain, int unit)>;

  // Keeps references to all of it.
  FitJobs(const Model& model, const std::vector<GroupStatistics>& groups, const SamplingPlan& plan,
          int n_chains, RunControl& control, MakeSink make_sink)
      : model_(model),
        groups_(groups),
        plan_(plan),
        control_(control),
        make_sink_(std::move(make_sink)),
        n_chains_(n_chains),
        n_units_(model.groups_apart() ? static_cast<int>(groups.size()) : 1),
        n_slices_(std::min(n_units_, most_slices)),
        reports_(static_cast<std::size_t>(n_units_) * n_chains),
        samplers_(n_slices_ < most_slices ? n_units_ : 0) {}

  int n_units() const { return n_units_; }
  int n_slices() const { return n_slices_; }
  long long iterations_due() const {
    return static_cast<long long>(n_units_) * n_chains_ * plan_.n_iterations();
  }
  const UnitReport& report(int unit, int chain) const {
    return reports_[static_cast<std::size_t>(chain) * n_units_ + unit];
  }

  // First prepare(0), ..., in any order; then run(0), ..., likewise.
  std::size_t n_to_prepare() const { return samplers_.size(); }
  void prepare(std::size_t unit) { samplers_[unit] = make_sampler(static_cast<int>(unit)); }

  std::size_t n_to_run() const {
    return samplers_.empty() ? n_slices_ : samplers_.size() * n_chains_;
  }
  void run(std::size_t job) {
    const int index = static_cast<int>(job);
    if (samplers_.empty()) {
      run_slice(index);
    } else {
      const int unit = index / n_chains_;
      run_chain(*samplers_[unit], unit, unit, index % n_chains_);
    }
  }

 private:
  static constexpr int most_slices = 64;

  std::unique_ptr<UnitSampler> make_sampler(int unit) const {
    return make_unit_sampler(
        {&model_, n_units_ == 1 ? groups_ : std::vector<GroupStatistics>{groups_[unit]},
         static_cast<std::uint64_t>(unit)},
        plan_);
  }

  void run_slice(int slice) {
    const long long n = n_units_;
    for (long long unit = n * slice / n_slices_; unit < n * (slice + 1) / n_slices_; ++unit) {
      const std::unique_ptr<UnitSampler> sampler = make_sampler(static_cast<int>(unit));
      for (int chain = 0; chain < n_chains_; ++chain) {
        run_chain(*sampler, slice, static_cast<int>(unit), chain);
      }
    }
  }

  void run_chain(const UnitSampler& sampler, int slice, int unit, int chain) {
    const std::unique_ptr<DrawSink> sink = make_sink_(slice, chain, unit);
    const std::unique_ptr<UnitRun> run = sampler.start(static_cast<std::uint64_t>(chain), control_);
    run->advance(plan_.n_iterations(), *sink);
    reports_[static_cast<std::size_t>(chain) * n_units_ + unit] = run->report();
  }

  const Model& model_;
  const std::vector<GroupStatistics>& groups_;
  const SamplingPlan& plan_;
  RunControl& control_;
  const MakeSink make_sink_;
  const int n_chains_, n_units_, n_slices_;
  std::vector<UnitReport> reports_;                     // by chain, then unit
  std::vector<std::unique_ptr<UnitSampler>> samplers_;  // of few units
};

}  // namespace hmvn
