#' hmvn: group means and covariance matrices that learn from each other
#'
#' [fit_hmvn()] takes a data frame and a grouping column and returns the
#' posterior distribution of every group's mean vector and covariance matrix.
#' Means, standard deviations and correlations each have their own prior
#' ([hmvn_prior()]) and their own pooling over the groups.
#'
#' Start with `vignette("hmvn")`. Then, by what you want:
#' * to fit: [fit_hmvn()], [hmvn_prior()], [update()][update.hmvn_fit]; from counts and moments
#'   alone [hmvn_statistics()], [hmvn_statistics_from()];
#' * to go on: more draws by [extend()], an interrupted run by [resume_hmvn()];
#' * to read a fit: [print()][print.hmvn_fit], [summary()][summary.hmvn_fit], [group_mean()],
#'   [group_cov()], [as_draws_df()][draws-hmvn], [as_table()], [plot()][plot.hmvn_fit];
#' * to compare groups: [compare_groups()], [closest_groups()], [outlying_groups()],
#'   [group_distance()], [group_overlap()], [group_ellipse()], [within_between()];
#' * to predict: [predict()][predict.hmvn_fit], [posterior_predict()][posterior_predict.hmvn_fit],
#'   [posterior_impute()], [posterior_new_group()];
#' * to check: [prior_summary()][prior_summary.hmvn_fit], [pp_check()][pp_check.hmvn_fit],
#'   [loo()][loo.hmvn_fit], [kfold()][kfold.hmvn_fit], [stancode()].
#'
#' `?hmvn-conditions` lists what can go wrong, `vignette("model")` every formula.
#'
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, features = ~ Petal.Length + Petal.Width, seed = 1)
#' fit
#' compare_groups(fit, what = "cor")
#' @keywords internal
#' @useDynLib hmvn, .registration = TRUE
#' @importFrom Rcpp evalCpp
#' @importFrom RcppParallel RcppParallelLibs
"_PACKAGE"
