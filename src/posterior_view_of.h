// PosteriorView for a number of features known to the compiler. Included by one translation unit
// for each.
#pragma once

#include <memory>
#include <vector>

#include "hmvn/model/unit_posterior.hpp"
#include "posterior_view.h"

namespace hmvn {

template <int K>
class PosteriorViewOf : public PosteriorView {
 public:
  PosteriorViewOf(const Model& model, const TransportPlan& plan,
                  const std::vector<GroupStatistics>& groups)
      : posterior_(model, plan, groups) {}

  Eigen::Index dimension() const override { return posterior_.dimension(); }
  double log_density(const Eigen::VectorXd& position, Eigen::VectorXd& gradient) override {
    return posterior_(position, gradient);
  }
  long double log_density(const LongVector& position) const override {
    return posterior_.log_density(position);
  }
  void draw(const Eigen::VectorXd& position, RandomStream& random, Draw& out) override {
    posterior_.settle(position);
    posterior_.draw(random, out);
  }
  Blocks move_groups(const Eigen::VectorXd& from, const Eigen::VectorXd& to,
                     RandomStream& random) override {
    const Layout& layout = posterior_.layout();
    const int n_own = layout.n_own();
    constexpr double step = 1e-5;
    Blocks out{Eigen::MatrixXd(n_own, layout.n_groups), Eigen::MatrixXd(n_own, layout.n_groups),
               0.0, 0.0};
    posterior_.settle(from);
    posterior_.condition(random);
    Eigen::VectorXd x, gradient(n_own);
    for (int g = 0; g < layout.n_groups; ++g) {
      const auto own = to.segment(layout.own + g * n_own, n_own);
      for (int i = 0; i < n_own; ++i) {
        const auto at = [&](double shift) {
          x = own;
          x[i] += shift;
          return posterior_.group(g, x);
        };
        out.difference(i, g) = (at(step) - at(-step)) / (2.0 * step);
      }
      posterior_.group(g, own);
      posterior_.group_gradient(g, gradient);
      out.gradient.col(g) = gradient;
    }
    out.gathered = posterior_.gather();
    x = from;
    x.tail(n_own * layout.n_groups) = to.tail(n_own * layout.n_groups);
    out.settled = posterior_.settle(x);
    return out;
  }

 private:
  UnitPosterior<K> posterior_;
};

template <int K>
std::unique_ptr<PosteriorView> view_posterior_of(const Model& model, const TransportPlan& plan,
                                                 const std::vector<GroupStatistics>& groups) {
  return std::make_unique<PosteriorViewOf<K>>(model, plan, groups);
}

}  // namespace hmvn
