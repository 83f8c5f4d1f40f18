#include "hmvn/posterior/density.hpp"
#include "hmvn/posterior/posterior.hpp"

namespace hmvn {

long double long_log_density(const Model& model, const Coordinates& coordinates,
                             const std::vector<GroupStatistics>& groups,
                             const Eigen::Matrix<long double, Eigen::Dynamic, 1>& position) {
  const Density<long double, Eigen::Dynamic> density(model, coordinates, groups);
  DensityWork<long double, Eigen::Dynamic> work(density, alone);
  return density(position, work);
}

}  // namespace hmvn
