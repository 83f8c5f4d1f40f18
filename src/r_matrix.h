// Matrices and vectors of the core as R's.
#pragma once

#include <Rcpp.h>

#include <Eigen/Core>

namespace hmvn {

inline Rcpp::NumericVector as_r(const Eigen::VectorXd& v) {
  return Rcpp::NumericVector(v.data(), v.data() + v.size());
}

inline Rcpp::NumericMatrix as_r(const Eigen::MatrixXd& m) {
  return Rcpp::NumericMatrix(static_cast<int>(m.rows()), static_cast<int>(m.cols()), m.data());
}

}  // namespace hmvn
