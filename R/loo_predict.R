# What a fit predicts for each of its rows from all the others.

#' Predictions of rows from all other rows
#'
#' What the fit would predict for each of its rows had the row not been seen: draws of
#' [posterior_predict()][posterior_predict.hmvn_fit], for `loo_linpred()` the means of
#' [posterior_epred()][posterior_predict.hmvn_fit], weighted by the Pareto-smoothed importance
#' weights of [loo()][loo.hmvn_fit]. A row is left out whole: none of its cells helps to predict the
#' others.
#'
#' `loo_pit()` is where an observed cell lies among its predictions (probability integral
#' transform): the probability that a new cell of the row is smaller, given all other rows, exact
#' for each draw and not counted. Where the model holds these are uniform, feature by feature.
#'
#' @param object An `hmvn_fit` made from rows.
#' @param type What of the predictions: their mean, variance or quantiles.
#' @param probs Probabilities of the quantiles, for `type = "quantile"`.
#' @param prob Probability of the central interval.
#' @param transform Not used: there is no link function.
#' @param psis_object What [loo::psis()] returned for the fit, such as the `psis_object` of
#'   `loo(fit, save_psis = TRUE)`; `NULL`: computed.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it.
#' @param cores Number of threads.
#' @param ... Must be empty.
#' @return `loo_predict()`, `loo_linpred()` and `loo_predictive_interval()`: as other methods, a
#'   list of `value` and `pareto_k`. `value` is an array \[row, feature\], for quantiles
#'   \[probability, row, feature\], for intervals \[row, bound, feature\], in the units of the
#'   features (their squares for variances); `pareto_k` \[row, feature\]: above 0.7 a value is not
#'   to be trusted. `loo_pit()`: \[row, feature\], `NA` where a cell is missing.
#'
#'   Rows are those of the data. Of one with nothing observed nothing is left out: its prediction is
#'   the posterior's, its Pareto k 0. Rows of the fit that were left out for a missing covariate are
#'   `NA`.
#' @section Errors: Those of [loo()][loo.hmvn_fit] and
#'   [posterior_predict()][posterior_predict.hmvn_fit]; `hmvn_error_argument`, for
#'   a `psis_object` of other rows or draws too; `hmvn_error_package` without \pkg{loo}.
#' @references Gneiting, T., Balabdaoui, F. and Raftery, A. E. (2007). Probabilistic forecasts,
#'   calibration and sharpness. Journal of the Royal Statistical Society B 69, 243-268.
#'   \doi{10.1111/j.1467-9868.2007.00587.x}
#'
#'   Vehtari, A., Gelman, A. and Gabry, J. (2017). Practical Bayesian model evaluation using
#'   leave-one-out cross-validation and WAIC. Statistics and Computing 27, 1413-1432.
#'   \doi{10.1007/s11222-016-9696-4}
#' @seealso [loo.hmvn_fit()] for how well rows are predicted;
#'   [predict(fit, newdata)][predict.hmvn_fit] for features given the others.
#' @examplesIf requireNamespace("loo", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, features = ~ Petal.Length + Petal.Width, chains = 2)
#' found <- loo_predict(fit, seed = 1)
#' head(found$value)
#' interval <- loo_predictive_interval(fit, seed = 1)
#' interval$value[1:3, , "Petal.Width"]
#' hist(loo_pit(fit)[, "Petal.Length"])
#' @name loo_predict.hmvn_fit
NULL

#' @rdname loo_predict.hmvn_fit
#' @importFrom rstantools loo_predict
#' @export
loo_predict.hmvn_fit <- function(object, type = c("mean", "var", "quantile"), probs = 0.5, ...,
                                 psis_object = NULL, seed = NULL,
                                 cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  type <- check_first_choice(type, "type", formals()$type, call)
  if (type == "quantile") check_inner_prob(probs, "probs", call)
  others <- other_rows(object, psis_object, "loo_predict", cores, call)
  drawn <- draw_rows(object, others$rows, list(ndraws = NULL, seed = seed), call)
  expect_given_others(drawn, others, type, probs)
}

#' @rdname loo_predict.hmvn_fit
#' @importFrom rstantools loo_linpred
#' @export
loo_linpred.hmvn_fit <- function(object, type = c("mean", "var", "quantile"), probs = 0.5,
                                 transform = FALSE, ..., psis_object = NULL,
                                 cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  type <- check_first_choice(type, "type", formals()$type, call)
  if (type == "quantile") check_inner_prob(probs, "probs", call)
  others <- other_rows(object, psis_object, "loo_linpred", cores, call)
  expect_given_others(posterior_epred.hmvn_fit(object), others, type, probs)
}

#' @rdname loo_predict.hmvn_fit
#' @importFrom rstantools loo_predictive_interval
#' @export
loo_predictive_interval.hmvn_fit <- function(object, prob = 0.9, ..., psis_object = NULL,
                                             seed = NULL, cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  prob <- check_number(prob, "prob", 0, 1, open = TRUE, call = call)
  others <- other_rows(object, psis_object, "loo_predictive_interval", cores, call)
  drawn <- draw_rows(object, others$rows, list(ndraws = NULL, seed = seed), call)
  out <- expect_given_others(drawn, others, "quantile", c(1 - prob, 1 + prob) / 2)
  out$value <- aperm(out$value, c(2L, 1L, 3L))
  out
}

#' @rdname loo_predict.hmvn_fit
#' @importFrom rstantools loo_pit
#' @export
loo_pit.hmvn_fit <- function(object, ..., psis_object = NULL, cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  others <- other_rows(object, psis_object, "loo_pit", cores, call)
  out <- t(others$rows$values)
  dimnames(out) <- list(NULL, object$statistics$features)
  weights <- stats::weights(others$psis, log = FALSE)
  group <- others$rows$group[others$at]
  for (g in unique(group)) {
    here <- which(group == g)
    rows <- pick_rows(others$rows, others$at[here])
    means <- by_row(means_of_rows(object, rows, seq_len(n_draws(object))), object, length(here))
    sd <- law_parts(group_law(object, g, seq_len(n_draws(object))), "sd", 1L)$sd
    for (f in seq_len(n_features(object))) {
      y <- rep(rows$values[f, ], each = nrow(means))
      below <- stats::pnorm(y, as.vector(means[, , f]), sd[, f])
      out[others$at[here], f] <- colSums(matrix(below, nrow(means)) * weights[, here, drop = FALSE])
    }
  }
  out[!are_placed(others$rows), ] <- NA
  out
}

#' @importFrom rstantools loo_predict
#' @export
rstantools::loo_predict

#' @importFrom rstantools loo_linpred
#' @export
rstantools::loo_linpred

#' @importFrom rstantools loo_predictive_interval
#' @export
rstantools::loo_predictive_interval

#' @importFrom rstantools loo_pit
#' @export
rstantools::loo_pit

# internal -----------------------------------------------------------------

# The rows of a fit and what each is predicted by: list(rows, at = positions of those that say
# something, psis = their weights, log_ratios = [draw, row] before smoothing).
other_rows <- function(fit, psis, generic, cores, call) {
  check_fit(fit, call)
  require_package("loo", paste0("{.fn ", generic, "}"), call)
  check_has_learned(fit, generic, call)
  check_has_spread(fit, generic, call)
  cores <- check_count(cores, "cores", min = 1, call = call)
  rows <- rows_to_say(fit, NULL, "Predicting the rows", call = call)
  check_predictions_size(fit, length(rows$group), n_draws(fit), call)
  ll <- log_lik.hmvn_fit(fit, cores = cores)
  if (is.null(psis)) {
    psis <- loo::psis(-ll, r_eff = relative_efficiencies(fit, ll, cores), cores = cores)
  } else if (!loo::is.psis(psis) || !identical(dim(psis), dim(ll))) {
    abort_argument("psis_object", "what loo::psis() returned for this fit", psis, call)
  }
  list(rows = rows, at = seen_rows(rows), psis = psis, log_ratios = unname(-ll))
}

# Means, variances or quantiles of `drawn`, [draw, row, feature], given all other rows.
expect_given_others <- function(drawn, others, type, probs) {
  size <- dim(drawn)[-1L]
  if (type != "quantile") probs <- 0.5
  value <- array(NA_real_, c(length(probs), size))
  k <- matrix(NA_real_, size[[1L]], size[[2L]], dimnames = list(NULL, dimnames(drawn)[[3L]]))
  alone <- setdiff(which(are_placed(others$rows)), others$at)
  k[alone, ] <- 0
  weights <- stats::weights(others$psis, log = FALSE)
  for (f in seq_len(size[[2L]])) {
    of_rows <- function(at) matrix(drawn[, at, f], nrow(drawn))
    x <- of_rows(others$at)
    # a variance is a mean of squares: that of loo 2.5 is the square of a Monte Carlo error
    if (type == "var") x <- (x - rep(colSums(weights * x), each = nrow(x)))^2
    found <- loo::E_loo(x, others$psis, type = if (type == "quantile") type else "mean",
      probs = probs, log_ratios = others$log_ratios)
    value[, others$at, f] <- found$value
    k[others$at, f] <- found$pareto_k
    value[, alone, f] <- apply(of_rows(alone), 2L, function(x) {
      switch(type,
        mean = mean(x),
        var = stats::var(x),
        quantile = stats::quantile(x, probs, names = FALSE)
      )
    })
  }
  features <- dimnames(drawn)[3L]
  value <- if (type == "quantile") {
    percent <- paste0(format(100 * probs, trim = TRUE), "%")
    array(value, dim(value), c(list(percent, NULL), features))
  } else {
    array(value, size, c(list(NULL), features))
  }
  list(value = value, pareto_k = k)
}

# `probs`: strictly between 0 and 1, as importance weights say nothing about the ends.
check_inner_prob <- function(probs, arg, call) {
  fine <- is.numeric(probs) && length(probs) > 0L && !anyNA(probs) && all(probs > 0 & probs < 1)
  if (!fine) abort_argument(arg, "numbers strictly between 0 and 1", probs, call)
}
