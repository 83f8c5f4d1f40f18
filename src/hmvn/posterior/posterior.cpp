#include "hmvn/posterior/posterior.hpp"

#include <utility>

#include "hmvn/math/with_size.hpp"

namespace hmvn {

// Defined in posterior_of.hpp, compiled by posterior_1.cpp to posterior_8.cpp and
// posterior_any.cpp.
template <int K>
std::unique_ptr<Posterior> make_posterior_of(const Model& model, const Coordinates& coordinates,
                                             std::vector<GroupStatistics> groups, Crew& crew);

std::unique_ptr<Posterior> make_posterior(const Model& model, const Coordinates& coordinates,
                                          std::vector<GroupStatistics> groups, Crew& crew) {
  return with_size<8>(model.n_features(), [&](auto size) {
    return make_posterior_of<size>(model, coordinates, std::move(groups), crew);
  });
}

}  // namespace hmvn
