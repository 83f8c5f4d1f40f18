#include "hmvn/sampling/hmc.hpp"

#include <cmath>
#include <utility>

#include "hmvn/mcmc/energy_monitor.hpp"
#include "hmvn/mcmc/nuts.hpp"
#include "hmvn/mcmc/quarter_turn.hpp"
#include "hmvn/sampling/stopwatch.hpp"
#include "hmvn/sampling/sweep.hpp"

namespace hmvn {

namespace {

// Fewest steps of a quarter turn. Where the target is nearly normal, two are accepted about nine
// times in ten, three 97 times in a hundred. Three for groups: at two, with hundreds of groups the
// slowest one limits the effective sample size.
constexpr int least_shared_steps = 2, least_own_steps = 3;

// What groups share is narrow where they resemble each other much, which chains of few groups
// with few rows seldom come upon during warm-up.
constexpr double refined_shared = 0.05;

SweepSettings sweep_settings(const SamplingPlan& plan, int n_groups) {
  SweepSettings settings{plan.chain, plan.chain, plan.chain};
  settings.shared.metric = MetricShape::dense;
  settings.shared.max_energy_error *= n_groups;  // energies add up over groups
  settings.scarce.target_accept = plan.target_accept_scarce;
  return settings;
}

Movers<QuarterTurn> quarter_turns(const Layout& layout, const SamplingPlan& plan,
                                  const RunControl& control) {
  const int depth = plan.chain.max_tree_depth;
  return {QuarterTurn(layout.n_shared(), control.stop, least_shared_steps, depth, refined_shared),
          QuarterTurn(layout.n_own(), control.stop, least_own_steps, depth)};
}

Movers<Nuts> no_u_turns(const Layout& layout, const SamplingPlan& plan, const RunControl& control) {
  const int depth = plan.chain.max_tree_depth;
  return {Nuts(layout.n_shared(), control.stop, depth), Nuts(layout.n_own(), control.stop, depth)};
}

template <class Mover>
class HmcRun : public UnitRun {
 public:
  HmcRun(std::unique_ptr<Posterior> posterior, const SamplingPlan& plan, RandomStream random,
         const Movers<Mover>& movers, RunControl& control)
      : plan_(plan),
        control_(control),
        posterior_(std::move(posterior)),
        sweep_(*posterior_, sweep_settings(plan, posterior_->layout().n_groups), random, movers,
               control.stop) {
    report_.algorithm = algorithm_of(movers);
    report_.warmup_seconds = watch_.seconds();
  }

  void advance(int iterations, DrawSink& sink) override {
    for (; iterations > 0 && !finished() && !control_.pause; --iterations, ++iteration_) {
      const Stopwatch watch;
      if (iteration_ < plan_.chain.iter_warmup) {
        sweep_.advance();
        report_.warmup_seconds += watch.seconds();
        ++report_.iter_warmup;
        if (sweep_.warmed_up()) skip(plan_.chain.iter_warmup - 1 - iteration_);
      } else {
        sample(iteration_ - plan_.chain.iter_warmup, sink);
        report_.sampling_seconds += watch.seconds();
      }
      ++control_.iterations_done;
    }
  }

  int iteration() const override { return iteration_; }
  bool finished() const override { return iteration_ == plan_.n_iterations(); }

  UnitReport report() const override {
    UnitReport report = report_;
    if (sweep_.n_parts() == 1) report.ebfmi = energy_.ebfmi();
    return report;
  }

  void save(StateWriter& archive) override { visit(archive); }
  void load(StateReader& archive) override { visit(archive); }

 private:
  static UnitAlgorithm algorithm_of(const Movers<QuarterTurn>&) { return UnitAlgorithm::hmc; }
  static UnitAlgorithm algorithm_of(const Movers<Nuts>&) { return UnitAlgorithm::nuts; }

  void skip(int iterations) {
    iteration_ += iterations;
    control_.iterations_done += iterations;
  }

  void sample(int i, DrawSink& sink) {
    TransitionStatistics facts = sweep_.advance();
    energy_.add(facts.energy);
    report_.divergent += facts.divergent;
    report_.max_treedepth_hits += facts.tree_depth >= plan_.chain.max_tree_depth;
    if ((i + 1) % plan_.thin != 0) return;
    sweep_.read(draw_);
    if (sweep_.n_parts() > 1) facts.energy = -draw_.log_joint();
    sink.record(i / plan_.thin, draw_, facts);
  }

  template <class Archive>
  void visit(Archive& archive) {
    archive(iteration_);
    for (int* x : {&report_.iter_warmup, &report_.divergent, &report_.max_treedepth_hits}) {
      archive(*x);
    }
    for (double* x : {&report_.warmup_seconds, &report_.sampling_seconds}) archive(*x);
    energy_.visit(archive);
    sweep_.visit(archive);
  }

  Stopwatch watch_;  // first: making the rest is part of warm-up
  const SamplingPlan& plan_;
  RunControl& control_;
  std::unique_ptr<Posterior> posterior_;
  Sweep<Mover> sweep_;
  UnitReport report_;
  EnergyMonitor energy_;
  int iteration_ = 0;
  Draw draw_;
};

class HmcSampler : public UnitSampler {
 public:
  HmcSampler(Unit unit, const SamplingPlan& plan, const std::atomic<bool>& stop)
      : unit_(std::move(unit)),
        plan_(plan),
        coordinates_(make_coordinates(*unit_.model, unit_.groups, stop)) {}

  std::unique_ptr<UnitRun> start(std::uint64_t chain, RunControl& control,
                                 Crew& crew) const override {
    const Layout& layout = coordinates_.layout;
    if (plan_.algorithm != Algorithm::nuts) {
      return run(quarter_turns(layout, plan_, control), chain, control, crew);
    }
    return run(no_u_turns(layout, plan_, control), chain, control, crew);
  }

 private:
  template <class Mover>
  std::unique_ptr<UnitRun> run(const Movers<Mover>& movers, std::uint64_t chain,
                               RunControl& control, Crew& crew) const {
    return std::make_unique<HmcRun<Mover>>(
        make_posterior(*unit_.model, coordinates_, unit_.groups, crew), plan_,
        RandomStream(plan_.seed, unit_.number, chain), movers, control);
  }

  const Unit unit_;
  const SamplingPlan& plan_;
  const Coordinates coordinates_;
};

// The information matrices over a group's scores, one a group and some to work with, grow with the
// fourth power of the number of features.
void check_working_memory(const Unit& unit, const SamplingPlan& plan) {
  const double n_features = unit.model->n_features();
  const double n_scores = 0.5 * n_features * (n_features + 1.0);
  const double n_groups = static_cast<double>(unit.groups.size());
  const double numbers =
      n_scores * (2.0 * n_features * n_features + (3.0 + 2.0 * n_groups) * n_scores);
  if (8.0 * numbers > plan.max_bytes) {
    throw SamplingFailure("size",
                          "information matrices over all variances and correlations would take "
                          "more memory than there is");
  }
}

}  // namespace

std::unique_ptr<UnitSampler> make_hmc_sampler(Unit unit, const SamplingPlan& plan,
                                              const std::atomic<bool>& stop) {
  check_working_memory(unit, plan);
  return std::make_unique<HmcSampler>(std::move(unit), plan, stop);
}

}  // namespace hmvn
