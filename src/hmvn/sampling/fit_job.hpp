// The work of one job of a fit, which can be left and gone on with.
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "hmvn/sampling/division.hpp"
#include "hmvn/sampling/sampling.hpp"

namespace hmvn {

// Where a job stands: the cell it is at, and the iterations that are done there.
struct JobPlace {
  int cell = 0, iteration = 0;
};

// Where the cells of a job start, in their order: anew, or all from saved states of `iterations`
// iterations. And where the job itself goes on: at `place`, whose cell, if it was begun, has the
// state `current`.
struct JobStart {
  int iterations = 0;
  StateSequence states;
  JobPlace place;
  StateBytes current;
};

class FitJob {
 public:
  FitJob(const JobRange& range, JobStart start)
      : range_(range),
        start_(std::move(start)),
        cell_(start_.place.cell),
        reports_(range.n_cells()) {}

  const JobRange& range() const { return range_; }
  bool finished() const { return cell_ == range_.n_cells(); }
  // False after an exception out of the run: its state is then that of no iteration.
  bool can_go_on() const { return !broken_; }
  JobPlace place() const {
    if (run_) return {cell_, run_->iteration()};
    return cell_ == start_.place.cell ? start_.place : JobPlace{cell_, start_.iterations};
  }
  const UnitReport& report(int cell) const { return reports_[cell]; }
  void set_report(int cell, const UnitReport& report) { reports_[cell] = report; }

  // Goes on by so many iterations, over all its cells, or to the end, or until asked to pause.
  // `Site` starts cells, and knows what all jobs have in common.
  template <class Site>
  void advance(int iterations, Site& site) {
    while (!finished() && iterations > 0 && !site.control().pause) {
      if (!run_) open(site);
      const int before = run_->iteration();
      broken_ = true;
      run_->advance(iterations, *sink_);
      broken_ = false;
      iterations -= run_->iteration() - before;
      reports_[cell_] = run_->report();
      if (!run_->finished()) return;
      if (site.keeps_states()) finished_.append(saved());
      run_.reset();
      ++cell_;
    }
  }

  // States of the cells that were finished since the last call.
  StateBytes take_finished() { return finished_.take(); }
  // That of the cell at which it stands; empty where that was not begun.
  StateBytes current() {
    if (run_) return saved();
    return cell_ == start_.place.cell ? start_.current : StateBytes{};
  }

 private:
  template <class Site>
  void open(Site& site) {
    const Cell cell = range_.cell(cell_);
    sink_ = site.sink(cell);
    std::unique_ptr<UnitRun> run = site.start(cell);
    const bool goes_on = cell_ == start_.place.cell && !start_.current.empty();
    const StateBytes from = goes_on ? start_.current : starting_state();
    if (!from.empty()) load(from, goes_on ? start_.place.iteration : start_.iterations, *run);
    run_ = std::move(run);  // not before: where loading fails the job stands where it stood
  }

  // That from which the cell starts; empty: anew.
  StateBytes starting_state() {
    StateBytes state;
    if (start_.iterations == 0) return state;
    for (; n_read_ <= cell_; ++n_read_) {
      if (!start_.states.next(state)) throw SamplingFailure("state", "a saved state is missing");
    }
    return state;
  }

  static void load(const StateBytes& state, int iterations, UnitRun& run) {
    StateReader reader(state);
    try {
      run.load(reader);
      reader.finish();
    } catch (const std::runtime_error& failure) {
      throw SamplingFailure("state", failure.what());
    }
    if (run.iteration() != iterations) {
      throw SamplingFailure("state", "a saved state is of another iteration");
    }
  }

  StateBytes saved() {
    StateWriter writer;
    run_->save(writer);
    return writer.bytes();
  }

  JobRange range_;
  JobStart start_;
  int cell_, n_read_ = 0;  // of the states from which cells start
  bool broken_ = false;
  std::vector<UnitReport> reports_;  // by cell
  StateSequence finished_;
  std::unique_ptr<DrawSink> sink_;
  std::unique_ptr<UnitRun> run_;
};

}  // namespace hmvn
