#include "hmvn/sampling/direct_of.hpp"

namespace hmvn {

template struct Direct<1>;
template struct Direct<2>;
template struct Direct<3>;
template struct Direct<4>;
template struct Direct<5>;

}  // namespace hmvn
