# Generics of other packages that are answered by something else here.

#' Generics that are answered by other calls
#'
#' Generics of \pkg{stats}, \pkg{rstantools}, \pkg{loo}, \pkg{brms}, \pkg{rstanarm} and
#' \pkg{shinystan} without a method of their own for a fit. Each stops with
#' `hmvn_error_no_meaning`, whose field `generic` names it, and says what to call instead.
#'
#' @param object,x,log_ratios An `hmvn_fit`.
#' @param ... Not used.
#' @return Nothing: they stop.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' try(anova(fit))
#' @seealso [no-meaning-hmvn]
#' @name ask-otherwise-hmvn
NULL

#' @rdname ask-otherwise-hmvn
#' @importFrom stats anova
#' @export
anova.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "anova", "Nothing was maximised, so there is no table of tests.",
    "{.code loo::loo_compare(fit, other)}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @importFrom stats terms
#' @export
terms.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "terms", "Features are modelled jointly: there is no formula with one response.",
    "{.code formula(fit)}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method rstantools::bayes_R2
bayes_R2.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "bayes_R2", "Features have no common variance that could be explained.",
    "{.code summary(fit, \"icc\")}, the share of variance between groups,", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method rstantools::loo_R2
loo_R2.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "loo_R2", "Features have no common variance that could be explained.",
    "{.code loo::loo(fit)}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method loo::loo_subsample
loo_subsample.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "loo_subsample", "The densities of all rows take no longer than reading their draws.",
    "{.code loo::loo(fit)}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method loo::psis
psis.hmvn_fit <- function(log_ratios, ...) {
  abort_no_meaning(
    "psis", "It is of a matrix of log ratios.",
    "{.code loo::psis(-log_lik(fit))}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method brms::conditional_effects
conditional_effects.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "conditional_effects", "Of a fit every feature depends on every other.",
    "{.code plot(fit)}, or {.code predict(fit, newdata)} for features given others,",
    rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method brms::mcmc_plot
mcmc_plot.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "mcmc_plot", "Its pictures are those of bayesplot.",
    "{.code plot(fit, \"trace\")}, or bayesplot's functions, which take a fit,",
    rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method brms::control_params
control_params.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "control_params", "The settings of the sampler are kept together.",
    "{.code fit$control}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method brms::reloo
reloo.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "reloo", "It is an argument here.",
    "{.code loo::loo(fit, reloo = TRUE)}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method brms::add_criterion
add_criterion.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "add_criterion", "A fit is not changed after it was made.",
    "{.code loo::loo(fit)}, and keep its value,", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method brms::model_weights
model_weights.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "model_weights", "Weights are made of criteria.",
    "{.code loo::loo_model_weights(list(loo::loo(fit), loo::loo(other)))}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method rstanarm::posterior_vs_prior
posterior_vs_prior.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "posterior_vs_prior", "The prior beside the posterior is a picture here.",
    "{.code plot(fit, \"prior\")}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method rstanarm::se
se.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "se", "A posterior has sds.",
    "{.code summary(fit)}, column {.field sd},", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method brms::parnames
parnames.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "parnames", "It is the old name of another generic.",
    "{.code variables(fit)}", rlang::current_env()
  )
}

#' @rdname ask-otherwise-hmvn
#' @exportS3Method shinystan::launch_shinystan
launch_shinystan.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "launch_shinystan", "It is of its own kind of object.",
    "{.code shinystan::launch_shinystan(shinystan::as.shinystan(as.array(fit)))}",
    rlang::current_env()
  )
}
