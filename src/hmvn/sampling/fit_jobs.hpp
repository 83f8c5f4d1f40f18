// The jobs of a fit, or of a share of it, which may run at the same time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "hmvn/sampling/fit_job.hpp"

namespace hmvn {

// Jobs `first` to `end - 1` of a division: a rectangle of units and chains.
struct Share {
  Division division;
  int first, end;

  int first_unit() const { return division.range(first).first_unit; }
  int end_unit() const { return division.range(end - 1).end_unit; }
  int first_chain() const { return division.range(first).first_chain; }
  int end_chain() const { return division.range(end - 1).end_chain; }
  int first_slice() const { return division.range(first).slice; }
  int end_slice() const { return division.range(end - 1).slice + 1; }
  bool is_rectangle() const {
    return end_unit() - first_unit() == 1 ||
           (first_chain() == 0 && end_chain() == division.n_chains());
  }
};

// What is sampled: `groups` are those of the share's units.
struct SamplingTask {
  const Model& model;
  const std::vector<GroupStatistics>& groups;
  const SamplingPlan& plan;
  Share share;
  bool keep_states;
};

class FitJobs {
 public:
  // Makes the sink for a cell of a slice.
  using MakeSink = std::function<std::unique_ptr<DrawSink>(int slice, Cell cell)>;

  // Keeps references to all of it.
  FitJobs(const SamplingTask& task, RunControl& control, MakeSink make_sink)
      : task_(task), control_(control), make_sink_(std::move(make_sink)) {
    const Share& share = task.share;
    if (share.division.has_few_units()) samplers_.resize(share.end_unit() - share.first_unit());
  }

  // To be called once for every job, in their order. Keeps a reference to the crew, which works for
  // no other job.
  void add(JobStart start, Crew& crew) {
    const int job = task_.share.first + static_cast<int>(jobs_.size());
    jobs_.emplace_back(task_.share.division.range(job), std::move(start));
    sites_.emplace_back(*this, jobs_.back().range().slice, crew);
  }

  std::size_t n_jobs() const { return jobs_.size(); }
  FitJob& job(std::size_t j) { return jobs_[j]; }
  bool finished() const {
    return std::all_of(jobs_.begin(), jobs_.end(),
                       [](const FitJob& job) { return job.finished(); });
  }

  // Few units are prepared first: prepare(0), ..., in any order.
  std::size_t n_to_prepare() const { return samplers_.size(); }
  void prepare(std::size_t unit) {
    if (!samplers_[unit]) samplers_[unit] = make_sampler(static_cast<int>(unit));
  }

  // Goes on with a job by so many iterations, to its end, or until asked to pause.
  void run(std::size_t j, int iterations) {
    jobs_[j].advance(iterations, sites_[j]);
    if (jobs_[j].finished()) sites_[j].clear();
  }

 private:
  // What a job needs of its surroundings. Of many units the one that is under way is prepared here.
  class Site {
   public:
    Site(FitJobs& jobs, int slice, Crew& crew) : jobs_(jobs), slice_(slice), crew_(crew) {}

    const RunControl& control() const { return jobs_.control_; }
    bool keeps_states() const { return jobs_.task_.keep_states; }
    std::unique_ptr<DrawSink> sink(Cell cell) const { return jobs_.make_sink_(slice_, cell); }
    std::unique_ptr<UnitRun> start(Cell cell) {
      const int unit = cell.unit - jobs_.task_.share.first_unit();
      const UnitSampler* sampler = nullptr;
      if (!jobs_.samplers_.empty()) {
        sampler = jobs_.samplers_[unit].get();
      } else {
        if (unit != unit_) own_ = jobs_.make_sampler(unit);
        unit_ = unit;
        sampler = own_.get();
      }
      return sampler->start(static_cast<std::uint64_t>(cell.chain), jobs_.control_, crew_);
    }
    void clear() { own_.reset(); }

   private:
    FitJobs& jobs_;
    int slice_, unit_ = -1;
    Crew& crew_;
    std::unique_ptr<UnitSampler> own_;
  };

  // `unit`: counted from the share's first.
  std::unique_ptr<UnitSampler> make_sampler(int unit) const {
    const std::vector<GroupStatistics>& groups = task_.groups;
    const bool is_all = task_.share.division.n_units() == 1;
    return make_unit_sampler(
        {&task_.model, is_all ? groups : std::vector<GroupStatistics>{groups[unit]},
         static_cast<std::uint64_t>(task_.share.first_unit() + unit)},
        task_.plan, control_.stop);
  }

  const SamplingTask task_;
  RunControl& control_;
  const MakeSink make_sink_;
  std::vector<FitJob> jobs_;
  std::vector<Site> sites_;                             // of the jobs
  std::vector<std::unique_ptr<UnitSampler>> samplers_;  // of few units
};

}  // namespace hmvn
