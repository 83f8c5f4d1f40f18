#include "hmvn/sampling/direct_of.hpp"

namespace hmvn {

template struct Direct<6>;
template struct Direct<7>;
template struct Direct<8>;
template struct Direct<9>;
template struct Direct<10>;
template struct Direct<Eigen::Dynamic>;

}  // namespace hmvn
