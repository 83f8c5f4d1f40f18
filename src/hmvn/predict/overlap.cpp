#include "hmvn/predict/overlap.hpp"

#include <cmath>

#include "hmvn/math/special_functions.hpp"

namespace hmvn {

namespace {

// Of a row of M: what it adds to the distance, its element of M z + d.
double element(const Eigen::MatrixXd& ratio, const Eigen::VectorXd& shift, Eigen::Index row,
               Eigen::Index n, const double* z) {
  double sum = shift[row];
  for (Eigen::Index j = 0; j < n; ++j) sum += ratio(row, j) * z[j];
  return sum;
}

}  // namespace

double share_within(const NormalLaw& a, const NormalLaw& b, double squared_radius,
                    const Eigen::Ref<const Eigen::MatrixXd>& points) {
  Eigen::MatrixXd ratio = a.factor;
  Eigen::VectorXd shift = a.mean - b.mean;
  b.factor.triangularView<Eigen::Lower>().solveInPlace(ratio);
  b.factor.triangularView<Eigen::Lower>().solveInPlace(shift);
  const Eigen::Index last = shift.size() - 1;
  const double scale = std::abs(ratio(last, last));
  double sum = 0.0;
  for (Eigen::Index p = 0; p < points.cols(); ++p) {
    const double* z = points.col(p).data();
    double left = squared_radius;
    for (Eigen::Index i = 0; i < last && left > 0.0; ++i) {
      const double x = element(ratio, shift, i, i + 1, z);
      left -= x * x;
    }
    if (left <= 0.0) continue;
    const double half = std::sqrt(left), center = element(ratio, shift, last, last, z);
    sum += normal_cdf((half - center) / scale) - normal_cdf((-half - center) / scale);
  }
  return sum / static_cast<double>(points.cols());
}

}  // namespace hmvn
