// Code for a size known to the compiler, chosen at run time.
#pragma once

#include <Eigen/Core>
#include <type_traits>

namespace hmvn {

// Calls f(std::integral_constant<int, K>) with K = size, or with Eigen::Dynamic beyond `Largest`.
template <int Largest, int K = 1, class F>
auto with_size(int size, const F& f) {
  if constexpr (K > Largest) {
    return f(std::integral_constant<int, Eigen::Dynamic>());
  } else {
    return size == K ? f(std::integral_constant<int, K>()) : with_size<Largest, K + 1>(size, f);
  }
}

}  // namespace hmvn
