// A unit's posterior density as seen from outside the sampler, whatever the number of features: for
// the tests.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "hmvn/model/draw.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/model/sufficient_statistics.hpp"
#include "hmvn/model/transport_plan.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

class PosteriorView {
 public:
  using LongVector = Eigen::Matrix<long double, Eigen::Dynamic, 1>;

  virtual ~PosteriorView() = default;
  virtual Eigen::Index dimension() const = 0;
  virtual double log_density(const Eigen::VectorXd& position, Eigen::VectorXd& gradient) = 0;
  virtual long double log_density(const LongVector& position) const = 0;  // by the same template
  virtual void draw(const Eigen::VectorXd& position, RandomStream& random, Draw& out) = 0;

  // The densities of single groups: from one position to another, group by group. Column g of the
  // matrices is of the group's own coordinates, `difference` central.
  struct Blocks {
    Eigen::MatrixXd gradient, difference;
    double gathered,
        settled;  // the whole density there, from what the groups left and computed anew
  };
  virtual Blocks move_groups(const Eigen::VectorXd& from, const Eigen::VectorXd& to,
                             RandomStream& random) = 0;
};

// Keeps references to model and plan.
std::unique_ptr<PosteriorView> view_posterior(const Model& model, const TransportPlan& plan,
                                              const std::vector<GroupStatistics>& groups);

}  // namespace hmvn
