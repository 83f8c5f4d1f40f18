// From R's lists to the core's types: strings become enums here and nowhere deeper.
#pragma once

#include <Rcpp.h>

#include <string>
#include <vector>

#include "hmvn/model/model.hpp"
#include "hmvn/model/group_statistics.hpp"

namespace hmvn {

// `model`: list(coefficient_pooling, location, scale, pooling (of sds and correlations),
// heterogeneity (means, sds, correlations, slopes), family, parameters, eta, between_eta (NULL: R_b
// = I), known (are covariances?)), see as_core() in R; and, unless the frame is raw, frame: C of
// (F1).
Model unpack_model(const Rcpp::List& model);

// A prior of a standard deviation from the name of its family.
ScalePrior unpack_scale_prior(const std::string& family, double p1, double p2, double p3);

// `patterns`: list(group, n, observed, mean, scatter; and, with covariates, covariate_mean (less
// their centres), covariate_scatter, cross) as in an hmvn_statistics object. Means and slopes come
// out relative to the model's locations. Without data (`prior_only`) the groups are empty.
std::vector<GroupStatistics> unpack_groups(const Rcpp::List& patterns, int n_groups,
                                           const Model& model, bool prior_only);

// The model of what is asked of statistics alone: so many features and covariates, slopes `common`
// to all groups or their own, nothing else said.
Model plain_model(int n_features, int n_covariates, bool common);

}  // namespace hmvn
