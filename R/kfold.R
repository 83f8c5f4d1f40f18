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
#' Covariates are the columns of the model matrix of all rows, the same in every fold: without any
#' of the folds there must be rows that tell of every slope.
#'
#' @param x An `hmvn_fit` made from rows.
#' @param K Number of folds; with `by = "group"` at most that of groups. With `folds` it may be left
#'   out.
#' @param ... Must be empty.
#' @param by What is left out together.
#' @param folds Whole numbers by row of the data, instead of random folds; with `by = "group"` the
#'   same for all rows of a group.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it. Folds are drawn from it. Fits have the seed of `x`.
#' @return An object of class `kfold` for [loo::loo_compare()], a list of `estimates` (`elpd_kfold`,
#'   `p_kfold`, `kfoldic`, each with its `SE`), `pointwise` (the same by row with something
#'   observed, named by its position in the data) and `folds` (the fold of each row of the data).
#'   A row with a frequency weight w counts as one point, of w times its log density.
#' @section Errors: Those of [loo.hmvn_fit()] and [update.hmvn_fit()]; `hmvn_error_argument` for
#'   `K`, `folds` and `seed`; `hmvn_error_covariates` if a fold leaves no rows that tell of a slope;
#'   `hmvn_error_improper` if what it leaves of a group has no posterior.
#' @seealso [loo.hmvn_fit()], which needs no further fits.
#' @examplesIf requireNamespace("loo", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' loo::kfold(fit, K = 5, seed = 1)
#' @exportS3Method loo::kfold
kfold.hmvn_fit <- function(x, K = 10, ..., by = c("row", "group"), folds = NULL, seed = NULL) {
  call <- rlang::current_env()
  name <- deparse1(substitute(x))
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  by <- check_first_choice(by, "by", formals()$by, call)
  check_has_learned(x, "kfold", call)
  check_kept(x, c("mu", "Sigma"), call)
  rows <- rows_to_say(x, NULL, "Cross-validation", call = call)
  used <- seen_rows(rows)
  seed <- choose_seed(seed, call)
  units <- if (by == "group") sort(unique(rows$group[used])) else used
  folds <- if (is.null(folds)) {
    K <- check_count(K, "K", min = 2, max = length(units), call = call)
    draw_folds(rows$group, units, by, K, seed)
  } else {
    folds <- check_folds(folds, x$data$n_obs, used, call)
    if (!missing(K)) check_fold_count(K, folds[used], call)
    if (by == "group") check_whole_groups(folds[used], rows$group[used], call)
    folds
  }
  elpd <- rep(NA_real_, length(folds))
  for (fold in sort(unique(folds[used]))) {
    held <- intersect(which(folds == fold), used)
    elpd[held] <- held_out_density(x, rows, held, seed, call)
  }
  # of all rows together, as p_kfold is the difference
  full <- log_density_of_rows(x, rows)
  weights <- rows$weights %||% rep(1, length(folds))
  pointwise <- cbind(elpd_kfold = elpd, p_kfold = full - elpd, kfoldic = -2 * elpd) * weights
  pointwise <- pointwise[used, , drop = FALSE]
  rownames(pointwise) <- used
  mark_points(new_kfold(pointwise, folds, n_draws(x)), x, name)
}

# internal -----------------------------------------------------------------

# `pointwise`: of rows with something observed, whose positions are its rownames.
new_kfold <- function(pointwise, folds, n_draws) {
  n <- nrow(pointwise)
  estimates <- cbind(
    Estimate = colSums(pointwise), SE = apply(pointwise, 2L, function(v) sqrt(n * stats::var(v)))
  )
  # rows with nothing observed may be in a fold of their own, or in none
  n_folds <- length(unique(folds[as.integer(rownames(pointwise))]))
  structure(
    list(estimates = estimates, pointwise = pointwise, folds = folds),
    class = c("kfold", "loo"), dims = c(n_draws, n), K = n_folds
  )
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

# `n`: the number of rows; `used`: positions of those with something observed.
check_folds <- function(folds, n, used, call) {
  fine <- is.numeric(folds) && length(folds) == n && all(is.finite(folds)) &&
    all(folds == trunc(folds)) && all(abs(folds) <= .Machine$integer.max) &&
    length(unique(folds[used])) > 1L
  if (!fine) {
    must <- paste(
      "whole numbers, one for each of", n, "rows, at least two different ones where something is",
      "observed"
    )
    abort_argument("folds", must, folds, call)
  }
  as.integer(folds)
}

# `folds`: of rows with something observed.
check_fold_count <- function(K, folds, call) {
  n <- length(unique(folds))
  if (!identical(check_number(K, "K", call = call), as.double(n))) {
    abort_argument("K", paste0(n, ", the number of folds in `folds`, or left out"), K, call)
  }
}

check_whole_groups <- function(folds, group, call) {
  if (nrow(unique(data.frame(folds, group))) > length(unique(group))) {
    must <- "the same for all rows of a group, with `by = \"group\"`"
    abort_argument("folds", must, folds, call)
  }
}

# log(mean(density)) of every row under the law of its group, whatever its weight; NA for rows with
# nothing observed.
log_density_of_rows <- function(fit, rows) {
  reduce_densities(rows, laws_by_chunk(fit, rows$group), density_of_all_draws(fit), log_mean_exp)
}

# The log density of the rows `held` in the fit to the others. `rows`: all of the fit's.
held_out_density <- function(fit, rows, held, seed, call) {
  without <- fit_without(fit, rows, held, call)
  left_out <- pick_rows(rows, held)
  moved <- fit$statistics$covariate_center - without$statistics$covariate_center
  left_out$covariates <- left_out$covariates + moved
  left_out$group <- match(fit$statistics$labels[left_out$group], without$statistics$labels)
  out <- double(length(held))
  old <- which(!is.na(left_out$group))
  out[old] <- log_density_of_rows(without, pick_rows(left_out, old))
  new <- which(is.na(left_out$group))
  if (length(new) > 0L) {
    how <- density_of_all_draws(without)
    laws <- laws_of_new_group(draw_new_group(without, how$chosen, seed), length(new))
    out[new] <- reduce_densities(pick_rows(left_out, new), laws, how, log_mean_exp)
  }
  out
}

# The fit to all rows but `held`. Covariates are columns of the model matrix of all rows, so that
# slopes mean the same in every fold, whichever categories it lacks.
fit_without <- function(fit, rows, held, call) {
  data <- kept_data_frame(fit$data)
  size <- n_covariates(fit)
  columns <- utils::tail(make.unique(c(names(data), rep("x", size))), size)
  if (size > 0L) {
    data[columns] <- as.data.frame(t(rows$covariates + fit$statistics$covariate_center))
  }
  said <- said_of_columns(fit, columns)
  rlang::try_fetch(
    suppressMessages(
      stats::update(
        fit, data = data[-held, , drop = FALSE], progress = FALSE, keep_data = FALSE,
        covariates = !!(if (size > 0L) columns), prior = said$prior, pooling = said$pooling,
        # a group left out would be taken for a new one
        not_estimable = "error", seed = fit$control$seed
      ),
      classes = "hmvn_message"
    ),
    hmvn_error_covariates = function(cnd) {
      abort_fold(fit$statistics$covariates[match(cnd$column, columns)], call)
    },
    hmvn_error_improper = function(cnd) abort_improper_fold(cnd, call)
  )
}

# list(prior, pooling) as they were said, where covariates are called otherwise.
said_of_columns <- function(fit, columns) {
  covariates <- fit$statistics$covariates
  rename <- function(x) {
    given <- setdiff(names(x), "")
    if (length(given) > 0L && all(given %in% covariates)) {
      own <- names(x) != ""
      names(x)[own] <- columns[match(names(x)[own], covariates)]
    }
    x
  }
  said <- list(prior = fit$prior_given, pooling = fit$specification$pooling)
  if (!is.null(said$prior$slope)) said$prior$slope <- rename(said$prior$slope)
  if (is.list(said$pooling)) said$pooling$slope <- rename(said$pooling$slope)
  said
}

# `lost`: names of covariates.
abort_fold <- function(lost, call) {
  abort_hmvn(
    c(
      "The rows that are left without a fold must tell of every slope.",
      x = "Without one of the folds {.field {lost}} {?does/do} not vary (within groups, or at all),
        or {?is/are} collinear.",
      i = "Give {.arg folds} that leave rows of every category, or take more folds."
    ),
    "covariates", argument = "folds", column = lost, call = call
  )
}

# As laws_of_rows(), where `n` rows are of one new group. `drawn`: see draw_new_group().
laws_of_new_group <- function(drawn, n) {
  drawn <- lapply(drawn, function(v) array(v, c(nrow(v), 1L, ncol(v))))
  c(drawn, list(mean_at = rep(1L, n), chol_at = rep(1L, n), slope_at = rep(1L, n)))
}

# `cnd`: the error of the fit without the fold.
abort_improper_fold <- function(cnd, call) {
  kind <- paste(cnd$kind, collapse = " or ")
  group <- cnd$group
  left <- if (length(group) == 0L) {
    "all groups"
  } else {
    paste(if (length(group) == 1L) "group" else "groups", some_of(dQuote(group, FALSE)))
  }
  remedy <- if ("constant" %in% cnd$kind) {
    "{.code hmvn_prior(sd = \"lognormal\")} gives constant features a posterior."
  }
  abort_hmvn(
    c(
      "The posterior must be proper whichever fold is left out.",
      x = "Without one of them {.field {cnd$features}} {?is/are} {kind} in what is left of {left}.",
      i = "Give {.arg folds} that leave rows in which they vary, take more folds, or leave features
        out.",
      i = remedy
    ),
    "improper", group = group, features = cnd$features, kind = cnd$kind, call = call
  )
}
