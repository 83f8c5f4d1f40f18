# Which columns the user means: by a formula, by names, or by default.

# internal -----------------------------------------------------------------

# Evaluates the promise of an argument that names columns. `group = g` with a bare column name
# either finds no object or, worse, some other object called g; both end in an error that shows the
# form to write. Use: capture_column_argument(rlang::enquo(group), data, "group").
capture_column_argument <- function(quo, data, arg, call = NULL) {
  if (rlang::quo_is_missing(quo) && arg == "group" && inherits(data, "grouped_df")) {
    return(groups_of_table(data))
  }
  if (rlang::quo_is_missing(quo)) {
    example <- example_columns(data)
    abort_hmvn(
      c(
        "{.arg {arg}} must be given.",
        i = "For example {.code {arg} = ~ {example}}, or {.code {arg} = NULL} for one group."
      ),
      "group", argument = arg, call = call
    )
  }
  expr <- rlang::quo_get_expr(quo)
  used <- intersect(all.vars(expr), printable(names(data)))
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

# All of them: `quosures`, by role.
capture_columns <- function(quosures, data, call) {
  Map(function(quo, arg) capture_column_argument(quo, data, arg, call), quosures, names(quosures))
}

# What group_by() of dplyr has said.
groups_of_table <- function(data) {
  group <- setdiff(names(attr(data, "groups")), ".rows")
  inform_hmvn(
    c(i = "Groups: those of {.arg data}, {.field {group}}."), "grouped", column = group
  )
  group
}

# The name of the column that stands for one group of all rows, where data have none of that name.
one_group_key <- ".group"

# NULL or ~ 1: all rows are one group, as they are again where a fit has said so.
is_one_group <- function(group, data) {
  one <- rlang::is_formula(group) && length(group) == 2L && identical(group[[2L]], 1)
  again <- identical(group, one_group_key) && !one_group_key %in% names(data)
  is.null(group) || one || again
}

# The columns that `~ . - a - b` leaves out; NULL where a formula does not begin with a dot.
left_out_of_dot <- function(expr, arg, call) {
  if (identical(expr, quote(.))) {
    return(character())
  }
  if (!is.call(expr) || !identical(expr[[1L]], quote(`-`)) || length(expr) != 3L) {
    return(NULL)
  }
  before <- left_out_of_dot(expr[[2L]], arg, call)
  if (!is.null(before)) c(before, formula_names(expr[[3L]], arg, "+", call))
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
  # -year: all but that
  if (is.call(expr) && identical(expr[[1L]], quote(`-`)) && arg == "features") {
    suggestion <- paste(". -", paste(backtick(used), collapse = " - "))
  }
  abort_hmvn(
    c(
      "{.arg {arg}} must be a one-sided formula or names of columns.",
      x = "It is the bare name {.code {written}}.",
      i = "Write {.code {arg} = ~ {suggestion}}."
    ),
    "column", argument = arg, column = used, call = call
  )
}

# A column that is likely meant: the first that is not numeric, else the first.
example_columns <- function(data) {
  numeric <- vapply(unclass(data), is.numeric, logical(1))
  likely <- c(names(data)[!numeric], names(data))
  backtick(c(likely[nzchar(likely) & likely %in% printable(names(data))], "g")[[1L]])
}

# Names of columns from a one-sided formula or a character vector, all of them found
# in the data, once. `operators`: what may stand between names in a formula.
column_names <- function(x, data, arg, operators, call) {
  if (rlang::is_formula(x)) {
    if (length(x) != 2L) {
      abort_two_sides(x, arg, call)
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
  check_readable(x, arg, call)
  check_names_once(x, arg, call)
  check_columns(x, data, arg, call)
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
      i = advice_on(expr, arg)
    ),
    "column", argument = arg, call = call
  )
}

# What was likely meant by a formula that does not only name columns: a finished text.
advice_on <- function(expr, arg) {
  operator <- if (is.call(expr)) rlang::as_label(expr[[1L]]) else ""
  names <- paste(backtick(printable(all.vars(expr))), collapse = " + ")
  if (operator == "-" && arg == "features") {
    minus <- gsub(" + ", " - ", names, fixed = TRUE)
    return(paste0("To leave columns out: {.code features = ~ . - ", minus, "}."))
  }
  if (operator == "|" && arg == "group") {
    return(paste0(
      "Name the columns alone, {.code group = ~ ", names, "}; what groups learn from each other ",
      "is said by {.arg pooling}."
    ))
  }
  "Compute a new column first and name that."
}

# `cbind(x, y) ~ g`, as other functions have it.
abort_two_sides <- function(formula, arg, call) {
  sides <- lapply(2:3, function(i) setdiff(all.vars(formula[[i]]), "."))
  text <- vapply(sides, function(v) paste(backtick(printable(v)), collapse = " + "), "")
  form <- if (arg %in% c("features", "group") && all(lengths(sides) > 0L)) {
    paste0("{.code features = ~ ", text[[1L]], ", group = ~ ", text[[2L]], "}")
  } else {
    paste0("{.code ", arg, " = ~ a + b}")
  }
  abort_hmvn(
    c(
      "{.arg {arg}} must be a one-sided formula or names of columns.",
      x = "It has a left-hand side.", i = paste0("Write ", form, ".")
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

# All numeric columns but `taken`. Columns are looked at by position: of two of one name neither may
# be lost. `facts`: a function of names of columns, see facts_of_rows().
default_features <- function(data, taken, facts, call) {
  candidates <- which(!names(data) %in% taken)
  columns <- lapply(candidates, function(i) unwrap_numbers(.subset2(data, i)))
  numeric <- vapply(columns, is_feature, logical(1))
  features <- names(data)[candidates[numeric]]
  if (length(features) == 0L) {
    abort_hmvn(
      c(
        "{.arg data} must have a numeric column besides the group.",
        x = "It has none to use as a feature."
      ),
      "column", argument = "features", call = call
    )
  }
  check_readable(features, "features", call)
  known <- names(data)
  check_unique_columns(intersect(features, known[duplicated(known)]), data, "features", call)
  left_out <- few(printable(known[candidates[!numeric]]))
  shown <- few(features)
  inform_hmvn(
    c(
      i = "Features: {.field {shown}}.",
      if (length(left_out)) c(" " = "Left out, not numeric: {.field {left_out}}.")
    ),
    "features", features = features
  )
  warn_suspects(facts(features), call)
  features
}

facts_of_rows <- function(data) {
  function(names) {
    columns <- .subset(data, names)
    lapply(stats::setNames(columns, names), function(x) column_facts(unwrap_numbers(x)))
  }
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
