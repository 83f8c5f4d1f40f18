# Tables in a database, up to the cells that sums are made of: queries written in verbs of dplyr,
# which dbplyr translates. Nothing here asks the engine for a result.
#
# Columns of the queries have names of our own, so that no column of the user can be in their way:
# keys `g1`, `g2`, ...; features `x1`, `x2`, ...; numeric variables of covariates `u1`, ..., others
# `v1`, ...; weights `w`; the pattern of observed features `p1`, ... (30 bits each); `known`, 1
# where no covariate is missing. What they are of the user's is a plan: list(con, group, features,
# numeric, categories, weights, tested), names of columns by role, the connection, and whether cells
# are tested to be finite.

# internal -----------------------------------------------------------------

# What may be asked for statistics in its own language.
is_engine_table <- function(data) inherits(data, "tbl_lazy")

# Numbers beyond cannot be squared, nor can their sums; a literal that every engine reads alike.
largest_cell <- "1.0e+150"
largest_number <- as.numeric(largest_cell)

# The name of a number of 64 bits, in which a cast leaves all digits: NUMERIC would round or be
# slow, and what a driver says of its types may be a number of 32 bits (REAL of Spark). PostgreSQL,
# SQLite, DuckDB, Snowflake, Redshift, SQL Server, Vertica and Teradata take the name of the
# standard.
double_type <- function(con) {
  class <- class(con)
  is <- function(...) any(vapply(c(...), function(word) any(grepl(word, class, TRUE)), TRUE))
  if (is("bigquery")) {
    "FLOAT64"
  } else if (is("^oracle$", "^oraconnection$")) {
    "BINARY_DOUBLE"
  } else if (is("spark", "databricks", "hive", "impala", "mysql", "mariadb", "presto", "trino",
    "athena", "hdb", "clickhouse")) {
    "DOUBLE"
  } else {
    "DOUBLE PRECISION"
  }
}

# `x`: an expression. dbplyr writes an infix that it does not know as it stands.
cast_number <- function(x, con) {
  rlang::call2("CAST", rlang::call2("%AS%", x, dbplyr::sql(double_type(con))))
}

number_literal <- function(text, con) cast_number(dbplyr::sql(text), con)

numbered <- function(letter, n) if (n > 0L) paste0(letter, seq_len(n)) else character()

# The columns that are needed, numbers as doubles. All get their names at once: one that mutate()
# makes would hide a column of the user's that is called so.
engine_columns <- function(tbl, plan) {
  names <- c(plan$group, plan$features, plan$numeric, plan$categories, plan$weights)
  names(names) <- c(
    numbered("g", length(plan$group)), number_columns(plan),
    numbered("v", length(plan$categories)), rep("w", length(plan$weights))
  )
  numbers <- c(number_columns(plan), rep("w", length(plan$weights)))
  as_doubles <- lapply(rlang::syms(numbers), cast_number, con = plan$con)
  columns <- dplyr::select(dplyr::ungroup(tbl), dplyr::all_of(names))
  dplyr::mutate(columns, !!!stats::setNames(as_doubles, numbers))
}

# Without the rows of weight 0; every row knows its pattern.
engine_cells <- function(columns, plan) {
  if (length(plan$weights) > 0L) columns <- dplyr::filter(columns, .data$w > 0)
  if (isTRUE(plan$tested)) columns <- test_cells(columns, plan)
  dplyr::mutate(columns, !!!pattern_words(length(plan$features)), !!!knows_covariates(plan))
}

# Cells that are NaN or infinite become NULL; every row knows whether a cell was infinite (1, else
# 0, as doubles, since their sum may be large).
test_cells <- function(columns, plan) {
  numbers <- number_columns(plan)
  one <- number_literal("1", plan$con)
  zero <- number_literal("0", plan$con)
  any_infinite <- joined(lapply(rlang::syms(numbers), infinite_cell, con = plan$con), "|")
  columns <- dplyr::mutate(
    columns, infinite = dplyr::case_when(!!any_infinite ~ !!one, TRUE ~ !!zero)
  )
  finite <- lapply(rlang::syms(numbers), finite_cell, con = plan$con)
  dplyr::mutate(columns, !!!stats::setNames(finite, numbers))
}

number_columns <- function(plan) {
  c(numbered("x", length(plan$features)), numbered("u", length(plan$numeric)))
}

# x, or NULL where it is NaN or infinite
finite_cell <- function(x, con) {
  limit <- number_literal(largest_cell, con)
  rlang::expr(dplyr::case_when(!!x >= -!!limit & !!x <= !!limit ~ !!x))
}

# NaN is the largest number to some engines, and so is its negative.
infinite_cell <- function(x, con) {
  limit <- number_literal(largest_cell, con)
  rlang::expr(!!x < -!!limit | -!!x < -!!limit)
}

# Bits of the features that are observed, 30 of them in a whole number of 32 bits.
pattern_words <- function(n_features) {
  k <- seq_len(n_features)
  word <- (k - 1L) %/% 30L
  bits <- lapply(k, function(i) {
    value <- bitwShiftL(1L, (i - 1L) %% 30L)
    rlang::expr(dplyr::case_when(is.na(!!as.name(paste0("x", i))) ~ 0L, TRUE ~ !!value))
  })
  words <- lapply(split(bits, word), joined, "+")
  stats::setNames(words, numbered("p", length(words)))
}

word_columns <- function(plan) numbered("p", (length(plan$features) + 29L) %/% 30L)

# What is observed: [feature, row of `table`]
read_words <- function(table, n_features) {
  if (!is.null(table[["b1"]])) {
    lacks <- lapply(numbered("b", n_features), function(b) as.logical(table[[b]]))
    return(t(matrix(!unlist(lacks), nrow(table), n_features)))
  }
  observed <- vapply(seq_len(n_features), function(k) {
    word <- plain_numbers(table[[paste0("p", (k - 1L) %/% 30L + 1L)]])
    word %/% 2^((k - 1L) %% 30L) %% 2 == 1
  }, logical(nrow(table)))
  t(matrix(observed, nrow(table), n_features))
}

knows_covariates <- function(plan) {
  variables <- c(numbered("u", length(plan$numeric)), numbered("v", length(plan$categories)))
  if (length(variables) == 0L) {
    return(NULL)
  }
  lacks <- lapply(rlang::syms(variables), function(x) rlang::expr(is.na(!!x)))
  list(known = rlang::expr(dplyr::case_when(!!joined(lacks, "|") ~ 0L, TRUE ~ 1L)))
}

joined <- function(expressions, operator) {
  Reduce(function(a, b) rlang::call2(operator, a, b), expressions)
}

# Numbers as drivers return them: of 64 bits, as texts, or as they are.
plain_numbers <- function(x) {
  if (inherits(x, "integer64")) from_integer64(x) else as.double(x)
}
