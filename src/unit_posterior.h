// The posterior's template is compiled once for every number of features up to 8, and once for all beyond; who includes
// this header links to that.
#pragma once

#include <type_traits>

#include "hmvn/model/unit_posterior.hpp"

namespace hmvn {

// Calls f(std::integral_constant<int, K>) with K the number of features, or Eigen::Dynamic for more than 8.
template <class F>
auto with_features(int n_features, const F& f) {
  switch (n_features) {
    case 1: return f(std::integral_constant<int, 1>());
    case 2: return f(std::integral_constant<int, 2>());
    case 3: return f(std::integral_constant<int, 3>());
    case 4: return f(std::integral_constant<int, 4>());
    case 5: return f(std::integral_constant<int, 5>());
    case 6: return f(std::integral_constant<int, 6>());
    case 7: return f(std::integral_constant<int, 7>());
    case 8: return f(std::integral_constant<int, 8>());
    default: return f(std::integral_constant<int, Eigen::Dynamic>());
  }
}

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
