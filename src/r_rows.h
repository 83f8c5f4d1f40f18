// Rows of data held against stored draws of their groups: what R hands over, checked before
// anything is indexed by it.
#pragma once

#include <Rcpp.h>

#include <Eigen/Core>
#include <cmath>

#include "hmvn/predict/stored_draws.hpp"
#include "r_check.h"

namespace hmvn {

inline Eigen::Map<const Eigen::MatrixXd> as_map(const Rcpp::NumericMatrix& x) {
  return Eigen::Map<const Eigen::MatrixXd>(x.begin(), x.nrow(), x.ncol());
}

// Rows: list(values = [K, row], NA where missing; covariates = [C, row], about their centres).
struct RowsOfR {
  Rcpp::NumericMatrix values, covariates;

  explicit RowsOfR(const Rcpp::List& rows)
      : values(rows["values"]), covariates(rows["covariates"]) {
    if (values.nrow() < 1) Rcpp::stop("there are no features");
    check_length(covariates.ncol(), values.ncol(), "covariates of the rows");
    for (const double x : covariates) {
      if (!std::isfinite(x)) Rcpp::stop("a covariate of a row is not known");
    }
  }
  int size() const { return values.ncol(); }
};

// Their laws: list(mean, slope, chol, draws [iteration, chain, index]; mean_at, slope_at, chol_at,
// from 1: whose values a row's group has in them).
class LawsOfR {
 public:
  LawsOfR(const Rcpp::List& laws, const RowsOfR& rows)
      : mean_(laws["mean"]),
        slope_(laws["slope"]),
        chol_(laws["chol"]),
        mean_at_(laws["mean_at"]),
        slope_at_(laws["slope_at"]),
        chol_at_(laws["chol_at"]),
        n_features_(rows.values.nrow()),
        n_covariates_(rows.covariates.nrow()) {
    check(mean_at_, mean_, rows.size(), n_features_);
    check(chol_at_, chol_, rows.size(), packed_size(n_features_));
    if (n_covariates_ > 0) {
      check(slope_at_, slope_, rows.size(), static_cast<R_xlen_t>(n_features_) * n_covariates_);
    }
  }

  StoredDraws draws() const {
    return StoredDraws{mean_.begin(), slope_.begin(),
                       chol_.begin(), static_cast<std::ptrdiff_t>(n_draws()),
                       n_features_,   n_covariates_};
  }
  R_xlen_t n_draws() const { return extent_of_draws(mean_).draws(); }

  LawPlace place(int row) const {
    return LawPlace{mean_at_[row] - 1, n_covariates_ > 0 ? slope_at_[row] - 1 : 0,
                    chol_at_[row] - 1};
  }

 private:
  // `size`: values of a group
  void check(const Rcpp::IntegerVector& groups, const Rcpp::NumericVector& draws, R_xlen_t n_rows,
             R_xlen_t size) const {
    check_length(extent_of_draws(draws).draws(), n_draws(), "draws");
    check_length(groups.size(), n_rows, "groups of the rows");
    check_positions(groups, extent_of_draws(draws).values / size, "group");
  }

  Rcpp::NumericVector mean_, slope_, chol_;
  Rcpp::IntegerVector mean_at_, slope_at_, chol_at_;
  int n_features_, n_covariates_;
};

}  // namespace hmvn
