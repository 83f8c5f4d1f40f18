# DuckDB as a connection of DBI, where its package for R is not installed: SQL goes to a process of
# Node.js through a pipe, see duckdb_process.js. What dbplyr needs of a connection, and no more: it
# writes the SQL that it writes for any database without a dialect of its own.

setOldClass("process")
setClass("DuckDBProcess", contains = "DBIConnection", slots = c(process = "process"))
setClass(
  "DuckDBProcessResult", contains = "DBIResult", slots = c(sql = "character", state = "environment")
)

start_duckdb <- function(script) {
  process <- processx::process$new("node", script, stdin = "|", stdout = "|", stderr = "")
  methods::new("DuckDBProcess", process = process)
}

# The answer to a line of SQL, as a data frame.
ask_duckdb <- function(con, sql) {
  process <- con@process
  left <- charToRaw(paste0(jsonlite::toJSON(list(sql = sql), auto_unbox = TRUE), "\n"))
  while (length(left) > 0) left <- process$write_input(left)
  line <- character()
  while (length(line) == 0 && (process$is_alive() || process$is_incomplete_output())) {
    process$poll_io(1000)
    line <- process$read_output_lines(1)
  }
  if (length(line) == 0) stop("the process of DuckDB has come to an end")
  found <- jsonlite::fromJSON(line, simplifyVector = FALSE)
  if (!is.null(found$error)) stop(found$error)
  columns <- lapply(found$columns, read_column, rows = found$rows)
  names(columns) <- vapply(found$columns, `[[`, "", "name")
  structure(columns, class = "data.frame", row.names = .set_row_names(found$rows))
}

read_column <- function(column, rows) {
  values <- if (column$kind == "character") {
    as.character(unlist(column$values))
  } else {
    readBin(jsonlite::base64_dec(column$values), "double", rows)
  }
  values[unlist(column$absent)] <- NA
  methods::as(values, if (column$kind == "double") "numeric" else column$kind)
}

setMethod("dbSendQuery", c("DuckDBProcess", "character"), function(conn, statement, ...) {
  state <- new.env()
  state$rows <- ask_duckdb(conn, as.character(statement))
  methods::new("DuckDBProcessResult", sql = as.character(statement), state = state)
})
setMethod("dbFetch", "DuckDBProcessResult", function(res, n = -1, ...) res@state$rows)
setMethod("dbHasCompleted", "DuckDBProcessResult", function(res, ...) TRUE)
setMethod("dbClearResult", "DuckDBProcessResult", function(res, ...) invisible(TRUE))
setMethod("dbGetRowsAffected", "DuckDBProcessResult", function(res, ...) NA_integer_)
setMethod("dbIsValid", "DuckDBProcess", function(dbObj, ...) dbObj@process$is_alive())
setMethod("dbGetInfo", "DuckDBProcess", function(dbObj, ...) list(dbname = ":memory:"))
setMethod("dbDisconnect", "DuckDBProcess", function(conn, ...) invisible(conn@process$kill()))

dbplyr_edition.DuckDBProcess <- function(con) 2L
registerS3method("dbplyr_edition", "DuckDBProcess", dbplyr_edition.DuckDBProcess,
  envir = asNamespace("dbplyr"))
