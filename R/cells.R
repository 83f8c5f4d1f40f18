# What a feature, a cell or a weight must be.

# internal -----------------------------------------------------------------

# Plain numbers: no class but "AsIs" (I(x)), one dimension.
is_feature <- function(x) {
  is.numeric(x) && is.null(dim(x)) && (!is.object(x) || identical(class(x), "AsIs"))
}

check_feature <- function(x, name, call) {
  x <- unwrap_numbers(x)
  if (is_feature(x)) {
    return(x)
  }
  # the class of a matrix says no more than its dimensions
  found <- if (is.list(x)) {
    "a list column"
  } else if (!is.null(dim(x))) {
    paste("a matrix column with", count_of(ncol(x), "column"))
  } else {
    paste0("of class <", paste(class(x), collapse = "/"), ">")
  }
  remedy <- if (is.data.frame(x) || (!is.null(dim(x)) && !is.list(x))) {
    "Put each of its columns into the data frame on its own."
  } else if (is.list(x)) {
    "Unnest it into numeric columns."
  } else if (inherits(x, "integer64") && is.double(x)) {
    "Some of its numbers are beyond 2^53, up to which doubles are exact: scale it first."
  } else {
    "Convert it to numbers (for example by {.fn as.numeric}) or leave it out."
  }
  abort_hmvn(
    c("A feature must be a numeric column.", x = "Column {.field {name}} is {found}.", i = remedy),
    "column", argument = "features", column = name, call = call
  )
}

# Which columns have missing cells; NaN and infinite cells are errors. `what`: the role of the
# columns.
check_cells <- function(columns, names, cores, call, what = "Features") {
  found <- scan_cells_(columns, cores)
  bad <- found$bad
  if (is.null(bad)) {
    return(found$missing)
  }
  name <- names[[bad$column]]
  row <- bad$row
  others <- bad$count - 1
  more <- if (others > 0) " and {others} more cell{?s} of it {?is/are} NaN or infinite too"
  abort_hmvn(
    c(
      "{what} must be finite numbers or NA.",
      x = paste0("Column {.field {name}} is {bad$value} in row {row}", more, "."),
      i = "If that means missing, set it to NA; else correct it or leave those rows out."
    ),
    "cells", argument = "data", column = name, row = row, count = bad$count, call = call
  )
}

# Weights as doubles; 0 means that the row does not count.
check_weights <- function(x, name, call) {
  x <- unwrap_numbers(x)
  check_weight_type(x, name, call)
  # range() is one pass without a copy; NA, NaN, Inf and negative values all show in it
  extremes <- range(x)
  if (anyNA(extremes) || extremes[[1L]] < 0 || extremes[[2L]] == Inf) {
    row <- which(!(is.finite(x) & x >= 0))[[1L]]
    abort_weights(paste0("is ", format(x[[row]]), " in row ", row, "."), name, row, call)
  }
  if (extremes[[2L]] == 0) abort_no_weights(name, call)
  say_weights(weight_facts(x), name)
  as.double(x)
}

check_weight_type <- function(x, name, call) {
  if (!is_feature(x)) {
    found <- paste(class(x), collapse = "/")
    abort_hmvn(
      c(
        "{.arg weights} must be a numeric column.",
        x = "Column {.field {name}} has class {.cls {found}}."
      ),
      "weights", argument = "weights", column = name, call = call
    )
  }
}

# `found`: the end of a sentence.
abort_weights <- function(found, name, row = NULL, call = NULL) {
  abort_hmvn(
    c(
      "Weights must be finite numbers, 0 or more.",
      x = "Column {.field {name}} {found}",
      i = "A weight says how often a row is repeated; 0 leaves it out."
    ),
    "weights", argument = "weights", column = name, row = row, call = call
  )
}

abort_no_weights <- function(name, call) {
  abort_hmvn(
    c("Some weights must be positive.", x = "Column {.field {name}} is 0 in every row."),
    "weights", argument = "weights", column = name, call = call
  )
}

# What say_weights() must know: `n_zero` rows of weight 0 and `n_rows` others, the `total` of the
# weights, the `largest`, the sum of `squares` of what they are of it (so that squares neither
# vanish nor overflow), whether all are `whole`.
weight_facts <- function(x) {
  n_zero <- sum(x == 0)
  list(
    n_zero = n_zero, n_rows = length(x) - n_zero, total = sum(as.double(x)), largest = max(x),
    squares = sum((x / max(x))^2), whole = all(x == trunc(x))
  )
}

# Those of two parts of the rows.
add_weight_facts <- function(a, b) {
  largest <- max(a$largest, b$largest)
  squares <- function(facts) facts$squares * (facts$largest / largest)^2
  list(
    n_zero = a$n_zero + b$n_zero, n_rows = a$n_rows + b$n_rows, total = a$total + b$total,
    largest = largest, squares = squares(a) + squares(b), whole = a$whole && b$whole
  )
}

# Weights that are no counts are said to be read as such; those that were scaled to the number of
# rows, or to what they are worth, (sum w)^2 / sum w^2, need no word.
say_weights <- function(facts, name) {
  n_zero <- facts$n_zero
  if (n_zero > 0) {
    inform_hmvn(
      c(i = "{n_zero} row{?s} {?has/have} weight 0 and {?does/do} not count."), "zero_weights",
      column = name, count = n_zero
    )
  }
  total <- facts$total
  n_rows <- facts$n_rows
  worth <- (total / facts$largest)^2 / facts$squares
  scaled <- abs(total - n_rows) <= 1e-6 * n_rows || abs(total - worth) <= 1e-6 * worth
  if (facts$whole || scaled) {
    return(invisible())
  }
  shown <- lapply(list(total = total, worth = worth), format, digits = 4)
  inform_hmvn(
    c(
      "Weights are read as frequencies, and those in {.field {name}} are no counts.",
      x = paste(
        "They sum to {shown$total}: {n_rows} row{?s} count{?s/} as that many, and intervals are as",
        "narrow as that."
      ),
      i = paste(
        "Weights of sampling or precision are scaled first, to sum to the number of rows",
        "({.code w / mean(w)}) or to what they are worth ({shown$worth} rows)."
      )
    ),
    "weights", column = name, total = total, worth = worth
  )
}
