// Small lower triangular matrices by rows. Written out in loops over contiguous rows, which the compiler turns into
// straight code where K is known; Eigen's triangular solves cost several times as much at this size.
#pragma once

#include <Eigen/Core>
#include <cmath>

namespace hmvn {

template <int K>
using SquareRows = Eigen::Matrix<double, K, K, Eigen::RowMajor>;
template <int K>
using Values = Eigen::Matrix<double, K, 1>;

// out[0..i] = sum over m <= i of x[m] * row m of `lower`: row i of the product of a lower triangular matrix with row x.
template <int K>
inline void row_times_lower(const double* x, int i, const SquareRows<K>& lower, double* out) {
  for (int j = 0; j <= i; ++j) out[j] = x[i] * lower(i, j);
  for (int m = 0; m < i; ++m) {
    for (int j = 0; j <= m; ++j) out[j] += x[m] * lower(m, j);
  }
}

// Row i of the inverse of `lower`, given the rows before it.
template <int K>
inline void inverse_row(const SquareRows<K>& lower, int i, SquareRows<K>& inverse) {
  const double pivot = 1.0 / lower(i, i);
  for (int j = 0; j < i; ++j) inverse(i, j) = 0.0;
  for (int m = 0; m < i; ++m) {
    const double share = -pivot * lower(i, m);
    for (int j = 0; j <= m; ++j) inverse(i, j) += share * inverse(m, j);
  }
  inverse(i, i) = pivot;
}

// In place: the lower triangle of a positive definite matrix becomes its Cholesky factor, with the reciprocals of its diagonal
// beside it.
template <int K>
inline void cholesky_in_place(SquareRows<K>& a, Values<K>& reciprocal) {
  const int n = static_cast<int>(a.rows());
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < i; ++j) {
      double sum = a(i, j);
      for (int m = 0; m < j; ++m) sum -= a(i, m) * a(j, m);
      a(i, j) = sum * reciprocal[j];
    }
    double square = a(i, i);
    for (int m = 0; m < i; ++m) square -= a(i, m) * a(i, m);
    a(i, i) = std::sqrt(square);
    reciprocal[i] = 1.0 / a(i, i);
  }
}

// The logarithm of a product, taken once for many factors; each between 1e-150 and 1e150.
class LogProduct {
 public:
  void multiply(double factor) {
    product_ *= factor;
    if (!(product_ > 1e-150 && product_ < 1e150)) {
      sum_ += std::log(product_);
      product_ = 1.0;
    }
  }
  double value() const { return sum_ + std::log(product_); }

 private:
  double product_ = 1.0, sum_ = 0.0;
};

}  // namespace hmvn
