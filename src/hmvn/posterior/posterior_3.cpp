#include "hmvn/posterior/posterior_of.hpp"

namespace hmvn {

template std::unique_ptr<Posterior> make_posterior_of<3>(const Model&, const Coordinates&,
                                                         std::vector<GroupStatistics>, Crew&);

}  // namespace hmvn
