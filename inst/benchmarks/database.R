# Statistics of a large table in PostgreSQL: by the engine, and by reading the rows into R. A server
# must be there:
#   export HMVN_BENCH_POSTGRES="host=127.0.0.1 port=5432 user=u dbname=d"
#   Rscript inst/benchmarks/database.R
# Each way is timed three times in a process of its own, whose memory is what the operating system
# has seen; the median counts.
# Writes inst/benchmarks/results/database.csv.

n_rows <- 1e7
n_groups <- 100
table <- "hmvn_benchmark"

connect <- function() {
  given <- strsplit(trimws(Sys.getenv("HMVN_BENCH_POSTGRES")), "[[:space:]]+")[[1]]
  parts <- strsplit(given, "=", fixed = TRUE)
  args <- stats::setNames(lapply(parts, `[[`, 2), vapply(parts, `[[`, "", 1))
  do.call(DBI::dbConnect, c(list(RPostgres::Postgres()), args))
}

fill <- function(con) {
  DBI::dbExecute(con, paste("DROP TABLE IF EXISTS", table))
  DBI::dbExecute(con, paste0(
    "CREATE TABLE ", table, " AS SELECT (i % ", n_groups, ")::int AS g, ",
    "CASE WHEN random() < 0.1 THEN NULL ELSE 1e9 + random() END AS x1, ",
    "CASE WHEN random() < 0.1 THEN NULL ELSE 1e9 + random() END AS x2, ",
    "random() AS x3, 5 * random() AS x4, 1e9 + random() AS x5 ",
    "FROM generate_series(1, ", format(n_rows, scientific = FALSE), ") i"
  ))
  DBI::dbExecute(con, paste("VACUUM ANALYZE", table))
}

# The most memory that this process has had, in megabytes (Linux).
peak <- function() {
  lines <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", grep("^VmHWM", lines, value = TRUE))) / 1024
}

by_engine <- function(con) {
  suppressMessages(hmvn::hmvn_statistics(dplyr::tbl(con, table), ~g, ~ x1 + x2 + x3 + x4 + x5))
}

ways <- list(
  engine = by_engine,
  more_processes = function(con) {
    DBI::dbExecute(con, "SET max_parallel_workers_per_gather = 4")
    by_engine(con)
  },
  one_process = function(con) {
    DBI::dbExecute(con, "SET max_parallel_workers_per_gather = 0")
    by_engine(con)
  },
  rows = function(con) {
    data <- DBI::dbReadTable(con, table)
    hmvn::hmvn_statistics(data, ~g, ~ x1 + x2 + x3 + x4 + x5)
  }
)

# One way, in a process of its own.
measure <- function(way) {
  con <- connect()
  # packages are loaded and the connection used before memory and time are taken
  some <- dplyr::filter(dplyr::tbl(con, table), x3 < 1e-4)
  suppressMessages(hmvn::hmvn_statistics(some, NULL, ~x3))
  before <- peak()
  once <- function() system.time(statistics <<- ways[[way]](con))[["elapsed"]]
  seconds <- replicate(3, once())
  found <- list(
    seconds = stats::median(seconds), megabytes = peak() - before, statistics = statistics
  )
  saveRDS(found, out(way))
}

out <- function(way) file.path(tempdir_of_run, paste0(way, ".rds"))

# The largest difference of a scatter, relative to its diagonal.
difference <- function(a, b) {
  K <- length(a$features)
  largest <- 0
  for (p in seq_along(a$patterns$n)) {
    sd <- sqrt(diag(b$patterns$scatter[, , p]))
    apart <- abs(a$patterns$scatter[, , p] - b$patterns$scatter[, , p]) / tcrossprod(sd)
    largest <- max(largest, apart, na.rm = TRUE)
  }
  largest
}

args <- commandArgs(trailingOnly = TRUE)
if (length(args) == 2) {
  tempdir_of_run <- args[[2]]
  measure(args[[1]])
} else {
  tempdir_of_run <- tempfile()
  dir.create(tempdir_of_run)
  con <- connect()
  fill(con)
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  for (way in names(ways)) {
    system2(file.path(R.home("bin"), "Rscript"), c(script, way, tempdir_of_run))
  }
  found <- lapply(names(ways), function(way) readRDS(out(way)))
  version <- DBI::dbGetQuery(con, "SHOW server_version")[[1]]
  results <- data.frame(
    what = c(
      "counted and summed by the engine, settings as installed",
      "the same, `max_parallel_workers_per_gather = 4`", "the same, `= 0`",
      "rows read into R, summarised there"
    ),
    seconds = vapply(found, `[[`, 0, "seconds"), megabytes = vapply(found, `[[`, 0, "megabytes"),
    rows = n_rows, features = 5, groups = n_groups,
    engine = paste("PostgreSQL", sub(" .*", "", version)),
    difference = difference(found[[1]]$statistics, found[[length(found)]]$statistics)
  )
  DBI::dbExecute(con, paste("DROP TABLE", table))
  target <- file.path(dirname(script), "results", "database.csv")
  utils::write.csv(results, target, row.names = FALSE)
  print(results)
}
