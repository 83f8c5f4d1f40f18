# Generics whose default would answer wrongly and that have no meaning for this model.

#' Generics without a meaning
#'
#' Generics that have a default method, which for a fit would give `NULL` or a number made of the
#' parts of a list, or that make no sense without a likelihood that is maximised. Each stops with
#' `hmvn_error_no_meaning`, whose field `generic` names it, and says what to call instead.
#'
#' @param x,object,z An `hmvn_fit`.
#' @param ... Not used.
#' @param incomparables,center,scale Not used.
#' @return Nothing: they stop.
#' @seealso [ask-otherwise-hmvn] for generics of other packages.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' try(logLik(fit))
#' try(mean(fit))
#' @name no-meaning-hmvn
NULL

#' @rdname no-meaning-hmvn
#' @importFrom stats logLik
#' @export
logLik.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "logLik", "Nothing was maximised: the likelihood has a posterior distribution.",
    "{.code log_lik(fit)} for it by row, or {.code loo::loo(fit)} to compare fits",
    rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @importFrom stats deviance
#' @export
deviance.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "deviance", "Nothing was maximised: the likelihood has a posterior distribution.",
    "{.code loo::loo(fit)}, whose {.code looic} is on the scale of a deviance,",
    rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @importFrom stats df.residual
#' @export
df.residual.hmvn_fit <- function(object, ...) {
  abort_no_meaning(
    "df.residual", "A posterior needs no degrees of freedom.",
    "{.code loo::loo(fit)}, whose {.code p_loo} is an effective number of parameters,",
    rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @export
mean.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "mean", "A fit holds many quantities.",
    "{.code coef(fit)} for the means of groups, or {.code summary(fit)}", rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @importFrom stats median
#' @export
median.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "median", "A fit holds many quantities.", "{.code summary(fit)}, which has their medians,",
    rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @importFrom stats quantile
#' @export
quantile.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "quantile", "A fit holds many quantities.",
    "{.code summary(fit, prob = )} or {.code posterior_interval(fit)}", rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @export
scale.hmvn_fit <- function(x, center = TRUE, scale = TRUE) {
  abort_no_meaning(
    "scale", "A fit is no matrix.",
    "{.code residuals(fit, type = \"pearson\")} for scaled rows", rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @export
t.hmvn_fit <- function(x) {
  abort_no_meaning(
    "t", "A fit is no matrix.", "{.code t(coef(fit))} or {.code t(as.matrix(fit))}",
    rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @export
qr.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "qr", "A fit is no matrix.", "{.code qr()} of a matrix of {.fn group_cov}",
    rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @export
kappa.hmvn_fit <- function(z, ...) {
  abort_no_meaning(
    "kappa", "A fit is no matrix.", "{.code kappa()} of a matrix of {.fn group_cov}",
    rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @importFrom stats prcomp
#' @export
prcomp.hmvn_fit <- function(x, ...) {
  abort_no_meaning(
    "prcomp", "Every group has components of its own, with their uncertainty.",
    "{.code eigen()} of a matrix of {.fn group_cov}", rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @export
unique.hmvn_fit <- function(x, incomparables = FALSE, ...) {
  abort_no_meaning(
    "unique", "A fit is one object.", "{.code labels(fit)} for its groups", rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @export
c.hmvn_fit <- function(...) {
  abort_no_meaning(
    "c", "Fits do not add up to a fit.",
    "{.code list(a, b)} for a list of fits, or fit with more {.code chains}", rlang::current_env()
  )
}

#' @rdname no-meaning-hmvn
#' @exportS3Method posterior::ess_mean
ess_mean.hmvn_fit <- function(x, ...) abort_one_variable("ess_mean", rlang::current_env())

#' @rdname no-meaning-hmvn
#' @exportS3Method posterior::ess_basic
ess_basic.hmvn_fit <- function(x, ...) abort_one_variable("ess_basic", rlang::current_env())

#' @rdname no-meaning-hmvn
#' @exportS3Method posterior::rhat_basic
rhat_basic.hmvn_fit <- function(x, ...) abort_one_variable("rhat_basic", rlang::current_env())

#' @rdname no-meaning-hmvn
#' @exportS3Method posterior::entropy
entropy.hmvn_fit <- function(x) abort_one_variable("entropy", rlang::current_env())

#' @rdname no-meaning-hmvn
#' @exportS3Method posterior::modal_category
modal_category.hmvn_fit <- function(x) abort_one_variable("modal_category", rlang::current_env())

# internal -----------------------------------------------------------------

abort_one_variable <- function(generic, call) {
  abort_no_meaning(
    generic, "It is of the draws of one variable, and a fit has many.",
    "{.code summarise_draws(fit)} with it among the functions", call
  )
}

# `why`, `instead`: texts without variables; `instead`: what to call.
abort_no_meaning <- function(generic, why, instead, call) {
  abort_hmvn(
    c(
      "{.fn {generic}} must be of something that the fit has.",
      x = why,
      i = paste("Call", instead, "instead.")
    ),
    "no_meaning", generic = generic, call = call
  )
}
