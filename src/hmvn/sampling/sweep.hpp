// The chain of a unit: transitions on what groups share, then on every group by itself. Here model
// and sampler meet.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
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
// Given what they share, groups are independent: each takes steps of the size that suits it, the
// work of an iteration grows with the number of groups and no faster, and groups may be moved at
// the same time, as each is given a random stream of its own in every iteration. The coordinates of
// the parts are standardised given each other (C5)-(C9), which is what lets them move far in one
// iteration. `Mover`: see mcmc/contracts.hpp.
template <class Mover>
class Sweep {
 public:
  Sweep(Posterior& posterior, const SweepSettings& settings, RandomStream random,
        const Movers<Mover>& movers, const std::atomic<bool>& stop)
      : posterior_(posterior),
        layout_(posterior.layout()),
        random_(random),
        shared_mover_(movers.shared),
        benches_(static_cast<std::size_t>(posterior.bundles().n_bundles()),
                 Bench{movers.own, {}, {}}) {
    const Eigen::VectorXd start =
        find_start(layout_.dimension(), settings.shared.init_radius, stop, random_,
                   [&](const Eigen::VectorXd& x) { return posterior.move(x); });
    if (has_shared()) {
      shared_.emplace_back(shared_target(), shared_mover_, start.head(layout_.n_shared()),
                           settings.shared, random_);
    }
    if (!has_own()) return;
    posterior_.draw_population(random_);
    for (int g = 0; g < layout_.n_groups; ++g) {
      const Range own = layout_.own(g);
      own_.emplace_back(own_target(g), benches_[0].mover, start.segment(own.begin, own.size),
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
    facts = chain.advance(shared_target(), shared_mover_, random_);
    posterior_.move_shared(chain.position());
  }

  // Facts about groups, summed up.
  struct GroupFacts {
    double accept = 0.0, steps = 0.0, step_size = 0.0, energy = 0.0;
    int tree_depth = 0;
    bool divergent = false;

    void add(const TransitionStatistics& one) {
      add(GroupFacts{one.accept_stat, static_cast<double>(one.n_leapfrog), one.step_size,
                     one.energy, one.tree_depth, one.divergent});
    }
    void add(const GroupFacts& some) {
      accept += some.accept;
      steps += some.steps;
      step_size += some.step_size;
      energy = some.energy;  // of the last
      tree_depth = std::max(tree_depth, some.tree_depth);
      divergent = divergent || some.divergent;
    }
  };

  // Moves the groups of one bundle after the other.
  struct Bench {
    Mover mover;
    GroupFacts facts;
    char apart[64];  // lest two bundles' benches share a line of the cache
  };

  void advance_groups(TransitionStatistics& facts) {
    posterior_.draw_population(random_);
    const Bundles& bundles = posterior_.bundles();
    const std::uint64_t seed = random_.next();
    bundles.for_each([&](int b) {
      GroupFacts of_bundle;
      const Range groups = bundles.groups(b);
      for (int g = groups.begin; g < groups.end(); ++g) {
        of_bundle.add(advance_group(g, benches_[b].mover, seed));
      }
      benches_[b].facts = of_bundle;
    });
    GroupFacts all;
    for (const Bench& bench : benches_) all.add(bench.facts);
    facts.accept_stat = (facts.accept_stat + all.accept) / n_parts();
    facts.tree_depth = std::max(facts.tree_depth, all.tree_depth);
    facts.divergent = facts.divergent || all.divergent;
    facts.n_leapfrog += static_cast<int>(std::lround(all.steps / layout_.n_groups));
    if (has_shared()) return;
    facts.energy = all.energy;
    facts.step_size = all.step_size / layout_.n_groups;
  }

  TransitionStatistics advance_group(int g, Mover& mover, std::uint64_t seed) {
    Chain& chain = own_[g];
    RandomStream random(seed, static_cast<std::uint64_t>(g), 0);
    chain.look_again(own_target(g));  // what is shared has moved
    const TransitionStatistics facts = chain.advance(own_target(g), mover, random);
    posterior_.move_group(g, chain.position());
    return facts;
  }

  Posterior& posterior_;
  const Layout& layout_;
  RandomStream random_;
  Mover shared_mover_;
  std::vector<Bench> benches_;       // of the bundles
  std::vector<Chain> shared_, own_;  // none or one; none or one a group
};

}  // namespace hmvn
