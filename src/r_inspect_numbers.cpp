// Looks at maps, streams and factors from R, for the tests and benchmarks.
#include <Rcpp.h>

#include <cmath>
#include <stdexcept>

#include "hmvn/direct/inverse_wishart.hpp"
#include "hmvn/model/correlation_prior.hpp"
#include "hmvn/random/random_stream.hpp"
#include "hmvn/sampling/stopwatch.hpp"
#include "r_model.h"

using namespace hmvn;

namespace {

template <int K>
double time_inverse_wishart(int n_features, double df, int n_draws) {
  RandomStream random(1, 0, 0);
  const BartlettFactor bartlett(n_features, df, df);
  const SquareRows<K> root = Eigen::MatrixXd::Identity(n_features, n_features);
  SquareRows<K> a = root, factor = root;
  Values<K> reciprocal = Eigen::VectorXd::Zero(n_features);
  double sum = 0.0;  // used below, so that no draw is left out
  const Stopwatch watch;
  for (int i = 0; i < n_draws; ++i) {
    bartlett.draw(random, a);
    factor_from_bartlett<K>(root, a, reciprocal, factor);
    sum += factor(n_features - 1, 0);
  }
  const double elapsed = watch.seconds() / n_draws;
  if (std::isnan(sum)) throw std::logic_error("an inverse-Wishart draw is not a number");
  return elapsed;
}

}  // namespace

// x, dx/du and the score of x for the prior of a standard deviation (x = log sigma; family as in
// the model) or, with family "beta", of a partial correlation with shape parameters[1] (x = atanh
// c).
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix inspect_map_(const std::string& family, const Rcpp::NumericVector& parameters,
                                 const Rcpp::NumericVector& scores) {
  const ScoreMap map =
      family == "beta"
          ? ScoreMap(PartialCorrelationPrior(parameters[0]))
          : ScoreMap(unpack_scale_prior(family, parameters[0], parameters[1], parameters[2]));
  Rcpp::NumericMatrix out(static_cast<int>(scores.size()), 3);
  for (R_xlen_t i = 0; i < scores.size(); ++i) {
    const auto value = map(scores[i]);
    out(i, 0) = value.x;
    out(i, 1) = value.slope;
    out(i, 2) = map.inverse(value.x);
  }
  return out;
}

// `n` draws of the stream (seed, unit, chain): column 1 uniform, column 2 normal.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix inspect_stream_(double seed, double unit, double chain, int n) {
  RandomStream random(static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(unit),
                      static_cast<std::uint64_t>(chain));
  Rcpp::NumericMatrix out(n, 2);
  for (int i = 0; i < n; ++i) {
    out(i, 0) = random.uniform();
    out(i, 1) = random.normal();
  }
  return out;
}

// `n` gamma draws of scale 1 from the stream (seed, 0, 0).
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector inspect_gamma_(double seed, double shape, int n) {
  RandomStream random(static_cast<std::uint64_t>(seed), 0, 0);
  Rcpp::NumericVector out(n);
  for (double& x : out) x = random.gamma(shape);
  return out;
}

// Seconds that one draw from an inverse-Wishart distribution takes, as the Cholesky factor of the
// covariance matrix: what no sampler of covariance matrices can beat.
// [[Rcpp::export(rng = false)]]
double time_inverse_wishart_(int n_features, double df, int n_draws) {
  switch (n_features) {  // sizes known to the compiler, as in direct sampling: those of benchmarks
    case 2:
      return time_inverse_wishart<2>(n_features, df, n_draws);
    case 5:
      return time_inverse_wishart<5>(n_features, df, n_draws);
    case 10:
      return time_inverse_wishart<10>(n_features, df, n_draws);
    default:
      return time_inverse_wishart<Eigen::Dynamic>(n_features, df, n_draws);
  }
}
