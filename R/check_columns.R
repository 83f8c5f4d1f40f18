# Are the columns that the user means there, once each, and what they are said to be?

# internal -----------------------------------------------------------------

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

# Names that other functions can print and compare. `arg`: where they are used.
check_readable <- function(names, arg, call) {
  bad <- is.na(names) | !nzchar(names) | !is_valid_text(names)
  if (any(bad)) {
    shown <- encodeString(names[bad], quote = "\"", na.encode = TRUE)[[1L]]
    abort_hmvn(
      c(
        "Names of columns that are used must be valid text.",
        x = "In {.arg {arg}} one is {shown}.",
        i = "Rename that column."
      ),
      "column", argument = arg, column = shown, call = call
    )
  }
}

# Every name is that of exactly one column. `arg`: the argument that names them, or "newdata", which
# must have those that a fit asks for.
check_columns <- function(names, data, arg, call) {
  known <- names(data)
  check_unique_columns(intersect(names, known[duplicated(known)]), data, arg, call)
  absent <- names[!names %in% known]
  if (length(absent) == 0L) {
    return(invisible(NULL))
  }
  name <- absent[[1L]]
  near <- suggest_name(name, known)
  columns <- few(printable(known))
  abort_hmvn(
    c(
      if (arg == "newdata") {
        "{.arg newdata} must have the columns that the fit uses."
      } else {
        "{.arg {arg}} must name columns of {.arg data}."
      },
      x = "There is no column {.field {name}}.",
      i = if (length(near)) "Did you mean {.field {near}}?" else "Columns: {.field {columns}}."
    ),
    "column", argument = arg, column = name, call = call
  )
}

# `twice`: names that several columns of the data have.
check_unique_columns <- function(twice, data, arg, call) {
  if (length(twice) == 0L) {
    return(invisible(NULL))
  }
  name <- twice[[1L]]
  n <- sum(names(data) == name, na.rm = TRUE)
  of <- if (arg == "newdata") arg else "data"
  abort_hmvn(
    c(
      "Names of columns in {.arg {of}} must be unique.",
      x = "{n} columns are called {.field {name}}."
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

# What is called a data frame need not be one.
check_column_lengths <- function(data, names, call) {
  columns <- .subset(data, names)
  plain <- vapply(columns, function(column) is.atomic(column) && is.null(dim(column)), TRUE)
  size <- lengths(columns)
  n <- nrow(data)
  other <- names[plain & size != n]
  if (length(other) > 0L) {
    found <- size[[match(other[[1L]], names)]]
    abort_hmvn(
      c(
        "Columns of {.arg data} must have one length.",
        x = "Column {.field {other[[1]]}} has {found} cell{?s}, {.arg data} {n} row{?s}."
      ),
      "data", argument = "data", column = other[[1L]], call = call
    )
  }
}
