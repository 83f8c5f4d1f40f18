#include "hmvn/sampling/turns.hpp"

#include <utility>

#include "hmvn/direct/bartlett_density.hpp"
#include "hmvn/direct/mean_factor.hpp"
#include "hmvn/mcmc/chain.hpp"
#include "hmvn/mcmc/energy_monitor.hpp"
#include "hmvn/mcmc/quarter_turn.hpp"
#include "hmvn/mcmc/start.hpp"
#include "hmvn/sampling/direct_run.hpp"

namespace hmvn {

namespace {

constexpr int least_steps = 3;

struct TurnStart {
  DirectTarget target;
  BartlettReference reference;
};

// Draws by quarter turns: see DirectRun.
class TurnDraws {
 public:
  static constexpr UnitAlgorithm algorithm = UnitAlgorithm::hmc;
  static constexpr bool has_energy = true;

  TurnDraws(const TurnStart& start, const SamplingPlan& plan, RunControl& control,
            RandomStream& random)
      : plan_(plan),
        density_(start.target, start.reference),
        means_(start.target, start.reference.root * start.reference.root.transpose(), control.stop),
        mover_(density_.dimension(), control.stop, least_steps, plan.chain.max_tree_depth),
        chain_(density_, mover_, start_of_chain(plan, control, random),
               settings(plan, start.target), random) {
    draw_.resize(start.target.n_features());
  }

  bool warm_up(RandomStream& random) {
    chain_.advance(density_, mover_, random);
    ++iter_warmup_;
    if (chain_.settled()) chain_.finish_warmup();
    return chain_.warmed_up();
  }

  TransitionStatistics advance(RandomStream& random) {
    TransitionStatistics facts;
    for (int i = 0; i < plan_.thin; ++i) {
      facts = chain_.advance(density_, mover_, random);
      energy_.add(facts.energy);
      divergent_ += facts.divergent;
      max_treedepth_hits_ += facts.tree_depth >= plan_.chain.max_tree_depth;
    }
    density_.read(chain_.position(), draw_);
    return facts;
  }

  const CovarianceDraw<Eigen::Dynamic>& draw() const { return draw_; }
  MeanFactor<Eigen::Dynamic>& means() { return means_; }

  void report(UnitReport& report) const {
    report.iter_warmup = iter_warmup_;
    report.divergent = divergent_;
    report.max_treedepth_hits = max_treedepth_hits_;
    report.ebfmi = energy_.ebfmi();
  }

  template <class Archive>
  void visit(Archive& archive) {
    chain_.visit(archive);
    energy_.visit(archive);
    for (int* x : {&iter_warmup_, &divergent_, &max_treedepth_hits_}) archive(*x);
  }

 private:
  Eigen::VectorXd start_of_chain(const SamplingPlan& plan, const RunControl& control,
                                 RandomStream& random) {
    Eigen::VectorXd gradient;
    return find_start(density_.dimension(), plan.chain.init_radius, control.stop, random,
                      [&](const Eigen::VectorXd& x) { return density_(x, gradient); });
  }

  // Energies add up over groups.
  static ChainSettings settings(const SamplingPlan& plan, const DirectTarget& target) {
    ChainSettings settings = plan.chain;
    settings.max_energy_error *= target.n_groups;
    return settings;
  }

  const SamplingPlan& plan_;
  BartlettDensity density_;
  MeanFactor<Eigen::Dynamic> means_;
  QuarterTurn mover_;
  Chain chain_;
  EnergyMonitor energy_;
  CovarianceDraw<Eigen::Dynamic> draw_;
  int iter_warmup_ = 0, divergent_ = 0, max_treedepth_hits_ = 0;
};

class TurnSampler : public UnitSampler {
 public:
  TurnSampler(TurnStart start, std::uint64_t number, const SamplingPlan& plan)
      : start_(std::move(start)), number_(number), plan_(plan) {}

  std::unique_ptr<UnitRun> start(std::uint64_t chain, RunControl& control, Crew&) const override {
    return std::make_unique<DirectRun<Eigen::Dynamic, TurnDraws>>(
        start_.target, start_, plan_, RandomStream(plan_.seed, number_, chain), control);
  }

 private:
  const TurnStart start_;
  const std::uint64_t number_;
  const SamplingPlan& plan_;
};

}  // namespace

std::unique_ptr<UnitSampler> make_turn_sampler(const DirectTarget& target, std::uint64_t number,
                                               const SamplingPlan& plan,
                                               const std::atomic<bool>& stop) {
  return std::make_unique<TurnSampler>(TurnStart{target, make_bartlett_reference(target, stop)},
                                       number, plan);
}

}  // namespace hmvn
