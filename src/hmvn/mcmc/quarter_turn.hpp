// Hamiltonian Monte Carlo by quarter turns, for targets that have been made nearly standard normal.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>

#include "hmvn/mcmc/phase_space.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// In a standard normal target, position and momentum turn about each other, and after a quarter of
// a turn the position is what the momentum was: an independent draw. So a trajectory turns by about
// that, in steps that are exact for the normal, between half kicks by what the gradient has beyond
// the normal's, -x (Shahbaba, Lan, Johnson and Neal 2014). The energy error comes from how the
// target departs from normal and not from its dimension, and steps may be long; their length varies
// between trajectories, lest one returns to where it came from (Neal 2011). A few long steps may
// also shoot past a steep slope, and are rejected: a trajectory counts as divergent only if it
// fails in steps a quarter as long, too. The object is work space for chains of one dimension.
class QuarterTurn {
 public:
  static constexpr double angle = 1.5707963267948966, jitter = 0.3;
  static constexpr int refined = 4;

  // A trajectory has at most 2^max_tree_depth - 1 steps, as one of NUTS. `tree_depth` is 0, or
  // max_tree_depth where the step size asked for more steps than that. A share of trajectories take
  // steps a quarter as long, unless steps are as long as they may be: where the target is narrower
  // than where the step size was learned, others are refused, and a chain would stand still.
  QuarterTurn(Eigen::Index n, const std::atomic<bool>& stop, int least_steps, int max_tree_depth,
              double refined_share = 0.0)
      : stop_(stop),
        least_steps_(least_steps),
        most_steps_(std::ldexp(1.0, max_tree_depth) - 1.0),
        max_tree_depth_(max_tree_depth),
        refined_share_(refined_share) {
    proposal_.resize(n);
  }

  double largest_step() const { return angle / least_steps_; }

  template <class Target>
  TransitionStatistics transition(Target&& target, ChainState& state, RandomStream& random) {
    const double wanted = std::ceil(angle / state.step_size - 1e-9);
    int n_steps = static_cast<int>(std::min(wanted, most_steps_));
    TransitionStatistics facts;
    facts.refined =
        refined_share_ > 0.0 && n_steps > least_steps_ && random.uniform() < refined_share_;
    if (facts.refined) n_steps = static_cast<int>(std::min<double>(refined * n_steps, most_steps_));
    const double nominal = angle / n_steps;
    const double step = nominal * (1.0 + jitter * (2.0 * random.uniform() - 1.0));
    state.current.draw_momentum(random);
    if (wanted > most_steps_) facts.tree_depth = max_tree_depth_;
    const double change = follow(target, state, n_steps, step, facts.n_leapfrog);
    const bool overshot = failed(change, state);
    if (overshot) {
      facts.divergent =
          failed(follow(target, state, refined * n_steps, step / refined, facts.n_leapfrog), state);
    }
    const bool accepted = !overshot && std::log(random.uniform()) < change;
    if (accepted) std::swap(state.current, proposal_);
    facts.accept_stat = overshot ? 0.0 : std::min(1.0, std::exp(change));
    facts.step_size = nominal;
    facts.energy = state.current.energy();
    return facts;
  }

  template <class Target>
  void find_reasonable_step_size(Target&& target, ChainState& state, RandomStream& random) {
    hmvn::find_reasonable_step_size(state, proposal_, largest_step(), random, [&](PhasePoint& z) {
      move(target, state, z, state.step_size);
    });
  }

  // One step: half a kick, a turn, half a kick.
  template <class Target>
  void move(Target& target, ChainState& state, PhasePoint& z, double step) {
    stop_if_asked(stop_);
    const double cosine = std::cos(step), sine = std::sin(step);
    z.momentum += 0.5 * step * (z.gradient + z.standard);
    for (Eigen::Index i = 0; i < z.standard.size(); ++i) {
      const double x = z.standard[i], p = z.momentum[i];
      z.standard[i] = cosine * x + sine * p;
      z.momentum[i] = cosine * p - sine * x;
    }
    state.evaluate(target, z);
    z.momentum += 0.5 * step * (z.gradient + z.standard);
  }

 private:
  static bool failed(double change, const ChainState& state) {
    return !(change >= -state.max_energy_error);
  }

  // Moves the proposal from the current point, and returns the change of the energy, downwards;
  // stops where it has failed. Counts steps in `n_taken`.
  template <class Target>
  double follow(Target& target, ChainState& state, int n_steps, double step, int& n_taken) {
    proposal_ = state.current;
    double change = 0.0;
    for (int i = 0; i < n_steps; ++i) {
      move(target, state, proposal_, step);
      ++n_taken;
      change = state.current.energy() - proposal_.energy();
      if (failed(change, state)) break;
    }
    return change;
  }

  const std::atomic<bool>& stop_;
  int least_steps_;
  double most_steps_;
  int max_tree_depth_;
  double refined_share_;
  PhasePoint proposal_;
};

}  // namespace hmvn
