# The model matrix of covariates, for the rows of the data and for new ones.

# internal -----------------------------------------------------------------

# What the pass over the rows reads where there are covariates: the rows that have something
# observed and all covariates, with the columns of the model matrix after the features.
# `data$fixed_design`: NULL; the design to follow; or TRUE where empty levels of factors are levels.
rows_with_covariates <- function(data, call) {
  empty <- all_missing(data)
  lacking <- !empty & any_missing(data$covariate_columns)
  used <- which(!empty & !lacking)
  fixed <- data$fixed_design
  if (length(used) == 0L && !is.list(fixed)) {
    abort_no_covariates(data$n_obs, sum(empty), sum(lacking), call)
  }
  pick <- if (length(used) == data$n_obs) identity else function(x) x[used]
  table <- lapply(data$covariate_columns, pick)
  built <- if (is.list(fixed)) {
    list(matrix = design_matrix(fixed, table_of(table), call), design = fixed)
  } else {
    if (is.null(fixed)) table <- drop_empty_levels(table)
    build_design(data$covariate_formula, table_of(table), call)
  }
  data$columns <- c(
    lapply(data$columns, pick),
    lapply(seq_len(ncol(built$matrix)), function(j) built$matrix[, j])
  )
  data$missing <- c(data$missing, logical(ncol(built$matrix)))
  data$codes <- pick(data$codes)
  data["weights"] <- list(if (!is.null(data$weights)) pick(data$weights))
  data$design <- built$design
  data$left_out <- list(n_empty = as.double(sum(empty)), n_without_covariates = sum(lacking))
  data
}

abort_no_covariates <- function(n_rows, n_empty, n_lacking, call) {
  abort_hmvn(
    c(
      "There must be rows with all covariates and something observed.",
      x = "Of {n_rows} row{?s}, {n_empty} {?has/have} nothing observed, {n_lacking}
        {?lacks/lack} a covariate."
    ),
    "covariates", argument = "covariates", call = call
  )
}

all_missing <- function(data) {
  if (!all(data$missing)) {
    return(logical(data$n_obs))
  }
  Reduce(`&`, lapply(data$columns, is.na))
}

any_missing <- function(columns) Reduce(`|`, lapply(columns, is.na))

table_of <- function(columns) {
  structure(columns, row.names = .set_row_names(length(columns[[1L]])), class = "data.frame")
}

# A level that no row has would be a column of zeros.
drop_empty_levels <- function(columns) {
  for (name in names(columns)) {
    x <- columns[[name]]
    if (!is.factor(x)) next
    empty <- levels(x)[tabulate(x, nlevels(x)) == 0L]
    if (length(empty) == 0L) next
    inform_hmvn(
      c(
        i = "Column {.field {name}}: {length(empty)} empty level{?s} dropped: {.val {few(empty)}}.",
        if (!is.null(attr(x, "contrasts"))) c(" " = "Its contrasts are those of R's options now.")
      ),
      "empty_levels", column = name, levels = empty
    )
    columns[[name]] <- droplevels(x)
  }
  columns
}

# list(design, matrix). A design says how to make the same columns of other rows: its `terms` know
# knots, centres and the like of the rows they were made of; `xlevels` and `contrasts` of factors;
# `names` of the columns of the matrix, which has no intercept; `variables` that it reads.
build_design <- function(formula, table, call) {
  frame <- evaluate_covariates(
    stats::model.frame(formula, table, na.action = stats::na.pass), call
  )
  check_covariate_frame(frame, call)
  terms <- attr(frame, "terms")
  matrix <- evaluate_covariates(stats::model.matrix(terms, frame), call)
  design <- list(
    terms = terms, xlevels = stats::.getXlevels(terms, frame),
    contrasts = attr(matrix, "contrasts"), names = colnames(matrix)[-1L], variables = names(table)
  )
  matrix <- without_intercept(matrix)
  check_covariate_matrix(matrix, table, call)
  check_same_again(design, matrix, table, call)
  list(design = design, matrix = matrix)
}

without_intercept <- function(matrix) {
  matrix <- matrix[, -1L, drop = FALSE]
  dimnames(matrix) <- list(NULL, colnames(matrix))
  matrix
}

# The columns of the frame are the formula's variables, evaluated.
check_covariate_frame <- function(frame, call) {
  for (name in names(frame)) {
    x <- frame[[name]]
    category <- is.factor(x) || is.character(x)
    problem <- if (!category && !is.numeric(x) && !is.logical(x)) {
      paste0("It is ", describe_value(x), ".")
    } else if (category && n_categories(x) < 2L) {
      "All of its rows are in one category."
    } else {
      next
    }
    abort_hmvn(
      c(
        "A covariate must be numbers, or categories of which there are two or more.",
        x = paste("{.code {name}} is not so.", problem),
        i = "Leave it out, or convert it: dates, for example, by {.fn as.numeric}."
      ),
      "covariates", argument = "covariates", column = name, call = call
    )
  }
}

n_categories <- function(x) if (is.factor(x)) nlevels(x) else length(unique(x[!is.na(x)]))

check_covariate_matrix <- function(matrix, table, call) {
  names <- colnames(matrix)
  if (!are_names(names) || nrow(matrix) != nrow(table)) {
    twice <- unique(names[duplicated(names)])
    abort_hmvn(
      c(
        "{.arg covariates} must give columns of different names, with a cell for each row.",
        x = if (length(twice)) "Several columns are called {.field {twice}}.",
        x = if (!length(twice)) "It gives {nrow(matrix)} cell{?s} for {nrow(table)} row{?s}.",
        i = "Rename a column, or compute what is the same for all rows before."
      ),
      "covariates", argument = "covariates", column = twice, call = call
    )
  }
  bad <- which(!is.finite(matrix), arr.ind = TRUE)
  if (nrow(bad) > 0L) {
    name <- names[[bad[[1L, 2L]]]]
    value <- matrix[[bad[[1L, 1L]], bad[[1L, 2L]]]]
    abort_hmvn(
      c(
        "Covariates must be finite numbers where their columns are not {.code NA}.",
        x = "Column {.field {name}} of the model matrix is {value} in {sum(bad[, 2] == bad[1, 2])}
          row{?s}.",
        i = "Correct those cells, or set them to {.code NA} to leave the rows out."
      ),
      "cells", argument = "covariates", column = name, count = sum(bad[, 2L] == bad[[1L, 2L]]),
      call = call
    )
  }
}

# A row must have the same covariates whatever other rows there are: what is centred by the mean of
# the rows at hand would mean something else for new rows.
check_same_again <- function(design, matrix, table, call) {
  some <- unique(round(seq(1, nrow(table), length.out = min(10, ceiling(nrow(table) / 2)))))
  again <- tryCatch(
    suppressWarnings(design_matrix(design, table[some, , drop = FALSE], call)),
    error = function(e) NULL
  )
  largest <- function(m) vapply(seq_len(ncol(m)), function(j) max(abs(m[, j])), 0)
  same <- if (identical(colnames(again), design$names)) {
    largest(again - matrix[some, , drop = FALSE]) <= 1e-6 * largest(matrix)
  } else {
    logical(ncol(matrix))
  }
  if (!all(same %in% TRUE)) {
    columns <- design$names[!same %in% TRUE]
    abort_hmvn(
      c(
        "A row must have the same covariates whatever other rows there are.",
        x = "{.field {columns}} {?changes/change} where some of the rows are left out.",
        i = "Compute the column before, or use {.fn scale}, {.fn poly} or {.fn splines::ns}, which
          remember the rows they were made of."
      ),
      "covariates", argument = "covariates", column = columns, call = call
    )
  }
}

# The model matrix [row, covariate] of new data; rows in which a variable is missing are NA.
covariate_matrix <- function(design, data, call = NULL) {
  check_columns(design$variables, data, "newdata", call)
  check_column_lengths(data, design$variables, call)
  columns <- lapply(stats::setNames(nm = design$variables), function(name) {
    x <- data[[name]]
    # a column without any cell is logical by default
    if (is.logical(x) && all(is.na(x))) rep(NA_real_, length(x)) else x
  })
  columns <- read_covariate_columns(design$variables, columns, 1L, call)
  known <- which(!any_missing(columns))
  out <- matrix(
    NA_real_, nrow(data), length(design$names), dimnames = list(NULL, design$names)
  )
  if (length(known) > 0L) {
    table <- table_of(lapply(columns, function(x) x[known]))
    matrix <- design_matrix(design, table, call)
    check_covariate_matrix(matrix, table, call)
    out[known, ] <- matrix
  }
  out
}

design_matrix <- function(design, table, call) {
  terms <- design$terms
  frame <- evaluate_covariates(
    stats::model.frame(terms, table, na.action = stats::na.pass), call
  )
  # texts stand for a factor's levels
  for (name in names(design$xlevels)) {
    x <- frame[[name]]
    if (!is.character(x) && !is.factor(x)) next
    frame[[name]] <- known_levels(x, design$xlevels[[name]], name, call)
  }
  evaluate_covariates(stats::.checkMFClasses(attr(terms, "dataClasses"), frame), call)
  without_intercept(evaluate_covariates(
    stats::model.matrix(terms, frame, contrasts.arg = design$contrasts), call
  ))
}

known_levels <- function(x, levels, name, call) {
  # what a term makes NA is told with the matrix
  new <- setdiff(as.character(x), c(levels, NA))
  if (length(new) > 0L) {
    shown <- few(printable(new))
    abort_hmvn(
      c(
        "Categories of covariates must be those of the fit.",
        x = "{.code {name}} has {.val {shown}} too.",
        i = "Known: {.val {few(levels)}}."
      ),
      "covariates", argument = "newdata", column = name, levels = new, call = call
    )
  }
  factor(as.character(x), levels = levels, ordered = is.ordered(x), exclude = NULL)
}
