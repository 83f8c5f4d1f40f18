# Databases to test against: SQLite in memory, and PostgreSQL: the server that HMVN_TEST_POSTGRES
# names ("host=127.0.0.1 port=5432 user=u dbname=d"), or one that is started here, in a folder of
# its own and reached through a socket in it, and stopped when R ends.

engines <- c("SQLite", "PostgreSQL")

skip_without_engine <- function(engine) {
  skip_if_not_installed("dplyr")
  skip_if_not_installed("dbplyr")
  if (engine == "SQLite") {
    skip_if_not_installed("RSQLite")
  } else if (is.null(postgres_driver())) {
    skip("no driver of PostgreSQL is installed")
  } else if (is.null(postgres_server())) {
    skip("no server of PostgreSQL")
  }
}

open_connections <- new.env()

connection_of <- function(engine) {
  if (is.null(open_connections[[engine]])) {
    open_connections[[engine]] <- if (engine == "SQLite") {
      DBI::dbConnect(RSQLite::SQLite(), ":memory:")
    } else {
      do.call(DBI::dbConnect, c(list(postgres_driver()), postgres_server()))
    }
  }
  open_connections[[engine]]
}

# A table with the rows of `data`, after `statements` (a name for the table is put in at %s).
engine_table <- function(engine, data, statements = character()) {
  skip_without_engine(engine)
  con <- connection_of(engine)
  open_connections$n <- (open_connections$n %||% 0) + 1
  name <- paste0("hmvn_", Sys.getpid(), "_", open_connections$n)
  write_rows(con, name, data)
  for (statement in statements) {
    invisible(DBI::dbExecute(con, sprintf(statement, name)))
  }
  dplyr::tbl(con, name)
}

# RPostgreSQL writes numbers with 15 digits: it is given texts with all of them.
write_rows <- function(con, name, data) {
  old_driver <- inherits(con, "PostgreSQLConnection")
  numbers <- names(data)[vapply(data, function(x) is.double(x) && !is.object(x), TRUE)]
  texts <- data
  for (column in if (old_driver) numbers) {
    texts[[column]] <- ifelse(is.na(data[[column]]), NA, sprintf("%.17g", data[[column]]))
  }
  DBI::dbWriteTable(con, name, texts, row.names = FALSE)
  for (column in if (old_driver) numbers) {
    column <- paste0('"', gsub('"', '""', column), '"')
    DBI::dbExecute(con, paste0(
      "ALTER TABLE ", name, " ALTER ", column, " TYPE float8 USING ", column, "::float8"
    ))
  }
}

postgres_driver <- function() {
  # a package that the driver loads asks the machine, which may have no answer
  if (!nzchar(Sys.getenv("TZ"))) Sys.setenv(TZ = "UTC")
  drivers <- c(RPostgres = "Postgres", RPostgreSQL = "PostgreSQL")
  there <- Filter(function(package) requireNamespace(package, quietly = TRUE), names(drivers))
  if (length(there) > 0) getExportedValue(there[[1]], drivers[[there[[1]]]])()
}

# What to connect with, or NULL.
postgres_server <- function() {
  given <- Sys.getenv("HMVN_TEST_POSTGRES")
  if (nzchar(given)) {
    parts <- strsplit(strsplit(trimws(given), "[[:space:]]+")[[1]], "=", fixed = TRUE)
    return(stats::setNames(lapply(parts, `[[`, 2), vapply(parts, `[[`, "", 1)))
  }
  if (is.null(open_connections$server)) open_connections$server <- list(start_postgres())
  open_connections$server[[1]]
}

start_postgres <- function() {
  found <- c(dirname(Sys.which("initdb")), rev(Sys.glob("/usr/lib/postgresql/*/bin")))
  bin <- Filter(function(path) file.exists(file.path(path, "initdb")), found[nzchar(found)])
  if (length(bin) == 0 || .Platform$OS.type != "unix") {
    return(NULL)
  }
  # a path of a socket has at most about 100 letters, and the server does not run as root
  folder <- tempfile("hmvn_pg_", tmpdir = "/tmp")
  dir.create(folder, mode = "0700")
  as_root <- identical(unname(Sys.info()["effective_user"]), "root")
  if (as_root) system2("chown", c("postgres", folder), stdout = FALSE, stderr = FALSE)
  run <- function(...) {
    command <- paste(file.path(bin[[1]], c(...)), collapse = "")
    if (as_root) command <- paste("su postgres -s /bin/sh -c", shQuote(command))
    system(paste(command, ">/dev/null 2>&1 </dev/null"))
  }
  data <- file.path(folder, "data")
  made <- run(paste("initdb -N -A trust -U hmvn --no-locale -E UTF8 -D", data))
  options <- paste("-k", folder, "-c listen_addresses= -c fsync=off")
  started <- run(paste("pg_ctl -w -D", data, "-l", file.path(folder, "log"), "-o",
    shQuote(options, "cmd"), "start"))
  reg.finalizer(open_connections, onexit = TRUE, function(e) {
    run(paste("pg_ctl -D", data, "-m immediate stop"))
    unlink(folder, recursive = TRUE)
  })
  if (made == 0 && started == 0) list(host = folder, user = "hmvn", dbname = "postgres")
}

# A scatter relative to its diagonal, a mean to its size and the spread about it.
expect_same_to <- function(ours, theirs, tolerance) {
  parts <- setdiff(names(theirs), c("patterns", "covariate_center", "design"))
  expect_identical(unclass(ours)[parts], unclass(theirs)[parts])
  expect_identical(design_content(ours$design), design_content(theirs$design))
  a <- join_covariates(ours$patterns)
  b <- join_covariates(theirs$patterns)
  expect_identical(a[c("group", "observed")], b[c("group", "observed")])
  expect_equal(a$n, b$n, tolerance = 1e-14)
  size <- nrow(b$mean)
  sd <- sqrt(matrix(b$scatter, size^2)[(seq_len(size) - 1) * size + seq_len(size), , drop = FALSE])
  error <- vapply(seq_along(b$n), function(p) {
    max(abs(a$scatter[, , p] - b$scatter[, , p]) / pmax(tcrossprod(sd[, p]), 1e-300))
  }, 0)
  expect_lt(max(error), tolerance)
  expect_lt(max(abs(a$mean - b$mean) / (abs(b$mean) + sd + 1e-300)), 1e-13)
  expect_equal(ours$covariate_center, theirs$covariate_center, tolerance = 1e-12)
}

of_engine <- function(...) {
  classes <- paste0("hmvn_message_", c("engine", "features"))
  suppressMessages(hmvn_statistics(...), classes = classes)
}
