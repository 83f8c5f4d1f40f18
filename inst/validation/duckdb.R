# Statistics of tables in DuckDB against those that R computes of the same rows: how far apart are
# they? Needs Node.js with DuckDB, and the R packages dplyr, dbplyr, processx and jsonlite:
#
#   npm install @duckdb/node-api
#   NODE_PATH=$PWD/node_modules Rscript inst/validation/duckdb.R [rows]
#
# Rows are a file of text, which both read. Writes results/duckdb.csv beside this file.

suppressPackageStartupMessages({
  library(hmvn)
  library(DBI)
  library(dplyr)
})

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "duckdb_connection.R"))

# Ten groups, features at an offset of 1e9 of which 10 % are missing, as NULL (x1, x2) or NaN (x3);
# decimal numbers of 3 places, whole numbers, and numbers of 32 bits; covariates and weights; 24
# features more without missing cells.
make_rows <- function(n) {
  g <- sample(letters[1:10], n, TRUE)
  z <- matrix(stats::rnorm(n * 4), n) %*% chol(0.5 + diag(0.5, 4))
  level <- match(g, letters)
  rows <- data.frame(
    g = g, x1 = 1e9 + level + z[, 1], x2 = 1e9 + 2 * z[, 2], x3 = 1e9 + z[, 3] / level,
    d = round(1e6 + 50 * z[, 4], 3), i = as.integer(round(1e8 + 1e4 * z[, 1])),
    f = as.integer(round(100 * z[, 2])) / 8, age = round(stats::runif(n, 20, 80), 1),
    kind = sample(c("p", "q", "r"), n, TRUE), w = sample(c(0, 1, 2.5, 4), n, TRUE)
  )
  for (name in c("x1", "x2", "x3", "d", "i")) rows[[name]][stats::runif(n) < 0.1] <- NA
  rows$age[stats::runif(n) < 0.02] <- NA
  more <- matrix(stats::rnorm(n * 24), n) + z[, 1]
  cbind(rows, stats::setNames(as.data.frame(more), paste0("y", 1:24)))
}

types <- c(
  g = "VARCHAR", x1 = "DOUBLE", x2 = "DOUBLE", x3 = "DOUBLE", d = "DECIMAL(18,3)", i = "INTEGER",
  f = "FLOAT", age = "DOUBLE", kind = "VARCHAR", w = "DOUBLE",
  stats::setNames(rep("DOUBLE", 24), paste0("y", 1:24))
)

write_rows <- function(rows, path) {
  text <- rows
  for (name in grep("^[xy]", names(rows), value = TRUE)) {
    absent <- if (name == "x3") "NaN" else ""
    text[[name]] <- ifelse(is.na(rows[[name]]), absent, sprintf("%.17g", rows[[name]]))
  }
  text$d <- ifelse(is.na(rows$d), "", sprintf("%.3f", rows$d))
  utils::write.table(text, path, sep = ",", quote = FALSE, row.names = FALSE, na = "")
}

# A view over the file, and a table with its rows in memory.
load_rows <- function(con, path) {
  columns <- paste0("'", names(types), "': '", types, "'", collapse = ", ")
  from <- paste0("read_csv('", path, "', header = true, columns = {", columns, "})")
  dbExecute(con, paste("CREATE OR REPLACE VIEW of_file AS SELECT * FROM", from))
  dbExecute(con, "CREATE OR REPLACE TABLE of_memory AS SELECT * FROM of_file")
}

# The largest differences of a scatter, relative to its diagonal, and of a mean, relative to the sd
# and to its size.
differences <- function(ours, theirs) {
  a <- hmvn:::join_covariates(ours$patterns)
  b <- hmvn:::join_covariates(theirs$patterns)
  same <- identical(a[c("group", "observed")], b[c("group", "observed")]) &&
    isTRUE(all.equal(a$n, b$n, tolerance = 1e-14)) && identical(ours$labels, theirs$labels)
  if (!same) stop("groups, patterns or counts differ")
  each <- vapply(seq_along(b$n), function(p) {
    sd <- sqrt(diag(b$scatter[, , p]))
    seen <- sd > 0
    apart <- abs(a$scatter[, , p] - b$scatter[, , p])[seen, seen] / tcrossprod(sd[seen])
    moved <- abs(a$mean[, p] - b$mean[, p]) / (abs(b$mean[, p]) + sd)
    c(max(0, apart), max(0, moved, na.rm = TRUE))
  }, c(0, 0))
  c(scatter = max(each[1, ]), mean = max(each[2, ]))
}

one <- ~ x1 + x2 + x3 + d + i + f

# Functions of a table: of DuckDB, or of R.
cases <- list(
  "six features, 10 % missing, offset 1e9" = function(t) hmvn_statistics(t, ~g, one),
  "the same, one group" = function(t) hmvn_statistics(t, NULL, one),
  "groups by two columns" = function(t) hmvn_statistics(t, ~ g + kind, one),
  "groups by whole numbers" = function(t) {
    hmvn_statistics(mutate(t, k = ifelse(g < "f", 1L, 2L)), ~k, one)
  },
  "weights" = function(t) hmvn_statistics(t, ~g, one, weights = ~w),
  "covariates: a number, a category, their product" = function(t) {
    hmvn_statistics(t, ~g, ~ x1 + x2 + d, covariates = ~ age * kind)
  },
  "groups that lie 1e7 sds apart" = function(t) {
    hmvn_statistics(mutate(t, x1 = ifelse(g < "f", x1, x1 + 1e7)), ~g, ~ x1 + x2)
  },
  "filtered and computed in the engine" = function(t) {
    hmvn_statistics(mutate(filter(t, age > 40), r = d / 1000), ~g, ~ r + x1 + x2)
  },
  "thirty features" = function(t) {
    hmvn_statistics(t, ~g, c("x1", "x2", "x3", "d", "i", "f", paste0("y", 1:24)))
  }
)

quiet <- function(code) suppressWarnings(suppressMessages(code, "hmvn_message"), "hmvn_warning")

compare <- function(what, case, table, rows) {
  seconds <- system.time(ours <- quiet(case(table)))[["elapsed"]]
  apart <- differences(ours, quiet(case(rows)))
  data.frame(
    what = what, rows = nrow(rows), scatter = signif(apart[["scatter"]], 2),
    mean = signif(apart[["mean"]], 2), seconds = round(seconds, 2)
  )
}

# What R refuses is refused of the table by the same class.
refusals <- list(
  hmvn_error_cells = function(t) hmvn_statistics(mutate(t, x1 = x1 * 1e300), ~g, ~ x1 + x2),
  hmvn_error_group = function(t) hmvn_statistics(mutate(t, g = ifelse(g < "b", NA, g)), ~g, ~x1)
)

is_refused <- function(class, case, table, rows) {
  refused <- function(t) tryCatch(is.null(quiet(case(t))), error = function(e) inherits(e, class))
  refused(table) && refused(rows)
}

main <- function(n) {
  set.seed(1)
  path <- tempfile(fileext = ".csv")
  rows <- make_rows(n)
  write_rows(rows, path)
  con <- start_duckdb(file.path(here, "duckdb_process.js"))
  on.exit(dbDisconnect(con))
  load_rows(con, path)
  version <- dbGetQuery(con, "SELECT version() AS v")$v
  memory <- tbl(con, "of_memory")
  found <- c(
    Map(compare, names(cases), cases, list(memory), list(rows)),
    list(compare("six features, read from the file", cases[[1]], tbl(con, "of_file"), rows))
  )
  results <- cbind(do.call(rbind, unname(found)), engine = paste("DuckDB", version))
  print(results, right = FALSE)
  refused <- unlist(Map(is_refused, names(refusals), refusals, list(memory), list(rows)))
  stopifnot(results$scatter < 1e-10, results$mean < 1e-13, refused)
  utils::write.csv(results, file.path(here, "results", "duckdb.csv"), row.names = FALSE)
}

given <- commandArgs(trailingOnly = TRUE)
main(if (length(given)) as.numeric(given[[1]]) else 1e5)
