// What chains move in: points of the standardised space with their momenta, and where one chain is.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "hmvn/control/run_control.hpp"
#include "hmvn/mcmc/standardisation.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// A point of the standardised space with its momentum, and what the target says of it.
struct PhasePoint {
  Eigen::VectorXd standard, momentum, gradient;
  double log_density = -std::numeric_limits<double>::infinity();

  void resize(Eigen::Index n) {
    standard.setZero(n);
    momentum.setZero(n);
    gradient.setZero(n);
  }

  double energy() const { return 0.5 * momentum.squaredNorm() - log_density; }

  void draw_momentum(RandomStream& random) {
    for (Eigen::Index i = 0; i < momentum.size(); ++i) momentum[i] = random.normal();
  }
};

// Facts about one transition, in the words of the field.
struct TransitionStatistics {
  double accept_stat = 0.0, step_size = 0.0, energy = 0.0;
  int tree_depth = 0, n_leapfrog = 0;
  bool divergent = false;
  bool refined = false;  // in steps shorter than the state's
};

// Where one chain is: the only part of a sampler that lasts from one transition to the next.
struct ChainState {
  PhasePoint current;
  Eigen::VectorXd position, position_gradient;  // where the target was last evaluated
  Standardisation map;
  double max_energy_error = 1000.0;  // a trajectory with more has diverged
  double step_size = 1.0;

  ChainState(Eigen::Index n, MetricShape shape) : map(n, shape) {
    current.resize(n);
    position.setZero(n);
    position_gradient.setZero(n);
  }

  // Fills what the target says of a point.
  template <class Target>
  void evaluate(Target&& target, PhasePoint& z) {
    map.to_position(z.standard, position);
    z.log_density = target(position, position_gradient);
    map.standardise_gradient(position_gradient, z.gradient);
  }

  // All that lasts from one transition to the next.
  template <class Archive>
  void visit(Archive& archive) {
    archive(current.standard);
    archive(current.gradient);
    archive(current.log_density);
    archive(step_size);
    map.visit(archive);
  }

  void learn(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance) {
    map.to_position(current.standard, position);
    map.learn(mean, covariance);
    map.to_standard(position, current.standard);
  }
};

// Doubles or halves the step size, up to `largest`, until one step is accepted about half of the
// time (Hoffman and Gelman 2014, algorithm 4). `step(z)` moves a point by one.
template <class Step>
void find_reasonable_step_size(ChainState& state, PhasePoint& z, double largest,
                               RandomStream& random, const Step& step) {
  state.step_size = std::min(state.step_size, largest);
  int direction = 0;
  for (;;) {
    state.current.draw_momentum(random);
    z = state.current;
    const double energy_before = z.energy();
    step(z);
    double change = energy_before - z.energy();
    if (!std::isfinite(change)) change = -std::numeric_limits<double>::infinity();
    const int wanted = change > std::log(0.8) ? 1 : -1;
    if (direction == 0) direction = wanted;
    if (wanted != direction) return;
    const double before = state.step_size;
    state.step_size = std::min(before * (direction == 1 ? 2.0 : 0.5), largest);
    if (state.step_size == before) return;
    if (!(state.step_size < 1e7) || (direction == -1 && !(state.step_size > 1e-12))) {
      throw SamplingFailure(
          "no_step_size",
          "no step size works: the posterior is improper or its density cannot be computed");
    }
  }
}

}  // namespace hmvn
