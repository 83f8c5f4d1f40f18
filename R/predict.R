# Predictions for rows: their group, features given others, distances from groups.

#' Predict groups, features or distances of rows
#'
#' What a row of which something is known says about the rest, averaged over the posterior:
#' * `type = "group"`: which group the row comes from. The probability of group g is proportional
#'   to its proportion times the posterior mean of the density of the row's observed cells in it:
#'   Bayesian quadratic discriminant analysis. What the rows have of grouping columns is not read.
#' * `type = "response"`: the missing features of the row given those observed, in the row's group,
#'   or in every group if `newdata` has no grouping columns.
#' * `type = "distance"`: the Mahalanobis distance of the row's observed cells from the mean of
#'   every group, in its covariance; with covariates, from the mean that the row's give. Of k
#'   observed cells its square is about k for a row of the group.
#'
#' @param object An `hmvn_fit`; made from rows, unless `newdata` is given.
#' @param newdata A data frame. `NA`, or a feature that has no column, is not observed; covariates
#'   of the fit must be known. `NULL`: the rows of the fit, which for `type = "group"` the fit has
#'   seen.
#' @param type What to predict.
#' @param proportions Of groups among the rows to predict: `"data"` as in the fit, `"uniform"`, or
#'   numbers, one a group, named by label or in the order of groups; they are scaled to sum to 1.
#' @param prob Probabilities of the quantiles of `type = "response"`.
#' @param ndraws Number of posterior draws to use, spread evenly over all of them; `NULL` for all.
#' @param seed For `type = "response"`, which draws: a whole number, which leaves R's random number
#'   generator alone; `NULL` takes one from it.
#' @param cores Number of threads.
#' @param ... Must be empty.
#' @return
#' * `"group"`: a matrix \[row, group\] of probabilities, rows sum to 1. A row with nothing observed
#'   has the proportions; one of the fit's that was left out for a missing covariate is `NA`.
#' * `"response"`: a data frame of a line a missing cell, by row: `row` (position in `newdata`),
#'   `group`, `feature`, `mean`, `sd` and quantiles (`q5`, ...) of the predictive distribution.
#' * `"distance"`: a matrix \[row, group\] of posterior means, `NA` for rows with nothing observed
#'   or without a covariate.
#' @section Errors: Those of [log_lik.hmvn_fit()]; `hmvn_error_argument` for `proportions` and if
#'   there is no missing cell to predict; `hmvn_error_column` if `newdata` has no feature.
#' @seealso [posterior_predict()] for draws of whole rows, [posterior_impute()] for draws of the
#'   missing cells of the fit's own rows.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' predict(fit, data.frame(Petal.Length = c(1.5, 4.8, 5.1), Petal.Width = c(NA, 1.7, NA)), "group")
#' predict(fit, data.frame(Species = "virginica", Petal.Length = 6), seed = 1)
#' @importFrom stats predict
#' @export
predict.hmvn_fit <- function(object, newdata = NULL, type = c("response", "group", "distance"),
                             ..., proportions = "data", prob = c(0.05, 0.95), ndraws = NULL,
                             seed = NULL, cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  type <- check_first_choice(type, "type", formals()$type, call)
  check_kept(object, c("mu", "Sigma"), call)
  cores <- check_count(cores, "cores", min = 1, call = call)
  chosen <- choose_draws(object, ndraws, call)
  if (type != "response" && is.data.frame(newdata)) {
    newdata <- without_keys(object, newdata, call)
  }
  rows <- rows_to_say(object, newdata, "Predicting the rows", c("group", "features"), call)
  if (type == "response") {
    check_prob(prob, call)
    return(predict_cells(object, rows, chosen, list(prob = prob, seed = seed), call))
  }
  how <- list(chosen = chosen, kind = "squared_distance", cores = cores)
  if (type == "distance") {
    return(by_group(object, rows, how, mean_distance))
  }
  weight <- group_proportions(object, proportions, call)
  how$kind <- "log_density"
  density <- by_group(object, rows, how, log_mean_exp)
  # nothing observed says nothing of groups; what a covariate would have said is not known
  density[colSums(!is.na(rows$values)) == 0 & are_placed(rows), ] <- 0
  log_weight <- rep(log(weight), each = nrow(density))
  weighted <- density + log_weight
  check_near_a_group(weighted, call)
  softmax_rows(weighted)
}

# internal -----------------------------------------------------------------

# `newdata` without columns of groups. Picking columns gives those of one name new names.
without_keys <- function(fit, newdata, call) {
  read <- c(fit$statistics$features, fit$statistics$design$variables)
  check_columns(intersect(read, names(newdata)), newdata, "newdata", call)
  as.data.frame(newdata)[setdiff(names(newdata), names(fit$statistics$keys))]
}

# `x`: [row, group], logarithms of what each group's probability is proportional to; NA where it is
# not known.
check_near_a_group <- function(x, call) {
  far <- which(rowSums(x > -Inf | is.na(x)) == 0)
  if (length(far) > 0L) {
    first <- far[[1L]]
    abort_hmvn(
      c(
        "Every row must have a density above 0, as a number, in a group whose proportion is not 0.",
        x = "{length(far)} row{?s} {?has/have} none; the first is row {first}.",
        i = "Look for mistakes in its cells, or in {.arg proportions}."
      ),
      "cells", argument = "newdata", count = length(far), call = call
    )
  }
}

# [row, group]: what `reduce` makes of the draws of the rows' densities in every group, see
# reduce_densities().
by_group <- function(fit, rows, how, reduce) {
  labels <- fit$statistics$labels
  n <- ncol(rows$values)
  found <- vapply(seq_along(labels), function(g) {
    reduce_densities(rows, laws_of_rows(fit, rep(g, n)), how, reduce)
  }, double(n))
  matrix(found, n, length(labels), dimnames = list(NULL, labels))
}

softmax_rows <- function(x) {
  x <- exp(x - apply(x, 1L, max))
  x / rowSums(x)
}

# Proportions by group, in the order of groups.
group_proportions <- function(fit, proportions, call) {
  labels <- fit$statistics$labels
  if (identical(proportions, "uniform")) {
    return(rep(1 / length(labels), length(labels)))
  }
  if (identical(proportions, "data")) {
    n <- group_n(fit$statistics)
    return(unname(n) / sum(n))
  }
  if (!is.null(names(proportions)) && setequal(names(proportions), labels)) {
    proportions <- proportions[labels]
  } else if (!is.null(names(proportions))) {
    proportions <- NULL
  }
  fine <- is.numeric(proportions) && length(proportions) == length(labels) &&
    all(is.finite(proportions)) && all(proportions >= 0) && sum(proportions) > 0
  if (!fine) {
    must <- "\"data\", \"uniform\" or numbers from 0 on, one for each group"
    abort_argument("proportions", must, proportions, call)
  }
  unname(proportions) / sum(proportions)
}

# A line a missing cell. `how`: list(prob, seed).
predict_cells <- function(fit, rows, chosen, how, call) {
  groups <- seq_len(n_groups(fit))
  row <- which(colSums(is.na(rows$values)) > 0)
  if (length(row) == 0L) {
    n <- ncol(rows$values)
    abort_hmvn(
      c(
        "{.arg newdata} must have missing cells: they are what is predicted.",
        x = "Of its {n} row{?s} every cell is observed.",
        i = "{.fn fitted} gives the means of rows, {.fn posterior_predict} draws new ones."
      ),
      "argument", argument = "newdata", call = call
    )
  }
  if (anyNA(rows$group)) row <- rep(row, each = length(groups))
  group <- if (anyNA(rows$group)) rep_len(groups, length(row)) else rows$group[row]
  incomplete <- pick_rows(rows, row)
  incomplete$row <- row
  incomplete$group <- group
  found <- draw_missing(fit, incomplete, list(chosen = chosen, seed = how$seed), call)
  drawn <- array(found$draws, c(length(chosen), 1L, nrow(found$cells)))
  numbers <- summarise_array_(drawn, stats::setNames(how$prob, quantile_names(how$prob)), 1L)
  kept <- c("mean", "sd", quantile_names(how$prob))
  data.frame(found$cells, numbers[, kept, drop = FALSE], row.names = NULL)
}
