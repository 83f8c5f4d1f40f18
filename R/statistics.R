#' Summaries of data by group
#'
#' What the model needs to know of the rows: for every group, and within it for every
#' pattern of observed features, the number of rows, the mean and the centred scatter
#' matrix. [fit_hmvn()] takes the result in place of data.
#'
#' `c()` combines statistics: those of two parts of the data give those of all of it,
#' to rounding. Groups are matched by label, features by name, in any order. Features that only some
#' of the statistics have, as of studies that measured different things, are told in a message and
#' were not observed in the others (not with covariates). Covariates must be the same, made alike:
#' of factors with the same levels, of terms with the same knots or centres.
#'
#' @param data A data frame, tibble or data.table. Cells that are `NA` are missing. Or a table in a
#'   database, see Tables in a database; or a function that gives data frames bit by bit, see
#'   [file_chunks()].
#' @param group The column or columns that name the group: a one-sided formula
#'   (`~ g`, `~ g1 + g2`) or a character vector; `NULL` or `~ 1` for one group of all rows. Left
#'   out, groups are those of a grouped tibble.
#' @param features The numeric columns to describe: a one-sided formula (`~ x + y`) or
#'   a character vector. `NULL`: all numeric columns not in `group`, `weights` or `covariates`;
#'   `~ . - a`: but not `a`.
#' @param weights Frequency weights: a one-sided formula (`~ w`) or a column's name. A row
#'   of weight 3 counts as three rows, one of weight 0 not at all (nor in `n_rows`); weights need
#'   not be whole. See [fit_hmvn()].
#' @param covariates What the means of rows depend on within a group: a one-sided formula of
#'   columns, or their names; `NULL` and `~ 1`: nothing. See Covariates.
#' @param cores Number of threads. The result does not depend on it.
#' @return An object of class `hmvn_statistics`: a list with `labels` and `keys` of the
#'   groups, `features`, `patterns` (a list of `group`, `n`, `observed` \[feature,
#'   pattern\], `mean` \[feature, pattern\] and `scatter` \[feature, feature, pattern\], in
#'   the units of the data and their squares), `n_rows`, `n_empty` (rows with nothing
#'   observed), `n_missing` (missing cells in the other rows), `weighted`,
#'   `known` (whether they are estimates with known covariances, see [hmvn_statistics_from()]),
#'   `n_without_covariates` (rows left out because a covariate is missing), `covariates` (names of
#'   the C columns of the model matrix), `covariate_center` \[C\] (their weighted means over all
#'   rows used) and `design` (how to make these columns of new rows: `terms`, `xlevels`,
#'   `contrasts`, `names`, `variables`; `NULL` without covariates). With covariates `patterns` also
#'   has `covariate_mean` \[C, pattern\], `covariate_scatter` \[C, C, pattern\] and `cross`
#'   \[C, feature, pattern\], the scatter of covariates and features, 0 where a feature is not
#'   observed; all centred within the pattern.
#' @section Covariates:
#' The formula is that of [lm()]: factors (by their contrasts), interactions, `log()`, `I()`,
#' `poly()`, `splines::ns()`. Its columns are those of [model.matrix()] without the intercept, as
#' every group has a mean of its own; `- 1` and `offset()` are refused, as is `.`, which would name
#' columns that nobody has looked at. A column that is a feature, names the group or holds the
#' weights cannot be a covariate. Its variables are columns of `data`; write `!!k` for the value of
#' another object `k`. Terms that are made of all rows must remember how: `scale(x)` and
#' `poly(x, 2)` do; `I(x - mean(x))` does not, and is refused.
#'
#' A row in which a variable of the formula is missing is left out, and counted. So is a row with
#' nothing observed, before knots and levels are found. Empty levels of factors are dropped with
#' a message.
#' @section Tables in a database:
#' A table of dbplyr (`dplyr::tbl(con, "t")`, with what verbs of dplyr make of it) is summarised by
#' the engine that has it: its rows are not fetched, and the result is that of a data frame with the
#' same rows, to rounding (1e-10 of a scatter, whatever the offset of the data; sums by an engine
#' may differ in the last digits from one time to the next, and the same statistics and seed give
#' the same draws). The engine needs `SUM`, `AVG`, `COUNT`, `MIN`, `MAX`, `CASE` and, where means of
#' groups lie many standard deviations apart, these over windows.
#'
#' Cells that are NULL or NaN are missing; infinite ones, or beyond 1e150, are refused. Numbers of
#' any type are features. Covariates are columns, their products, and factors (texts, truth values,
#' `factor(x)`), whose levels are asked for; other functions of columns are computed in the engine
#' before, by `dplyr::mutate()`. Types of SQLite are looked at cell by cell.
#'
#' The table is read once for its cells, once for the sums (again where means lie far apart), once
#' for each factor among the covariates, once to name what looks like an id or a year where
#' `features` is left out, and in SQLite once for types.
#' @section Errors:
#' Class `hmvn_error_data`, `_column`, `_cells`, `_group`, `_weights` or `_covariates`, with the
#' argument, the column and the row as fields. `hmvn_error_engine`: a database could not compute the
#' sums.
#' @seealso [hmvn_statistics_from()] for published means and covariances.
#' @examples
#' hmvn_statistics(iris, group = ~ Species)
#' hmvn_statistics(mtcars, group = ~ cyl, features = ~ mpg + qsec, covariates = ~ wt * factor(am))
#' @export
hmvn_statistics <- function(data, group, features = NULL, weights = NULL, covariates = NULL,
                            cores = 1) {
  call <- rlang::current_env()
  cores <- check_count(cores, "cores", min = 1, call = call)
  columns <- list(
    group = rlang::enquo(group), features = rlang::enquo(features),
    weights = rlang::enquo(weights), covariates = rlang::enquo(covariates)
  )
  elsewhere <- read_elsewhere(data, columns, cores, call)
  if (!is.null(elsewhere)) {
    return(elsewhere$statistics)
  }
  check_data(data, call)
  columns <- capture_columns(columns, data, call)
  compute_statistics(new_model_data(data, columns, cores, call), cores, call)
}

#' @rdname hmvn_statistics
#' @param x An object of class `hmvn_statistics`.
#' @param n_groups How many groups to print.
#' @export
print.hmvn_statistics <- function(x, n_groups = 10, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  validate_statistics(x, "x", call)
  n_groups <- check_count(n_groups, "n_groups", min = 0, call = call)
  G <- length(x$labels)
  K <- length(x$features)
  cat("Statistics of ", count_of(G, "group"), ", ", count_of(K, "feature"), ", ",
    count_of(x$n_rows, "row"), "\n",
    sep = ""
  )
  if (x$weighted) cat("Weighted: n is the sum of the weights\n")
  if (x$n_missing > 0) {
    cat(count_of(x$n_missing, "missing cell"), " in ", count_of(length(x$patterns$n), "pattern"),
      " over the groups\n",
      sep = ""
    )
  }
  if (x$n_empty > 0) cat(count_of(x$n_empty, "row"), " with nothing observed, not used\n", sep = "")
  print_covariates(x)
  shown <- seq_len(min(G, n_groups))
  n <- group_n(x)
  rows <- lapply(shown, function(g) {
    cells <- pooled_moments(x, group = g)
    values <- paste0(signif(cells$mean, 4), " (", signif(cells$sd, 3), ")")
    values[cells$n == 0] <- "-"
    c(format(n[[g]], digits = 10, big.mark = ""), values)
  })
  table <- matrix(unlist(rows), nrow = length(shown), byrow = TRUE)
  dimnames(table) <- list(x$labels[shown], c("n", x$features))
  cat("Mean (sd) of the observed cells:\n")
  print(noquote(table), right = TRUE)
  if (G > length(shown)) cat("... and ", count_of(G - length(shown), "more group"), "\n", sep = "")
  invisible(x)
}

# internal -----------------------------------------------------------------

print_covariates <- function(x) {
  n_covariates <- length(x$covariates)
  if (n_covariates > 0L) {
    means <- paste0(x$covariates, " (", signif(x$covariate_center, 4), ")", collapse = ", ")
    cat(strwrap(paste0(count_of(n_covariates, "covariate"), " (mean): ", means), exdent = 2),
      sep = "\n"
    )
  }
  if (x$n_without_covariates > 0L) {
    cat(count_of(x$n_without_covariates, "row"), " with a missing covariate, not used\n", sep = "")
  }
}

# Per group the sum of weights of the rows with something observed.
group_n <- function(statistics) {
  patterns <- statistics$patterns
  n <- rowsum(patterns$n, patterns$group)
  result <- stats::setNames(double(length(statistics$labels)), statistics$labels)
  result[as.integer(rownames(n))] <- n[, 1L]
  result
}

# The (weighted) number of observations of every feature in every group: [group, feature]
observed_counts <- function(statistics) {
  p <- statistics$patterns
  counts <- matrix(
    0, length(statistics$labels), length(statistics$features),
    dimnames = list(statistics$labels, statistics$features)
  )
  if (length(p$group) == 0) {
    return(counts)
  }
  sums <- rowsum(t(p$observed) * p$n, p$group)
  counts[as.integer(rownames(sums)), ] <- sums
  counts
}

# Per feature n, mean and sd (divisor n - 1) over all observed cells, or over those of
# one group; means are merged about a pivot and spreads about the mean, so that an
# offset costs no digits. sd is NA where n <= 1.
pooled_moments <- function(statistics, group = NULL) {
  patterns <- statistics$patterns
  features <- statistics$features
  keep <- if (is.null(group)) seq_along(patterns$n) else which(patterns$group == group)
  result <- lapply(seq_along(features), function(k) {
    p <- keep[patterns$observed[k, keep]]
    if (length(p) == 0L) {
      return(c(0, NA, NA))
    }
    n <- patterns$n[p]
    total <- sum(n)
    from_pivot <- patterns$mean[k, p] - patterns$mean[k, p[[1L]]]
    centre <- sum(n * from_pivot) / total
    scatter <- sum(patterns$scatter[k, k, p]) + sum(n * (from_pivot - centre)^2)
    sd <- if (total > 1) sqrt(scatter / (total - 1)) else NA_real_
    c(total, patterns$mean[k, p[[1L]]] + centre, sd)
  })
  moments_of(result, features)
}

# `by_feature`: a list of c(n, mean, sd).
moments_of <- function(by_feature, features) {
  moments <- matrix(unlist(by_feature), nrow = 3L)
  named <- function(x) stats::setNames(x, features)
  list(n = named(moments[1L, ]), mean = named(moments[2L, ]), sd = named(moments[3L, ]))
}

# The same of estimates with known covariances, sd being the root of the average of variance plus
# squared distance from the mean. An estimate less precise than the median one weighs less, by the
# ratio of variances, so that studies that say next to nothing scale no prior; one that is more
# precise weighs no more, so that one study alone does not set the scale either. (Of an even number
# the more precise of the middle two is the median: two estimates may differ by any factor.)
estimate_moments <- function(statistics) {
  patterns <- statistics$patterns
  result <- lapply(seq_along(statistics$features), function(k) {
    there <- which(patterns$observed[k, ])
    n <- length(there)
    if (n < 2L) {
      return(c(n, NA, NA))
    }
    variance <- patterns$scatter[k, k, there]
    precise <- sort(variance)[[(n + 1L) %/% 2L]]
    weights <- pmin(1, precise / variance)
    weights <- weights / sum(weights)
    from_pivot <- patterns$mean[k, there] - patterns$mean[k, there[[1L]]]
    centre <- sum(weights * from_pivot)
    # roots of weights first: neither product may overflow
    off <- sqrt(weights) * (from_pivot - centre)
    c(n, patterns$mean[k, there[[1L]]] + centre, sqrt(n / (n - 1) * sum(weights * variance, off^2)))
  })
  moments_of(result, statistics$features)
}
