#include "unit_posterior.hpp"

template class hmvn::UnitPosterior<Eigen::Dynamic>;
