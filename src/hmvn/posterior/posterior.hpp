// The contract of a unit's posterior: what a chain asks of it, whatever the number of features.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "hmvn/coordinates/bundles.hpp"
#include "hmvn/coordinates/coordinates.hpp"
#include "hmvn/model/draw.hpp"
#include "hmvn/model/group_statistics.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// The posterior of a sampling unit, in the sampler's coordinates (see Layout). It stands at a
// position, and **evaluating never moves it**: only the functions called move...() do. What was
// computed at one place and asked for again is not computed twice.
//
// A density is -infinity where it cannot be computed; the gradient is then not defined.
class Posterior {
 public:
  virtual ~Posterior() = default;

  virtual const Layout& layout() const = 0;
  virtual const Bundles& bundles() const = 0;
  // Group g has rows, but few for a covariance matrix of its own, counted in cells.
  virtual bool is_scarce(int g) const = 0;

  virtual const Eigen::VectorXd& position() const = 0;
  // Moves to a position; returns the log density there.
  virtual double move(const Eigen::VectorXd& position) = 0;

  // The log density, coefficients integrated out, with what groups share at x and their own
  // coordinates as they stand; and its gradient in x.
  virtual double shared(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) = 0;
  virtual void move_shared(const Eigen::VectorXd& x) = 0;

  // Draws the population of the coefficients, integrated out in shared(), where the posterior
  // stands. From here to the next move_shared() groups are independent: group() and move_group()
  // may be called at the same time for groups of different bundles, and only they.
  virtual void draw_population(RandomStream& random) = 0;

  // The log density of group g's own coordinates at x given that population, up to a constant; and
  // its gradient in x.
  virtual double group(int g, const Eigen::VectorXd& x, Eigen::VectorXd& gradient) = 0;
  virtual void move_group(int g, const Eigen::VectorXd& x) = 0;

  // The log density and its gradient at any position.
  virtual double whole(const Eigen::VectorXd& position, Eigen::VectorXd& gradient) = 0;

  // Reads the place where it stands, which must have a density, in the user's terms; the
  // coefficients are drawn from their exact law given the rest.
  virtual void read(RandomStream& random, Draw& out) = 0;
};

// Keeps references to the model, to its coordinates, and to the crew, which works on bundles of
// groups.
std::unique_ptr<Posterior> make_posterior(const Model& model, const Coordinates& coordinates,
                                          std::vector<GroupStatistics> groups, Crew& crew);

// The density of make_posterior() by the same text in long double: for tests of the gradient.
long double long_log_density(const Model& model, const Coordinates& coordinates,
                             const std::vector<GroupStatistics>& groups,
                             const Eigen::Matrix<long double, Eigen::Dynamic, 1>& position);

}  // namespace hmvn
