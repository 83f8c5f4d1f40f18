#include "unit_posterior.h"

template class hmvn::UnitPosterior<Eigen::Dynamic>;
