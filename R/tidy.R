# A fit as data frames in the form of broom.

#' Tidy data frames
#'
#' Estimates, a row of facts, and the data with what the fit says of them, as \pkg{broom} has them.
#'
#' @param x An `hmvn_fit`.
#' @param variable Quantities, as for [summary()][summary.hmvn_fit]; with covariates their slopes
#'   (`"beta"`) too, if left out.
#' @param group Labels of the groups; `NULL` for all.
#' @param conf.int Add the ends of intervals?
#' @param conf.level Their probability.
#' @param data A data frame with the rows of the fit, in their order, to add columns to; left out:
#'   the columns that the fit has read.
#' @param ... Not used.
#' @return
#' * `tidy()`: a data frame of a row a quantity: `term` (its name in the draws), `quantity`,
#'   `group`, `covariate` (if there are any), `feature`, `feature2`, `estimate` (posterior mean),
#'   `std.error` (posterior sd), and with `conf.int = TRUE` `conf.low` and `conf.high` (quantiles).
#' * `glance()`: a data frame of one row: `nobs`, `n_groups`, `n_features`, `n_covariates`,
#'   `n_missing` (cells),
#'   `pooling` (of means, sds, correlations, slopes), `algorithm`, `chains`, `ndraws`,
#'   `divergences`, `n_warnings` (kinds of problems that were warned of after sampling).
#' * `augment()`: `data` with columns `.fitted_<feature>`, `.resid_<feature>` and `.distance`, the
#'   posterior mean of the Mahalanobis distance of the row's observed cells from its group (`NA`
#'   where nothing is observed); with covariates, all about the mean that the row's give.
#' @section Errors: Those of [summary()][summary.hmvn_fit]; `augment()` those of
#'   [fitted()][coef.hmvn_fit], and `hmvn_error_argument` if `data` has another number of rows.
#' @seealso [summary()][summary.hmvn_fit], [as_table()], [fitted()][coef.hmvn_fit].
#' @examplesIf requireNamespace("generics", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' generics::tidy(fit, "mu", group = "setosa", conf.int = TRUE)
#' generics::glance(fit)
#' head(generics::augment(fit))
#' @name tidy.hmvn_fit
NULL

#' @rdname tidy.hmvn_fit
#' @exportS3Method generics::tidy
tidy.hmvn_fit <- function(x, variable = c("mu", "sigma", "Omega"), group = NULL,
                          conf.int = FALSE, conf.level = 0.95, ...) {
  call <- rlang::current_env()
  check_fit(x, call)
  level <- check_number(conf.level, "conf.level", 0, 1, open = TRUE, call = call)
  several <- n_features(x) > 1L
  if (missing(variable)) {
    variable <- c("mu", if (n_covariates(x) > 0L) "beta", "sigma", if (several) "Omega")
  }
  ends <- c(1 - level, 1 + level) / 2
  found <- summary.hmvn_fit(x, variable, group, prob = ends)
  # a key column may be named like another quantile
  quantiles <- quantile_names(ends)
  out <- data.frame(
    term = found$variable, quantity = found$quantity, group = found$group,
    feature = found$feature, feature2 = found$feature2, estimate = found$mean,
    std.error = found$sd
  )
  if (n_covariates(x) > 0L) {
    before <- match("feature", names(out)) - 1L
    out <- data.frame(out[seq_len(before)], covariate = found$covariate, out[-seq_len(before)])
  }
  if (check_flag(conf.int, "conf.int", call)) {
    out$conf.low <- found[[quantiles[[1L]]]]
    out$conf.high <- found[[quantiles[[2L]]]]
  }
  out
}

#' @rdname tidy.hmvn_fit
#' @exportS3Method generics::glance
glance.hmvn_fit <- function(x, ...) {
  check_fit(x)
  s <- x$statistics
  data.frame(
    nobs = nobs.hmvn_fit(x), n_groups = n_groups(x), n_features = n_features(x),
    n_covariates = n_covariates(x), n_missing = s$n_missing,
    pooling = paste(x$pooling, collapse = ", "),
    algorithm = paste(unique(x$units$algorithm), collapse = ", "), chains = n_chains(x),
    ndraws = n_draws(x), divergences = sum(x$units$divergent, na.rm = TRUE),
    n_warnings = length(x$warnings)
  )
}

#' @rdname tidy.hmvn_fit
#' @exportS3Method generics::augment
augment.hmvn_fit <- function(x, data = NULL, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  check_kept(x, c("mu", "Sigma"), call)
  own <- require_rows(x, "Adding columns to the rows", call)
  data <- data %||% kept_data_frame(own)
  if (!is.data.frame(data) || nrow(data) != own$n_obs) {
    abort_argument("data", paste("a data frame of", own$n_obs, "rows"), data, call)
  }
  add <- function(values, prefix) {
    colnames(values) <- paste0(prefix, colnames(values))
    as.data.frame(values)
  }
  rows <- own_rows(x, own, call)
  fitted <- fitted_rows(x, rows)
  cbind(
    data, add(fitted, ".fitted_"), add(t(rows$values) - fitted, ".resid_"),
    .distance = own_distances(x, rows)
  )
}

# internal -----------------------------------------------------------------

# The mean Mahalanobis distance of every row from its own group. `rows`: see own_rows().
own_distances <- function(fit, rows) {
  how <- list(
    chosen = seq_len(n_draws(fit)), kind = "squared_distance", cores = fit$control$cores
  )
  reduce_densities(rows, laws_by_chunk(fit, rows$group), how, mean_distance)
}
