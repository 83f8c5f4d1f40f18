// A Markov chain of Hamiltonian transitions that adapts itself during warm-up and owns what it has
// learned.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hmvn/mcmc/contracts.hpp"
#include "hmvn/mcmc/dual_averaging.hpp"
#include "hmvn/mcmc/phase_space.hpp"
#include "hmvn/mcmc/standardisation.hpp"
#include "hmvn/mcmc/warmup_schedule.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

struct ChainSettings {
  int iter_warmup = 1000;
  bool warmup_by_data = false;  // ends sooner, once the adaptation has settled
  int max_tree_depth = 10;
  double target_accept = 0.8;
  MetricShape metric = MetricShape::diagonal;
  double max_energy_error = 1000.0;  // of a trajectory that has not diverged
  double init_radius =
      2.0;  // start uniform on (-radius, radius) in the unconstrained, standardised space
};

// `Mover` is Nuts or QuarterTurn. contracts.hpp says what it and the target must offer. The chain
// does not own its target, which another block of the same model may have changed since the last
// iteration.
class Chain {
 public:
  // `position`: where it starts; the log density there must be finite.
  template <class Target, class Mover>
  Chain(Target&& target, Mover& mover, const Eigen::VectorXd& position,
        const ChainSettings& settings, RandomStream& random)
      : settings_(settings),
        schedule_(make_warmup_schedule(settings.iter_warmup)),
        state_(position.size(), settings.metric),
        step_size_(DualAveragingSettings{settings.target_accept}, mover.largest_step()),
        covariance_(position.size(), settings.metric),
        warmup_end_(settings.iter_warmup) {
    require_target<Target>();
    require_mover<Mover, Target>();
    state_.max_energy_error = settings.max_energy_error;
    state_.current.standard = position;
    state_.evaluate(target, state_.current);
    mover.find_reasonable_step_size(target, state_, random);
    step_size_.restart(state_.step_size);
  }

  // One iteration; adapts during warm-up.
  template <class Target, class Mover>
  TransitionStatistics advance(Target&& target, Mover& mover, RandomStream& random) {
    const TransitionStatistics facts = mover.transition(target, state_, random);
    if (!warmed_up()) adapt(target, mover, facts, random);
    ++iteration_;
    return facts;
  }

  bool warmed_up() const { return iteration_ >= warmup_end_; }

  // True of the iteration that ends a window which agrees with the one before.
  bool settled() const { return settled_; }

  // What is left of warm-up only adapts the step size.
  void finish_warmup() {
    settled_ = false;
    window_ = static_cast<int>(schedule_.window_ends.size());
    warmup_end_ = std::min(warmup_end_, iteration_ + schedule_.last_fast);
  }

  // To be called before advance() when the target has changed.
  template <class Target>
  void look_again(Target&& target) {
    state_.evaluate(target, state_.current);
  }

  const Eigen::VectorXd& position() {
    state_.map.to_position(state_.current.standard, state_.position);
    return state_.position;
  }

  // All that lasts from one iteration to the next.
  template <class Archive>
  void visit(Archive& archive) {
    state_.visit(archive);
    step_size_.visit(archive);
    covariance_.visit(archive);
    archive(last_window_.mean);
    archive(last_window_.variance);
    for (int* x : {&iteration_, &window_, &warmup_end_}) archive(*x);
  }

 private:
  template <class Target, class Mover>
  void adapt(Target&& target, Mover& mover, const TransitionStatistics& facts,
             RandomStream& random) {
    if (!facts.refined) step_size_.advance(facts.accept_stat);
    state_.step_size = step_size_.step_size();
    settled_ = false;
    if (window_ < static_cast<int>(schedule_.window_ends.size()) &&
        iteration_ >= schedule_.first_slow) {
      covariance_.add(position());
      if (iteration_ + 1 == schedule_.window_ends[window_]) end_window(target, mover, random);
    }
    if (iteration_ + 1 == warmup_end_) state_.step_size = step_size_.averaged_step_size();
  }

  template <class Target, class Mover>
  void end_window(Target&& target, Mover& mover, RandomStream& random) {
    const DrawSummary window = covariance_.summary();
    settled_ = settings_.warmup_by_data && agrees_with_last(window);
    last_window_ = window;
    ++window_;
    if (covariance_.count() > 1.0) {
      state_.learn(covariance_.mean(), covariance_.covariance());
      state_.evaluate(target, state_.current);
    }
    covariance_.restart();
    mover.find_reasonable_step_size(target, state_, random);
    step_size_.restart(state_.step_size);
  }

  // Whether a window's means and standard deviations are those of the window before, within one
  // standard deviation and a factor of two: of 100 nearly independent draws, six standard errors.
  bool agrees_with_last(const DrawSummary& window) const {
    if (covariance_.count() < 100.0 || last_window_.mean.size() == 0) return false;
    const Eigen::ArrayXd ratio = window.variance.array() / last_window_.variance.array();
    const Eigen::ArrayXd shift = (window.mean - last_window_.mean).array().square();
    return ratio.minCoeff() > 0.25 && ratio.maxCoeff() < 4.0 &&
           (shift < window.variance.array()).all();
  }

  ChainSettings settings_;
  WarmupSchedule schedule_;
  ChainState state_;
  DualAveraging step_size_;
  CovarianceEstimator covariance_;
  DrawSummary last_window_;  // empty before the first has ended
  int iteration_ = 0;
  int window_ = 0;
  int warmup_end_;
  bool settled_ = false;
};

}  // namespace hmvn
