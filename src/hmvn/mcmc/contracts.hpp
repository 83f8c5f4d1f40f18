// What chains ask of a target and of a mover: in words, then in code.
#pragma once

#include <Eigen/Core>
#include <type_traits>
#include <utility>

#include "hmvn/mcmc/phase_space.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// A target is a distribution. `double target(position, gradient)` returns its log density at a
// position, up to a constant, and fills the gradient, whose length is that of the position.
//   Failure    A position where it cannot be computed has log density -inf, or NaN: a trajectory
//              that comes there has diverged. The gradient may then be anything.
//   Constancy  The same position gives the same values throughout an iteration. Between two, the
//              target's owner may change it, and then calls Chain::look_again().
//   Lifetime   Neither vector outlives the call.
template <class Target>
constexpr void require_target() {
  static_assert(std::is_invocable_r_v<double, Target&, const Eigen::VectorXd&, Eigen::VectorXd&>,
                "a target is called with a position and its gradient, and returns the log density");
}

// A mover moves a state about a target in its standardised space, where momenta are standard
// normal.
//   move       One step: keeps volume, leads back if the momentum is turned about, and changes the
//              energy by no more than the order of step^2 in a given time.
//   transition Draws a momentum and replaces state.current by a point of its trajectory, all of it
//              filled, so that the target's distribution stays as it is; leaves step size and map.
//   find_reasonable_step_size
//              Sets state.step_size to where a step's acceptance begins to fall.
//   largest_step
//              No step is to be longer, as acceptance would say nothing of it; may be infinite.
// All but the last throw StopRequested when the owner asks them to stop; a state that was moved
// then is not gone on with.
template <class Mover, class Target>
constexpr void require_mover() {
  using Fact = decltype(std::declval<Mover&>().transition(
      std::declval<Target&>(), std::declval<ChainState&>(), std::declval<RandomStream&>()));
  using Step = decltype(std::declval<const Mover&>().largest_step());
  using Move = decltype(std::declval<Mover&>().move(
      std::declval<Target&>(), std::declval<ChainState&>(), std::declval<PhasePoint&>(), 1.0));
  using Search = decltype(std::declval<Mover&>().find_reasonable_step_size(
      std::declval<Target&>(), std::declval<ChainState&>(), std::declval<RandomStream&>()));
  static_assert(std::is_same_v<Fact, TransitionStatistics>, "a transition returns its statistics");
  static_assert(std::is_same_v<Step, double>, "the largest step is a number");
  static_assert(std::is_void_v<Move> && std::is_void_v<Search>, "these change what they are given");
}

}  // namespace hmvn
