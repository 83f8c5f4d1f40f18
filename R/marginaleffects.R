# Predictions, comparisons and slopes for the package marginaleffects.

#' Predictions, comparisons and slopes, for marginaleffects
#'
#' Makes `marginaleffects::avg_comparisons(fit)`, `predictions()`, `slopes()` and their relatives
#' work on a fit. What is predicted are means: those of a row's group, with covariates at the row's
#' values. Every feature is a level of the column `group` of \pkg{marginaleffects}, which stands
#' for the parts of a multivariate response. Results are medians of the posterior with quantiles.
#'
#' \pkg{marginaleffects} takes the classes that the option `marginaleffects_model_classes` names;
#' loading hmvn adds `"hmvn_fit"` to it. For standard deviations and correlations see
#' [compare_groups()].
#'
#' @param model An `hmvn_fit` made from rows (with `keep_data = TRUE`).
#' @param newdata A data frame with the columns of groups and covariates; `NULL`: the rows that were
#'   fitted.
#' @param type `"response"`, means of rows; or `"prediction"`, rows drawn from the posterior
#'   predictive distribution.
#' @param vcov,... What \pkg{marginaleffects} hands on; not used.
#' @return What \pkg{marginaleffects} asks of these methods: of `get_predict()` a data frame with
#'   columns `rowid`, `group` (the feature) and `estimate`, and the attribute `posterior_draws`, a
#'   matrix \[row and feature, draw\]; of `get_coef()` the posterior means of groups' means, named
#'   as in the draws; of `get_vcov()` `NULL`, since draws are there.
#' @section Errors: Those of [posterior_epred()][posterior_predict.hmvn_fit];
#'   `hmvn_error_argument` for another `type`.
#' @seealso [compare_groups()], [group_slope()], [emmeans-hmvn].
#' @examples
#' # then marginaleffects::avg_comparisons(fit, variables = "Species") gives differences of means
#' getOption("marginaleffects_model_classes")
#' @name marginaleffects-hmvn
NULL

#' @rdname marginaleffects-hmvn
#' @exportS3Method marginaleffects::get_predict
get_predict.hmvn_fit <- function(model, newdata = NULL, type = "response", ...) {
  call <- rlang::current_env()
  check_fit(model, call)
  type <- check_choice(type, "type", c("response", "prediction"), call)
  read <- switch(type, response = posterior_epred.hmvn_fit, posterior_predict.hmvn_fit)
  # what a package hands over as a data.table
  if (is.data.frame(newdata)) newdata <- as.data.frame(newdata)
  draws <- read(model, newdata)
  features <- dimnames(draws)[[3L]]
  n_rows <- dim(draws)[[2L]]
  values <- matrix(draws, nrow(draws))
  out <- data.frame(
    rowid = rep(newdata$rowid %||% seq_len(n_rows), length(features)),
    group = factor(rep(features, each = n_rows), features),
    estimate = apply(values, 2L, stats::median)
  )
  structure(out, posterior_draws = t(values))
}

#' @rdname marginaleffects-hmvn
#' @exportS3Method marginaleffects::get_coef
get_coef.hmvn_fit <- function(model, ...) {
  check_fit(model)
  colMeans(as.matrix.hmvn_fit(model, variable = "mu"))
}

#' @rdname marginaleffects-hmvn
#' @exportS3Method marginaleffects::get_vcov
get_vcov.hmvn_fit <- function(model, vcov = NULL, ...) {
  check_fit(model)
  NULL
}

# internal -----------------------------------------------------------------

# An option is how marginaleffects is told of classes that it does not list.
.onLoad <- function(libname, pkgname) {
  known <- getOption("marginaleffects_model_classes")
  options(marginaleffects_model_classes = union(known, "hmvn_fit"))
}
