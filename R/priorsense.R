# What priorsense needs to know about a fit.

#' Sensitivity to the prior and the likelihood, for priorsense
#'
#' Makes `priorsense::powerscale_sensitivity(fit)` and the rest of \pkg{priorsense} work on a fit:
#' how much do quantities change when prior or likelihood count more or less? Where both matter,
#' they may be in conflict. For example, `priorsense::powerscale_sensitivity(fit, variable =
#' "sigma")`.
#'
#' @param x An `hmvn_fit`.
#' @param variable Quantities to look at, as for [as_draws_array()][draws-hmvn]; `NULL`: all.
#' @param ... Passed on to `priorsense::create_priorsense_data()`.
#' @return A `priorsense_data` object. Its log likelihood is the total one of each draw, `lp__ -
#'   lprior`, so that fits from statistics work too.
#' @section Errors: Those of [as_draws_array()][draws-hmvn]. `hmvn_error_no_meaning` for draws from
#'   the prior.
#' @seealso [prior_summary()][prior_summary.hmvn_fit], [plot(fit, "prior")][plot.hmvn_fit];
#'   [hmvn_prior()] on conflicts of prior and data.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, features = ~ Sepal.Length, chains = 2, seed = 1)
#' prior_summary(fit) # then priorsense::powerscale_sensitivity(fit, variable = "sigma")
#' @exportS3Method priorsense::create_priorsense_data
create_priorsense_data.hmvn_fit <- function(x, variable = NULL, ...) {
  check_fit(x)
  check_has_learned(x, "create_priorsense_data", rlang::current_env())
  require_package("priorsense", "{.fn create_priorsense_data}", rlang::current_env())
  parts <- total_densities(x)
  draws <- as_draws_array.hmvn_fit(x, variable = variable)
  kept <- setdiff(posterior::variables(draws), c("lp__", "lprior"))
  create <- getExportedValue("priorsense", "create_priorsense_data")
  create(
    posterior::subset_draws(draws, variable = kept),
    fit = x, log_prior = parts$log_prior, log_lik = parts$log_lik, ...
  )
}

# internal -----------------------------------------------------------------

# The log prior and the log likelihood of every draw, draws of one variable each.
total_densities <- function(fit) {
  one_variable <- function(values, name) {
    posterior::as_draws_array(array(values, c(n_kept(fit), 1L), list(NULL, NULL, name)))
  }
  list(
    log_prior = one_variable(fit$draws$lprior, "lprior"),
    log_lik = one_variable(fit$draws$lp - fit$draws$lprior, "log_lik")
  )
}
