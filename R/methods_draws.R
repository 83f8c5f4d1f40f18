# Diagnostics and intervals by variable, for bayesplot, posterior, rstantools and coda.

#' Diagnostics and intervals of every variable
#'
#' R-hat, effective sample sizes and intervals of the draws, a number or a row a variable.
#'
#' @param x,object An `hmvn_fit`.
#' @param variable Quantities or elements, as for [as_draws_array()][draws-hmvn]; `NULL`: all.
#' @param prob Probability of the central intervals.
#' @param ... Passed on to [as_draws_array()][draws-hmvn], such as `variable`; for
#'   `posterior_interval()` not used.
#' @return `rhat()`, `ess_bulk()` and `ess_tail()` (generics of \pkg{posterior}; `rhat()` of
#'   \pkg{bayesplot} too) and `neff_ratio()` (of \pkg{bayesplot}: bulk effective sample size by
#'   draw): named vectors, one value a variable, as [posterior::summarise_draws()] computes them;
#'   `NA` for constants. `posterior_interval()`: a matrix of a row a variable, its columns the ends
#'   of the interval. `as.mcmc()` and `as.mcmc.list()`: an `mcmc.list` of \pkg{coda}.
#' @section Errors: Those of [as_draws_array()][draws-hmvn]. `hmvn_error_argument` for `prob`.
#' @seealso [summary.hmvn_fit()], which has them in columns.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' posterior::rhat(fit, variable = "mu0")
#' posterior_interval(fit, variable = c("mu0", "sigma0"))
#' @name posterior_interval.hmvn_fit
NULL

#' @rdname posterior_interval.hmvn_fit
#' @importFrom rstantools posterior_interval
#' @export
posterior_interval.hmvn_fit <- function(object, prob = 0.9, ..., variable = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  prob <- check_number(prob, "prob", 0, 1, open = TRUE, call = call)
  rstantools::posterior_interval(as.matrix.hmvn_fit(object, variable = variable), prob = prob)
}

#' @rdname posterior_interval.hmvn_fit
#' @exportS3Method posterior::rhat
rhat.hmvn_fit <- function(x, ...) diagnostic_of(x, "rhat", ...)

#' @rdname posterior_interval.hmvn_fit
#' @exportS3Method posterior::ess_bulk
ess_bulk.hmvn_fit <- function(x, ...) diagnostic_of(x, "ess_bulk", ...)

#' @rdname posterior_interval.hmvn_fit
#' @exportS3Method posterior::ess_tail
ess_tail.hmvn_fit <- function(x, ...) diagnostic_of(x, "ess_tail", ...)

#' @rdname posterior_interval.hmvn_fit
#' @exportS3Method bayesplot::neff_ratio
neff_ratio.hmvn_fit <- function(object, ...) {
  diagnostic_of(object, "ess_bulk", ...) / n_draws(object)
}

# The generic of bayesplot calls its argument otherwise.
#' @rawNamespace S3method(bayesplot::rhat, hmvn_fit, bayesplot_rhat)
bayesplot_rhat <- function(object, ...) diagnostic_of(object, "rhat", ...)

#' @rdname posterior_interval.hmvn_fit
#' @exportS3Method coda::as.mcmc
as.mcmc.hmvn_fit <- function(x, ...) as_mcmc_list(x, ...)

#' @rdname posterior_interval.hmvn_fit
#' @exportS3Method coda::as.mcmc.list
as.mcmc.list.hmvn_fit <- function(x, ...) as_mcmc_list(x, ...)

#' @importFrom rstantools posterior_interval
#' @export
rstantools::posterior_interval

# internal -----------------------------------------------------------------

# A named vector by variable: a column of summarise_array_().
diagnostic_of <- function(fit, name, ...) {
  values <- as_draws_array.hmvn_fit(fit, ...)
  numbers <- summarise_array_(unclass(values), numeric(), fit$control$cores)
  stats::setNames(numbers[, name], posterior::variables(values))
}

as_mcmc_list <- function(fit, ...) {
  values <- as.array.hmvn_fit(fit, ...)
  require_package("coda", "{.fn as.mcmc}", rlang::caller_env())
  thin <- fit$control$thin
  chains <- lapply(seq_len(dim(values)[[2L]]), function(chain) {
    one <- matrix(values[, chain, ], dim(values)[[1L]])
    colnames(one) <- dimnames(values)[[3L]]
    coda::mcmc(one, start = thin, thin = thin)
  })
  coda::mcmc.list(chains)
}
