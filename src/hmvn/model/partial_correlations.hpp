// Between canonical partial correlations and the rows of a correlation matrix's Cholesky factor:
// forward, reverse, tangent, inverse and log Jacobian of one map.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <vector>

#include "hmvn/model/correlation_prior.hpp"

namespace hmvn {

// Row i breaks a stick of length z_i1 = 1 (Lewandowski, Kurowicka and Joe 2009):
//   L_ij = c_ij z_ij,   z_i,j+1 = z_ij sqrt(1 - c_ij^2),   L_ii = z_ii.
// In w = atanh(c) the piece is c = tanh(w) and the rest sqrt(1 - c^2) = sech(w): nothing cancels as
// |c| nears 1.
template <class T>
struct StickBreak {
  T piece, rest;
};

template <class T>
StickBreak<T> break_at(const T& w) {
  using std::abs;
  using std::exp;
  const T decay = exp(-abs(w)), share = T(1) / (T(1) + decay * decay);
  const T size = (T(1) - decay * decay) * share;
  return {w < T(0) ? -size : size, T(2) * decay * share};
}

// Forward: row i from w_i1, ..., times `length` (1 for a correlation matrix, sigma_i for a
// covariance matrix). `w` holds i values, `row` gets i + 1.
template <class W, class Row>
void break_stick(int i, double length, const W& w, Row&& row) {
  for (int j = 0; j < i; ++j) {
    const StickBreak<double> at = break_at<double>(w[j]);
    row[j] = at.piece * length;
    length *= at.rest;
  }
  row[i] = length;
}

// Reverse, of one break: from the gradients in L_ij and in the stick left after it to that in w_ij;
// `rest` goes from the stick after the break to that before it, and its gradient with it.
inline double reverse_break(const StickBreak<double>& at, double row_gradient, double& rest,
                            double& rest_gradient) {
  rest /= at.rest;
  const double w_gradient = rest * at.rest * (row_gradient * at.rest - rest_gradient * at.piece);
  rest_gradient = rest_gradient * at.rest + row_gradient * at.piece;
  return w_gradient;
}

// Tangent: how row i changes with w_ij.
template <class Row>
Eigen::RowVectorXd stick_tangent(const Row& row, int i, int j, double w) {
  Eigen::RowVectorXd change = Eigen::RowVectorXd::Zero(row.size());
  double squares = 0.0;
  for (int m = j; m <= i; ++m) squares += row[m] * row[m];
  const double c = std::tanh(w), stick = std::sqrt(squares);  // before the break
  change[j] = stick * (1.0 - c * c);
  for (int m = j + 1; m <= i; ++m) change[m] = -c * row[m];
  return change;
}

// Inverse: w_i1, ... from row i, up to its length. sinh(w_ij) = L_ij / z_i,j+1.
template <class Row, class W>
void rejoin_stick(int i, const Row& row, W&& w) {
  double rest = row[i];
  for (int j = i - 1; j >= 0; --j) {
    w[j] = std::asinh(row[j] / rest);
    rest = std::hypot(rest, row[j]);
  }
}

// Log Jacobian: the log density of row i's entries before the diagonal, where w_i1, ... have the
// priors of their columns, from log cosh(w_ij). That of L_ij is that of w_ij over |d L_ij / d w_ij|
// = z_ij sech(w_ij)^2.
template <class LogCosh>
double log_row_density(const std::vector<PartialCorrelationPrior>& priors, int i,
                       const LogCosh& log_cosh) {
  double sum = 0.0, log_stick = 0.0;
  for (int j = 0; j < i; ++j) {
    const double at = log_cosh(j);
    sum += priors[static_cast<std::size_t>(j)].log_density_at(at) - log_stick + 2.0 * at;
    log_stick -= at;
  }
  return sum;
}

}  // namespace hmvn
