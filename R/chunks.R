# Data larger than memory: chunk after chunk is summarised and added.

#' Data in chunks, from files
#'
#' A function that gives the rows of files bit by bit, for [hmvn_statistics()] and [fit_hmvn()],
#' which read data larger than memory so. They take any such function: each call returns the next
#' data frame, and `NULL` after the last. If it has an argument `reset`, it is called with `reset =
#' TRUE` first, to begin anew, as functions for `biglm::bigglm()` are.
#'
#' @param files Names of files with the same columns, one after the other.
#' @param read A function that reads a file into a data frame, such as `utils::read.csv`,
#'   `data.table::fread` or `readRDS`: its first argument is the name of the file. With `rows` it
#'   must also read from an argument `text`, lines of which the first names the columns, as
#'   `read.csv` and `fread` do.
#' @param ... Arguments of `read`, by name. With `rows` not `header = FALSE`, `skip` or `nrows`,
#'   which would hold for each part.
#' @param rows How many lines to read at a time; `NULL`: each file at once. A line is a row then:
#'   cells of text with line breaks in them need `NULL`.
#' @return A function with an argument `reset`.
#' @section Errors: `hmvn_error_argument`, naming the argument.
#' @seealso [hmvn_statistics()], [fit_hmvn()]; `vignette("big_data")`.
#' @examples
#' file <- tempfile(fileext = ".csv")
#' write.csv(iris, file, row.names = FALSE)
#' hmvn_statistics(file_chunks(file, rows = 40), ~ Species)
#' @export
file_chunks <- function(files, read = utils::read.csv, ..., rows = NULL) {
  call <- rlang::current_env()
  files <- check_text(files, "files", "names of files", call)
  if (length(files) == 0L || !all(file.exists(files))) {
    abort_argument("files", "names of files that are there", files, call)
  }
  if (!is.function(read)) abort_argument("read", "a function that reads a file", read, call)
  if (!is.null(rows)) rows <- check_count(rows, "rows", min = 1, call = call)
  given <- list(...)
  if (!is.null(rows)) check_read_parts(given, call)
  files <- normalizePath(files)
  at <- 0L
  lines <- NULL
  whole <- function() {
    at <<- at + 1L
    if (at <= length(files)) do.call(read, c(list(files[[at]]), given))
  }
  part <- function() {
    repeat {
      text <- if (!is.null(lines)) lines$take(rows)
      if (!is.null(text)) {
        return(do.call(read, c(list(text = c(lines$header, text)), given)))
      }
      at <<- at + 1L
      if (at > length(files)) {
        return(NULL)
      }
      lines <<- open_lines(files[[at]])
    }
  }
  function(reset = FALSE) {
    if (reset) {
      if (!is.null(lines)) lines$close()
      at <<- 0L
      lines <<- NULL
      return(invisible())
    }
    if (is.null(rows)) whole() else part()
  }
}

# internal -----------------------------------------------------------------

# Arguments of `read` that lose lines where it reads some at a time.
check_read_parts <- function(given, call) {
  if (isFALSE(given[["header"]])) {
    abort_argument("header", "TRUE with `rows`: first lines name the columns", FALSE, call)
  }
  for (name in intersect(c("skip", "nrows"), names(given))) {
    abort_argument(name, "left out with `rows`: it would hold for each part", given[[name]], call)
  }
}

# `header`, the first line of a file; take(n), the next n lines, or NULL after the last.
open_lines <- function(file) {
  connection <- file(file, "r")
  header <- readLines(connection, 1L)
  close_it <- function() {
    if (!is.null(connection)) close(connection)
    connection <<- NULL
  }
  take <- function(n) {
    text <- if (!is.null(connection)) readLines(connection, n)
    if (length(text) > 0L) {
      return(text)
    }
    close_it()
    NULL
  }
  list(header = header, take = take, close = close_it)
}

# A function that can be called as it is. (What is meant as a data frame `df` may be a function.)
is_chunk_source <- function(data) {
  if (!is.function(data)) {
    return(FALSE)
  }
  arguments <- formals(data)
  arguments <- arguments[!names(arguments) %in% c("...", "reset")]
  all(vapply(arguments, function(value) !rlang::is_missing(value), TRUE))
}

# list(statistics, weights), see read_elsewhere(). The first chunk says what the columns are: which
# are features by default, which levels covariates have.
chunk_statistics <- function(source, columns, cores, call) {
  chunks <- next_chunk(source, call)
  first <- chunks()
  if (is.null(first)) abort_no_rows(call)
  columns <- capture_columns(columns, first, call)
  read <- read_chunk(first, columns, NULL, cores, call)
  said <- read$said
  facts <- read$facts
  statistics <- read$statistics
  number <- 1L
  repeat {
    chunk <- chunks()
    if (is.null(chunk)) break
    number <- number + 1L
    read <- in_chunk(number, read_chunk(chunk, said, statistics$design, cores, call))
    if (!is.null(facts)) facts <- add_weight_facts(facts, read$facts)
    statistics <- in_chunk(number, combine_statistics(statistics, read$statistics, call))
  }
  if (!is.null(said$weights)) say_weights(facts, said$weights)
  list(statistics = statistics, weights = said$weights)
}

# A function that gives the next chunk with rows, or NULL.
next_chunk <- function(source, call) {
  if ("reset" %in% names(formals(source))) source(reset = TRUE)
  function() {
    repeat {
      chunk <- source()
      if (is.null(chunk)) {
        return(NULL)
      }
      if (!is.data.frame(chunk)) {
        found <- describe_value(chunk)
        abort_hmvn(
          c(
            "A function as {.arg data} must return data frames, and NULL after the last.",
            x = "It returned {found}."
          ),
          "data", argument = "data", call = call
        )
      }
      if (nrow(chunk) > 0L) {
        return(chunk)
      }
    }
  }
}

# list(statistics, said, facts): `said`, the columns by name, for other chunks; `facts` of weights.
# `design`: that of the first chunk, NULL in the first.
read_chunk <- function(chunk, columns, design, cores, call) {
  features <- columns$features
  if (rlang::is_formula(features)) features <- all.vars(features)
  for (name in intersect(features, names(chunk))) {
    # a column without any cell is logical by default
    if (is.logical(chunk[[name]]) && all(is.na(chunk[[name]]))) chunk[[name]] <- NA_real_
  }
  silent <- c("hmvn_message_weights", "hmvn_message_zero_weights")
  data <- suppressMessages(new_model_data(chunk, columns, cores, call), classes = silent)
  said <- list(
    group = names(data$keys), features = data$features, weights = data$weight_column,
    covariates = data$covariate_formula
  )
  facts <- if (!is.null(data$weights)) weight_facts(data$weights)
  if (!is.null(data$covariate_formula)) data <- chunk_with_covariates(data, design, call)
  list(statistics = compute_statistics(data, cores, call), said = said, facts = facts)
}

# Covariates of other chunks are made as in the first; levels that it lacks are those of a factor.
chunk_with_covariates <- function(data, design, call) {
  if (!is.null(design)) {
    data$fixed_design <- design
    return(data)
  }
  variables <- as.list(attr(stats::terms(data$covariate_formula), "variables"))[-1L]
  remembers <- vapply(variables, function(v) {
    is.call(v) && any(c("poly", "ns", "bs", "scale") %in% all.names(v))
  }, TRUE)
  if (any(remembers)) {
    found <- vapply(variables[remembers], deparse1, "")
    abort_hmvn(
      c(
        "Covariates of data in chunks must not depend on other rows.",
        x = "{.code {found}} {?does/do}.",
        i = "Compute their columns in each chunk, with knots or centres that you give."
      ),
      "covariates", argument = "covariates", column = found, call = call
    )
  }
  data$fixed_design <- TRUE
  data
}

# Says in which chunk an error was.
in_chunk <- function(number, code) {
  tryCatch(code, hmvn_error = function(e) {
    e$body <- c(e$body, i = paste0("In chunk ", number, "; rows are numbered in it."))
    stop(e)
  })
}
