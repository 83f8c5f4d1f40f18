# Statistics as a plain table, and back.

#' Statistics as a plain data frame
#'
#' `as.data.frame()` writes statistics as a table of one number a row, which any program can read
#' and any file can hold; `as_hmvn_statistics()` reads it. Both ways every number stays as it is.
#' (Text files keep it if they are written with 17 digits: `sprintf("%.17g", value)`.)
#'
#' @section Columns:
#' The group columns; `pattern`, a number for each set of features observed together in a group;
#' `quantity`, `feature`, `feature2` and `value`:
#' | `quantity` | `value` | `feature`, `feature2` |
#' |:--|:--|:--|
#' | `n` | rows of the pattern, or their weights; 0, of pattern 0, of a group without any | |
#' | `mean` | mean | feature |
#' | `scatter` | sum of products of deviations from the mean, each pair once | both features |
#' | `covariate mean`, `covariate scatter` | the same of covariates | covariates |
#' | `cross` | the same of a covariate and a feature | covariate, feature |
#'
#' and, without group and pattern, `rows`, `empty rows`, `rows without covariates`, `missing cells`
#' (counts), `weighted` and `known` (0 or 1), `feature` (their order), and with covariates `formula`
#' (a text in `feature`), `variable` (its name) and `level (<type>)` (a level of the variable, in
#' `feature2`, and its place). Features that a pattern has not observed have no rows.
#'
#' Covariates can be written if they are columns, factors of them and products; others depend on the
#' rows (knots of `splines::ns()`), and are kept by `saveRDS()`.
#' @param x An object of class `hmvn_statistics`.
#' @param data A data frame as `as.data.frame()` makes it of statistics.
#' @param row.names,optional Ignored where they are as by default; else refused.
#' @param ... Must be empty.
#' @return A data frame; an object of class `hmvn_statistics`.
#' @section Errors: `hmvn_error_statistics`, if `data` are no such table or `x` cannot be written.
#' @seealso [hmvn_statistics()]; `vignette("big_data")`.
#' @examples
#' site_1 <- as.data.frame(hmvn_statistics(iris[1:75, ], ~ Species))
#' head(site_1)
#' site_2 <- as.data.frame(hmvn_statistics(iris[76:150, ], ~ Species))
#' as_hmvn_statistics(site_1) + as_hmvn_statistics(site_2)
#' @name statistics_table
NULL

#' @rdname statistics_table
#' @export
as.data.frame.hmvn_statistics <- function(x, row.names = NULL, optional = FALSE, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  if (!is.null(row.names) || !isFALSE(optional)) {
    abort_argument("row.names", "left at its default", row.names, call)
  }
  validate_statistics(x, "x", call)
  taken <- intersect(names(x$keys), table_columns)
  if (length(taken) > 0L) {
    abort_table("Group columns have names of their own.", "They are {.field {taken}}.", "x", call)
  }
  cells <- rbind(statistics_cells(x), design_cells(x, call), pattern_cells(x))
  keys <- lapply(x$keys, function(key) key[cells$group])
  plain_frame(c(keys, as.list(cells)[table_columns]))
}

#' @rdname statistics_table
#' @export
as_hmvn_statistics <- function(data) {
  call <- rlang::current_env()
  if (!is.data.frame(data) || !all(table_columns %in% names(data))) {
    abort_table("{.arg data} must be a table of statistics.",
      "It lacks columns of {.field {table_columns}}.", "data", call
    )
  }
  check_table_columns(data, call)
  keys <- setdiff(names(data), table_columns)
  data$quantity <- as.character(data$quantity)
  check_quantities(data, call)
  of_all <- data[is.na(data$pattern), ]
  data <- data[!is.na(data$pattern), ]
  count <- function(quantity) {
    value <- of_all$value[of_all$quantity == quantity]
    if (length(value) != 1L || is.na(value)) {
      abort_table("{.arg data} must be a table of statistics.",
        "It has not one row {.val {quantity}}.", "data", call
      )
    }
    as.double(value)
  }
  features <- of_all[of_all$quantity == "feature", ]
  features <- as.character(features$feature[order(features$value)])
  groups <- table_groups(data, keys, call)
  design <- table_design(of_all, call)
  patterns <- table_patterns(data, groups$of_row, features, design$names, call)
  statistics <- new_statistics(
    groups[c("labels", "keys")], features, split_covariates(patterns, length(features)),
    list(n_rows = count("rows"), n_empty = count("empty rows"), n_missing = count("missing cells")),
    count("weighted") == 1
  )
  statistics$known <- count("known") == 1
  statistics <- add_covariates(statistics, design, count("rows without covariates"))
  validate_statistics(statistics, "data", call)
}

# internal -----------------------------------------------------------------

quantities_of_all <- c(
  "rows", "empty rows", "rows without covariates", "missing cells", "weighted", "known"
)

# Columns of one length, each with a name of its own, of the kind that as.data.frame() wrote or that
# reading a file makes of it.
check_table_columns <- function(data, call) {
  columns <- unclass(data)
  if (!are_names(names(columns)) || any(lengths(columns) != nrow(data))) {
    abort_table("{.arg data} must be a table of statistics.",
      "Its columns are of unequal length, or have no names of their own.", "data", call
    )
  }
  is_kind <- function(values, is) is.null(dim(values)) && (is(values) || all(is.na(values)))
  fine <- c(
    vapply(columns[c("pattern", "value")], is_kind, NA, is.numeric),
    vapply(columns[c("quantity", "feature", "feature2")], is_kind, NA, function(values) {
      (is.character(values) && all(is_valid_text(values))) || is.factor(values)
    })
  )
  if (!all(fine)) {
    wrong <- names(fine)[!fine]
    abort_table("{.arg data} must be a table of statistics.",
      "Column{?s} {.field {wrong}} {?is/are} not of the kind {?it was/they were}.", "data", call
    )
  }
}

check_quantities <- function(data, call) {
  types <- c("factor", "ordered", "logical", "numeric", "character")
  of_all <- c(
    quantities_of_all, "feature", "formula", "variable", paste0("level (", types, ")")
  )
  known <- ifelse(
    is.na(data$pattern), data$quantity %in% of_all, data$quantity %in% names(first_of_cell)
  )
  if (!all(known)) {
    unknown <- few(printable(unique(data$quantity[!known])))
    abort_table("{.arg data} must be a table of statistics.",
      "It has rows of unknown quantity, or without their pattern: {.val {unknown}}.", "data", call
    )
  }
}

plain_frame <- function(columns) {
  structure(columns, row.names = .set_row_names(length(columns[[1L]])), class = "data.frame")
}

cells_of <- function(quantity, value, feature = NA, feature2 = NA, group = NA, pattern = NA) {
  data.frame(
    group = as.integer(group), pattern = as.integer(pattern), quantity = quantity,
    feature = as.character(feature), feature2 = as.character(feature2), value = as.double(value),
    stringsAsFactors = FALSE
  )
}

statistics_cells <- function(x) {
  rbind(
    cells_of(
      quantities_of_all,
      c(x$n_rows, x$n_empty, x$n_without_covariates, x$n_missing, x$weighted, x$known)
    ),
    cells_of("feature", seq_along(x$features), x$features)
  )
}

# The joint patterns, features and covariates: those that are observed, and of pairs each once.
pattern_cells <- function(x) {
  patterns <- join_covariates(x$patterns)
  names <- c(x$features, x$covariates)
  is_covariate <- seq_along(names) > length(x$features)
  empty <- setdiff(seq_along(x$labels), patterns$group)
  at <- function(p) list(group = patterns$group[p], pattern = p)
  one <- which(patterns$observed, arr.ind = TRUE)
  means <- cells_of(
    c("mean", "covariate mean")[1L + is_covariate[one[, 1L]]], patterns$mean[one],
    names[one[, 1L]], NA, patterns$group[one[, 2L]], one[, 2L]
  )
  pairs <- which(upper.tri(diag(length(names)), diag = TRUE), arr.ind = TRUE)
  scatter <- lapply(seq_len(nrow(pairs)), function(row) {
    i <- pairs[[row, 1L]]
    j <- pairs[[row, 2L]]
    p <- which(patterns$observed[i, ] & patterns$observed[j, ])
    if (length(p) == 0L) {
      return(NULL)
    }
    kind <- c("scatter", "cross", "covariate scatter")[1L + is_covariate[i] + is_covariate[j]]
    named <- if (kind == "cross") names[c(j, i)] else names[c(i, j)]
    cells_of(kind, patterns$scatter[i, j, p], named[[1L]], named[[2L]], patterns$group[p], p)
  })
  rows <- rbind(
    if (length(empty) > 0L) cells_of("n", 0, group = empty, pattern = 0L),
    cells_of("n", patterns$n, group = patterns$group, pattern = seq_along(patterns$n)), means,
    do.call(rbind, scatter)
  )
  rows[order(rows$group, rows$pattern), ]
}

# What makes the design again, from formula and levels alone.
design_cells <- function(x, call) {
  if (is.null(x$design)) {
    return(NULL)
  }
  terms <- x$design$terms
  cells <- list(
    cells_of("formula", NA, deparse1(stats::formula(terms), collapse = " ")),
    cells_of("variable", seq_along(x$design$variables), x$design$variables)
  )
  variables <- as.list(attr(terms, "variables"))[-1L]
  classes <- attr(terms, "dataClasses")
  for (k in seq_along(variables)) {
    levels <- x$design$xlevels[[names(classes)[[k]]]]
    if (classes[[k]] == "logical") levels <- c("FALSE", "TRUE")
    name <- all.vars(variables[[k]])
    if (is.null(levels) || length(name) != 1L) next
    # of factor(x), x may have been numbers
    numbers <- suppressWarnings(!anyNA(as.numeric(levels)))
    type <- if (is.symbol(variables[[k]])) classes[[k]] else if (numbers) "numeric" else "character"
    cells <- c(cells, list(
      cells_of(paste0("level (", type, ")"), seq_along(levels), name, levels)
    ))
  }
  cells <- do.call(rbind, cells)
  again <- tryCatch(table_design(cells, call), error = function(e) NULL)
  if (!identical(design_content(again), design_content(x$design))) {
    abort_table("Covariates must be columns, factors of them or products to be written as a table.",
      "These depend on more: knots, contrasts or functions of their own. {.fn saveRDS} keeps them.",
      "x", call
    )
  }
  cells
}

table_design <- function(cells, call) {
  text <- cells$feature[cells$quantity == "formula"]
  if (length(text) == 0L) {
    return(NULL)
  }
  formula <- table_formula(text[[1L]], call)
  variables <- cells[cells$quantity == "variable", ]
  variables <- as.character(variables$feature[order(variables$value)])
  levels <- lapply(stats::setNames(nm = variables), function(name) {
    rows <- cells[startsWith(cells$quantity, "level (") & cells$feature %in% name, ]
    if (nrow(rows) == 0L) {
      return(NULL)
    }
    values <- as.character(rows$feature2[order(rows$value)])
    switch(rows$quantity[[1L]],
      "level (factor)" = factor(values, levels = values),
      "level (ordered)" = factor(values, levels = values, ordered = TRUE),
      "level (logical)" = as.logical(values), "level (numeric)" = as.numeric(values), values
    )
  })
  design_of_levels(formula, levels, call)$design
}

# A table may come from anywhere: its formula is evaluated only if it names columns, nothing else.
table_formula <- function(text, call) {
  expr <- tryCatch(str2lang(text), error = function(e) NULL)
  one_sided <- is.call(expr) && identical(expr[[1L]], quote(`~`)) && length(expr) == 2L
  formula <- if (one_sided) stats::as.formula(expr, env = asNamespace("stats"))
  terms <- if (one_sided) tryCatch(stats::terms(formula), error = function(e) NULL)
  if (is.null(terms) || length(terms_of_rows(terms)) > 0L) {
    abort_table("The formula of covariates must be one of columns and their products.",
      "It is {.code {text}}.", "data", call
    )
  }
  formula
}

# list(labels, keys, of_row): groups in the order in which they appear, and that of every row.
table_groups <- function(data, keys, call) {
  if (length(keys) == 0L || nrow(data) == 0L) {
    abort_table("{.arg data} must be a table of statistics.", "It names no group.", "data", call)
  }
  coded <- code_groups(lapply(data[keys], function(key) key), call)
  order <- unique(coded$codes)
  values <- coded$keys[order, , drop = FALSE]
  attr(values, "row.names") <- seq_along(order)
  list(labels = coded$labels[order], keys = values, of_row = match(coded$codes, order))
}
