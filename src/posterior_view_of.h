// PosteriorView for a number of features known to the compiler. Included by one translation unit for each.
#pragma once

#include <memory>
#include <vector>

#include "hmvn/model/unit_posterior.hpp"
#include "posterior_view.h"

namespace hmvn {

template <int K>
class PosteriorViewOf : public PosteriorView {
 public:
  PosteriorViewOf(const Model& model, const TransportPlan& plan, const std::vector<GroupStatistics>& groups)
      : posterior_(model, plan, groups) {}

  Eigen::Index dimension() const override { return posterior_.dimension(); }
  double log_density(const Eigen::VectorXd& position, Eigen::VectorXd& gradient) override {
    return posterior_(position, gradient);
  }
  long double log_density(const LongVector& position) const override { return posterior_.log_density(position); }
  void draw(const Eigen::VectorXd& position, RandomStream& random, Draw& out) override {
    posterior_.settle(position);
    posterior_.draw(random, out);
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
