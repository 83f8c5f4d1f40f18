# Missing cells, drawn given the observed cells of their row.

#' Draw missing cells
#'
#' For every posterior draw, the missing cells of each row from their normal distribution given the
#' row's observed cells, with the mean and the covariance matrix of the row's group (with
#' covariates, the mean that the row's give). Where nothing is observed in a row, all of it is drawn
#' from its group's distribution. The sampler itself imputes nothing: it integrates missing cells
#' out.
#'
#' @param fit An `hmvn_fit` made from rows.
#' @param ndraws Number of posterior draws to use, spread evenly over all of them; `NULL` for all.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it. A draw's cells depend on the seed and on that draw alone.
#' @return An object of class `hmvn_imputation`, a list of
#'   * `cells`: a data frame, one line a missing cell, by row: `row` (the row's position in the
#'     data), `group` (its label), `feature`;
#'   * `draws`: a matrix \[draw, cell\], in the units of the features, its columns named
#'     `feature[row]`.
#'
#'   `completed(x, i)` gives the data with the cells of draw `i` filled in, `summary(x)` the `cells`
#'   with their mean, sd and 5 % and 95 % quantiles. A row with a frequency weight stands for
#'   several equal rows and is filled once. Cells of a row that was left out for a missing covariate
#'   are not drawn, which a message says (`hmvn_message_incomplete_covariates`).
#' @section Errors: `hmvn_error_rows` if the fit has no rows (made from statistics or with
#'   `keep_data = FALSE`), `hmvn_error_size` if the draws would take more than 1 GB,
#'   `hmvn_error_keep` if draws of means or covariances were not kept, `hmvn_error_argument` for
#'   `ndraws` and `seed`.
#' @seealso [completed()] for the data filled in, [predict()][predict.hmvn_fit] for cells of new
#'   rows; `vignette("missing_data")`.
#' @examples
#' d <- iris
#' d$Sepal.Width[c(3, 60)] <- NA
#' fit <- fit_hmvn(d, group = ~ Species, chains = 2, seed = 1)
#' cells <- posterior_impute(fit, ndraws = 100, seed = 1)
#' summary(cells)
#' head(completed(cells, 1))
#' @export
posterior_impute <- function(fit, ndraws = NULL, seed = NULL) {
  call <- rlang::current_env()
  check_fit(fit, call)
  check_kept(fit, c("mu", "Sigma"), call)
  data <- require_rows(fit, "Drawing missing cells", call)
  chosen <- choose_draws(fit, ndraws, call)
  rows <- incomplete_rows(own_rows(fit, data, call))
  found <- draw_missing(fit, rows, list(chosen = chosen, seed = seed), call)
  cells <- found$cells
  names <- if (nrow(cells) > 0) paste0(cells$feature, "[", cells$row, "]")
  dimnames(found$draws) <- list(NULL, names)
  structure(list(cells = cells, draws = found$draws, data = data), class = "hmvn_imputation")
}

#' Completed data
#'
#' The data of a fit with its missing cells filled in by one posterior draw.
#'
#' @param x What [posterior_impute()] returns.
#' @param draw Which of its draws, from 1.
#' @return A data frame of the columns the fit has read (grouping columns, features, covariates,
#'   weights), rows in the order of the data. Missing cells of features are filled in with those of
#'   draw `draw`, but for rows without one of their covariates; all else is as it was.
#' @section Errors: `hmvn_error_argument` if there is no such draw.
#' @seealso [posterior_impute()] for the draws.
#' @examples
#' d <- iris
#' d$Sepal.Width[c(3, 60)] <- NA
#' fit <- fit_hmvn(d, group = ~ Species, chains = 2, seed = 1)
#' cells <- posterior_impute(fit, ndraws = 20, seed = 1)
#' # five completed data sets
#' sets <- lapply(1:5, function(i) completed(cells, i))
#' sets[[1]][c(3, 60), ]
#' @export
completed <- function(x, draw = 1) {
  call <- rlang::current_env()
  validate_imputation(x, call)
  check_unchanged(x$data, "Completing data", call)
  draw <- check_count(draw, "draw", min = 1, max = nrow(x$draws), call = call)
  result <- kept_data_frame(x$data)
  by_feature <- split(seq_len(nrow(x$cells)), x$cells$feature)
  for (name in names(by_feature)) {
    cells <- by_feature[[name]]
    result[[name]][x$cells$row[cells]] <- x$draws[draw, cells]
  }
  result
}

#' @rdname posterior_impute
#' @param object,x An object of class `hmvn_imputation`.
#' @param ... Must be empty.
#' @export
summary.hmvn_imputation <- function(object, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = "object", call = call)
  validate_imputation(object, call)
  each <- vapply(seq_len(ncol(object$draws)), function(j) {
    values <- object$draws[, j]
    c(mean(values), stats::sd(values), stats::quantile(values, c(0.05, 0.95), names = FALSE))
  }, double(4))
  numbers <- matrix(each, ncol = 4, byrow = TRUE)
  colnames(numbers) <- c("mean", "sd", "q5", "q95")
  cbind(object$cells, numbers)
}

#' @rdname posterior_impute
#' @export
print.hmvn_imputation <- function(x, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = "x", call = call)
  validate_imputation(x, call)
  n <- table(factor(x$cells$feature, x$data$features))
  n <- n[n > 0]
  cat(
    count_of(nrow(x$cells), "missing cell"), " in ", count_of(length(unique(x$cells$row)), "row"),
    ", ", count_of(nrow(x$draws), "draw"), "\n",
    if (length(n)) c(paste0("  ", names(n), ": ", n, collapse = "\n"), "\n"),
    "Completed data: completed(); means and quantiles by cell: summary()\n",
    sep = ""
  )
  invisible(x)
}

# internal -----------------------------------------------------------------

validate_imputation <- function(x, call) {
  fine <- inherits(x, "hmvn_imputation") && is.list(x) && are_model_data(x$data) &&
    rows_fit_together(x$data) && are_cells(x$cells, x$data) && is.double(x$draws) &&
    length(dim(x$draws)) == 2L && !anyNA(x$draws) && ncol(x$draws) == nrow(x$cells)
  if (!isTRUE(fine)) {
    abort_argument("x", "what posterior_impute() returns", x, call)
  }
}

# Are these cells of the data?
are_cells <- function(cells, data) {
  is.data.frame(cells) && identical(names(cells), c("row", "group", "feature")) &&
    all(lengths(cells) == nrow(cells)) && is.integer(cells$row) && is.character(cells$feature) &&
    all(cells$row %in% seq_len(data$n_obs)) && all(cells$feature %in% data$features)
}

# Those of `rows`, see rows_to_say(), that have missing cells, with `row`: their positions.
incomplete_rows <- function(rows) {
  row <- which(colSums(is.na(rows$values)) > 0)
  c(pick_rows(rows, row), list(row = row))
}

# The missing cells of rows, see incomplete_rows(), and draws of them: list(cells = data frame of
# row, group, feature; draws = [draw, cell]). `how`: list(chosen, seed). Cells of rows without one
# of their covariates are left out.
draw_missing <- function(fit, rows, how, call) {
  placed <- are_placed(rows)
  if (!all(placed)) {
    inform_not_imputed(length(unique(rows$row[!placed])))
    rows <- c(pick_rows(rows, placed), list(row = rows$row[placed]))
  }
  at <- which(is.na(rows$values), arr.ind = TRUE)
  what <- "The draws of the missing cells"
  check_size(
    8 * nrow(at) * length(how$chosen), what, "Ask for fewer draws with {.arg ndraws}.", call
  )
  seed <- choose_seed(how$seed, call)
  list(
    cells = data.frame(
      row = rows$row[at[, 2L]], group = fit$statistics$labels[rows$group[at[, 2L]]],
      feature = fit$statistics$features[at[, 1L]]
    ),
    draws = with_memory_errors(
      draw_cells(fit, rows, how$chosen, seed), what, call
    )
  )
}

inform_not_imputed <- function(n) {
  inform_hmvn(
    c(
      "{n} row{?s} with missing cells {?lacks/lack} a covariate: those cells are not drawn.",
      i = "They stay {.code NA}: means depend on covariates."
    ),
    "incomplete_covariates"
  )
}

# Draws [draw, cell] of the missing cells of `rows`, cells by row, then by feature.
draw_cells <- function(fit, rows, chosen, seed) {
  missing <- is.na(rows$values)
  pattern <- apply(missing, 2L, function(m) paste(which(m), collapse = " "))
  first <- cumsum(colSums(missing)) - colSums(missing)
  # a run of rows of one group and one pattern shares its conditional distribution
  run <- order(rows$group, as.character(pattern))
  impute_(
    pick_rows(rows, run), laws_of_rows(fit, rows$group[run]), as.integer(first)[run], sum(missing),
    chosen, seed
  )
}
