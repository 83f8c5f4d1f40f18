// From a draw in the user's terms back to the sampler's coordinates.
#pragma once

#include <Eigen/Core>

#include "hmvn/coordinates/coordinates.hpp"
#include "hmvn/model/draw.hpp"
#include "hmvn/model/model.hpp"

namespace hmvn {

// The position at which a unit's posterior reads these heterogeneities, population and covariance
// matrices. The draw has as many groups as the coordinates; its coefficients, which a position does
// not have, are not looked at. Entries are not finite where h is so near 0 or 1 that what it scales
// cannot be told.
Eigen::VectorXd position_of_draw(const Model& model, const Coordinates& coordinates,
                                 const Draw& draw);

// What is to be added to the log density at a position, so that its integral over all positions is
// the density of the data: constants that a chain has no use for.
double log_constant(const Coordinates& coordinates);

}  // namespace hmvn
