// Looks into the core from R, for the tests: densities, gradients, maps, streams.
#include <Rcpp.h>

#include <chrono>
#include <memory>
#include <vector>

#include "direct_unit.h"
#include "posterior_view.h"
#include "hmvn/direct/inverse_wishart.hpp"
#include "hmvn/random/random_stream.hpp"
#include "r_model.h"

using namespace hmvn;

namespace {

using LongVector = PosteriorView::LongVector;

Eigen::VectorXd position_of(const Rcpp::NumericMatrix& positions, int column) {
  return Eigen::Map<const Eigen::VectorXd>(&positions(0, column), positions.nrow());
}

Rcpp::NumericMatrix matrix_of(const Eigen::MatrixXd& m) {
  return Rcpp::NumericMatrix(static_cast<int>(m.rows()), static_cast<int>(m.cols()), m.data());
}

// The posterior of a unit of all groups, with what it refers to.
struct InspectedPosterior {
  Model model;
  TransportPlan plan;
  std::unique_ptr<PosteriorView> view;

  InspectedPosterior(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list)
      : model(unpack_model(model_list)) {
    const std::vector<GroupStatistics> groups =
        unpack_groups(patterns, n_groups, model.mean_location, false);
    plan = make_transport_plan(model, groups);
    view = view_posterior(model, plan, groups);
  }
};

Rcpp::List inspect_density(PosteriorView& posterior, const Rcpp::NumericMatrix& positions) {
  const int n = positions.nrow();
  Rcpp::NumericVector log_density(positions.ncol());
  Rcpp::NumericMatrix gradient(n, positions.ncol()), difference(n, positions.ncol());
  Eigen::VectorXd slope(n);
  for (int c = 0; c < positions.ncol(); ++c) {
    const Eigen::VectorXd position = position_of(positions, c);
    log_density[c] = posterior.log_density(position, slope);
    const long double step = 1e-5L;
    for (int i = 0; i < n; ++i) {
      LongVector high = position.cast<long double>(), low = high;
      high[i] += step;
      low[i] -= step;
      gradient(i, c) = slope[i];
      difference(i, c) = static_cast<double>(
          (posterior.log_density(high) - posterior.log_density(low)) / (2 * step));
    }
  }
  return Rcpp::List::create(Rcpp::_["log_density"] = log_density, Rcpp::_["gradient"] = gradient,
                            Rcpp::_["difference"] = difference);
}

Rcpp::List inspect_draws(PosteriorView& posterior, const Rcpp::NumericMatrix& positions,
                         RandomStream random) {
  Rcpp::List draws(positions.ncol());
  Draw draw;
  for (int c = 0; c < positions.ncol(); ++c) {
    posterior.draw(position_of(positions, c), random, draw);
    const auto vector = [](const Eigen::VectorXd& v) {
      return Rcpp::NumericVector(v.data(), v.data() + v.size());
    };
    using Rcpp::_;
    draws[c] = Rcpp::List::create(
        _["mean"] = matrix_of(draw.mean), _["chol"] = matrix_of(draw.factor),
        _["mean0"] = vector(draw.mean0), _["scale0"] = vector(draw.scale0),
        _["chol_cor0"] = vector(draw.correlation_factor0), _["h_mean"] = vector(draw.h_mean),
        _["h_sd"] = vector(draw.h_scale), _["h_cor"] = draw.h_correlation,
        _["log_likelihood"] = draw.log_likelihood, _["log_prior"] = draw.log_prior);
  }
  return draws;
}

// Seconds that one evaluation takes, over `repeats` of them.
double time_gradient(PosteriorView& posterior, int repeats) {
  Eigen::VectorXd position = Eigen::VectorXd::Zero(posterior.dimension()),
                  gradient(position.size());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) posterior.log_density(position, gradient);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / repeats;
}

template <int K>
double time_inverse_wishart(int n_features, double df, int n_draws) {
  RandomStream random(1, 0, 0);
  const BartlettFactor bartlett(n_features, df, df);
  const SquareRows<K> root = Eigen::MatrixXd::Identity(n_features, n_features);
  SquareRows<K> a = root, factor = root;
  Values<K> reciprocal = Eigen::VectorXd::Zero(n_features);
  double sum = 0.0;  // used below, so that no draw is left out
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < n_draws; ++i) {
    bartlett.draw(random, a);
    factor_from_bartlett<K>(root, a, reciprocal, factor);
    sum += factor(n_features - 1, 0);
  }
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / n_draws;
  if (std::isnan(sum)) throw std::logic_error("an inverse-Wishart draw is not a number");
  return elapsed;
}

}  // namespace

// Dimension of the position vector of the unit that holds all groups.
// [[Rcpp::export(rng = false)]]
int inspect_dimension_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list) {
  const Model model = unpack_model(model_list);
  return make_layout(model, n_groups).dimension();
}

// Every group's likelihood given Sigma = factor factor', as a function of its mean: log of the part
// without the mean, the estimate of the mean (less `location`) and its covariance matrix.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_likelihood_(const Rcpp::List& patterns, int n_groups,
                               const Rcpp::NumericVector& location,
                               const Rcpp::NumericMatrix& factor) {
  const int n_features = factor.nrow();
  const Eigen::VectorXd center =
      Eigen::Map<const Eigen::VectorXd>(location.begin(), location.size());
  const Eigen::MatrixXd lower =
      Eigen::Map<const Eigen::MatrixXd>(factor.begin(), n_features, n_features);
  Rcpp::List out;
  for (const GroupStatistics& group : unpack_groups(patterns, n_groups, center, false)) {
    GroupLikelihood<double, Eigen::Dynamic> likelihood;
    likelihood.resize(n_features, group.patterns.size());
    evaluate(group, lower, likelihood);
    const Eigen::VectorXd& estimate = likelihood.estimate;
    const Eigen::MatrixXd& spread = likelihood.spread;
    out.push_back(Rcpp::List::create(
        Rcpp::_["within"] = likelihood.within,
        Rcpp::_["estimate"] = Rcpp::NumericVector(estimate.data(), estimate.data() + n_features),
        Rcpp::_["spread"] = Rcpp::NumericMatrix(n_features, n_features, spread.data()),
        Rcpp::_["complete"] = group.complete()));
  }
  return out;
}

// At every column of `positions`: log density and gradient in double precision, and central
// differences of the same template in long double.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_density_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                            const Rcpp::NumericMatrix& positions) {
  const InspectedPosterior posterior(patterns, n_groups, model_list);
  return inspect_density(*posterior.view, positions);
}

// At every column of `positions`: one draw in the user's terms, with the parts of lp__.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_draws_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                          const Rcpp::NumericMatrix& positions, double seed) {
  const InspectedPosterior posterior(patterns, n_groups, model_list);
  return inspect_draws(*posterior.view, positions,
                       RandomStream(static_cast<std::uint64_t>(seed), 0, 0));
}

// Groups moved one by one from the first column of `positions` to the second: see
// PosteriorView::Blocks.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_blocks_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                           const Rcpp::NumericMatrix& positions, double seed) {
  const InspectedPosterior posterior(patterns, n_groups, model_list);
  RandomStream random(static_cast<std::uint64_t>(seed), 0, 0);
  const PosteriorView::Blocks blocks =
      posterior.view->move_groups(position_of(positions, 0), position_of(positions, 1), random);
  using Rcpp::_;
  return Rcpp::List::create(_["gradient"] = matrix_of(blocks.gradient),
                            _["difference"] = matrix_of(blocks.difference),
                            _["gathered"] = blocks.gathered, _["settled"] = blocks.settled);
}

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
  Rcpp::NumericMatrix out(scores.size(), 3);
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

// Seconds that one evaluation of log density and gradient takes, over `repeats` of them.
// [[Rcpp::export(rng = false)]]
double time_gradient_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                      int repeats) {
  const InspectedPosterior posterior(patterns, n_groups, model_list);
  return time_gradient(*posterior.view, repeats);
}

// What direct sampling proposes for a unit of all groups, or NULL where it does not apply: `df` and
// `Psi` of (D4), the bound of log w (D5), and the shares that are accepted of `proposals` trials.
// [[Rcpp::export(rng = false)]]
Rcpp::RObject inspect_direct_(const Rcpp::List& patterns, int n_groups,
                              const Rcpp::List& model_list, int proposals) {
  const Model model = unpack_model(model_list);
  const std::vector<GroupStatistics> groups =
      unpack_groups(patterns, n_groups, model.mean_location, false);
  if (!has_covariance_target(model, groups)) return R_NilValue;
  const CovarianceTarget target = make_covariance_target(model, groups);
  DirectMatch match;
  if (!make_direct_match(target, match)) return R_NilValue;
  const Eigen::MatrixXd scale = (match.df + match.extra_df) * match.root * match.root.transpose();
  const DirectAcceptance acceptance = measure_acceptance(target, match, 1, proposals);
  using Rcpp::_;
  return Rcpp::List::create(
      _["df"] = match.df + match.extra_df,
      _["Psi"] = Rcpp::NumericMatrix(target.n_features(), target.n_features(), scale.data()),
      _["extra_df"] = match.extra_df, _["log_bound"] = match.log_bound,
      _["exact"] = acceptance.exact, _["steps"] = acceptance.steps.acceptance,
      _["spread"] = acceptance.steps.weight_spread);
}

// Seconds that one draw from an inverse-Wishart distribution takes, as the Cholesky factor of the
// covariance matrix: what no sampler of covariance matrices can beat.
// [[Rcpp::export(rng = false)]]
double time_inverse_wishart_(int n_features, double df, int n_draws) {
  switch (n_features) {  // sizes known to the compiler, as in direct sampling: those that are
                         // benchmarks
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
