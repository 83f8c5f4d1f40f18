// The border of patterns from which the effect of covariates is taken.
#include <Rcpp.h>

#include <vector>

#include "hmvn/coordinates/adjusted.hpp"
#include "parallel.h"
#include "r_model.h"

// `patterns`: as in an hmvn_statistics object with covariates, these about their centres; `common`:
// one set of slopes for all groups, or one each. Returns list(mean [K, pattern], scatter [K, K,
// pattern]) of what they leave.
// [[Rcpp::export(rng = false)]]
Rcpp::List adjust_patterns_(const Rcpp::List& patterns, int n_groups, int n_features,
                            int n_covariates, bool common) {
  if (n_features < 1 || n_covariates < 1) Rcpp::stop("there are no features or no covariates");
  const hmvn::Model model = hmvn::plain_model(n_features, n_covariates, common);
  const std::vector<hmvn::GroupStatistics> groups =
      hmvn::unpack_groups(patterns, n_groups, model, false);
  hmvn::AdjustedGroups adjusted;
  hmvn::RunControl control;
  hmvn::run_jobs(
      1, 1,
      [&](std::size_t) { adjusted = hmvn::adjust_for_covariates(model, groups, control.stop); },
      control);
  const Rcpp::IntegerVector group = patterns["group"];
  Rcpp::NumericMatrix mean(n_features, static_cast<int>(group.size()));
  Rcpp::NumericVector scatter(Rcpp::Dimension(n_features, n_features, group.size()));
  std::vector<std::size_t> next(static_cast<std::size_t>(n_groups), 0);
  for (R_xlen_t p = 0; p < group.size(); ++p) {
    const int g = group[p] - 1;
    const hmvn::PatternStatistics& pattern = adjusted.groups[g].patterns[next[g]++];
    for (int k = 0; k < n_features; ++k) {
      mean(k, p) = pattern.mean[k];
      for (int j = 0; j < n_features; ++j) {
        scatter[(p * n_features + j) * n_features + k] = pattern.scatter(k, j);
      }
    }
  }
  return Rcpp::List::create(Rcpp::Named("mean") = mean, Rcpp::Named("scatter") = scatter);
}
