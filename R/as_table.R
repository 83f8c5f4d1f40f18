# Tables for a paper.

#' A table for a paper
#'
#' The estimates of a fit, or a comparison of groups, as a table of text to print or to knit: each
#' cell the posterior mean with the posterior sd, or an interval, in the digits that the sd has.
#'
#' @param x An `hmvn_fit`, or what [compare_groups()] returns.
#' @param variable Quantities of groups, any of `"mu"`, `"sigma"`, `"Omega"`, `"Sigma"`, `"beta"`;
#'   `NULL`: means, slopes if there are any, standard deviations and correlations.
#' @param group Labels of the groups; `NULL` for all.
#' @param groups_in Groups in `"columns"`, a row an estimate, or in `"rows"`, a column an estimate.
#'   `NULL`: columns for up to six groups.
#' @param interval `NULL` for the posterior sd, or the probability of an interval to show instead.
#' @param ... Must be empty.
#' @return A data frame of text of class `hmvn_table`, which a page of \pkg{knitr} shows as a table
#'   (`knitr::kable(x)` with arguments of your own). Of a fit: columns `quantity`, `of` (a feature,
#'   two of them, or a covariate and a feature) and one a group, or `group` and one an estimate; the
#'   typical group of a partially pooled block stands first. Of a comparison: a row a quantity and a
#'   column a pair of groups.
#' @section Errors: `hmvn_error_variable` for a quantity that the fit does not have or that belongs
#'   to no group, `hmvn_error_keep`, `hmvn_error_group`, `hmvn_error_argument`.
#' @seealso [summary()][summary.hmvn_fit] and [compare_groups()] for the numbers.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' as_table(fit, c("mu", "sigma"))
#' as_table(fit, "Omega", interval = 0.95)
#' as_table(compare_groups(fit, what = "mean"))
#' @export
as_table <- function(x, ...) UseMethod("as_table")

#' @rdname as_table
#' @export
as_table.hmvn_fit <- function(x, variable = NULL, group = NULL, ..., groups_in = NULL,
                              interval = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  variable <- variable %||% c(
    "mu", if (n_covariates(x) > 0L) "beta", "sigma", if (n_features(x) > 1L) "Omega"
  )
  check_text(variable, "variable", "names of quantities", call)
  groups <- match_groups(x, group, call)
  groups_in <- check_choice(
    groups_in %||% if (length(groups) > 6L) "rows" else "columns", "groups_in",
    c("columns", "rows"), call
  )
  ends <- table_interval(interval, call)
  labels <- x$statistics$labels[groups]
  found <- summary.hmvn_fit(x, variable, labels, prob = ends)
  typical <- typical_estimates(x, variable, ends)
  cells <- function(rows) table_cells(rows, ends)
  long <- data.frame(
    group = c(rep("(typical)", NROW(typical)), found$group),
    quantity = c(typical$quantity, found$quantity),
    of = c(if (!is.null(typical)) compared_names(typical, 1e6), compared_names(found, 1e6)),
    cell = c(cells(typical), cells(found))
  )
  new_table(wide_table(long, groups_in), ends)
}

#' @rdname as_table
#' @export
as_table.hmvn_comparison <- function(x, ..., interval = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_comparison(x, call)
  if (!is.null(interval)) {
    abort_argument(
      "interval", "NULL: its quantiles were chosen by compare_groups(prob = )", interval, call
    )
  }
  long <- data.frame(
    group = sprintf("%s - %s", x$group, x$reference), quantity = x$quantity,
    of = compared_names(x, 1e6), cell = with_error(x$mean, x$sd)
  )
  new_table(wide_table(long, "columns"), double())
}

#' @export
as_table.default <- function(x, ...) check_fit(x, rlang::current_env())

#' @rdname as_table
#' @export
print.hmvn_table <- function(x, ...) {
  print(as.data.frame(x), row.names = FALSE, right = FALSE)
  cat(attr(x, "note"), "\n", sep = "")
  invisible(x)
}

# What knitr shows.
#' @exportS3Method knitr::knit_print
knit_print.hmvn_table <- function(x, ...) {
  knitr::knit_print(knitr::kable(as.data.frame(x), caption = attr(x, "note"), row.names = FALSE))
}

# internal -----------------------------------------------------------------

# The ends of an interval as probabilities, none for the posterior sd.
table_interval <- function(interval, call) {
  if (is.null(interval)) {
    return(double())
  }
  level <- check_number(interval, "interval", 0, 1, open = TRUE, call = call)
  c(1 - level, 1 + level) / 2
}

# The rows of the typical group, where blocks are partially pooled; NULL if there are none.
typical_estimates <- function(fit, variable, ends) {
  of <- vapply(quantities[variable], `[[`, "", "typical")
  varied <- fit$pooling[vapply(quantities[variable], `[[`, "", "block")] %in% "partial"
  here <- nzchar(of) & of %in% quantity_names(fit) & varied
  if (!any(here)) {
    return(NULL)
  }
  found <- summary.hmvn_fit(fit, unname(of[here]), prob = ends)
  found$quantity <- names(of)[match(found$quantity, of)]
  found
}

# "mean (sd)", or "mean [from, to]". `rows`: of a summary
table_cells <- function(rows, ends) {
  if (is.null(rows)) {
    return(character())
  }
  if (length(ends) == 0L) {
    return(with_error(rows$mean, rows$sd))
  }
  quantiles <- lapply(quantile_names(ends), function(q) rounded_like(rows[[q]], rows$sd))
  paste0(
    rounded_like(rows$mean, rows$sd), " [", quantiles[[1L]], ", ", quantiles[[2L]], "]"
  )
}

# `long`: a data frame group, quantity, of, cell.
wide_table <- function(long, groups_in) {
  title <- c(
    mu = "mean", sigma = "sd", Omega = "correlation", Sigma = "covariance", beta = "slope"
  )
  known <- long$quantity %in% names(title)
  long$quantity[known] <- title[long$quantity[known]]
  entry <- paste(long$quantity, long$of)
  groups <- unique(long$group)
  # the order of the groups, not of the typical one, which has not all of them
  entries <- unique(c(entry[long$group != "(typical)"], entry))
  cells <- matrix("", length(entries), length(groups), dimnames = list(NULL, groups))
  cells[cbind(match(entry, entries), match(long$group, groups))] <- long$cell
  if (groups_in == "rows") {
    cells <- t(cells)
    colnames(cells) <- trimws(entries)
    return(data.frame(group = groups, cells, check.names = FALSE, row.names = NULL))
  }
  first <- match(entries, entry)
  out <- data.frame(
    quantity = long$quantity[first], of = long$of[first], cells, check.names = FALSE
  )
  if (all(out$of == "")) out$of <- NULL
  out
}

new_table <- function(table, ends) {
  note <- if (length(ends)) {
    paste0("Posterior mean [", number_text(100 * diff(ends), 3), " % interval]")
  } else {
    "Posterior mean (sd)"
  }
  structure(table, class = c("hmvn_table", "data.frame"), note = note)
}
