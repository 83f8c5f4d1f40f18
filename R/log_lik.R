# The log likelihood row by row.

#' Log likelihood of every row
#'
#' For every posterior draw and every row the log density of the row's observed cells under the
#' Normal distribution of the row's group, with covariates about the mean that the row's give. It is
#' what [loo::loo()] and its relatives work on.
#'
#' @param object An `hmvn_fit` made from rows (with `keep_data = TRUE`), unless `newdata` is given.
#' @param newdata A data frame with the grouping columns, the features and the covariates of the
#'   fit; `NA` is a missing cell of a feature. `NULL`: the rows of the fit.
#' @param ... Must be empty.
#' @param ndraws Number of posterior draws to use, spread evenly over all of them; `NULL` for all.
#' @param cores Number of threads.
#' @return A matrix \[draw, row\], draws chain after chain; a row with nothing observed, or
#'   without one of its covariates, says nothing and is left out. The columns are named by the rows'
#'   positions in the data. Memory is that of the matrix: 8 bytes a draw and row.
#'
#'   A row with a frequency weight w of the fit stands for w equal rows: its column is w times the
#'   log density, so that the sum over a draw's rows is the log likelihood of the fit, `lp__ -
#'   lprior`. Rows of `newdata` count once.
#' @section Errors: `hmvn_error_rows` if the fit has no rows (made from statistics or with
#'   `keep_data = FALSE`) and no `newdata` is given; `hmvn_error_keep` if the draws of means or
#'   covariances were not kept; `hmvn_error_column`, `hmvn_error_cells` and `hmvn_error_group` for
#'   columns, cells and groups of `newdata` that the fit does not know; `hmvn_error_covariates` for
#'   its categories, and if it lacks a covariate of a row; `hmvn_error_size` if the
#'   matrix would take more than 1 GB.
#' @seealso [loo.hmvn_fit()], [predict.hmvn_fit()]
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' ll <- log_lik(fit)
#' dim(ll)
#' log_lik(fit, newdata = iris[c(1, 51), ])[1:3, ]
#' @importFrom rstantools log_lik
#' @export
log_lik.hmvn_fit <- function(object, newdata = NULL, ..., ndraws = NULL,
                             cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  check_kept(object, c("mu", "Sigma"), call)
  cores <- check_count(cores, "cores", min = 1, call = call)
  chosen <- choose_draws(object, ndraws, call)
  rows <- rows_to_say(object, newdata, "The log likelihood of rows", call = call)
  at <- seen_rows(rows)
  check_size(
    8 * length(chosen) * length(at), "The log likelihood of all rows",
    "Ask for fewer draws with {.arg ndraws}, or for some of the rows with {.arg newdata}.", call
  )
  how <- list(chosen = chosen, kind = "log_density", cores = cores)
  with_memory_errors(
    {
      out <- row_densities(rows, laws_by_chunk(object, rows$group), how, at)
      if (!is.null(rows$weights)) out <- out * rep(rows$weights[at], each = nrow(out))
      dimnames(out) <- list(NULL, as.character(at))
      out
    },
    "The log likelihood of rows", call
  )
}

#' @importFrom rstantools log_lik
#' @export
rstantools::log_lik

# internal -----------------------------------------------------------------

# log(mean(exp(x))) of every column; -Inf where all of x is
log_mean_exp <- function(x) {
  highest <- apply(x, 2L, max)
  highest[highest == -Inf] <- 0
  highest + log(colMeans(exp(x - rep(highest, each = nrow(x)))))
}

# How row_densities() is asked for the log density at all draws.
density_of_all_draws <- function(fit) {
  list(chosen = seq_len(n_draws(fit)), kind = "log_density", cores = fit$control$cores)
}
