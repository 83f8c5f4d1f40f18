# A fit for the packages of easystats that ask what it is: insight, performance.

#' @rdname easystats-hmvn
#' @exportS3Method insight::get_parameters
get_parameters.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  parameter_frame(x, variable, group)
}

#' @rdname easystats-hmvn
#' @exportS3Method insight::find_parameters
find_parameters.hmvn_fit <- function(x, flatten = FALSE, ...) {
  check_flag(flatten, "flatten", rlang::current_env())
  names <- posterior::variables(parameter_draws(x, NULL, NULL, rlang::current_env()))
  if (flatten) names else list(conditional = names)
}

#' @rdname easystats-hmvn
#' @exportS3Method insight::get_data
get_data.hmvn_fit <- function(x, ...) model.frame.hmvn_fit(x)

#' @rdname easystats-hmvn
#' @exportS3Method insight::find_response
find_response.hmvn_fit <- function(x, combine = TRUE, ...) check_fit(x)$statistics$features

#' @rdname easystats-hmvn
#' @exportS3Method insight::get_response
get_response.hmvn_fit <- function(x, ...) {
  model.frame.hmvn_fit(x)[check_fit(x)$statistics$features]
}

#' @rdname easystats-hmvn
#' @exportS3Method insight::find_predictors
find_predictors.hmvn_fit <- function(x, flatten = FALSE, ...) {
  check_flag(flatten, "flatten", rlang::current_env())
  covariates <- said_covariates(check_fit(x)$statistics)
  found <- list(
    conditional = if (!is.null(covariates)) all.vars(covariates),
    random = names(x$statistics$keys)
  )
  found <- found[lengths(found) > 0L]
  if (flatten) unlist(found, use.names = FALSE) else found
}

#' @rdname easystats-hmvn
#' @exportS3Method insight::find_random
find_random.hmvn_fit <- function(x, split_nested = FALSE, flatten = FALSE) {
  check_flag(flatten, "flatten", rlang::current_env())
  keys <- names(check_fit(x)$statistics$keys)
  if (flatten) keys else list(random = keys)
}

#' @rdname easystats-hmvn
#' @exportS3Method insight::find_formula
find_formula.hmvn_fit <- function(x, ...) {
  structure(list(conditional = formula.hmvn_fit(x)), class = c("insight_formula", "list"))
}

#' @rdname easystats-hmvn
#' @exportS3Method insight::n_obs
n_obs.hmvn_fit <- function(x, ...) nobs.hmvn_fit(x)

#' @rdname easystats-hmvn
#' @exportS3Method insight::model_info
model_info.hmvn_fit <- function(x, ...) {
  check_fit(x)
  list(
    family = "multivariate normal", link_function = "identity", is_linear = TRUE,
    is_bayesian = TRUE, is_multivariate = n_features(x) > 1L,
    is_mixed = any(x$pooling == "partial"),
    is_binomial = FALSE, is_count = FALSE, is_zero_inflated = FALSE, n_obs = nobs.hmvn_fit(x)
  )
}

#' @rdname easystats-hmvn
#' @exportS3Method insight::find_algorithm
find_algorithm.hmvn_fit <- function(x, ...) {
  check_fit(x)
  list(
    algorithm = paste(unique(x$units$algorithm), collapse = ", "), chains = n_chains(x),
    iterations = x$control$iter_sampling, warmup = max(x$units$iter_warmup)
  )
}

#' @rdname easystats-hmvn
#' @exportS3Method performance::model_performance
model_performance.hmvn_fit <- function(model, metrics = c("LOOIC", "WAIC"), ...) {
  call <- rlang::current_env()
  check_fit(model, call)
  wanted <- check_choices(metrics, "metrics", eval(formals()$metrics), call)
  require_package("loo", "{.fn model_performance}", call)
  out <- list()
  if ("LOOIC" %in% wanted) {
    found <- loo.hmvn_fit(model)$estimates
    out <- list(
      ELPD = found["elpd_loo", 1L], ELPD_SE = found["elpd_loo", 2L], LOOIC = found["looic", 1L],
      LOOIC_SE = found["looic", 2L]
    )
  }
  if ("WAIC" %in% wanted) out$WAIC <- waic.hmvn_fit(model)$estimates["waic", 1L]
  structure(
    as.data.frame(out), class = c("performance_model", "data.frame")
  )
}

#' @rdname easystats-hmvn
#' @exportS3Method performance::r2
r2.hmvn_fit <- function(model, ...) {
  abort_no_meaning(
    "r2", "Features have no common variance that could be explained.",
    "{.code loo::loo(fit)} to compare fits, or {.code summary(fit, \"icc\")} for the share of
    variance between groups,", rlang::current_env()
  )
}
