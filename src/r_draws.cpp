// Border: builds arrays of sds, correlations, covariances and precisions from the packed factors a fit stores, for the groups asked for and no others.
#include <hmvn/model/derive.hpp>

#include <Rcpp.h>

#include <cstddef>
#include <string>

namespace {

enum class Derived { sd, correlation, covariance, precision };

Derived read_kind(const std::string& kind) {
  if (kind == "sigma") return Derived::sd;
  if (kind == "Omega") return Derived::correlation;
  if (kind == "Sigma") return Derived::covariance;
  if (kind == "precision") return Derived::precision;
  Rcpp::stop("unknown quantity '%s'", kind);
}

Eigen::ArrayXd derive(Derived kind, const hmvn::PackedDraws& factor, Eigen::Index size, Eigen::Index row, Eigen::Index column) {
  switch (kind) {
    case Derived::sd: return hmvn::derive_sd(factor, row);
    case Derived::correlation: return hmvn::derive_correlation(factor, row, column);
    case Derived::covariance: return hmvn::derive_covariance(factor, row, column);
    default: return hmvn::derive_precision(factor, size, row, column);
  }
}

}  // namespace

// `chol`: [iteration, chain, (g - 1) M + m]; `groups`: from 1; `kind`: "sigma", "Omega", "Sigma" or "precision".
// `packed` false: [iteration, chain, group, feature(, feature)] in full. true: lower triangles only, [iteration, chain, entry] with all entries of the first
// group first, row by row; correlations without their diagonal.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector derive_quantity_(Rcpp::NumericVector chol, int n_features, Rcpp::IntegerVector groups, std::string kind, bool packed) {
  const Derived derived = read_kind(kind);
  const Rcpp::IntegerVector dim = chol.attr("dim");
  const Eigen::Index draws = static_cast<Eigen::Index>(dim[0]) * dim[1], size = n_features, entries = size * (size + 1) / 2;
  const Eigen::Index n_groups = groups.size();
  const bool vector = derived == Derived::sd, strict = packed && derived == Derived::correlation;
  const Eigen::Index each = vector ? size : (!packed ? size * size : (strict ? entries - size : entries));
  for (int g : groups) {
    if (g < 1 || g * entries > dim[2]) Rcpp::stop("group %d is not among the stored draws", g);
  }

  Rcpp::NumericVector out(Rcpp::no_init(static_cast<R_xlen_t>(draws * n_groups * each)));
  for (Eigen::Index g = 0; g < n_groups; ++g) {
    const Eigen::Map<const Eigen::ArrayXXd> stored(chol.begin() + draws * entries * (groups[g] - 1), draws, entries);
    Eigen::ArrayXXd inverse;
    if (derived == Derived::precision) inverse = hmvn::invert_packed(stored, size);
    const auto put = [&](Eigen::Index i, Eigen::Index j, Eigen::Index column) {
      Eigen::Map<Eigen::ArrayXd>(out.begin() + draws * column, draws) =
          derived == Derived::precision ? derive(derived, inverse, size, i, j) : derive(derived, stored, size, i, j);
    };
    Eigen::Index next = g * each;
    for (Eigen::Index i = 0; i < size; ++i) {
      for (Eigen::Index j = vector ? i : 0; j <= i; ++j) {
        if (strict && i == j) continue;
        if (packed) {
          put(i, j, next++);
        } else {
          put(i, j, g + n_groups * (vector ? i : i + size * j));
          if (!vector && i != j) put(i, j, g + n_groups * (j + size * i));
        }
      }
    }
  }
  if (packed) {
    out.attr("dim") = Rcpp::IntegerVector::create(dim[0], dim[1], static_cast<int>(n_groups * each));
  } else if (vector) {
    out.attr("dim") = Rcpp::IntegerVector::create(dim[0], dim[1], static_cast<int>(n_groups), n_features);
  } else {
    out.attr("dim") = Rcpp::IntegerVector::create(dim[0], dim[1], static_cast<int>(n_groups), n_features, n_features);
  }
  return out;
}
