#include "hmvn/predict/distance.hpp"

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>

#include "hmvn/math/packed.hpp"

namespace hmvn {

Eigen::MatrixXd log_covariance(const Eigen::MatrixXd& factor) {
  const Eigen::JacobiSVD<Eigen::MatrixXd, Eigen::NoQRPreconditioner> svd(factor,
                                                                         Eigen::ComputeFullU);
  const Eigen::VectorXd log_values = 2.0 * svd.singularValues().array().log();
  return svd.matrixU() * log_values.asDiagonal() * svd.matrixU().transpose();
}

namespace {

using Lanes = NormalDistances::Lanes;

// One column of draws from `first` on; behind the last draw that one again.
Lanes read(const Eigen::Map<const Eigen::MatrixXd>& draws, Eigen::Index first,
           Eigen::Index column) {
  const double* from = draws.data() + column * draws.rows();
  const Eigen::Index last = draws.rows() - 1;
  Lanes out;
  for (int l = 0; l < NormalDistances::lanes; ++l) out[l] = from[std::min(first + l, last)];
  return out;
}

// The tangent of the angle, at most pi / 4, by which two rows with squared norms `pp` and `qq` and
// inner product `pq` are turned to be orthogonal.
Lanes tangent_of(const Lanes& pp, const Lanes& qq, const Lanes& pq) {
  const Lanes difference = qq - pp, twice = 2.0 * pq;
  Lanes below = difference.abs() + (difference.square() + twice.square()).sqrt();
  // of orthogonal rows of one length it would be 0 / 0
  below = below.max(std::numeric_limits<double>::min());
  for (int l = 0; l < NormalDistances::lanes; ++l)
    below[l] = std::copysign(below[l], difference[l]);
  return twice / below;
}

}  // namespace

void NormalDistances::operator()(const NormalDraws& a, const NormalDraws& b, Eigen::Index first) {
  solve(a, b, first);
  make_rows_orthogonal();
  affine_invariant.setZero();
  bhattacharyya.setZero();
  jeffreys.setZero();
  for (Eigen::Index i = 0; i < k_; ++i) {
    const Lanes squared = squares_.col(i), log_squared = squared.log();
    const Lanes along = at(i, k_).square(), inverse = squared.inverse();
    affine_invariant += log_squared.square();
    bhattacharyya +=
        0.5 * (((1.0 + squared) / 2.0).log() - 0.5 * log_squared) + 0.25 * along / (1.0 + squared);
    jeffreys += 0.5 * (squared + inverse - 2.0) + 0.5 * along * (1.0 + inverse);
  }
  affine_invariant = affine_invariant.sqrt();
}

void NormalDistances::solve(const NormalDraws& a, const NormalDraws& b, Eigen::Index first) {
  for (Eigen::Index i = 0; i < k_; ++i) {
    const Lanes diagonal = read(a.chol, first, packed_index(i, i));
    for (Eigen::Index j = 0; j <= i; ++j) at(i, j) = read(b.chol, first, packed_index(i, j));
    for (Eigen::Index j = i + 1; j < k_; ++j) at(i, j).setZero();
    at(i, k_) = read(b.mean, first, i) - read(a.mean, first, i);
    for (Eigen::Index l = 0; l < i; ++l) {
      const Lanes factor = read(a.chol, first, packed_index(i, l));
      for (Eigen::Index j = 0; j <= l; ++j) at(i, j) -= factor * at(l, j);
      at(i, k_) -= factor * at(l, k_);
    }
    for (Eigen::Index j = 0; j <= i; ++j) at(i, j) /= diagonal;
    at(i, k_) /= diagonal;
  }
}

// Jacobi's method from one side (Hestenes 1958): turning two rows after another leaves U'M, whose
// rows have the singular values as norms. Small ones are found as precisely as large ones, which
// the eigenvalues of M M' are not. The last column goes along and becomes U'z.
void NormalDistances::make_rows_orthogonal() {
  // five or six sweeps do; the bound ends what is no number
  for (int n = 0; n < 60; ++n) {
    if (!sweep()) break;
  }
  set_squares();
}

// Returns whether another sweep is needed: each squares the cosines between rows.
bool NormalDistances::sweep() {
  set_squares();
  Lanes excess = Lanes::Constant(-1.0);
  for (Eigen::Index p = 0; p < k_; ++p) {
    for (Eigen::Index q = p + 1; q < k_; ++q) {
      Lanes inner = at(p, 0) * at(q, 0);
      for (Eigen::Index j = 1; j < k_; ++j) inner += at(p, j) * at(q, j);
      const Lanes pp = squares_.col(p), qq = squares_.col(q);
      excess = excess.max(inner.square() - 1e-17 * (pp * qq));
      const Lanes tangent = tangent_of(pp, qq, inner);
      rotate(p, q, tangent);
      squares_.col(p) = pp - tangent * inner;
      squares_.col(q) = qq + tangent * inner;
    }
  }
  return (excess > 0.0).any();
}

void NormalDistances::rotate(Eigen::Index p, Eigen::Index q, const Lanes& tangent) {
  const Lanes cosine = (1.0 + tangent.square()).sqrt().inverse(), sine = tangent * cosine;
  for (Eigen::Index j = 0; j <= k_; ++j) {
    const Lanes x = at(p, j), y = at(q, j);
    at(p, j) = cosine * x - sine * y;
    at(q, j) = sine * x + cosine * y;
  }
}

void NormalDistances::set_squares() {
  for (Eigen::Index i = 0; i < k_; ++i) {
    Lanes sum = at(i, 0).square();
    for (Eigen::Index j = 1; j < k_; ++j) sum += at(i, j).square();
    squares_.col(i) = sum;
  }
}

}  // namespace hmvn
