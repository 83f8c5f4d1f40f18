# What groups have in common, in the words of nlme and lme4.

#' The typical group, deviations and components of variance
#'
#' Under partial pooling of the means, `fixef()` gives those of the typical group, `ranef()` how far
#' each group's are from them: `coef()` is their sum. Point estimates are posterior means; draws of
#' the typical group come from `as_draws_rvars(fit, "mu0")`. With covariates, means are those of a
#' row with average covariates; the typical group's slopes are `as_draws_rvars(fit, "beta0")`.
#'
#' @param object,x An `hmvn_fit`.
#' @param sigma,form,level,data,sep,asList Not used.
#' @param ... Must be empty for `fixef()`, `ranef()` and `VarCorr()`; else not used.
#' @return
#' * `fixef()`: a vector by feature.
#' * `ranef()`: a matrix \[group, feature\].
#' * `VarCorr()`: a list of `between`, a list of `sd` (`tau`, by feature), `cor` and `cov`
#'   \[feature, feature\] of the groups' means (`NULL` unless means are partially pooled; the
#'   identity and a diagonal matrix where they are independent), `slope`, where slopes are
#'   partially pooled, a list of their `sd` between groups (`tau_slope`, \[covariate, feature\]),
#'   and `within`, a list of `sd` \[group, feature\], `cor` and `cov` \[group, feature, feature\].
#' * `ngrps()` (of \pkg{lme4} and \pkg{brms}): the number of groups, a list named by the keys joined
#'   by `:`. `getGroups()`: the group of every row, a factor. `getData()`: the columns that were
#'   read. `getGroupsFormula()`: a one-sided formula of the keys.
#' @section Errors: `hmvn_error_no_meaning` for `fixef()` and `ranef()` without partial pooling of
#'   means. `hmvn_error_keep` if draws were not kept.
#' @seealso [coef()][coef.hmvn_fit] for the means of groups, [within_between()] for correlations
#'   within and between groups, [posterior_new_group()].
#' @examplesIf requireNamespace("nlme", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' nlme::fixef(fit)
#' nlme::ranef(fit)
#' nlme::VarCorr(fit)$between$sd
#' @name fixef.hmvn_fit
NULL

#' @rdname fixef.hmvn_fit
#' @exportS3Method nlme::fixef
fixef.hmvn_fit <- function(object, ...) {
  check_no_dots(..., known = names(formals()), call = rlang::current_env())
  check_fit(object)
  check_typical_mean(object, "fixef", rlang::current_env())
  stats::setNames(colMeans(matrix(object$draws$mean0, n_draws(object))), object$statistics$features)
}

#' @rdname fixef.hmvn_fit
#' @exportS3Method nlme::ranef
ranef.hmvn_fit <- function(object, ...) {
  check_no_dots(..., known = names(formals()), call = rlang::current_env())
  check_fit(object)
  check_typical_mean(object, "ranef", rlang::current_env())
  sweep(coef.hmvn_fit(object), 2L, fixef.hmvn_fit(object))
}

#' @rdname fixef.hmvn_fit
#' @exportS3Method nlme::VarCorr
VarCorr.hmvn_fit <- function(x, sigma = 1, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  check_kept(x, "Sigma")
  c(
    list(between = if (is_stored(x, "h_mean")) between_estimate(x)),
    if (is_stored(x, "h_slope")) list(slope = list(sd = slope_spread(x))),
    list(within = list(
      sd = group_estimate(x, "sigma"), cor = matrix_estimate(x, "Omega"),
      cov = matrix_estimate(x, "Sigma")
    ))
  )
}

#' @rdname fixef.hmvn_fit
#' @rawNamespace S3method(lme4::ngrps, hmvn_fit)
#' @rawNamespace S3method(brms::ngrps, hmvn_fit)
ngrps.hmvn_fit <- function(object, ...) {
  check_fit(object)
  stats::setNames(
    list(n_groups(object)), paste(names(object$statistics$keys), collapse = ":")
  )
}

#' @rdname fixef.hmvn_fit
#' @exportS3Method nlme::getGroups
getGroups.hmvn_fit <- function(object, form, level, data, sep = "/") {
  check_fit(object)
  own <- require_rows(object, "The groups of rows", rlang::current_env())
  factor(own$labels[own$codes], levels = own$labels)
}

#' @rdname fixef.hmvn_fit
#' @exportS3Method nlme::getData
getData.hmvn_fit <- function(object) {
  check_fit(object)
  kept_data_frame(require_rows(object, "The data", rlang::current_env()))
}

#' @rdname fixef.hmvn_fit
#' @exportS3Method nlme::getGroupsFormula
getGroupsFormula.hmvn_fit <- function(object, asList, sep = "/") {
  check_fit(object)
  keys_formula(object)
}

# internal -----------------------------------------------------------------

check_typical_mean <- function(fit, generic, call) {
  if (all(fit$coefficients["mean", ] != "none") && fit$pooling[["mean"]] != "complete") {
    return(invisible())
  }
  abort_no_meaning(
    generic, "Without partial pooling of means there is no typical group to deviate from.",
    "{.code coef(fit)} for the means of groups, or fit with {.code pooling = \"partial\"}", call
  )
}

# Posterior means of the sds, correlations and covariances between groups.
between_estimate <- function(fit) {
  features <- fit$statistics$features
  tau <- matrix(quantity(fit, "tau"), n_draws(fit))
  estimate <- function(name, independent) {
    values <- if (!is_stored(fit, "chol_between")) {
      diag(independent, length(features))
    } else {
      matrix(colMeans(matrix(quantity(fit, name), n_draws(fit))), length(features))
    }
    dimnames(values) <- list(features, features)
    values
  }
  list(
    sd = stats::setNames(colMeans(tau), features), cor = estimate("Omega_between", 1),
    cov = estimate("Sigma_between", colMeans(tau^2))
  )
}

# Posterior means [covariate, feature] of the sds between groups' slopes.
slope_spread <- function(fit) {
  values <- quantity(fit, "tau_slope")
  matrix(
    colMeans(matrix(values, n_draws(fit))), n_covariates(fit),
    dimnames = list(fit$statistics$covariates, fit$statistics$features)
  )
}

# Posterior means [group, feature, feature] of a matrix by group.
matrix_estimate <- function(fit, name) {
  features <- fit$statistics$features
  means <- lapply(group_chunks(fit), function(chunk) {
    values <- quantity(fit, name, chunk)
    matrix(colMeans(matrix(values, n_draws(fit))), length(chunk))
  })
  array(
    do.call(rbind, means), c(n_groups(fit), length(features), length(features)),
    list(fit$statistics$labels, features, features)
  )
}
