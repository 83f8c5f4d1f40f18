// The chain of a unit: transitions of the No-U-Turn sampler in blocks, first on what groups share, then on every group
// by itself. Here model and sampler meet.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "hmvn/mcmc/chain.hpp"
#include "hmvn/mcmc/nuts.hpp"
#include "hmvn/model/unit_posterior.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Uniform on (-radius, radius) in every coordinate; the posterior is left settled there.
template <int K>
Eigen::VectorXd initial_position(UnitPosterior<K>& posterior, double radius, RandomStream& random) {
  Eigen::VectorXd position(posterior.dimension());
  for (int tries = 0; tries < 100; ++tries) {
    for (Eigen::Index i = 0; i < position.size(); ++i) position[i] = radius * (2.0 * random.uniform() - 1.0);
    if (std::isfinite(posterior.settle(position))) return position;
    radius *= 0.9;  // far starts can overflow; the centre is where the posterior was located
  }
  throw std::runtime_error("no starting point with a finite log density was found in 100 tries");
}

// Facts about one iteration over all blocks. `energy` has a meaning only where there is one block.
struct IterationFacts {
  TransitionStatistics transition;
  int n_blocks = 1;
};

// Given what they share, groups are independent, so that each takes steps of the size that suits it, and the work of an
// iteration grows with the number of groups and no faster. The coordinates in which the blocks are sampled are
// standardised given each other (group_transport.hpp), which is what lets them move far in one iteration.
template <int K>
class NutsBlocks {
 public:
  NutsBlocks(UnitPosterior<K>& posterior, const ChainSettings& settings, double target_accept_scarce, RandomStream random,
             const std::atomic<bool>& stop)
      : posterior_(posterior), layout_(posterior.layout()), random_(random),
        shared_nuts_(layout_.own, stop, settings.max_tree_depth), own_nuts_(layout_.n_own(), stop, settings.max_tree_depth),
        position_(initial_position(posterior, settings.init_radius, random_)) {
    if (has_shared()) {
      ChainSettings dense = settings;
      dense.metric = MetricShape::dense;
      dense.dynamics = Dynamics::turning;
      dense.max_energy_error *= layout_.n_groups;  // energies add up over groups
      shared_.emplace_back(shared_target(), shared_nuts_, position_.head(layout_.own), dense, random_);
    }
    posterior_.settle(position_);
    if (!has_own()) return;
    posterior_.condition(random_);
    ChainSettings scarce = settings;
    scarce.target_accept = target_accept_scarce;
    for (int g = 0; g < layout_.n_groups; ++g) {
      own_.emplace_back(own_target(g), own_nuts_, own_position(g), posterior_.is_scarce(g) ? scarce : settings, random_);
    }
    posterior_.settle(position_);  // the chains have looked around
  }

  IterationFacts advance() {
    IterationFacts facts;
    facts.n_blocks = static_cast<int>(shared_.size() + own_.size());
    if (has_shared()) {
      shared_[0].look_again([this](const Eigen::VectorXd&, Eigen::VectorXd& gradient) {
        return shared_with_gradient(posterior_.here(), gradient);
      });
      facts.transition = shared_[0].advance(shared_target(), shared_nuts_, random_);
      position_.head(layout_.own) = shared_[0].position();
      if (!has_own()) posterior_.settle(position_);
    }
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
  Eigen::Ref<Eigen::VectorXd> own_position(int g) {
    return position_.segment(layout_.own + g * layout_.n_own(), layout_.n_own());
  }

  void advance_groups(IterationFacts& facts) {
    if (has_shared()) posterior_.settle(position_);
    posterior_.condition(random_);
    TransitionStatistics& all = facts.transition;
    double accept = all.accept_stat, steps = 0.0;
    for (int g = 0; g < layout_.n_groups; ++g) {
      own_[g].look_again([this, g](const Eigen::VectorXd&, Eigen::VectorXd& gradient) {
        return group_with_gradient(g, posterior_.group_here(g), gradient);
      });
      const TransitionStatistics one = own_[g].advance(own_target(g), own_nuts_, random_);
      own_position(g) = own_[g].position();
      accept += one.accept_stat;
      steps += one.n_leapfrog;
      all.tree_depth = std::max(all.tree_depth, one.tree_depth);
      all.divergent = all.divergent || one.divergent;
      if (!has_shared()) {
        all.step_size = one.step_size;
        all.energy = one.energy;
      }
    }
    all.accept_stat = accept / facts.n_blocks;
    all.n_leapfrog += static_cast<int>(std::lround(steps / layout_.n_groups));
    posterior_.settle(position_);
  }

  UnitPosterior<K>& posterior_;
  const Layout& layout_;
  RandomStream random_;
  Nuts shared_nuts_, own_nuts_;
  Eigen::VectorXd position_;
  std::vector<Chain> shared_, own_;  // none or one; none or one a group
};

}  // namespace hmvn
