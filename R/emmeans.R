# Means of groups for the package emmeans.

#' Estimated marginal means
#'
#' Makes `emmeans::emmeans(fit, ~ g | feature)` and the rest of \pkg{emmeans} work on a fit. Its
#' factors are the grouping columns and `feature`, which tells the features apart as those of a
#' multivariate response; covariates are at their means unless `at` says otherwise. Without
#' covariates the mean of a group is [group_mean()]. With several grouping columns marginal means
#' average over groups, each with the same weight unless `weights` says otherwise; combinations that
#' the data do not have are not estimable.
#'
#' Posterior draws are handed on, so that results are medians with intervals of highest density, and
#' `coda::as.mcmc()` of them works. [compare_groups()] compares standard deviations and
#' correlations, too.
#'
#' @param object An `hmvn_fit` made from rows (with `keep_data = TRUE`).
#' @param data,trms,xlev,grid What \pkg{emmeans} asks for.
#' @param ... Passed on to or by \pkg{emmeans}.
#' @return What \pkg{emmeans} asks of these methods.
#' @section Errors: `hmvn_error_rows` if the fit has no rows; `hmvn_error_keep` if draws of means
#'   were not kept.
#' @seealso [compare_groups()] for differences of groups in all that the model has, [group_mean()],
#'   [marginaleffects-hmvn].
#' @examplesIf requireNamespace("emmeans", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' means <- emmeans::emmeans(fit, ~ Species | feature)
#' means
#' graphics::pairs(means)
#' @name emmeans-hmvn
NULL

#' @rdname emmeans-hmvn
#' @exportS3Method emmeans::recover_data
recover_data.hmvn_fit <- function(object, data = NULL, ...) {
  call <- rlang::current_env()
  check_fit(object, call)
  keys <- names(object$statistics$keys)
  needed <- c(keys, all.vars(said_covariates(object$statistics)))
  if (!is.null(data) && !(is.data.frame(data) && all(needed %in% names(data)))) {
    wanted <- paste("a data frame with columns", toString(needed))
    abort_argument("data", wanted, data, call)
  }
  data <- data %||% model.frame.hmvn_fit(object)
  data[keys] <- lapply(data[keys], as.factor)
  covariates <- said_covariates(object$statistics)
  right <- lapply(keys, as.name)
  if (!is.null(covariates)) right <- c(right, covariates[[2L]])
  terms <- stats::terms(
    stats::as.formula(call("~", Reduce(function(a, b) call("+", a, b), right)), globalenv())
  )
  emmeans::recover_data(object$call, terms, na.action = NULL, data = data, ...)
}

#' @rdname emmeans-hmvn
#' @exportS3Method emmeans::emm_basis
emm_basis.hmvn_fit <- function(object, trms, xlev, grid, ...) {
  call <- rlang::current_env()
  check_fit(object, call)
  check_kept(object, "mu", call)
  draws <- coefficient_matrix(object)
  k <- n_features(object)
  X <- design_of_grid(object, grid, call)
  known <- rowSums(X[, seq_len(n_groups(object)), drop = FALSE]) > 0
  # a group that is not there has a mean of its own, of which nothing is known
  lacking <- as.double(!known)
  X <- cbind(X, lacking)
  absent <- rep(c(rep(FALSE, ncol(X) - 1L), TRUE), k)

  post <- matrix(0, nrow(draws), length(absent))
  post[, !absent] <- draws
  bhat <- replace(colMeans(post), absent, NA)
  nbasis <- diag(length(absent))[, absent, drop = FALSE]
  list(
    X = kronecker(diag(k), X), bhat = bhat,
    nbasis = if (all(known)) matrix(NA) else nbasis, V = stats::cov(draws),
    dffun = function(k, dfargs) Inf, dfargs = list(),
    misc = list(
      estName = "mean", ylevs = list(feature = object$statistics$features), famSize = k
    ),
    post.beta = draws
  )
}

# internal -----------------------------------------------------------------

# Draws of the means at average covariates and of the slopes, [draw, coefficient]: of the first
# feature by group, its slopes on the first covariate by group, ...; then of the second.
coefficient_matrix <- function(fit) {
  groups <- seq_len(n_groups(fit))
  mu <- array(quantity(fit, "mu"), c(n_draws(fit), n_groups(fit), n_features(fit)))
  beta <- if (n_covariates(fit) > 0L) {
    array(quantity(fit, "beta"), c(n_draws(fit), n_groups(fit), n_covariates(fit), n_features(fit)))
  }
  of_feature <- function(k) {
    slopes <- lapply(seq_len(n_covariates(fit)), function(i) {
      matrix(beta[, , i, k], n_draws(fit), n_groups(fit))
    })
    do.call(cbind, c(list(matrix(mu[, , k], n_draws(fit), length(groups))), slopes))
  }
  do.call(cbind, lapply(seq_len(n_features(fit)), of_feature))
}

# The coefficients of a feature's mean at every point of a grid of keys and covariates: a row of
# zeros where there is no such group.
design_of_grid <- function(fit, grid, call) {
  keys <- names(fit$statistics$keys)
  labels <- do.call(paste, c(lapply(grid[keys], as.character), sep = ":"))
  group <- match(labels, fit$statistics$labels)
  own <- outer(group, seq_len(n_groups(fit)), function(a, b) as.double(!is.na(a) & a == b))
  covariates <- new_covariates(fit, grid, call)
  slopes <- lapply(seq_len(n_covariates(fit)), function(i) own * covariates[i, ])
  unname(do.call(cbind, c(list(own), slopes)))
}
