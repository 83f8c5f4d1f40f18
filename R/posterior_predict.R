# What the fit predicts for rows: new observations of their groups, and their means.

#' Predictive draws of rows
#'
#' `posterior_predict()` draws new rows from the Normal distribution of each row's group, one for
#' every posterior draw; nothing that was observed of the row itself enters but through the fit
#' ([predict()][predict.hmvn_fit] and [posterior_impute()] condition on observed cells).
#' `posterior_epred()`, here the same as `posterior_linpred()`, gives the means they scatter about.
#'
#' @param object An `hmvn_fit`; made from rows, unless `newdata` is given.
#' @param newdata A data frame with the grouping columns and the features of the fit (of which only
#'   `predictive_error()` reads the cells). `NULL`: all rows of the fit.
#' @param transform Not used: there is no link function.
#' @param ndraws Number of posterior draws to use, spread evenly over all of them; `NULL` for all.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it. A draw's rows depend on the seed and on that draw alone.
#' @param prob Probability of the central interval.
#' @param nsim Number of data frames.
#' @param ... Must be empty; for `predictive_interval()`, `predictive_error()` and `simulate()`
#'   passed on to `posterior_predict()`.
#' @return `posterior_predict()`, `posterior_epred()`, `posterior_linpred()` and
#'   `predictive_error()` (observed less predicted, `NA` where a cell is missing): an array \[draw,
#'   row, feature\]. `predictive_interval()`: \[row, bound, feature\]. `simulate()`: a list of
#'   `nsim` data frames like that of [model.frame()][coef.hmvn_fit], with new features. All in the
#'   units of the features.
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
  asked <- asked_rows(object, newdata, ndraws, call)
  seed <- choose_seed(seed, call)
  nothing <- matrix(NA_real_, n_features(object), length(asked$group))
  drawn <- draw_cells(object, nothing, asked$group, asked$chosen, seed)
  by_row(drawn, object, length(asked$group))
}

#' @rdname posterior_predict.hmvn_fit
#' @importFrom rstantools posterior_epred
#' @export
posterior_epred.hmvn_fit <- function(object, newdata = NULL, ..., ndraws = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  asked <- asked_rows(object, newdata, ndraws, call)
  groups <- unique(asked$group)
  means <- draw_matrix(mean_draws(object, groups), asked$chosen)
  k <- n_features(object)
  first <- (match(asked$group, groups) - 1L) * k
  entries <- rep(first, each = k) + seq_len(k)
  by_row(means[, entries, drop = FALSE], object, length(asked$group))
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
predictive_interval.hmvn_fit <- function(object, newdata = NULL, ..., prob = 0.9) {
  prob <- check_number(prob, "prob", 0, 1, open = TRUE, call = rlang::current_env())
  drawn <- posterior_predict.hmvn_fit(object, newdata, ...)
  ends <- c(1 - prob, 1 + prob) / 2
  out <- apply(drawn, 2:3, stats::quantile, probs = ends, names = FALSE)
  out <- aperm(out, c(2L, 1L, 3L))
  dimnames(out) <- list(NULL, paste0(format(100 * ends, trim = TRUE), "%"), dimnames(drawn)[[3L]])
  out
}

#' @rdname posterior_predict.hmvn_fit
#' @importFrom rstantools predictive_error
#' @export
predictive_error.hmvn_fit <- function(object, newdata = NULL, ...) {
  call <- rlang::current_env()
  rows <- rows_to_say(object, newdata, "The error of predictions", call = call)
  drawn <- posterior_predict.hmvn_fit(object, newdata, ...)
  rep(t(rows$values), each = nrow(drawn)) - drawn
}

#' @rdname posterior_predict.hmvn_fit
#' @importFrom stats simulate
#' @export
simulate.hmvn_fit <- function(object, nsim = 1, seed = NULL, ...) {
  call <- rlang::current_env()
  nsim <- check_count(nsim, "nsim", min = 1, max = n_draws(object), call = call)
  data <- kept_data_frame(require_rows(object, "Simulating the rows", call))
  drawn <- posterior_predict.hmvn_fit(object, ..., ndraws = nsim, seed = seed)
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

# list(group = positions, one a row, chosen = positions of draws), within 1 GB of predictions.
asked_rows <- function(fit, newdata, ndraws, call) {
  check_kept(fit, c("mu", "Sigma"), call)
  chosen <- choose_draws(fit, ndraws, call)
  group <- rows_to_say(fit, newdata, "Predicting the rows", "features", call)$group
  check_size(
    8 * length(chosen) * length(group) * n_features(fit), "Predictions of all rows",
    "Ask for fewer draws with {.arg ndraws}, or for some of the rows with {.arg newdata}.", call
  )
  list(group = group, chosen = chosen)
}

# [draw, cell], a row's cells together, as [draw, row, feature]
by_row <- function(drawn, fit, n_rows) {
  out <- aperm(array(drawn, c(nrow(drawn), n_features(fit), n_rows)), c(1L, 3L, 2L))
  dimnames(out) <- list(NULL, NULL, fit$statistics$features)
  out
}
