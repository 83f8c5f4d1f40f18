// Cheap checks of what R hands over: nothing here is indexed by a number from R that was not looked
// at.
#pragma once

#include <Rcpp.h>

namespace hmvn {

// The extent of an array of draws: [iteration, chain, index].
struct DrawsExtent {
  int iterations = 0, chains = 0;
  R_xlen_t values = 0;  // third and later dimensions together

  R_xlen_t draws() const { return static_cast<R_xlen_t>(iterations) * chains; }
};

inline DrawsExtent extent_of_draws(const Rcpp::NumericVector& draws) {
  const SEXP dim = Rf_getAttrib(draws, R_DimSymbol);
  if (TYPEOF(dim) != INTSXP || Rf_xlength(dim) < 2) {
    Rcpp::stop("draws must be an array [iteration, chain, ...]");
  }
  DrawsExtent extent;
  extent.iterations = INTEGER(dim)[0];
  extent.chains = INTEGER(dim)[1];
  if (extent.draws() > 0) extent.values = draws.size() / extent.draws();
  return extent;
}

inline void check_positions(const Rcpp::IntegerVector& positions, R_xlen_t most, const char* what) {
  for (const int position : positions) {
    if (position < 1 || position > most) Rcpp::stop("%s %d is not there", what, position);
  }
}

inline void check_length(R_xlen_t length, R_xlen_t expected, const char* what) {
  if (length != expected) Rcpp::stop("%s must have another length", what);
}

}  // namespace hmvn
