// The No-U-Turn sampler: one transition of Hamiltonian Monte Carlo that chooses its own length.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "hmvn/mcmc/phase_space.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

inline double log_sum_exp(double a, double b) {
  const double high = std::max(a, b);
  if (high == -std::numeric_limits<double>::infinity()) return high;
  return high + std::log1p(std::exp(std::min(a, b) - high));
}

// Multinomial sampling over the trajectory and the generalised U-turn criterion (Betancourt 2017,
// appendices A.3.2 and A.4.2), with the criterion also checked across the two half-trees: without
// that a near-iid target runs many times the steps that are due. The object is work space for
// chains of one dimension.
class Nuts {
 public:
  Nuts(Eigen::Index n, const std::atomic<bool>& stop, int max_tree_depth)
      : stop_(stop), max_tree_depth_(max_tree_depth), n_(n), levels_(max_tree_depth) {
    for (PhasePoint* point : {&forward_, &backward_, &proposal_}) point->resize(n_);
    whole_.resize(n_);
    for (Level& level : levels_) level.resize(n_);
  }

  template <class Target>
  TransitionStatistics transition(Target&& target, ChainState& state, RandomStream& random) {
    state_ = &state;
    state.current.draw_momentum(random);
    initial_energy_ = state.current.energy();
    divergent_ = false;
    n_leapfrog_ = 0;
    accept_sum_ = 0.0;
    forward_ = state.current;
    backward_ = state.current;
    proposal_ = state.current;
    whole_.set_to_point(state.current.momentum);
    double log_weight = 0.0;
    int depth = 0;
    for (; depth < max_tree_depth_; ++depth) {
      const bool go_forward = random.uniform() > 0.5;
      Level& level = levels_[depth];
      PhasePoint& end = go_forward ? forward_ : backward_;
      double log_weight_new = -std::numeric_limits<double>::infinity();
      if (!build(target, depth, end, go_forward ? 1.0 : -1.0, level.span, level.proposal,
                 log_weight_new, random))
        break;
      if (std::log(random.uniform()) < log_weight_new - log_weight)
        std::swap(proposal_, level.proposal);
      log_weight = log_sum_exp(log_weight, log_weight_new);
      const bool keeps_on =
          go_forward ? join(whole_, level.span, whole_) : join(level.span, whole_, whole_);
      if (!keeps_on) {
        ++depth;
        break;
      }
    }
    TransitionStatistics facts;
    facts.accept_stat = n_leapfrog_ > 0 ? accept_sum_ / n_leapfrog_ : 0.0;
    facts.step_size = state.step_size;
    facts.energy = proposal_.energy();
    facts.tree_depth = depth;
    facts.n_leapfrog = n_leapfrog_;
    facts.divergent = divergent_;
    std::swap(state.current, proposal_);
    return facts;
  }

  template <class Target>
  void find_reasonable_step_size(Target&& target, ChainState& state, RandomStream& random) {
    state_ = &state;
    hmvn::find_reasonable_step_size(state, forward_, largest_step(), random,
                                    [&](PhasePoint& z) { move(target, z, state.step_size); });
  }

  double largest_step() const { return std::numeric_limits<double>::infinity(); }

 private:
  // A stretch of a trajectory: its ends' momenta and the sum of its momenta.
  struct Span {
    Eigen::VectorXd first, last, sum;

    void resize(Eigen::Index n) {
      for (Eigen::VectorXd* v : {&first, &last, &sum}) v->setZero(n);
    }
    void set_to_point(const Eigen::VectorXd& momentum) { first = last = sum = momentum; }
  };

  struct Level {
    Span span, left, right;
    PhasePoint proposal, other;
    void resize(Eigen::Index n) {
      for (Span* s : {&span, &left, &right}) s->resize(n);
      proposal.resize(n);
      other.resize(n);
    }
  };

  // One leapfrog step.
  template <class Target>
  void move(Target& target, PhasePoint& z, double step) {
    stop_if_asked(stop_);
    z.momentum += 0.5 * step * z.gradient;
    z.standard += step * z.momentum;
    state_->evaluate(target, z);
    z.momentum += 0.5 * step * z.gradient;
  }

  // No U-turn between two ends: the momenta there still point along the sum of the momenta.
  template <class Sum>
  static bool extends(const Eigen::VectorXd& first, const Eigen::VectorXd& last, const Sum& sum) {
    return first.dot(sum) > 0.0 && last.dot(sum) > 0.0;
  }

  // Joins two neighbouring spans in time order into `out` (which may be one of them); false if the
  // whole, or either half with the nearest point of the other, has turned round.
  bool join(const Span& early, const Span& late, Span& out) {
    const bool keeps_on = extends(early.first, late.last, early.sum + late.sum) &&
                          extends(early.first, late.first, early.sum + late.first) &&
                          extends(early.last, late.last, late.sum + early.last);
    out.sum = early.sum + late.sum;
    if (&out != &early) out.first = early.first;
    if (&out != &late) out.last = late.last;
    return keeps_on;
  }

  // Extends the trajectory from `end` by 2^depth steps. Fills the span (in time order), a proposal
  // drawn from it, and its log weight; false if it diverged or turned round inside.
  template <class Target>
  bool build(Target& target, int depth, PhasePoint& end, double direction, Span& span,
             PhasePoint& proposal, double& log_weight, RandomStream& random) {
    if (depth == 0) {
      move(target, end, direction * state_->step_size);
      ++n_leapfrog_;
      double change = initial_energy_ - end.energy();
      if (std::isnan(change)) change = -std::numeric_limits<double>::infinity();
      if (change < -state_->max_energy_error) divergent_ = true;
      accept_sum_ += std::min(1.0, std::exp(change));
      log_weight = change;
      proposal = end;
      span.set_to_point(end.momentum);
      return !divergent_;
    }
    Level& level = levels_[depth - 1];
    // The first half's span and proposal are parked in this level; the second half uses the deeper
    // levels anew.
    Span& first = depth_span(depth, 0);
    Span& second = depth_span(depth, 1);
    double log_weight_first, log_weight_second;
    if (!build(target, depth - 1, end, direction, first, proposal, log_weight_first, random))
      return false;
    if (!build(target, depth - 1, end, direction, second, level.other, log_weight_second, random))
      return false;
    log_weight = log_sum_exp(log_weight_first, log_weight_second);
    if (std::log(random.uniform()) < log_weight_second - log_weight)
      std::swap(proposal, level.other);
    return direction > 0 ? join(first, second, span) : join(second, first, span);
  }

  Span& depth_span(int depth, int half) {
    return half == 0 ? levels_[depth - 1].left : levels_[depth - 1].right;
  }

  const std::atomic<bool>& stop_;
  int max_tree_depth_;
  Eigen::Index n_;
  ChainState* state_ = nullptr;  // of the chain that is being moved
  double initial_energy_ = 0.0, accept_sum_ = 0.0;
  int n_leapfrog_ = 0;
  bool divergent_ = false;
  PhasePoint forward_, backward_, proposal_;
  Span whole_;
  std::vector<Level> levels_;
};

}  // namespace hmvn
