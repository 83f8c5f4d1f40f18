# What the fit predicts for rows: new observations of their groups, and their means.

#' Predictive draws of rows
#'
#' `posterior_predict()` draws new rows from the Normal distribution of each row's group, with
#' covariates about the mean that the row's give, one for every posterior draw; nothing that was
#' observed of the row itself enters but through the fit ([predict()][predict.hmvn_fit] and
#' [posterior_impute()] condition on observed cells).
#' `posterior_epred()`, here the same as `posterior_linpred()`, gives the means they scatter about.
#'
#' @param object An `hmvn_fit`; made from rows, unless `newdata` is given.
#' @param newdata A data frame with the grouping columns and the covariates of the fit, for
#'   `predictive_error()` with its features too. `NULL`: all rows of the fit.
#' @param transform Not used: there is no link function.
#' @param ndraws Number of posterior draws to use, spread evenly over all of them; `NULL` for all.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it. A draw's rows depend on the seed and on that draw alone.
#' @param prob Probability of the central interval.
#' @param nsim Number of data frames.
#' @param ... Must be empty.
#' @return `posterior_predict()`, `posterior_epred()`, `posterior_linpred()` and
#'   `predictive_error()` (observed less predicted, `NA` where a cell is missing): an array \[draw,
#'   row, feature\]. `predictive_interval()`: \[row, bound, feature\]. `simulate()`: a list of
#'   `nsim` data frames like that of [model.frame()][coef.hmvn_fit], with new features. All in the
#'   units of the features. Rows of the fit that were left out for a missing covariate are `NA`.
#' @section Errors: Those of [log_lik.hmvn_fit()].
#' @seealso [pp_check()][pp_check.hmvn_fit] compares such rows with the data.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' yrep <- posterior_predict(fit, ndraws = 50, seed = 1)
#' dim(yrep)
#' predictive_interval(fit, newdata = iris[c(1, 51), ], seed = 1)
#' @name posterior_predict.hmvn_fit
NULL

#' @rdname posterior_predict.hmvn_fit
#' @importFrom rstantools posterior_predict
#' @export
posterior_predict.hmvn_fit <- function(object, newdata = NULL, ..., ndraws = NULL, seed = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  rows <- rows_to_predict(object, newdata, "Predicting the rows", call)
  draw_rows(object, rows, list(ndraws = ndraws, seed = seed), call)
}

#' @rdname posterior_predict.hmvn_fit
#' @importFrom rstantools posterior_epred
#' @export
posterior_epred.hmvn_fit <- function(object, newdata = NULL, ..., ndraws = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  check_kept(object, "mu", call)
  chosen <- choose_draws(object, ndraws, call)
  rows <- rows_to_predict(object, newdata, "Predicting the rows", call)
  check_predictions_size(object, length(rows$group), length(chosen), call)
  with_memory_errors(
    by_row(means_of_rows(object, rows, chosen), object, length(rows$group)),
    "Means of rows", call
  )
}

#' @rdname posterior_predict.hmvn_fit
#' @importFrom rstantools posterior_linpred
#' @export
posterior_linpred.hmvn_fit <- function(object, transform = FALSE, newdata = NULL, ...,
                                       ndraws = NULL) {
  posterior_epred.hmvn_fit(object, newdata = newdata, ..., ndraws = ndraws)
}

#' @rdname posterior_predict.hmvn_fit
#' @importFrom rstantools predictive_interval
#' @export
predictive_interval.hmvn_fit <- function(object, newdata = NULL, ..., prob = 0.9, ndraws = NULL,
                                         seed = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  prob <- check_number(prob, "prob", 0, 1, open = TRUE, call = call)
  rows <- rows_to_predict(object, newdata, "Predicting the rows", call)
  drawn <- draw_rows(object, rows, list(ndraws = ndraws, seed = seed), call)
  ends <- c(1 - prob, 1 + prob) / 2
  out <- array(NA_real_, c(2L, dim(drawn)[-1L]))
  placed <- are_placed(rows)
  out[, placed, ] <- apply(
    drawn[, placed, , drop = FALSE], 2:3, stats::quantile, probs = ends, names = FALSE
  )
  out <- aperm(out, c(2L, 1L, 3L))
  dimnames(out) <- list(NULL, paste0(format(100 * ends, trim = TRUE), "%"), dimnames(drawn)[[3L]])
  out
}

#' @rdname posterior_predict.hmvn_fit
#' @importFrom rstantools predictive_error
#' @export
predictive_error.hmvn_fit <- function(object, newdata = NULL, ..., ndraws = NULL, seed = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  rows <- rows_to_say(object, newdata, "The error of predictions", call = call)
  drawn <- draw_rows(object, rows, list(ndraws = ndraws, seed = seed), call)
  rep(t(rows$values), each = nrow(drawn)) - drawn
}

#' @rdname posterior_predict.hmvn_fit
#' @importFrom stats simulate
#' @export
simulate.hmvn_fit <- function(object, nsim = 1, seed = NULL, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  nsim <- check_count(nsim, "nsim", min = 1, max = n_draws(object), call = call)
  own <- require_rows(object, "Simulating the rows", call)
  drawn <- draw_rows(object, own_rows(object, own, call), list(ndraws = nsim, seed = seed), call)
  data <- kept_data_frame(own)
  features <- object$statistics$features
  out <- lapply(seq_len(nsim), function(i) {
    data[features] <- as.data.frame(matrix(drawn[i, , ], ncol = length(features)))
    data
  })
  stats::setNames(out, paste0("sim_", seq_len(nsim)))
}

#' @importFrom rstantools posterior_predict
#' @export
rstantools::posterior_predict

#' @importFrom rstantools posterior_epred
#' @export
rstantools::posterior_epred

#' @importFrom rstantools posterior_linpred
#' @export
rstantools::posterior_linpred

#' @importFrom rstantools predictive_interval
#' @export
rstantools::predictive_interval

#' @importFrom rstantools predictive_error
#' @export
rstantools::predictive_error

# internal -----------------------------------------------------------------

# New rows in the place of `rows`, see rows_to_say(): [draw, row, feature]; NA where a covariate is.
# `how`: list(ndraws, seed).
draw_rows <- function(fit, rows, how, call) {
  check_kept(fit, c("mu", "Sigma"), call)
  chosen <- choose_draws(fit, how$ndraws, call)
  n <- length(rows$group)
  check_predictions_size(fit, n, length(chosen), call)
  seed <- choose_seed(how$seed, call)
  placed <- are_placed(rows)
  rows <- without_cells(fit, rows)
  with_memory_errors(
    {
      drawn <- draw_cells(fit, pick_rows(rows, placed), chosen, seed)
      if (!all(placed)) {
        all <- matrix(NA_real_, length(chosen), n_features(fit) * n)
        all[, rep(placed, each = n_features(fit))] <- drawn
        drawn <- all
      }
      by_row(drawn, fit, n)
    },
    "Predictions", call
  )
}

# Draws [draw, entry] of the means of rows, mu + B' x of (M1'), a row's features together; NA where
# a covariate is.
means_of_rows <- function(fit, rows, chosen) {
  k <- n_features(fit)
  groups <- unique(rows$group)
  at <- match(rows$group, groups) - 1L
  entries <- function(size, first) rep(at * size + first, each = k) + seq_len(k)
  means <- draw_matrix(mean_draws(fit, groups), chosen)[, entries(k, 0L), drop = FALSE]
  size <- k * n_covariates(fit)
  slopes <- if (size > 0L) draw_matrix(slope_draws(fit, groups), chosen)
  for (i in seq_len(n_covariates(fit))) {
    x <- rep(rows$covariates[i, ], each = k * length(chosen))
    means <- means + slopes[, entries(size, (i - 1L) * k), drop = FALSE] * x
  }
  means
}

check_predictions_size <- function(fit, n_rows, n_draws, call) {
  check_size(
    8 * n_draws * n_rows * n_features(fit), "Predictions of all rows",
    "Ask for fewer draws with {.arg ndraws}, or for some of the rows with {.arg newdata}.", call
  )
}

# [draw, cell], a row's cells together, as [draw, row, feature]
by_row <- function(drawn, fit, n_rows) {
  out <- aperm(array(drawn, c(nrow(drawn), n_features(fit), n_rows)), c(1L, 3L, 2L))
  dimnames(out) <- list(NULL, NULL, fit$statistics$features)
  out
}
