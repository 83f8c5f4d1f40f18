# What is asked of a table before sums are: the types of its columns, and what all of its cells must
# be. The same is refused as of a data frame, by the same classes; no row is named, as rows of a
# table have no numbers.

# internal -----------------------------------------------------------------

# The columns of a table without their rows: a data frame of none.
engine_prototype <- function(tbl, con, call) {
  prototype <- ask_engine(utils::head(tbl, 0L), con, call)
  if (inherits(con, "SQLiteConnection")) prototype <- sqlite_types(prototype, tbl, con, call)
  prototype
}

# The one place where an engine is asked for a result. `query`: a promise, as what cannot be
# translated fails there.
ask_engine <- function(query, con, call) {
  tryCatch(
    with_memory_errors(fetch(query), "Statistics", call),
    hmvn_error = function(e) stop(e),
    error = function(e) {
      said <- conditionMessage(e)
      engine <- class(con)[[1L]]
      abort_hmvn(
        c(
          "The engine must be able to compute statistics of {.arg data}.",
          x = "{engine} says: {said}",
          i = "{.fn dplyr::show_query} shows what {.arg data} is; {.fn dplyr::collect} fetches it."
        ),
        "engine", argument = "data", parent = e, call = call
      )
    }
  )
}

# Sums do not depend on the order of a table that was arranged, of which dbplyr warns every time.
fetch <- function(query) {
  withCallingHandlers(dplyr::collect(query), warning = function(w) {
    if (startsWith(conditionMessage(w), "ORDER BY is ignored")) invokeRestart("muffleWarning")
  })
}

# Cells of SQLite have types, its columns have none: a text among numbers would count as 0.
sqlite_types <- function(prototype, tbl, con, call) {
  if (length(prototype) == 0L) {
    return(prototype)
  }
  names <- names(prototype)
  type <- function(fun) {
    lapply(rlang::syms(numbered("c", length(names))), function(x) {
      rlang::call2(fun, rlang::call2("typeof", x), na.rm = TRUE)
    })
  }
  columns <- c(
    stats::setNames(type("min"), numbered("a", length(names))),
    stats::setNames(type("max"), numbered("b", length(names)))
  )
  renamed <- stats::setNames(names, numbered("c", length(names)))
  tbl <- dplyr::select(dplyr::ungroup(tbl), dplyr::all_of(renamed))
  found <- ask_engine(dplyr::summarise(tbl, !!!columns), con, call)
  # in this order: blob, integer, null, real, text
  for (k in seq_along(names)) {
    extremes <- c(found[[paste0("a", k)]], found[[paste0("b", k)]])
    if (anyNA(extremes) || "blob" %in% extremes) next
    converted <- is.numeric(prototype[[k]]) || is.logical(prototype[[k]])
    if ("text" %in% extremes) {
      prototype[[k]] <- character()
    } else if (converted && !is.integer(prototype[[k]])) {
      prototype[[k]] <- if (all(extremes == "integer")) integer() else double()
    }
  }
  prototype
}

check_engine_types <- function(prototype, roles, call) {
  for (name in roles$features) {
    if (!inherits(prototype[[name]], "integer64")) check_feature(prototype[[name]], name, call)
  }
  for (name in roles$group) check_key_type(unwrap_key(prototype[[name]]), name, call)
  weights <- roles$weights
  if (!is.null(weights) && !inherits(prototype[[weights]], "integer64")) {
    check_weight_type(prototype[[weights]], weights, call)
  }
}

# The mean `a` of each number in the rows that come first, and how many `rows` these are.
rough_query <- function(cells, plan) {
  numbers <- number_columns(plan)
  means <- lapply(rlang::syms(numbers), function(x) rlang::expr(mean(!!x, na.rm = TRUE)))
  some <- utils::head(dplyr::select(cells, dplyr::all_of(numbers)), 10000L)
  dplyr::summarise(
    some, rows = dplyr::n(), !!!stats::setNames(means, numbered("a", length(numbers)))
  )
}

# One row a group: how many `rows` it has; what its weights are; where cells are tested, of each
# number how many are infinite (`i`).
look_query <- function(columns, plan) {
  # as doubles: a sum of whole numbers may overflow
  one <- number_literal("1", plan$con)
  zero <- number_literal("0", plan$con)
  flag <- function(test) {
    rlang::expr(sum(dplyr::case_when(!!test ~ !!one, TRUE ~ !!zero), na.rm = TRUE))
  }
  limit <- number_literal(largest_cell, plan$con)
  numbers <- if (isTRUE(plan$tested)) rlang::syms(number_columns(plan))
  infinite <- lapply(numbers, function(x) flag(infinite_cell(x, plan$con)))
  asked <- c(
    list(rows = rlang::expr(dplyr::n())),
    stats::setNames(infinite, numbered("i", length(numbers))),
    if (length(plan$weights) > 0L) look_at_weights(limit, flag)
  )
  by <- rlang::syms(numbered("g", length(plan$group)))
  dplyr::summarise(dplyr::group_by(columns, !!!by), !!!asked, .groups = "drop")
}

look_at_weights <- function(limit, flag) {
  w <- as.name("w")
  fine <- rlang::expr(!!w >= 0 & !!w <= !!limit)
  total <- function(x) rlang::expr(sum(dplyr::case_when(!!fine ~ !!x), na.rm = TRUE))
  list(
    w_rows = flag(fine),
    w_zero = flag(rlang::expr(!!w == 0)),
    w_whole = flag(rlang::expr(!!fine & !!w == round(!!w, 0L))),
    w_total = total(w), w_squares = total(rlang::expr(!!w * !!w))
  )
}

# `look`: the result of look_query(). Refuses what new_model_data() refuses of rows.
check_look <- function(look, plan, call) {
  if (sum(plain_numbers(look$rows)) == 0) abort_no_rows(call)
  for (k in if (isTRUE(plan$tested)) seq_along(number_columns(plan))) {
    infinite <- sum(plain_numbers(look[[paste0("i", k)]]))
    if (infinite > 0) abort_engine_cells(plan, k, infinite, call)
  }
  check_engine_keys(look, plan, call)
  if (length(plan$weights) > 0L) check_engine_weights(look, plan$weights, call)
}

# `table`: with the keys and the number of `rows`.
check_engine_keys <- function(table, plan, call) {
  for (k in seq_along(plan$group)) {
    check_engine_key(table[[paste0("g", k)]], table$rows, plan$group[[k]], call)
  }
}

abort_engine_cells <- function(plan, k, count, call) {
  name <- c(plan$features, plan$numeric)[[k]]
  what <- if (k <= length(plan$features)) "Features" else "Covariates"
  largest <- format(as.numeric(largest_cell))
  abort_hmvn(
    c(
      "{what} must be finite numbers, or missing.",
      x = "Column {.field {name}} is infinite, or beyond {largest}, in {count} row{?s}.",
      i = "If that means missing, set it to NULL by {.fn dplyr::mutate}; else leave those rows out."
    ),
    "cells", argument = "data", column = name, count = count, call = call
  )
}

check_engine_key <- function(values, rows, name, call) {
  values <- unwrap_key(values)
  if (anyNA(values)) abort_missing_key(sum(plain_numbers(rows)[is.na(values)]), name, call)
  if (is.double(values)) check_whole_key(values, name, call, has_rows = FALSE)
}

check_engine_weights <- function(look, name, call) {
  sum_of <- function(part) sum(plain_numbers(look[[part]]))
  rows <- sum_of("rows")
  if (sum_of("w_rows") < rows) {
    abort_weights(paste0(
      "is missing, negative or infinite in ", count_of(rows - sum_of("w_rows"), "row"), "."
    ), name, call = call)
  }
  n_zero <- sum_of("w_zero")
  if (n_zero == rows) abort_no_weights(name, call)
  say_weights(
    list(
      n_zero = n_zero, n_rows = rows - n_zero, total = sum_of("w_total"),
      largest = 1, squares = sum_of("w_squares"), whole = sum_of("w_whole") == rows
    ),
    name
  )
}
