#include "posterior_view.h"

#include "with_features.h"

namespace hmvn {

template <int K>
std::unique_ptr<PosteriorView> view_posterior_of(const Model& model, const TransportPlan& plan,
                                                 const std::vector<GroupStatistics>& groups);

std::unique_ptr<PosteriorView> view_posterior(const Model& model, const TransportPlan& plan,
                                              const std::vector<GroupStatistics>& groups) {
  return with_features<most_known_features>(model.n_features(), [&](auto features) {
    return view_posterior_of<features>(model, plan, groups);
  });
}

}  // namespace hmvn
