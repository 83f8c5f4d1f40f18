// The posterior's template is compiled once, in unit_posterior.cpp; who includes this header links to it.
#pragma once

#include "hmvn/model/unit_posterior.hpp"

namespace hmvn {

extern template class UnitPosterior<Eigen::Dynamic>;

}  // namespace hmvn
