# The generics of stats for a fit: point estimates, residuals and what the fit was made of.

#' Estimates, residuals and the like
#'
#' What the generics of \pkg{stats} mean for a fit. Point estimates are posterior means; the draws
#' themselves come from [group_mean()], [group_sd()] and [as_draws_rvars()][draws-hmvn], intervals
#' of any quantity from [summary()][summary.hmvn_fit]. Functions that have no meaning here, such as
#' `logLik()`, `deviance()` or `df.residual()`, stop with `hmvn_error_no_meaning` and say what to
#' call instead.
#'
#' @param object,x,formula An `hmvn_fit`.
#' @param type `"response"`: in the units of the features; `"pearson"`: divided by the standard
#'   deviations of the row's group.
#' @param parm Names of means (`"mu[A,x]"`); left out: all.
#' @param level Probability of the interval.
#' @param ... Must be empty for `coef()`, `sigma()`, `fitted()`, `residuals()` and `confint()`; else
#'   not used.
#' @return
#' * `coef()` and `sigma()`: matrices \[group, feature\] of group means and standard deviations.
#'   With covariates, means are everywhere those of a row with average covariates, and standard
#'   deviations those about the means that covariates give; [group_slope()] has the slopes.
#' * `fitted()`: a matrix \[row, feature\], the mean of each row's group, with covariates that of
#'   the row itself. `residuals()`: likewise, the observed cells less those; `NA` where a cell is
#'   missing. Rows that were left out for a missing covariate are `NA`.
#' * `vcov()`: the posterior covariance matrix of the group means, both dimensions named
#'   `mu[A,x]`; `confint()`: their central posterior intervals, a matrix of a row a mean.
#' * `nobs()`: the number of rows with something observed, whatever their weights.
#' * `weights()`: frequency weights by row, 1 where none were given. `case.names()`: positions of
#'   rows. `variable.names()`: the features. `labels()`, `levels()`: the labels of
#'   groups.
#' * `formula()`: `cbind(features) ~ keys`, keys joined by `:`; with covariates, `+` their terms.
#'   `family()`: a `family` object.
#' * `model.frame()`: the columns that were read: keys, features, covariates, weights.
#' @section Errors: `hmvn_error_rows` where rows are needed and the fit has none; `hmvn_error_keep`
#'   if draws were not kept; `hmvn_error_variable` for an unknown `parm`; `hmvn_error_size`.
#' @seealso [fixef()][fixef.hmvn_fit] for what groups have in common, [tidy()][tidy.hmvn_fit] for
#'   data frames.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' coef(fit)
#' sigma(fit)
#' head(residuals(fit, type = "pearson"))
#' confint(fit, "mu[setosa,Sepal.Length]")
#' @name coef.hmvn_fit
NULL

#' @rdname coef.hmvn_fit
#' @importFrom stats coef
#' @export
coef.hmvn_fit <- function(object, ...) {
  check_no_dots(..., known = names(formals()), call = rlang::current_env())
  group_estimate(check_fit(object), "mu")
}

#' @rdname coef.hmvn_fit
#' @importFrom stats sigma
#' @export
sigma.hmvn_fit <- function(object, ...) {
  check_no_dots(..., known = names(formals()), call = rlang::current_env())
  group_estimate(check_fit(object), "sigma")
}

#' @rdname coef.hmvn_fit
#' @importFrom stats fitted
#' @export
fitted.hmvn_fit <- function(object, ...) {
  call <- rlang::current_env()
  advice <- c(newdata = "Means of other rows: {.code posterior_epred(fit, newdata)}.")
  check_no_dots(..., known = names(formals()), advice = advice, call = call)
  check_fit(object, call)
  fitted_rows(object, own_rows(object, require_rows(object, "Fitted values of rows", call), call))
}

#' @rdname coef.hmvn_fit
#' @importFrom stats residuals
#' @export
residuals.hmvn_fit <- function(object, type = c("response", "pearson"), ...) {
  call <- rlang::current_env()
  advice <- c(newdata = "Of other rows: {.code predictive_error(fit, newdata)}.")
  check_no_dots(..., known = names(formals()), advice = advice, call = call)
  check_fit(object, call)
  type <- check_first_choice(type, "type", formals()$type, call)
  rows <- own_rows(object, require_rows(object, "Residuals of rows", call), call)
  out <- t(rows$values) - fitted_rows(object, rows)
  if (type == "pearson") out <- out / group_estimate(object, "sigma")[rows$group, , drop = FALSE]
  unname_rows(out)
}

#' @rdname coef.hmvn_fit
#' @importFrom stats vcov
#' @export
vcov.hmvn_fit <- function(object, ...) {
  check_fit(object)
  check_kept(object, "mu")
  size <- n_groups(object) * n_features(object)
  check_size(8 * size^2, "The covariance matrix of all means", "Look at groups one by one.")
  values <- draw_matrix(mean_draws(object, seq_len(n_groups(object))), seq_len(n_draws(object)))
  out <- stats::cov(values)
  dimnames(out) <- rep(list(mean_names(object)), 2L)
  out
}

#' @rdname coef.hmvn_fit
#' @importFrom stats confint
#' @export
confint.hmvn_fit <- function(object, parm, level = 0.95, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  check_kept(object, "mu", call)
  level <- check_number(level, "level", 0, 1, open = TRUE, call = call)
  known <- mean_names(object)
  parm <- if (missing(parm)) known else check_text(parm, "parm", "names of means", call)
  unknown <- setdiff(parm, known)
  if (length(unknown) > 0L) check_variables(unknown, known, call)
  ends <- c(1 - level, 1 + level) / 2
  # whole groups: those of which something is asked for
  k <- n_features(object)
  at <- match(parm, known) - 1L
  groups <- unique(at %/% k + 1L)
  found <- lapply(group_chunks(object, groups), function(chunk) {
    t(apply(mean_draws(object, chunk), 3L, stats::quantile, probs = ends, names = FALSE))
  })
  out <- matrix(do.call(rbind, found), ncol = 2L)
  out <- out[(match(at %/% k + 1L, groups) - 1L) * k + at %% k + 1L, , drop = FALSE]
  dimnames(out) <- list(parm, paste(format(100 * ends, trim = TRUE, digits = 3), "%"))
  out
}

#' @rdname coef.hmvn_fit
#' @importFrom stats nobs
#' @export
nobs.hmvn_fit <- function(object, ...) as.integer(check_fit(object)$statistics$n_rows)

#' @rdname coef.hmvn_fit
#' @importFrom stats weights
#' @export
weights.hmvn_fit <- function(object, ...) {
  check_fit(object)
  data <- require_rows(object, "Weights of rows", rlang::current_env())
  data$weights %||% rep(1, data$n_obs)
}

#' @rdname coef.hmvn_fit
#' @importFrom stats case.names
#' @export
case.names.hmvn_fit <- function(object, ...) {
  check_fit(object)
  as.character(seq_len(require_rows(object, "Names of rows", rlang::current_env())$n_obs))
}

#' @rdname coef.hmvn_fit
#' @importFrom stats variable.names
#' @export
variable.names.hmvn_fit <- function(object, ...) check_fit(object)$statistics$features

#' @rdname coef.hmvn_fit
#' @export
labels.hmvn_fit <- function(object, ...) check_fit(object)$statistics$labels

#' @rdname coef.hmvn_fit
#' @export
levels.hmvn_fit <- function(x) check_fit(x)$statistics$labels

#' @rdname coef.hmvn_fit
#' @importFrom stats formula
#' @export
formula.hmvn_fit <- function(x, ...) {
  check_fit(x)
  names <- lapply(x$statistics$features, as.name)
  left <- if (length(names) == 1L) names[[1L]] else as.call(c(quote(cbind), names))
  right <- keys_formula(x)[[2L]]
  covariates <- said_covariates(x$statistics)
  if (!is.null(covariates)) right <- call("+", right, covariates[[2L]])
  where <- if (is.null(covariates)) globalenv() else environment(covariates)
  stats::as.formula(call("~", left, right), env = where)
}

#' @rdname coef.hmvn_fit
#' @importFrom stats family
#' @export
family.hmvn_fit <- function(object, ...) {
  check_fit(object)
  structure(list(family = "multivariate normal", link = "identity"), class = "family")
}

#' @rdname coef.hmvn_fit
#' @importFrom stats model.frame
#' @export
model.frame.hmvn_fit <- function(formula, ...) {
  check_fit(formula)
  kept_data_frame(require_rows(formula, "The model frame", rlang::current_env()))
}

# internal -----------------------------------------------------------------

# A one-sided formula of the keys, joined by `:`.
keys_formula <- function(fit) {
  keys <- lapply(names(fit$statistics$keys), as.name)
  stats::as.formula(
    call("~", Reduce(function(a, b) call(":", a, b), keys)), env = globalenv()
  )
}

# Posterior means [group, feature] of a quantity with that index.
group_estimate <- function(fit, name, call = rlang::caller_env()) {
  check_kept(fit, name, call)
  matrix(
    packed_estimate(fit, name), n_groups(fit),
    dimnames = list(fit$statistics$labels, fit$statistics$features)
  )
}

# Posterior means [group, entry] of a quantity's packed entries.
packed_estimate <- function(fit, name) {
  means <- lapply(group_chunks(fit), function(chunk) {
    values <- colMeans(draw_matrix(packed_quantity(fit, name, chunk), seq_len(n_draws(fit))))
    matrix(values, length(chunk), byrow = TRUE)
  })
  do.call(rbind, means)
}

# Posterior means [row, feature] of the means of rows, see rows_to_say(): mu + B' x of (M1').
fitted_rows <- function(fit, rows) {
  out <- group_estimate(fit, "mu")[rows$group, , drop = FALSE]
  unname_rows(out + covariate_effects(fit, rows))
}

# Posterior means [row, feature] of B' x, a group's slopes times what a row has of covariates.
# `rows`: list(group, covariates).
covariate_effects <- function(fit, rows) {
  k <- n_features(fit)
  out <- matrix(0, length(rows$group), k)
  slopes <- if (n_covariates(fit) > 0L) packed_estimate(fit, "beta")
  for (i in seq_len(n_covariates(fit))) {
    own <- slopes[, (i - 1L) * k + seq_len(k), drop = FALSE]
    out <- out + own[rows$group, , drop = FALSE] * rows$covariates[i, ]
  }
  out
}

# The names of all means, feature fastest.
mean_names <- function(fit) {
  k <- n_features(fit)
  layout <- packed_layout(fit, "mu")
  group <- rep(seq_len(n_groups(fit)), each = k)
  packed_names(fit, "mu", group, layout[rep(seq_len(k), n_groups(fit)), , drop = FALSE])
}

unname_rows <- function(x) {
  rownames(x) <- NULL
  x
}
