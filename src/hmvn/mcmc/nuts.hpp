// The No-U-Turn sampler: one transition of Hamiltonian Monte Carlo that chooses its own length.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "hmvn/mcmc/metric.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// What a target must offer: `double target(position, gradient)` returns the log density and fills
// the gradient. A position where it cannot be computed has log density -inf (a divergence).

// Thrown from within a trajectory when the owner of the flag asks the chain to stop.
struct StopRequested : std::runtime_error {
  StopRequested() : std::runtime_error("stopped") {}
};

// A position with its momentum, the velocity that belongs to it, and what the target says of the position.
struct PhasePoint {
  Eigen::VectorXd position, momentum, velocity, gradient;
  double log_density = -std::numeric_limits<double>::infinity();

  void resize(Eigen::Index n) {
    position.setZero(n);
    momentum.setZero(n);
    velocity.setZero(n);
    gradient.setZero(n);
  }
};

// Facts about one transition, in the words of the field.
struct TransitionStatistics {
  double accept_stat = 0.0, step_size = 0.0, energy = 0.0;
  int tree_depth = 0, n_leapfrog = 0;
  bool divergent = false;
};

inline double log_sum_exp(double a, double b) {
  const double high = std::max(a, b);
  if (high == -std::numeric_limits<double>::infinity()) return high;
  return high + std::log1p(std::exp(std::min(a, b) - high));
}

// Where one chain is and how it moves: the only parts of the sampler that last from one transition to the next.
struct NutsState {
  PhasePoint current;
  Metric metric;
  double step_size = 1.0;

  NutsState(Eigen::Index n, MetricShape shape) : metric(n, shape) { current.resize(n); }

  // Moves to a position; true if the log density is finite there.
  template <class Target>
  bool start_at(Target&& target, const Eigen::VectorXd& position) {
    current.position = position;
    return evaluate(target);
  }

  // Looks again at a target that has changed.
  template <class Target>
  bool evaluate(Target&& target) {
    current.log_density = target(current.position, current.gradient);
    return std::isfinite(current.log_density) && current.gradient.allFinite();
  }
};

// Multinomial sampling over the trajectory and the generalised U-turn criterion (Betancourt 2017,
// appendices A.3.2 and A.4.2), with the criterion also checked across the two half-trees: without that
// a near-iid target runs many times the steps that are due. The object is work space for chains of one dimension.
class Nuts {
 public:
  Nuts(Eigen::Index n, const std::atomic<bool>& stop, int max_tree_depth)
      : stop_(stop), max_tree_depth_(max_tree_depth), n_(n), levels_(max_tree_depth) {
    for (PhasePoint* point : {&forward_, &backward_, &proposal_}) point->resize(n_);
    whole_.resize(n_);
    for (Level& level : levels_) level.resize(n_);
  }

  template <class Target>
  TransitionStatistics transition(Target&& target, NutsState& state, RandomStream& random) {
    state_ = &state;
    draw_momentum(random);
    initial_energy_ = energy(state.current);
    divergent_ = false;
    n_leapfrog_ = 0;
    accept_sum_ = 0.0;
    forward_ = state.current;
    backward_ = state.current;
    proposal_ = state.current;
    whole_.set_to_point(state.current);
    double log_weight = 0.0;
    int depth = 0;
    for (; depth < max_tree_depth_; ++depth) {
      const bool go_forward = random.uniform() > 0.5;
      Level& level = levels_[depth];
      PhasePoint& end = go_forward ? forward_ : backward_;
      double log_weight_new = -std::numeric_limits<double>::infinity();
      if (!build(target, depth, end, go_forward ? 1.0 : -1.0, level.span, level.proposal, log_weight_new, random)) break;
      if (std::log(random.uniform()) < log_weight_new - log_weight) std::swap(proposal_, level.proposal);
      log_weight = log_sum_exp(log_weight, log_weight_new);
      const bool keeps_on = go_forward ? join(whole_, level.span, whole_) : join(level.span, whole_, whole_);
      if (!keeps_on) {
        ++depth;
        break;
      }
    }
    TransitionStatistics facts;
    facts.accept_stat = n_leapfrog_ > 0 ? accept_sum_ / n_leapfrog_ : 0.0;
    facts.step_size = state.step_size;
    facts.energy = energy(proposal_);
    facts.tree_depth = depth;
    facts.n_leapfrog = n_leapfrog_;
    facts.divergent = divergent_;
    std::swap(state.current, proposal_);
    return facts;
  }

  // Doubles or halves the step size until one step is accepted about half of the time
  // (Hoffman and Gelman 2014, algorithm 4).
  template <class Target>
  void find_reasonable_step_size(Target&& target, NutsState& state, RandomStream& random) {
    if (n_ == 0) return;
    state_ = &state;
    int direction = 0;
    for (int tries = 0; tries < 100; ++tries) {
      draw_momentum(random);
      forward_ = state.current;
      const double energy_before = energy(forward_);
      leapfrog(target, forward_, state.step_size);
      double change = energy_before - energy(forward_);
      if (!std::isfinite(change)) change = -std::numeric_limits<double>::infinity();
      const int wanted = change > std::log(0.8) ? 1 : -1;
      if (direction == 0) direction = wanted;
      if (wanted != direction) return;
      state.step_size *= direction == 1 ? 2.0 : 0.5;
      if (!(state.step_size > 1e-12 && state.step_size < 1e7)) {
        throw std::runtime_error("no step size works: the posterior is improper or its density cannot be computed");
      }
    }
  }

 private:
  // A stretch of a trajectory: its ends' momenta and velocities (p sharp) and the sum of its momenta.
  struct Span {
    Eigen::VectorXd first_momentum, last_momentum, first_velocity, last_velocity, sum;

    void resize(Eigen::Index n) {
      for (Eigen::VectorXd* v : {&first_momentum, &last_momentum, &first_velocity, &last_velocity, &sum}) v->setZero(n);
    }
    void set_to_point(const PhasePoint& z) {
      first_momentum = last_momentum = sum = z.momentum;
      first_velocity = last_velocity = z.velocity;
    }
  };

  struct Level {
    Span span, left, right;
    PhasePoint proposal, other;
    Eigen::VectorXd joined;
    void resize(Eigen::Index n) {
      for (Span* s : {&span, &left, &right}) s->resize(n);
      proposal.resize(n);
      other.resize(n);
    }
  };

  static double energy(const PhasePoint& z) { return 0.5 * z.momentum.dot(z.velocity) - z.log_density; }

  void draw_momentum(RandomStream& random) {
    state_->metric.draw_momentum(random, state_->current.momentum);
    state_->metric.velocity(state_->current.momentum, state_->current.velocity);
  }

  template <class Target>
  void leapfrog(Target& target, PhasePoint& z, double step) {
    if (stop_.load(std::memory_order_relaxed)) throw StopRequested();
    z.momentum += 0.5 * step * z.gradient;
    state_->metric.velocity(z.momentum, z.velocity);
    z.position += step * z.velocity;
    z.log_density = target(z.position, z.gradient);
    z.momentum += 0.5 * step * z.gradient;
    state_->metric.velocity(z.momentum, z.velocity);
  }

  // No U-turn between two ends: both velocities still point along the sum of the momenta.
  template <class Sum>
  static bool extends(const Eigen::VectorXd& first_velocity, const Eigen::VectorXd& last_velocity, const Sum& sum) {
    return first_velocity.dot(sum) > 0.0 && last_velocity.dot(sum) > 0.0;
  }

  // Joins two neighbouring spans in time order into `out` (which may be one of them); false if the whole,
  // or either half with the nearest point of the other, has turned round.
  bool join(const Span& early, const Span& late, Span& out) {
    const bool keeps_on =
        extends(early.first_velocity, late.last_velocity, early.sum + late.sum) &&
        extends(early.first_velocity, late.first_velocity, early.sum + late.first_momentum) &&
        extends(early.last_velocity, late.last_velocity, late.sum + early.last_momentum);
    out.sum = early.sum + late.sum;
    if (&out != &early) {
      out.first_momentum = early.first_momentum;
      out.first_velocity = early.first_velocity;
    }
    if (&out != &late) {
      out.last_momentum = late.last_momentum;
      out.last_velocity = late.last_velocity;
    }
    return keeps_on;
  }

  // Extends the trajectory from `end` by 2^depth steps. Fills the span (in time order), a proposal drawn
  // from it, and its log weight; false if it diverged or turned round inside.
  template <class Target>
  bool build(Target& target, int depth, PhasePoint& end, double direction, Span& span, PhasePoint& proposal,
             double& log_weight, RandomStream& random) {
    if (depth == 0) {
      leapfrog(target, end, direction * state_->step_size);
      ++n_leapfrog_;
      double change = initial_energy_ - energy(end);
      if (std::isnan(change)) change = -std::numeric_limits<double>::infinity();
      if (change < -max_energy_error) divergent_ = true;
      accept_sum_ += std::min(1.0, std::exp(change));
      log_weight = change;
      proposal = end;
      span.set_to_point(end);
      return !divergent_;
    }
    Level& level = levels_[depth - 1];
    // The first half's span and proposal are parked in this level; the second half uses the deeper levels anew.
    Span& first = depth_span(depth, 0);
    Span& second = depth_span(depth, 1);
    double log_weight_first, log_weight_second;
    if (!build(target, depth - 1, end, direction, first, proposal, log_weight_first, random)) return false;
    if (!build(target, depth - 1, end, direction, second, level.other, log_weight_second, random)) return false;
    log_weight = log_sum_exp(log_weight_first, log_weight_second);
    if (std::log(random.uniform()) < log_weight_second - log_weight) std::swap(proposal, level.other);
    return direction > 0 ? join(first, second, span) : join(second, first, span);
  }

  Span& depth_span(int depth, int half) { return half == 0 ? levels_[depth - 1].left : levels_[depth - 1].right; }

  static constexpr double max_energy_error = 1000.0;

  const std::atomic<bool>& stop_;
  int max_tree_depth_;
  Eigen::Index n_;
  NutsState* state_ = nullptr;  // of the chain that is being moved
  double initial_energy_ = 0.0, accept_sum_ = 0.0;
  int n_leapfrog_ = 0;
  bool divergent_ = false;
  PhasePoint forward_, backward_, proposal_;
  Span whole_;
  std::vector<Level> levels_;
};

}  // namespace hmvn
