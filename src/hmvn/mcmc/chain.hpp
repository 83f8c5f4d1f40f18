// A Markov chain of NUTS transitions that adapts itself during warm-up and owns its whole state.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <stdexcept>

#include "hmvn/mcmc/dual_averaging.hpp"
#include "hmvn/mcmc/nuts.hpp"
#include "hmvn/mcmc/warmup_schedule.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

struct ChainSettings {
  int iter_warmup = 1000;
  int max_tree_depth = 10;
  double target_accept = 0.8;
  double init_radius = 2.0;  // start uniform on (-radius, radius) in the unconstrained, standardised space
};

// Running variances of the position (Welford), one by coordinate.
class VarianceEstimator {
 public:
  explicit VarianceEstimator(Eigen::Index n) : mean_(n), sum_of_squares_(n), delta_(n) { restart(); }

  void restart() {
    count_ = 0.0;
    mean_.setZero();
    sum_of_squares_.setZero();
  }

  void add(const Eigen::VectorXd& x) {
    count_ += 1.0;
    delta_ = x - mean_;
    mean_ += delta_ / count_;
    sum_of_squares_.array() += delta_.array() * (x - mean_).array();
  }

  // Shrunk towards one, the scale the target is standardised to, with the weight of five draws.
  Eigen::VectorXd inverse_metric() const {
    const double weight = count_ / (count_ + 5.0);
    return ((weight / (count_ - 1.0)) * sum_of_squares_.array() + (1.0 - weight)).matrix();
  }

  double count() const { return count_; }

 private:
  double count_ = 0.0;
  Eigen::VectorXd mean_, sum_of_squares_, delta_;
};

template <class Target>
class Chain {
 public:
  Chain(Target& target, const ChainSettings& settings, const RandomStream& random, const std::atomic<bool>& stop)
      : settings_(settings), random_(random), schedule_(make_warmup_schedule(settings.iter_warmup)),
        nuts_(target, stop, settings.max_tree_depth), step_size_(DualAveragingSettings{settings.target_accept}),
        variance_(target.dimension()) {
    initialise(target.dimension());
    nuts_.find_reasonable_step_size(random_);
    step_size_.restart(nuts_.step_size());
  }

  // One iteration; adapts while iteration() < iter_warmup.
  TransitionStatistics advance() {
    const TransitionStatistics facts = nuts_.transition(random_);
    if (iteration_ < settings_.iter_warmup) adapt(facts);
    ++iteration_;
    return facts;
  }

  int iteration() const { return iteration_; }
  const Eigen::VectorXd& position() const { return nuts_.position(); }
  RandomStream& random() { return random_; }

 private:
  void initialise(Eigen::Index n) {
    Eigen::VectorXd position(n);
    double radius = settings_.init_radius;
    for (int tries = 0; tries < 100; ++tries) {
      for (Eigen::Index i = 0; i < n; ++i) position[i] = radius * (2.0 * random_.uniform() - 1.0);
      if (nuts_.start_at(position)) return;
      radius *= 0.9;  // far starts can overflow; the centre is where the posterior was located
    }
    throw std::runtime_error("no starting point with a finite log density was found in 100 tries");
  }

  void adapt(const TransitionStatistics& facts) {
    step_size_.advance(facts.accept_stat);
    nuts_.set_step_size(step_size_.step_size());
    if (window_ < schedule_.window_ends.size() && iteration_ >= schedule_.first_slow) {
      variance_.add(nuts_.position());
      if (iteration_ + 1 == schedule_.window_ends[window_]) {
        ++window_;
        if (variance_.count() > 1.0) nuts_.set_inverse_metric(variance_.inverse_metric());
        variance_.restart();
        nuts_.find_reasonable_step_size(random_);
        step_size_.restart(nuts_.step_size());
      }
    }
    if (iteration_ + 1 == settings_.iter_warmup) nuts_.set_step_size(step_size_.averaged_step_size());
  }

  ChainSettings settings_;
  RandomStream random_;
  WarmupSchedule schedule_;
  Nuts<Target> nuts_;
  DualAveraging step_size_;
  VarianceEstimator variance_;
  int iteration_ = 0;
  std::size_t window_ = 0;
};

}  // namespace hmvn
