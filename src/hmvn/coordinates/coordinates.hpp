// The constants of the map from the sampler's standardised coordinates to scores, which serves
// centred and non-centred alike.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <vector>

#include "hmvn/control/run_control.hpp"
#include "hmvn/coordinates/group_constants.hpp"
#include "hmvn/coordinates/heterogeneity_map.hpp"
#include "hmvn/coordinates/layout.hpp"
#include "hmvn/model/group_statistics.hpp"
#include "hmvn/model/model.hpp"

namespace hmvn {

// With u_g = v + H e_g (S4) and a group's likelihood near a normal one with information J and
// linear term b (reference.hpp), e_g given v and H is near normal with precision B = I + H J H and
// mean B^-1 H (b - J v) (C5). The sampler's x_g is e_g standardised by exactly these (C6), with a
// root of B that is cheap for every H (C7). Where the data say little or H is near 0 this is the
// non-centred form, where they say much the centred one, and each direction of each group gets its
// own. The population scores are standardised likewise, one by one, given H (C8), and each h by
// what the data say of it (C9); the common ones by a constant map. All of it is only a change of
// variables: its Jacobian is part of the density.
struct Coordinates {
  Layout layout;
  std::vector<GroupConstants<Eigen::Dynamic>> groups;
  Eigen::MatrixXd population_information;  // partial x groups: j, of the group's own estimate c
  Eigen::MatrixXd population_b;            // partial x groups: j c
  Eigen::VectorXd common_center;
  Eigen::MatrixXd common_spread;                  // L^-T, L L' the common scores' precision
  std::vector<HeterogeneityMap> heterogeneities;  // of every learned h
};

Coordinates make_coordinates(const Model& model, const std::vector<GroupStatistics>& groups,
                             const std::atomic<bool>& stop);

}  // namespace hmvn
