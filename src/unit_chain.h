// The chain of a unit: transitions in blocks, first on what groups share, then on every group by
// itself. Here model and sampler meet.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "hmvn/mcmc/chain.hpp"
#include "hmvn/mcmc/phase_space.hpp"
#include "hmvn/model/unit_posterior.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Uniform on (-radius, radius) in every coordinate; the posterior is left settled there.
template <int K>
Eigen::VectorXd initial_position(UnitPosterior<K>& posterior, double radius, RandomStream& random) {
  Eigen::VectorXd position(posterior.dimension());
  for (int tries = 0; tries < 100; ++tries) {
    for (Eigen::Index i = 0; i < position.size(); ++i)
      position[i] = radius * (2.0 * random.uniform() - 1.0);
    if (std::isfinite(posterior.settle(position))) return position;
    radius *= 0.9;  // far starts can overflow; the centre is where the posterior was located
  }
  throw std::runtime_error("no starting point with a finite log density was found in 100 tries");
}

// Given what they share, groups are independent, so that each takes steps of the size that suits
// it, and the work of an iteration grows with the number of groups and no faster. The coordinates
// in which the blocks are sampled are standardised given each other (group_transport.hpp), which is
// what lets them move far in one iteration: by quarter turns, unless NUTS is asked for. `Mover` is
// Nuts or QuarterTurn.
template <int K, class Mover>
class UnitChain {
 public:
  UnitChain(UnitPosterior<K>& posterior, const ChainSettings& settings, double target_accept_scarce,
            RandomStream random, Mover shared_mover, Mover own_mover)
      : posterior_(posterior),
        layout_(posterior.layout()),
        random_(random),
        shared_mover_(std::move(shared_mover)),
        own_mover_(std::move(own_mover)) {
    const Eigen::VectorXd start = initial_position(posterior, settings.init_radius, random_);
    if (has_shared()) {
      ChainSettings dense = settings;
      dense.metric = MetricShape::dense;
      dense.max_energy_error *= layout_.n_groups;  // energies add up over groups
      shared_.emplace_back(shared_target(), shared_mover_, start.head(layout_.own), dense, random_);
      if (!shared_[0].is_target_here()) posterior_.shared(shared_[0].position());
    }
    if (!has_own()) return;
    posterior_.condition(random_);
    ChainSettings scarce = settings;
    scarce.target_accept = target_accept_scarce;
    for (int g = 0; g < layout_.n_groups; ++g) {
      const Eigen::VectorXd own = start.segment(layout_.own + g * layout_.n_own(), layout_.n_own());
      own_.emplace_back(own_target(g), own_mover_, own, posterior_.is_scarce(g) ? scarce : settings,
                        random_);
      if (!own_[g].is_target_here()) posterior_.group(g, own_[g].position());
    }
    posterior_.gather();
  }

  int n_blocks() const { return static_cast<int>(shared_.size() + own_.size()); }

  // Facts about one iteration over all blocks. The energy has a meaning only where there is one
  // block.
  TransitionStatistics advance() {
    TransitionStatistics facts;
    if (has_shared()) advance_shared(facts);
    if (has_own()) advance_groups(facts);
    return facts;
  }

  // A draw at the position reached.
  void draw(Draw& out) { posterior_.draw(random_, out); }

 private:
  bool has_shared() const { return layout_.own > 0; }
  bool has_own() const { return layout_.n_own() > 0; }

  auto shared_target() {
    return [this](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
      return shared_with_gradient(posterior_.shared(x), gradient);
    };
  }
  auto own_target(int g) {
    return [this, g](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
      return group_with_gradient(g, posterior_.group(g, x), gradient);
    };
  }
  double shared_with_gradient(double value, Eigen::VectorXd& gradient) {
    return std::isfinite(value) && posterior_.shared_gradient(gradient) ? value : failed;
  }
  double group_with_gradient(int g, double value, Eigen::VectorXd& gradient) {
    gradient.resize(layout_.n_own());
    return std::isfinite(value) && posterior_.group_gradient(g, gradient) ? value : failed;
  }
  static constexpr double failed = -std::numeric_limits<double>::infinity();

  void advance_shared(TransitionStatistics& facts) {
    Chain& chain = shared_[0];
    if (has_own()) {
      chain.look_again([this](const Eigen::VectorXd&, Eigen::VectorXd& gradient) {
        return shared_with_gradient(posterior_.here(), gradient);
      });
    }
    facts = chain.advance(shared_target(), shared_mover_, random_);
    if (!chain.is_target_here()) posterior_.shared(chain.position());
  }

  void advance_groups(TransitionStatistics& facts) {
    posterior_.condition(random_);
    double accept = facts.accept_stat, steps = 0.0, step_size = 0.0;
    for (int g = 0; g < layout_.n_groups; ++g) {
      Chain& chain = own_[g];
      chain.look_again([this, g](const Eigen::VectorXd&, Eigen::VectorXd& gradient) {
        return group_with_gradient(g, posterior_.group_here(g), gradient);
      });
      const TransitionStatistics one = chain.advance(own_target(g), own_mover_, random_);
      if (!chain.is_target_here()) posterior_.group(g, chain.position());
      accept += one.accept_stat;
      steps += one.n_leapfrog;
      facts.tree_depth = std::max(facts.tree_depth, one.tree_depth);
      facts.divergent = facts.divergent || one.divergent;
      step_size += one.step_size;
      if (!has_shared()) facts.energy = one.energy;
    }
    facts.accept_stat = accept / n_blocks();
    if (!has_shared()) facts.step_size = step_size / layout_.n_groups;
    facts.n_leapfrog += static_cast<int>(std::lround(steps / layout_.n_groups));
    posterior_.gather();
  }

  UnitPosterior<K>& posterior_;
  const Layout& layout_;
  RandomStream random_;
  Mover shared_mover_, own_mover_;
  std::vector<Chain> shared_, own_;  // none or one; none or one a group
};

}  // namespace hmvn
