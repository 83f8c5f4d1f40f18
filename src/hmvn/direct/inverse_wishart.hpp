// Draws from the inverse-Wishart distribution, as the Cholesky factor of the covariance matrix.
#pragma once

#include <cmath>
#include <vector>

#include "hmvn/math/unrolled.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Sigma = C A^-1 A^-T C' with A lower triangular and A'A a Wishart matrix of scale I / w has the
// inverse-Wishart distribution with scale w C C'. By Bartlett's decomposition, taken from the last
// row up, the entries of sqrt(w) A are independent: standard normal below the diagonal, squares on
// it chi-square with df - K + k degrees, k = 1..K.
class BartlettFactor {
 public:
  BartlettFactor(int n_features, double df, double w)
      : scale_(1.0 / std::sqrt(w)), diagonal_scale_(std::sqrt(2.0 / w)) {
    for (int i = 0; i < n_features; ++i) diagonal_.emplace_back(0.5 * (df - (n_features - 1 - i)));
  }

  template <int K>
  void draw(RandomStream& random, SquareRows<K>& a) const {
    const int n_features = size_of<K>(a.rows());
    for (int i = 0; i < n_features; ++i) {
      for (int j = 0; j < i; ++j) a(i, j) = scale_ * random.normal();
      a(i, i) = diagonal_scale_ * std::sqrt(random.gamma(diagonal_[i]));
    }
  }

 private:
  double scale_, diagonal_scale_;
  std::vector<GammaShape> diagonal_;
};

// The Cholesky factor C A^-1 of Sigma.
template <int K>
[[gnu::always_inline]] inline void factor_from_bartlett(const SquareRows<K>& root,
                                                        const SquareRows<K>& a,
                                                        Values<K>& reciprocal,
                                                        SquareRows<K>& factor) {
  const int n_features = size_of<K>(a.rows());
#pragma GCC unroll 16
  for (int i = 0; i < n_features; ++i) reciprocal[i] = 1.0 / a(i, i);
#pragma GCC unroll 16
  for (int i = 0; i < n_features; ++i) quotient_row<K>(root, a, reciprocal, i, factor);
}

}  // namespace hmvn
