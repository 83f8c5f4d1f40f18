// Rows of data held against stored draws of their groups: what R hands over, checked before
// anything is indexed by it.
#pragma once

#include <Rcpp.h>

#include "hmvn/predict/stored_draws.hpp"
#include "r_check.h"

namespace hmvn {

// Draws of means and factors, both [iteration, chain, index], of K = `n_features` features.
inline StoredDraws unpack_draws(const Rcpp::NumericVector& mean, const Rcpp::NumericVector& chol,
                                int n_features) {
  if (n_features < 1) Rcpp::stop("there are no features");
  const R_xlen_t n_draws = extent_of_draws(mean).draws();
  check_length(extent_of_draws(chol).draws(), n_draws, "draws");
  return StoredDraws{mean.begin(), chol.begin(), static_cast<std::ptrdiff_t>(n_draws), n_features};
}

// `groups`: by row, from 1, whose values `draws` has `size` of a group.
inline void check_row_groups(const Rcpp::IntegerVector& groups, R_xlen_t n_rows,
                             const Rcpp::NumericVector& draws, R_xlen_t size) {
  check_length(groups.size(), n_rows, "groups of the rows");
  check_positions(groups, extent_of_draws(draws).values / size, "group");
}

}  // namespace hmvn
