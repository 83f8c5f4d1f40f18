// The No-U-Turn sampler: one transition of Hamiltonian Monte Carlo that chooses its own length.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "hmvn/mcmc/phase_space.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

inline double log_sum_exp(double a, double b) {
  const double high = std::max(a, b);
  if (high == -std::numeric_limits<double>::infinity()) return high;
  return high + std::log1p(std::exp(std::min(a, b) - high));
}

// What became of a trajectory that was to be extended.
enum class Extension { grown, turned, diverged };

// Multinomial sampling over the trajectory and the generalised U-turn criterion (Betancourt 2017,
// appendices A.3.2 and A.4.2), with the criterion also checked across the two half-trees: without
// that a near-iid target runs many times the steps that are due. The object is work space for
// chains of one dimension.
class Nuts {
 public:
  Nuts(Eigen::Index n, const std::atomic<bool>& stop, int max_tree_depth)
      : stop_(stop), max_tree_depth_(max_tree_depth), halves_(std::max(0, max_tree_depth - 1)) {
    for (PhasePoint* end : {&forward_, &backward_}) end->resize(n);
    for (Branch* branch : {&whole_, &extension_}) branch->resize(n);
    for (Halves& halves : halves_) {
      for (Branch* branch : {&halves.first, &halves.second}) branch->resize(n);
    }
  }

  template <class Target>
  TransitionStatistics transition(Target&& target, ChainState& state, RandomStream& random) {
    state.current.draw_momentum(random);
    forward_ = state.current;
    backward_ = state.current;
    whole_.set_to_point(state.current, 0.0);
    Trajectory trajectory{state, random, state.current.energy()};
    Extension outcome = Extension::grown;
    int depth = 0;
    while (depth < max_tree_depth_ && outcome == Extension::grown) {
      const bool go_forward = random.uniform() > 0.5;
      trajectory.step = go_forward ? state.step_size : -state.step_size;
      outcome = build(target, trajectory, depth, go_forward ? forward_ : backward_, extension_);
      if (outcome != Extension::grown) break;
      if (std::log(random.uniform()) < extension_.log_weight - whole_.log_weight)
        std::swap(whole_.proposal, extension_.proposal);
      whole_.log_weight = log_sum_exp(whole_.log_weight, extension_.log_weight);
      outcome = go_forward ? join(whole_.span, extension_.span, whole_.span)
                           : join(extension_.span, whole_.span, whole_.span);
      ++depth;
    }
    TransitionStatistics facts;
    facts.accept_stat =
        trajectory.n_leapfrog > 0 ? trajectory.accept_sum / trajectory.n_leapfrog : 0.0;
    facts.step_size = state.step_size;
    facts.energy = whole_.proposal.energy();
    facts.tree_depth = depth;
    facts.n_leapfrog = trajectory.n_leapfrog;
    facts.divergent = outcome == Extension::diverged;
    std::swap(state.current, whole_.proposal);
    return facts;
  }

  template <class Target>
  void find_reasonable_step_size(Target&& target, ChainState& state, RandomStream& random) {
    hmvn::find_reasonable_step_size(state, forward_, largest_step(), random, [&](PhasePoint& z) {
      move(target, state, z, state.step_size);
    });
  }

  double largest_step() const { return std::numeric_limits<double>::infinity(); }

  // One leapfrog step.
  template <class Target>
  void move(Target& target, ChainState& state, PhasePoint& z, double step) {
    stop_if_asked(stop_);
    z.momentum += 0.5 * step * z.gradient;
    z.standard += step * z.momentum;
    state.evaluate(target, z);
    z.momentum += 0.5 * step * z.gradient;
  }

 private:
  // What one transition carries along.
  struct Trajectory {
    ChainState& state;
    RandomStream& random;
    double initial_energy;
    double step = 0.0;  // negative: back in time
    double accept_sum = 0.0;
    int n_leapfrog = 0;
  };

  // A stretch of a trajectory: its ends' momenta and the sum of its momenta.
  struct Span {
    Eigen::VectorXd first, last, sum;
  };

  // A stretch with a point drawn from it and the log of its points' summed weights.
  struct Branch {
    Span span;
    PhasePoint proposal;
    double log_weight = 0.0;

    void resize(Eigen::Index n) {
      for (Eigen::VectorXd* v : {&span.first, &span.last, &span.sum}) v->setZero(n);
      proposal.resize(n);
    }
    void set_to_point(const PhasePoint& z, double log_weight_of_it) {
      span.first = span.last = span.sum = z.momentum;
      proposal = z;
      log_weight = log_weight_of_it;
    }
  };

  struct Halves {
    Branch first, second;
  };

  // No U-turn between two ends: the momenta there still point along the sum of the momenta.
  template <class Sum>
  static bool extends(const Eigen::VectorXd& first, const Eigen::VectorXd& last, const Sum& sum) {
    return first.dot(sum) > 0.0 && last.dot(sum) > 0.0;
  }

  // Joins two neighbouring spans in time order into `out` (which may be one of them). They have
  // turned if the whole, or either half with the nearest point of the other, has.
  static Extension join(const Span& early, const Span& late, Span& out) {
    const bool keeps_on = extends(early.first, late.last, early.sum + late.sum) &&
                          extends(early.first, late.first, early.sum + late.first) &&
                          extends(early.last, late.last, late.sum + early.last);
    out.sum = early.sum + late.sum;
    if (&out != &early) out.first = early.first;
    if (&out != &late) out.last = late.last;
    return keeps_on ? Extension::grown : Extension::turned;
  }

  // Extends the trajectory from `end` by 2^depth steps, which `out` becomes if they all are taken.
  template <class Target>
  Extension build(Target& target, Trajectory& trajectory, int depth, PhasePoint& end, Branch& out) {
    if (depth == 0) {
      move(target, trajectory.state, end, trajectory.step);
      ++trajectory.n_leapfrog;
      double change = trajectory.initial_energy - end.energy();
      if (std::isnan(change)) change = -std::numeric_limits<double>::infinity();
      trajectory.accept_sum += std::min(1.0, std::exp(change));
      out.set_to_point(end, change);
      return change < -trajectory.state.max_energy_error ? Extension::diverged : Extension::grown;
    }
    // Both halves wait here until they are joined; what they are made of waits at lower depths.
    Branch& first = halves_[depth - 1].first;
    Branch& second = halves_[depth - 1].second;
    for (Branch* half : {&first, &second}) {
      const Extension outcome = build(target, trajectory, depth - 1, end, *half);
      if (outcome != Extension::grown) return outcome;
    }
    out.log_weight = log_sum_exp(first.log_weight, second.log_weight);
    const bool take_second =
        std::log(trajectory.random.uniform()) < second.log_weight - out.log_weight;
    std::swap(out.proposal, take_second ? second.proposal : first.proposal);
    return trajectory.step > 0.0 ? join(first.span, second.span, out.span)
                                 : join(second.span, first.span, out.span);
  }

  const std::atomic<bool>& stop_;
  int max_tree_depth_;
  PhasePoint forward_, backward_;  // the trajectory's ends
  Branch whole_, extension_;
  std::vector<Halves> halves_;  // of a branch of 2, 4, 8, ... points
};

}  // namespace hmvn
