# What posterior does with draws, of a fit: its draws are made and handed on.

#' Draws of a fit, subset and changed
#'
#' The verbs of \pkg{posterior} for draws. Each makes the draws of all quantities by
#' [as_draws()][draws-hmvn] first; of a large fit ask for those that you want:
#' `subset_draws(as_draws_df(fit, "mu"), ...)`.
#'
#' @param x,.x An `hmvn_fit`.
#' @param thin One of `thin` draws is kept.
#' @param ... What the verb of \pkg{posterior} takes.
#' @return Draws, in the format of [as_draws()][draws-hmvn].
#' @section Errors: Those of [as_draws()][draws-hmvn] and of the verb.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' posterior::thin_draws(fit, 10)
#' @seealso [as_draws_df()][draws-hmvn], and [posterior::subset_draws()].
#' @name draws-verbs-hmvn
NULL

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::subset_draws
subset_draws.hmvn_fit <- function(x, ...) posterior::subset_draws(draws_of_fit(x), ...)

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::thin_draws
thin_draws.hmvn_fit <- function(x, thin, ...) {
  call <- rlang::current_env()
  check_fit(x, call)
  thin <- check_count(thin, "thin", min = 1, max = x$control$iter_sampling, call = call)
  posterior::thin_draws(draws_of_fit(x), thin, ...)
}

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::merge_chains
merge_chains.hmvn_fit <- function(x, ...) posterior::merge_chains(draws_of_fit(x), ...)

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::split_chains
split_chains.hmvn_fit <- function(x, ...) posterior::split_chains(draws_of_fit(x), ...)

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::resample_draws
resample_draws.hmvn_fit <- function(x, ...) posterior::resample_draws(draws_of_fit(x), ...)

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::mutate_variables
mutate_variables.hmvn_fit <- function(.x, ...) posterior::mutate_variables(draws_of_fit(.x), ...)

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::rename_variables
rename_variables.hmvn_fit <- function(.x, ...) posterior::rename_variables(draws_of_fit(.x), ...)

# internal -----------------------------------------------------------------

draws_of_fit <- function(fit, call = rlang::caller_env()) as_draws.hmvn_fit(check_fit(fit, call))
