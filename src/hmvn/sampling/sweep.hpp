// The chain of a unit: transitions on what groups share, then on every group by itself. Here model
// and sampler meet.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "hmvn/mcmc/chain.hpp"
#include "hmvn/mcmc/start.hpp"
#include "hmvn/posterior/posterior.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// The settings of chains on what is shared, and on the own quantities of groups with few rows and
// of the others.
struct SweepSettings {
  ChainSettings shared, scarce, own;
};

// What moves the parts of a sweep.
template <class Mover>
struct Movers {
  Mover shared, own;
};

// A sweep has parts: what groups share, if anything, and every group's own quantities, if any.
// Given what they share, groups are independent, so that each takes steps of the size that suits
// it, and the work of an iteration grows with the number of groups and no faster. The coordinates
// of the parts are standardised given each other (C5)-(C9), which is what lets them move far in one
// iteration. `Mover`: see mcmc/contracts.hpp.
template <class Mover>
class Sweep {
 public:
  Sweep(Posterior& posterior, const SweepSettings& settings, RandomStream random,
        const Movers<Mover>& movers, const std::atomic<bool>& stop)
      : posterior_(posterior), layout_(posterior.layout()), random_(random), movers_(movers) {
    const Eigen::VectorXd start =
        find_start(layout_.dimension(), settings.shared.init_radius, stop, random_,
                   [&](const Eigen::VectorXd& x) { return posterior.move(x); });
    if (has_shared()) {
      shared_.emplace_back(shared_target(), movers_.shared, start.head(layout_.n_shared()),
                           settings.shared, random_);
    }
    if (!has_own()) return;
    posterior_.draw_population(random_);
    for (int g = 0; g < layout_.n_groups; ++g) {
      const Range own = layout_.own(g);
      own_.emplace_back(own_target(g), movers_.own, start.segment(own.begin, own.size),
                        posterior_.is_scarce(g) ? settings.scarce : settings.own, random_);
    }
  }

  int n_parts() const { return static_cast<int>(shared_.size() + own_.size()); }

  // Facts about one iteration over all parts. The energy has a meaning only where there is one.
  TransitionStatistics advance() {
    TransitionStatistics facts;
    if (has_shared()) advance_shared(facts);
    if (has_own()) advance_groups(facts);
    if (every_chain([](const Chain& chain) { return chain.settled(); })) {
      for (std::vector<Chain>* part : {&shared_, &own_}) {
        for (Chain& chain : *part) chain.finish_warmup();
      }
    }
    return facts;
  }

  bool warmed_up() const {
    return every_chain([](const Chain& chain) { return chain.warmed_up(); });
  }

  // A draw at the position reached.
  void read(Draw& out) { posterior_.read(random_, out); }

  template <class Archive>
  void visit(Archive& archive) {
    random_.visit(archive);
    for (Chain& chain : shared_) chain.visit(archive);
    for (Chain& chain : own_) chain.visit(archive);
    Eigen::VectorXd position = posterior_.position();
    archive(position);
    posterior_.move(position);
  }

 private:
  bool has_shared() const { return layout_.n_shared() > 0; }
  bool has_own() const { return layout_.n_own() > 0; }

  template <class Is>
  bool every_chain(const Is& is) const {
    return std::all_of(shared_.begin(), shared_.end(), is) &&
           std::all_of(own_.begin(), own_.end(), is);
  }

  auto shared_target() {
    return [this](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
      return posterior_.shared(x, gradient);
    };
  }
  auto own_target(int g) {
    return [this, g](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
      return posterior_.group(g, x, gradient);
    };
  }

  void advance_shared(TransitionStatistics& facts) {
    Chain& chain = shared_[0];
    if (has_own()) chain.look_again(shared_target());  // groups have moved
    facts = chain.advance(shared_target(), movers_.shared, random_);
    posterior_.move_shared(chain.position());
  }

  void advance_groups(TransitionStatistics& facts) {
    posterior_.draw_population(random_);
    double accept = facts.accept_stat, steps = 0.0, step_size = 0.0;
    for (int g = 0; g < layout_.n_groups; ++g) {
      Chain& chain = own_[g];
      chain.look_again(own_target(g));  // what is shared has moved
      const TransitionStatistics one = chain.advance(own_target(g), movers_.own, random_);
      posterior_.move_group(g, chain.position());
      accept += one.accept_stat;
      steps += one.n_leapfrog;
      facts.tree_depth = std::max(facts.tree_depth, one.tree_depth);
      facts.divergent = facts.divergent || one.divergent;
      step_size += one.step_size;
      if (!has_shared()) facts.energy = one.energy;
    }
    facts.accept_stat = accept / n_parts();
    if (!has_shared()) facts.step_size = step_size / layout_.n_groups;
    facts.n_leapfrog += static_cast<int>(std::lround(steps / layout_.n_groups));
  }

  Posterior& posterior_;
  const Layout& layout_;
  RandomStream random_;
  Movers<Mover> movers_;
  std::vector<Chain> shared_, own_;  // none or one; none or one a group
};

}  // namespace hmvn
