# What a fit's prior says, as draws.

#' Draws from the prior of a fit
#'
#' Samples the prior of a fit, as `update(fit, prior_only = TRUE)` does, and gives its draws.
#' Default priors are those that were scaled with the data of the fit.
#'
#' @param x An `hmvn_fit`.
#' @param variable Quantities or elements, see [as_draws_df()][draws-hmvn]; `NULL`: all.
#' @param ... Passed on to [as_draws_df()][draws-hmvn], such as `group`.
#' @return A draws_df, as many draws as the fit has.
#' @section Errors: Those of [update()][update.hmvn_fit] with `prior_only = TRUE`, such as a prior
#'   that is no distribution, and of [as_draws_df()][draws-hmvn].
#' @seealso [prior_summary()][prior_summary.hmvn_fit] for the priors in words,
#'   [plot(fit, "prior")][plot.hmvn_fit] for prior against posterior.
#' @examples
#' prior <- hmvn_prior(mean = dist_normal(5, 2), sd = dist_exponential(1))
#' fit <- fit_hmvn(iris, group = ~ Species, prior = prior, chains = 2, seed = 1)
#' prior_summary(fit) # draws of it: brms::prior_draws(fit, "Omega", group = "setosa")
#' @name prior_draws.hmvn_fit
NULL

#' @rdname prior_draws.hmvn_fit
#' @exportS3Method brms::prior_draws
prior_draws.hmvn_fit <- function(x, variable = NULL, ...) {
  check_fit(x, rlang::current_env())
  if (!isTRUE(x$control$prior_only)) {
    x <- suppressMessages(update.hmvn_fit(x, prior_only = TRUE, progress = FALSE))
  }
  as_draws_df.hmvn_fit(x, variable = variable, ...)
}
