// Looks into direct sampling from R, for the tests: proposals, and the density in Bartlett's
// coordinates.
#include <Rcpp.h>

#include <optional>
#include <vector>

#include "hmvn/control/run_control.hpp"
#include "hmvn/direct/bartlett_density.hpp"
#include "hmvn/direct/mean_factor.hpp"
#include "hmvn/math/packed.hpp"
#include "hmvn/sampling/direct.hpp"
#include "r_matrix.h"
#include "r_model.h"

using namespace hmvn;
using Rcpp::Named;

// What direct sampling proposes for a unit of all groups, or NULL where it does not apply: `df` and
// `Psi` of (D4), the bound of log w (D5), and the shares that are accepted of `proposals` trials.
// [[Rcpp::export(rng = false)]]
Rcpp::RObject inspect_direct_(const Rcpp::List& patterns, int n_groups,
                              const Rcpp::List& model_list, int proposals) {
  const Model model = unpack_model(model_list);
  const std::optional<DirectTarget> target =
      make_direct_target(model, unpack_groups(patterns, n_groups, model, false));
  if (!target) return R_NilValue;
  const std::optional<DirectProposal> proposal = make_direct_proposal(*target, never_stop);
  if (!proposal) return R_NilValue;
  const DirectMatch& match = proposal->match;
  const Eigen::MatrixXd scale = (match.df + match.extra_df) * match.root * match.root.transpose();
  const DirectTrial trial = try_direct(*proposal, 1, proposals);
  return Rcpp::List::create(Named("df") = match.df + match.extra_df, Named("Psi") = as_r(scale),
                            Named("extra_df") = match.extra_df,
                            Named("log_bound") = match.log_bound, Named("exact") = trial.exact,
                            Named("steps") = trial.steps.acceptance,
                            Named("spread") = trial.steps.weight_spread);
}

// T of (D2) of a unit of all groups, with its bounds about `contact` (Sigma*), at Cholesky factors
// of Sigma, one a column, packed; all in the frame where there is one. A row each: lower, value,
// upper.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix inspect_mean_factor_(const Rcpp::List& patterns, int n_groups,
                                         const Rcpp::List& model_list,
                                         const Rcpp::NumericMatrix& contact,
                                         const Rcpp::NumericMatrix& factors) {
  const Model model = unpack_model(model_list);
  const DirectTarget target =
      make_direct_target(model, unpack_groups(patterns, n_groups, model, false)).value();
  const int n_features = model.n_features();
  MeanFactor<Eigen::Dynamic> means(
      target, Eigen::Map<const Eigen::MatrixXd>(contact.begin(), n_features, n_features),
      never_stop);
  Eigen::MatrixXd factor(n_features, n_features);
  Rcpp::NumericMatrix out(3, factors.ncol());
  for (int i = 0; i < out.ncol(); ++i) {
    unpack_lower(Eigen::Map<const Eigen::VectorXd>(&factors(0, i), factors.nrow()), factor);
    const SquareRows<Eigen::Dynamic> rows = factor;
    out(0, i) = means.lower_bound(factor.rowwise().squaredNorm());
    out(1, i) = means(rows);
    out(2, i) = means.upper_bound(rows);
  }
  return out;
}

// The density (D13) of a unit of all groups at positions, one a column: values, gradients and the
// Cholesky factors of Sigma there, in the frame; or NULL where Bartlett's coordinates do not apply.
// [[Rcpp::export(rng = false)]]
Rcpp::RObject inspect_bartlett_(const Rcpp::List& patterns, int n_groups,
                                const Rcpp::List& model_list,
                                const Rcpp::NumericMatrix& positions) {
  const Model model = unpack_model(model_list);
  const std::optional<DirectTarget> target =
      make_direct_target(model, unpack_groups(patterns, n_groups, model, false));
  if (!target) return R_NilValue;
  BartlettDensity density(*target, make_bartlett_reference(*target, never_stop));
  const int n_features = model.n_features(), n = positions.ncol();
  Eigen::VectorXd values(n), gradient;
  Eigen::MatrixXd gradients(density.dimension(), n), factors(packed_size(n_features), n);
  CovarianceDraw<Eigen::Dynamic> draw;
  draw.resize(n_features);
  for (int i = 0; i < n; ++i) {
    const Eigen::VectorXd x =
        Eigen::Map<const Eigen::VectorXd>(&positions(0, i), density.dimension());
    values[i] = density(x, gradient);
    gradients.col(i) = gradient;
    density.read(x, draw);
    pack_lower(draw.factor, factors.col(i));
  }
  return Rcpp::List::create(Named("value") = as_r(values), Named("gradient") = as_r(gradients),
                            Named("factor") = as_r(factors));
}
