// The posterior of a sampling unit for K features, known to the compiler or Eigen::Dynamic: the
// only code that is compiled once for every K.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "hmvn/posterior/density.hpp"
#include "hmvn/posterior/posterior.hpp"
#include "hmvn/posterior/read.hpp"

namespace hmvn {

// Where `work_` was filled is remembered part by part, beside where the posterior stands: the
// shared part in `shared_at_` and each group's own in a column of `own_at_`. What differs is filled
// anew when it is needed, and only then.
template <int K>
class PosteriorOf : public Posterior {
 public:
  PosteriorOf(const Model& model, const Coordinates& coordinates,
              std::vector<GroupStatistics> groups, Crew& crew)
      : layout_(coordinates.layout),
        density_(model, coordinates, std::move(groups)),
        work_(density_, crew),
        gradient_(density_, work_.bundles.n_bundles()),
        reader_(density_) {
    position_.setZero(layout_.dimension());
    at_ = position_;
    population_.setZero(model.n_coefficients());
  }

  const Layout& layout() const override { return layout_; }
  const Bundles& bundles() const override { return work_.bundles; }

  bool is_scarce(int g) const override {
    double cells = 0.0;
    for (const PatternStatistics& pattern : density_.groups()[g].patterns) {
      cells += pattern.n * pattern.n_observed;
    }
    const double n_features = density_.model().n_features();
    return cells > 0.0 && cells < n_features * (n_features + 10.0);
  }

  const Eigen::VectorXd& position() const override { return position_; }

  double move(const Eigen::VectorXd& position) override {
    position_ = position;
    return settle();
  }

  double shared(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) override {
    const Eigen::Index n_own = position_.size() - layout_.n_shared();
    if (at_shared(x)) {
      settle_groups();
    } else {
      at_.head(layout_.n_shared()) = x;
      at_.tail(n_own) = position_.tail(n_own);
      fill();
    }
    if (!differentiate()) return failed;
    gradient = whole_gradient_.head(layout_.n_shared());
    return value_;
  }

  void move_shared(const Eigen::VectorXd& x) override { position_.head(layout_.n_shared()) = x; }

  void draw_population(RandomStream& random) override {
    settle();
    summed_ = false;  // groups' parts of the coefficients' law will not be those of the whole
    work_.coefficients.draw_population(random, score_, population_);
  }

  double group(int g, const Eigen::VectorXd& x, Eigen::VectorXd& gradient) override {
    if (!at_shared(position_.head(layout_.n_shared()))) {
      throw std::logic_error("a group is looked at before its population was drawn");
    }
    if (!at_group(g, x) && !fill_group(g, x)) return failed;
    const double value = density_.of_group(g, population_, work_);
    if (!std::isfinite(value)) return failed;
    gradient_.of_group(g, work_, gradient);
    return gradient.allFinite() ? value : failed;
  }

  void move_group(int g, const Eigen::VectorXd& x) override {
    const Range own = layout_.own(g);
    position_.segment(own.begin, own.size) = x;
  }

  double whole(const Eigen::VectorXd& position, Eigen::VectorXd& gradient) override {
    at_ = position;
    fill();
    if (!differentiate()) {
      gradient.setZero(position.size());
      return failed;
    }
    gradient = whole_gradient_;
    return value_;
  }

  void read(RandomStream& random, Draw& out) override {
    if (!std::isfinite(settle())) throw std::logic_error("read at a place without a density");
    reader_(work_, random, out);
  }

 private:
  static constexpr double failed = -std::numeric_limits<double>::infinity();

  template <class X>
  bool at_shared(const X& x) const {
    return shared_filled_ && at_.head(layout_.n_shared()) == x;
  }
  template <class X>
  bool at_group(int g, const X& x) const {
    const Range own = layout_.own(g);
    return group_filled_[g] && at_.segment(own.begin, own.size) == x;
  }

  // Fills everything at `at_`. As soon as that fails nothing is taken to be filled.
  void fill() {
    value_ = density_(at_, work_);
    shared_filled_ = summed_ = std::isfinite(value_);
    group_filled_.assign(static_cast<std::size_t>(layout_.n_groups), shared_filled_);
  }

  template <class X>
  bool fill_group(int g, const X& x) {
    const Range own = layout_.own(g);
    at_.segment(own.begin, own.size) = x;
    group_filled_[g] = density_.fill_group(g, x, work_);
    return group_filled_[g];
  }

  // Fills what is not filled where the posterior stands; the log density there.
  double settle() {
    if (at_shared(position_.head(layout_.n_shared()))) {
      settle_groups();
    } else {
      at_ = position_;
      fill();
    }
    return value_;
  }

  // The same where what is shared is filled.
  void settle_groups() {
    const Eigen::Index n_own = position_.size() - layout_.n_shared();
    if (summed_ && at_.tail(n_own) == position_.tail(n_own)) return;
    value_ = density_.over_groups(work_, [&](int g) {
      const Range own = layout_.own(g);
      const auto x = position_.segment(own.begin, own.size);
      return at_group(g, x) || fill_group(g, x);
    });
    summed_ = std::isfinite(value_);
  }

  // The gradient at `at_`; false if density or gradient are not finite there.
  bool differentiate() {
    if (!std::isfinite(value_)) return false;
    gradient_(at_, work_, whole_gradient_);
    return whole_gradient_.allFinite();
  }

  const Layout& layout_;
  Density<double, K> density_;
  DensityWork<double, K> work_;
  DensityGradient<K> gradient_;
  PosteriorReader<K> reader_;
  Eigen::VectorXd position_;  // where it stands
  Eigen::VectorXd at_;        // where `work_` was filled
  bool shared_filled_ = false, summed_ = false;
  std::vector<char> group_filled_;
  double value_ = failed;  // at `at_`, if summed
  Eigen::VectorXd whole_gradient_, score_;
  Eigen::VectorXd population_;  // T u_0 of the coefficients, since draw_population()
};

template <int K>
std::unique_ptr<Posterior> make_posterior_of(const Model& model, const Coordinates& coordinates,
                                             std::vector<GroupStatistics> groups, Crew& crew) {
  return std::make_unique<PosteriorOf<K>>(model, coordinates, std::move(groups), crew);
}

}  // namespace hmvn
