// Border: builds arrays of sds, correlations, covariances and precisions from the packed factors a
// fit stores, for the groups asked for and no others.
#include <Rcpp.h>

#include <limits>
#include <string>

#include "hmvn/predict/shrinkage.hpp"
#include "parallel.h"
#include "r_check.h"
#include "r_derived.h"

using hmvn::Derived;

// `chol`: [iteration, chain, (g - 1) M + m]; `groups`: from 1; `kind`: "sigma", "Omega", "Sigma" or
// "precision". `packed` false: [iteration, chain, group, feature(, feature)] in full. true: lower
// triangles only, [iteration, chain, entry] with all entries of the first group first, row by row;
// correlations without their diagonal.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector derive_quantity_(Rcpp::NumericVector chol, int n_features,
                                     Rcpp::IntegerVector groups, std::string kind, bool packed) {
  const Derived derived = hmvn::read_derived(kind);
  const hmvn::DrawsExtent extent = hmvn::extent_of_draws(chol);
  const Eigen::Index draws = extent.draws(), size = n_features, entries = size * (size + 1) / 2;
  const Eigen::Index n_groups = groups.size();
  const bool vector = derived == Derived::sd;
  const Eigen::Index each =
      vector ? size : (packed ? hmvn::packed_size(derived, size) : size * size);
  if (n_features < 1) Rcpp::stop("there are no features");
  hmvn::check_positions(groups, extent.values / entries, "group");
  if (n_groups * each > std::numeric_limits<int>::max()) Rcpp::stop("too many groups at once");

  Rcpp::NumericVector out(Rcpp::no_init(static_cast<R_xlen_t>(draws * n_groups * each)));
  for (Eigen::Index g = 0; g < n_groups; ++g) {
    if (g % 16 == 0) hmvn::check_user();
    const Eigen::Map<const Eigen::ArrayXXd> stored(chol.begin() + draws * entries * (groups[g] - 1),
                                                   draws, entries);
    Eigen::ArrayXXd inverse;
    if (derived == Derived::precision) inverse = hmvn::invert_packed(stored, size);
    const auto put = [&](Eigen::Index i, Eigen::Index j, Eigen::Index column) {
      Eigen::Map<Eigen::ArrayXd> values(out.begin() + draws * column, draws);
      if (derived == Derived::precision) {
        values = hmvn::derive(derived, inverse, size, i, j);
      } else {
        values = hmvn::derive(derived, stored, size, i, j);
      }
    };
    if (packed) {
      Eigen::Index next = g * each;
      hmvn::for_each_packed(derived, size,
                            [&](Eigen::Index i, Eigen::Index j) { put(i, j, next++); });
      continue;
    }
    for (Eigen::Index i = 0; i < size; ++i) {
      for (Eigen::Index j = vector ? i : 0; j <= i; ++j) {
        put(i, j, g + n_groups * (vector ? i : i + size * j));
        if (!vector && i != j) put(i, j, g + n_groups * (j + size * i));
      }
    }
  }
  if (packed) {
    out.attr("dim") = Rcpp::IntegerVector::create(extent.iterations, extent.chains,
                                                  static_cast<int>(n_groups * each));
  } else if (vector) {
    out.attr("dim") = Rcpp::IntegerVector::create(extent.iterations, extent.chains,
                                                  static_cast<int>(n_groups), n_features);
  } else {
    out.attr("dim") = Rcpp::IntegerVector::create(
        extent.iterations, extent.chains, static_cast<int>(n_groups), n_features, n_features);
  }
  return out;
}

// Posterior means of the shrinkage weights, [group, feature], from every `every`-th draw.
// `groups`: whose factor each group has, from 1; `n`: [group, feature]; `tau`: [draw, feature].
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix mean_shrinkage_(Rcpp::NumericVector chol, Rcpp::IntegerVector groups,
                                    Rcpp::NumericMatrix n, Rcpp::NumericMatrix tau, int every) {
  const R_xlen_t draws = tau.nrow(), entries = hmvn::packed_size(tau.ncol());
  if (draws < 1 || entries < 1 || every < 1) Rcpp::stop("there are no draws");
  hmvn::check_positions(groups, chol.size() / (draws * entries), "group");
  hmvn::check_length(n.size(), groups.size() * tau.ncol(), "counts");
  Rcpp::NumericMatrix out(static_cast<int>(groups.size()), tau.ncol());
  for (int g = 0; g < out.nrow(); ++g) {
    if (g % 16 == 0) hmvn::check_user();
    const double* factor = chol.begin() + draws * entries * (groups[g] - 1);
    for (int k = 0; k < out.ncol(); ++k) {
      out(g, k) = hmvn::mean_shrinkage(factor, {draws, every}, k, n(g, k), &tau(0, k));
    }
  }
  return out;
}
