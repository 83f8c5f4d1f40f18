# Which columns the user means: by a formula, by names, or by default.

# internal -----------------------------------------------------------------

# Evaluates the promise of an argument that names columns. `group = g` with a bare column name
# either finds no object or, worse, some other object called g; both end in an error that shows the
# form to write. Use: capture_column_argument(rlang::enquo(group), data, "group").
capture_column_argument <- function(quo, data, arg, call = NULL) {
  if (rlang::quo_is_missing(quo)) {
    example <- example_columns(data)
    abort_hmvn(
      c("{.arg {arg}} must be given.", i = "For example {.code {arg} = ~ {example}}."),
      "group", argument = arg, call = call
    )
  }
  expr <- rlang::quo_get_expr(quo)
  used <- intersect(all.vars(expr), names(data))
  value <- tryCatch(rlang::eval_tidy(quo), error = function(e) {
    bare <- is.symbol(expr) || length(used) > 0L
    if (!bare) stop(e)
    abort_bare_name(expr, used, data, arg, call)
  })
  fine <- is.null(value) || rlang::is_formula(value) || is.character(value)
  if (!fine && length(used) > 0L) {
    abort_bare_name(expr, used, data, arg, call)
  }
  value
}

abort_bare_name <- function(expr, used, data, arg, call) {
  written <- rlang::as_label(expr)
  if (length(used) == 0L) {
    near <- suggest_name(written, names(data))
    near <- backtick(near)
    hint <- if (length(near)) c(i = "Did you mean {.code {arg} = ~ {near}}?")
    abort_hmvn(
      c(
        "{.arg {arg}} must be a one-sided formula or names of columns.",
        x = "There is no object and no column {.field {written}}.", hint
      ),
      "column", argument = arg, column = written, call = call
    )
  }
  suggestion <- paste(backtick(used), collapse = " + ")
  abort_hmvn(
    c(
      "{.arg {arg}} must be a one-sided formula or names of columns.",
      x = "It is the bare name {.code {written}}.",
      i = "Write {.code {arg} = ~ {suggestion}}."
    ),
    "column", argument = arg, column = used, call = call
  )
}

backtick <- function(names) {
  vapply(names, function(x) deparse1(as.name(x), backtick = TRUE), "", USE.NAMES = FALSE)
}

# A column that is likely meant: the first that is not numeric, else the first.
example_columns <- function(data) {
  likely <- c(names(data)[!vapply(as.list(data), is.numeric, logical(1))], names(data), "g")
  backtick(likely[[1L]])
}

# Names of columns from a one-sided formula or a character vector, all of them found
# in the data, once. `operators`: what may stand between names in a formula.
column_names <- function(x, data, arg, operators, call) {
  if (rlang::is_formula(x)) {
    if (length(x) != 2L) {
      abort_columns("It has a left-hand side.", arg, operators, call)
    }
    x <- formula_names(x[[2L]], arg, operators, call)
  } else if (!is.character(x) || length(x) == 0L || anyNA(x)) {
    problem <- if (is.character(x)) {
      if (length(x)) "It contains NA." else "It names no column."
    } else {
      paste0("It is ", describe_value(x), ".")
    }
    abort_columns(problem, arg, operators, call)
  }
  check_names_once(x, arg, call)
  for (name in x) check_column(name, data, arg, call)
  as.vector(x)
}

formula_names <- function(expr, arg, operators, call) {
  if (is.symbol(expr) && !identical(expr, quote(.))) {
    return(as.character(expr))
  }
  if (is.call(expr)) {
    operator <- rlang::as_label(expr[[1L]])
    if (operator == "(") {
      return(formula_names(expr[[2L]], arg, operators, call))
    }
    if (operator %in% operators && length(expr) == 3L) {
      return(c(
        formula_names(expr[[2L]], arg, operators, call),
        formula_names(expr[[3L]], arg, operators, call)
      ))
    }
  }
  found <- rlang::as_label(expr)
  abort_hmvn(
    c(
      "The formula of {.arg {arg}} must name columns only, joined by {.or {.code {operators}}}.",
      x = "It contains {.code {found}}.",
      i = "Compute a new column first and name that."
    ),
    "column", argument = arg, call = call
  )
}

# `problem`: a finished sentence.
abort_columns <- function(problem, arg, operators, call) {
  form <- paste("~", paste(c("a", "b"), collapse = paste0(" ", operators[[1L]], " ")))
  abort_hmvn(
    c(
      "{.arg {arg}} must be a one-sided formula or names of columns.",
      x = "{problem}",
      i = "For example {.code {arg} = {form}} or {.code {arg} = c(\"a\", \"b\")}."
    ),
    "column", argument = arg, call = call
  )
}

check_names_once <- function(x, arg, call) {
  twice <- unique(x[duplicated(x)])
  if (length(twice) > 0L) {
    abort_hmvn(
      c(
        "{.arg {arg}} must name each column once.",
        x = "{.field {twice}} {?is/are} named more than once."
      ),
      "column", argument = arg, column = twice, call = call
    )
  }
}

check_column <- function(name, data, arg, call) {
  n <- sum(names(data) == name)
  if (n == 1L) {
    return(invisible(NULL))
  }
  if (n > 1L) {
    abort_hmvn(
      c(
        "Names of columns in {.arg data} must be unique.",
        x = "{n} columns are called {.field {name}}."
      ),
      "column", argument = arg, column = name, call = call
    )
  }
  near <- suggest_name(name, names(data))
  columns <- names(data)
  abort_hmvn(
    c(
      "{.arg {arg}} must name columns of {.arg data}.",
      x = "There is no column {.field {name}}.",
      i = if (length(near)) "Did you mean {.field {near}}?" else "Columns: {.field {columns}}."
    ),
    "column", argument = arg, column = name, call = call
  )
}

check_not_shared <- function(x, y, x_arg, y_arg, call) {
  both <- intersect(x, y)
  if (length(both) > 0L) {
    abort_hmvn(
      c(
        "A column cannot be in {.arg {x_arg}} and in {.arg {y_arg}}.",
        x = "{.field {both}} {?is/are} in both."
      ),
      "column", argument = x_arg, column = both, call = call
    )
  }
}

default_features <- function(data, candidates, call) {
  numeric <- vapply(candidates, function(name) is_feature(data[[name]]), logical(1))
  features <- candidates[numeric]
  if (length(features) == 0L) {
    abort_hmvn(
      c(
        "{.arg data} must have a numeric column besides the group.",
        x = "It has none to use as a feature."
      ),
      "column", argument = "features", call = call
    )
  }
  check_names_once(features, "features", call)
  left_out <- candidates[!numeric]
  inform_hmvn(
    c(
      i = "Features: {.field {features}}.",
      if (length(left_out)) c(" " = "Left out, not numeric: {.field {left_out}}.")
    ),
    "features", features = features
  )
  features
}

weight_name <- function(weights, data, call) {
  name <- column_names(weights, data, "weights", operators = "+", call = call)
  n <- length(name)
  if (n != 1L) {
    abort_hmvn(
      c("{.arg weights} must name one column.", x = "It names {n}: {.field {name}}."),
      "column", argument = "weights", column = name, call = call
    )
  }
  name
}
