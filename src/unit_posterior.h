// The posterior's template is compiled once for every number of features up to 8, and once for all beyond; who includes
// this header links to that.
#pragma once

#include "hmvn/model/unit_posterior.hpp"
#include "with_features.h"

namespace hmvn {

constexpr int most_known_features = 8;

extern template class UnitPosterior<1>;
extern template class UnitPosterior<2>;
extern template class UnitPosterior<3>;
extern template class UnitPosterior<4>;
extern template class UnitPosterior<5>;
extern template class UnitPosterior<6>;
extern template class UnitPosterior<7>;
extern template class UnitPosterior<8>;
extern template class UnitPosterior<Eigen::Dynamic>;

}  // namespace hmvn
