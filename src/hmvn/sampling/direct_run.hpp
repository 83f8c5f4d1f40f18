// One chain of a unit with a direct target: draws made in some way, written in batches.
#pragma once

#include <algorithm>
#include <vector>

#include "hmvn/direct/batch_writer.hpp"
#include "hmvn/direct/direct_target.hpp"
#include "hmvn/sampling/sampling.hpp"
#include "hmvn/sampling/stopwatch.hpp"

namespace hmvn {

// `Draws` is a way of making draws. It is made from a `start` of its own kind, the plan, the
// control and the random stream, and offers
//   algorithm   which one it is
//   has_energy  whether the facts of an iteration have one; else it is -lp__
//   warm_up     an iteration of warm-up; returns whether no more is needed
//   advance     makes the next draw to be kept, and returns the facts about it
//   draw, means the covariance matrix, and what draws the means given it
//   report      fills what it knows of the chain as a whole
template <int K, class Draws>
class DirectRun : public UnitRun {
 public:
  template <class Start>
  DirectRun(const DirectTarget& target, const Start& start, const SamplingPlan& plan,
            RandomStream random, RunControl& control)
      : plan_(plan),
        control_(control),
        random_(random),
        draws_(start, plan, control, random_),
        writer_(target),
        batch_(target.n_features(), draws_.means().n_groups(), !target.model->groups_apart()),
        facts_(DrawBatch::capacity) {
    report_.algorithm = Draws::algorithm;
    report_.warmup_seconds = watch_.seconds();
  }

  void advance(int iterations, DrawSink& sink) override {
    const int end = iteration_ + std::min(iterations, plan_.n_iterations() - iteration_);
    const int warm = std::min(end, plan_.chain.iter_warmup);
    const Stopwatch warming;
    while (iteration_ < warm && !control_.pause) {
      const bool last = draws_.warm_up(random_);
      count_iterations(last ? plan_.chain.iter_warmup - iteration_ : 1);
    }
    report_.warmup_seconds += warming.seconds();
    const Stopwatch sampling;
    for (; iteration_ < end && !control_.pause; count_iterations(1)) {
      const int n = iteration_ - plan_.chain.iter_warmup + 1;  // sampling iterations with this one
      if (n % plan_.thin == 0) make_draw(n / plan_.thin, sink);
    }
    if (batch_.size > 0) flush(kept_, sink);
    report_.sampling_seconds += sampling.seconds();
  }

  int iteration() const override { return iteration_; }
  bool finished() const override { return iteration_ == plan_.n_iterations(); }
  UnitReport report() const override {
    UnitReport report = report_;
    draws_.report(report);
    return report;
  }
  void save(StateWriter& archive) override { visit(archive); }
  void load(StateReader& archive) override { visit(archive); }

 private:
  void count_iterations(int n) {
    iteration_ += n;
    control_.iterations_done += n;
  }

  // Adds draw number `kept`, from 1.
  void make_draw(int kept, DrawSink& sink) {
    stop_if_asked(control_.stop);
    TransitionStatistics& facts = facts_[batch_.size];
    facts = draws_.advance(random_);
    writer_.write(draws_.draw(), draws_.means(), random_, batch_);
    if (!Draws::has_energy) {
      const int row = batch_.size - 1;
      facts.energy = -(batch_.log_likelihood[row] + batch_.log_prior[row]);
    }
    kept_ = kept;
    if (batch_.size == DrawBatch::capacity) flush(kept, sink);
  }

  void flush(int kept, DrawSink& sink) {
    sink.record(kept - batch_.size, batch_, facts_);
    batch_.size = 0;
  }

  template <class Archive>
  void visit(Archive& archive) {
    archive(iteration_);
    for (double* x : {&report_.warmup_seconds, &report_.sampling_seconds}) archive(*x);
    random_.visit(archive);
    draws_.visit(archive);
  }

  Stopwatch watch_;  // first: making the rest is part of warm-up
  const SamplingPlan& plan_;
  RunControl& control_;
  RandomStream random_;
  Draws draws_;
  BatchWriter<K> writer_;
  DrawBatch batch_;
  std::vector<TransitionStatistics> facts_;  // of the batch's draws
  UnitReport report_;
  int iteration_ = 0, kept_ = 0;
};

}  // namespace hmvn
