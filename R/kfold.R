# Cross-validation by fitting again without part of the rows.

#' Cross-validation by rows or by whole groups
#'
#' Fits again without each fold and scores what was left out. With `by = "row"` a fold holds rows of
#' all groups, so that a row is predicted from others of its group; with `by = "group"` it holds
#' whole groups, and each of their rows is predicted as one of a group that has not been seen
#' ([posterior_new_group()]): how well do groups tell of each other?
#'
#' Every fold is fitted by [update()][update.hmvn_fit]: what the prior left unset is scaled with
#' the rows that are left. A row whose group has no other rows left is one of a new group.
#'
#' @param x An `hmvn_fit` made from rows.
#' @param K Number of folds; with `by = "group"` at most that of groups.
#' @param ... Must be empty.
#' @param by What is left out together.
#' @param folds Numbers from 1 to `K` by row of the data, instead of random folds.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it. Folds are drawn from it. Fits have the seed of `x`.
#' @return An object of class `kfold` for [loo::loo_compare()], a list of `estimates` (`elpd_kfold`,
#'   `p_kfold`, `kfoldic`, each with its `SE`), `pointwise` (the same by row with something
#'   observed, named by its position in the data) and `folds` (the fold of each row of the data).
#'   A row with a frequency weight w counts as one point, of w times its log density.
#' @section Errors: Those of [loo.hmvn_fit()] and [update.hmvn_fit()]; `hmvn_error_argument` for
#'   `K`, `folds` and `seed`.
#' @seealso [loo.hmvn_fit()], which needs no further fits.
#' @examplesIf requireNamespace("loo", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' loo::kfold(fit, K = 5, seed = 1)
#' @exportS3Method loo::kfold
kfold.hmvn_fit <- function(x, K = 10, ..., by = c("row", "group"), folds = NULL, seed = NULL) {
  call <- rlang::current_env()
  name <- deparse1(substitute(x))
  check_no_dots(..., known = names(formals()), call = call)
  by <- rlang::arg_match(by)
  check_has_learned(x, "kfold", call)
  rows <- rows_to_say(x, NULL, "Cross-validation", call = call)
  used <- which(colSums(!is.na(rows$values)) > 0)
  seed <- choose_seed(seed, call)
  units <- if (by == "group") sort(unique(rows$group[used])) else used
  folds <- if (is.null(folds)) {
    K <- check_count(K, "K", min = 2, max = length(units), call = call)
    draw_folds(rows$group, units, by, K, seed)
  } else {
    check_folds(folds, x$data$n_obs, call)
  }
  elpd <- rep(NA_real_, length(folds))
  for (fold in sort(unique(folds[used]))) {
    held <- intersect(which(folds == fold), used)
    elpd[held] <- held_out_density(x, held, seed)
  }
  # of all rows together, as p_kfold is the difference
  weights <- rows$weights %||% rep(1, length(folds))
  full <- row_densities(
    x, pick_rows(rows, used), rows$group[used], seq_len(n_draws(x)), getOption("mc.cores", 1L)
  )
  pointwise <- cbind(
    elpd_kfold = elpd[used] * weights[used],
    p_kfold = (log_mean_exp(full) - elpd[used]) * weights[used]
  )
  pointwise <- cbind(pointwise, kfoldic = -2 * pointwise[, "elpd_kfold"])
  rownames(pointwise) <- used
  new_kfold(pointwise, folds, x, name)
}

# internal -----------------------------------------------------------------

new_kfold <- function(pointwise, folds, fit, name) {
  n <- nrow(pointwise)
  estimates <- cbind(
    Estimate = colSums(pointwise), SE = apply(pointwise, 2L, function(v) sqrt(n * stats::var(v)))
  )
  out <- structure(
    list(estimates = estimates, pointwise = pointwise, folds = folds),
    class = c("kfold", "loo"), dims = c(n_draws(fit), n), K = length(unique(folds))
  )
  mark_points(out, fit, name)
}

# The fold of every row. `units`: what is dealt out, positions of rows (dealt group by group, so
# that each fold has its share of each) or of groups.
draw_folds <- function(group, units, by, K, seed) {
  dealt <- with_seed(seed, {
    mixed <- units[sample.int(length(units))]
    if (by == "row") mixed <- mixed[order(group[mixed])]
    mixed
  })
  fold <- rep_len(seq_len(K), length(dealt))
  if (by == "group") fold[match(group, dealt)] else replace(rep(1L, length(group)), dealt, fold)
}

check_folds <- function(folds, n, call) {
  fine <- is.numeric(folds) && length(folds) == n && !anyNA(folds) && all(folds == trunc(folds)) &&
    length(unique(folds)) > 1L
  if (!fine) {
    must <- paste("whole numbers, at least two different ones, one for each of", n, "rows")
    abort_argument("folds", must, folds, call)
  }
  as.integer(folds)
}

# The log density of held-out rows in the fit to the others.
held_out_density <- function(fit, held, seed) {
  data <- kept_data_frame(fit$data)
  without <- suppressMessages(
    stats::update(fit, data = data[-held, , drop = FALSE], progress = FALSE, keep_data = FALSE,
      seed = fit$control$seed),
    classes = "hmvn_message"
  )
  rows <- pick_rows(rows_to_say(fit, NULL, "Cross-validation"), held)
  group <- match(fit$statistics$labels[rows$group], without$statistics$labels)
  rows$weights <- NULL
  chosen <- seq_len(n_draws(without))
  cores <- without$control$cores
  out <- double(length(held))
  old <- which(!is.na(group))
  out[old] <- log_mean_exp(
    row_densities(without, pick_rows(rows, old), group[old], chosen, cores)
  )
  new <- which(is.na(group))
  if (length(new) > 0L) {
    drawn <- draw_new_group(without, chosen, seed)
    drawn <- lapply(drawn, function(v) array(v, c(nrow(v), 1L, ncol(v))))
    one <- rep(1L, length(new))
    out[new] <- log_mean_exp(row_densities_(
      rows$values[, new, drop = FALSE], one, one, drawn$mean, drawn$chol, chosen, "log_density",
      cores
    ))
  }
  out
}

# Evaluates `code` with R's random numbers from `seed` on and leaves them as they were.
with_seed <- function(seed, code) {
  old <- get0(".Random.seed", globalenv(), inherits = FALSE)
  on.exit(
    if (is.null(old)) {
      rm(".Random.seed", envir = globalenv())
    } else {
      assign(".Random.seed", old, globalenv())
    }
  )
  set.seed(seed %% .Machine$integer.max)
  force(code)
}
