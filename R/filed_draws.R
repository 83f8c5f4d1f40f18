# Draws of groups that stay in files: written where they are drawn, and read by group when they are
# asked for.
#
# A file draws-<place> holds what a job drew between two of its places, and is never changed.
# `place`: first and last group, chain, and kept draw. After one another:
#   records   serialised lists of arrays [kept draw, chain, entry] by part, of some groups each
#   table     serialised: list(token of the run, place, first group of each record, offsets, hashes)
#   end       a line of 62 bytes: what the file is, the hash of the table, and its length
# A folder is that of one run. Those that go on with its chains are in folders in it, see
# R/filed_runs.R.

# internal -----------------------------------------------------------------

file_end <- "hmvn-draws 1 %s %015.0f\n"
end_bytes <- 62L
# of a record, about: what is read for one group
record_bytes <- 2^18

# Writes a rectangle of draws, see passed(); returns its place.
file_rectangle <- function(rectangle, filing) {
  groups <- if (filing$apart) rectangle$units else c(1L, filing$n_groups)
  place <- as.integer(c(groups, rectangle$chains, rectangle$kept))
  arrays <- rectangle$arrays[names(filing$sizes)]
  each <- 8 * prod(dim(arrays[[1L]])[1:2]) * sum(filing$sizes)
  starts <- seq(place[[1L]], place[[2L]], by = max(1, floor(record_bytes / each)))
  ends <- c(starts[-1L] - 1, place[[2L]])
  record <- function(i) {
    own <- seq(starts[[i]], ends[[i]]) - place[[1L]] + 1
    Map(function(x, size) x[, , entries_of(own, size), drop = FALSE], arrays, filing$sizes)
  }
  with_filing_errors(write_records(filing, place, starts, record), filing$folder)
  place
}

write_records <- function(filing, place, starts, record) {
  write_whole(file.path(filing$folder, draws_name(place)), function(con) {
    put <- function(bytes) writeBin(bytes, con)
    hashes <- character(length(starts))
    offsets <- double(length(starts) + 1L)
    for (i in seq_along(starts)) {
      bytes <- serialize(record(i), NULL, xdr = FALSE)
      hashes[[i]] <- rlang::hash(bytes)
      offsets[[i + 1L]] <- offsets[[i]] + length(bytes)
      put(bytes)
    }
    table <- serialize(
      list(token = filing$token, place = place, starts = starts, offsets = offsets,
        hashes = hashes), NULL, xdr = FALSE
    )
    put(table)
    put(charToRaw(sprintf(file_end, rlang::hash(table), length(table))))
  })
}

draws_name <- function(place) paste(c("draws", sprintf("%d", place)), collapse = "-")

# A part of the draws of a fit: where it is. `runs`, one after the other: lists of folder, token,
# places, and the kept draws `before` its own. `files`: a list of places; `size`: c(kept draws,
# chains).
new_filed <- function(filing, part, files, size) {
  run <- list(
    folder = filing$folder, token = filing$token, places = do.call(rbind, files), before = 0L
  )
  structure(
    list(
      runs = list(run), part = part, size = filing$sizes[[part]],
      dim = c(size, as.integer(filing$sizes[[part]] * filing$n_groups))
    ),
    class = "hmvn_filed_draws"
  )
}

is_filed <- function(x) inherits(x, "hmvn_filed_draws")

# The first `n` kept draws of every chain
first_filed <- function(filed, n) {
  filed$dim[[1L]] <- as.integer(n)
  filed
}

#' @export
dim.hmvn_filed_draws <- function(x) unclass(x)$dim

#' @export
print.hmvn_filed_draws <- function(x, ...) {
  n <- sum(vapply(x$runs, function(run) nrow(run$places), 1L))
  cat(
    "Draws [", paste(dim(x), collapse = ", "), "] in ", count_of(n, "file"), " of ",
    x$runs[[1L]]$folder, "\n",
    sep = ""
  )
  invisible(x)
}

# The draws of `groups` (positions, each once), [kept draw, chain, entry].
read_filed <- function(filed, groups) {
  size <- filed$size
  out <- array(NA_real_, c(dim(filed)[1:2], length(groups) * size))
  for (run in filed$runs) {
    n <- dim(filed)[[1L]] - run$before
    for (i in seq_len(nrow(run$places))) {
      place <- run$places[i, ]
      wanted <- which(groups >= place[[1L]] & groups <= place[[2L]])
      if (length(wanted) == 0L || place[[5L]] > n) next
      kept <- seq_len(min(place[[6L]], n) - place[[5L]] + 1L)
      chains <- seq(place[[3L]], place[[4L]])
      for (record in read_records(run, place, filed$part, groups[wanted])) {
        here <- wanted[groups[wanted] >= record$first & groups[wanted] <= record$last]
        from <- entries_of(groups[here] - record$first + 1L, size)
        out[run$before + place[[5L]] - 1L + kept, chains, entries_of(here, size)] <-
          record$values[kept, , from, drop = FALSE]
      }
    }
  }
  out
}

# Those records of a file of `run` that hold `groups`: a list of list(first, last, values).
read_records <- function(run, place, part, groups) {
  path <- file.path(run$folder, draws_name(place))
  if (!file.exists(path)) abort_filed(path, "It is not there.")
  con <- file(path, "rb")
  on.exit(close(con))
  table <- read_table_of_records(con, path)
  if (!identical(table$token, run$token) || !identical(table$place, unname(place))) {
    abort_filed(path, "It belongs to another fit.")
  }
  last <- c(table$starts[-1L] - 1, place[[2L]])
  lapply(unique(findInterval(sort(groups), table$starts)), function(i) {
    bytes <- read_at(con, table$offsets[[i]], table$offsets[[i + 1L]] - table$offsets[[i]])
    if (!identical(rlang::hash(bytes), table$hashes[[i]])) abort_filed(path, "It is damaged.")
    list(
      first = table$starts[[i]], last = last[[i]], values = unserialize(bytes)[[part]]
    )
  })
}

# What the end of a file says of its records
read_table_of_records <- function(con, path) {
  total <- file.size(path)
  end <- read_at(con, max(0, total - end_bytes), end_bytes)
  text <- if (length(end) == end_bytes && !any(end == as.raw(0L))) rawToChar(end) else ""
  said <- regmatches(text, regexec("^hmvn-draws 1 ([0-9a-f]{32}) ([0-9]{15})\n$", text))[[1L]]
  if (length(said) != 3L) abort_filed(path, "It is damaged, or none of hmvn's.")
  size <- as.double(said[[3L]])
  table <- if (size <= total - end_bytes) read_at(con, total - end_bytes - size, size)
  if (is.null(table) || !identical(rlang::hash(table), said[[2L]])) {
    abort_filed(path, "It is damaged.")
  }
  unserialize(table)
}

with_filing_errors <- function(code, folder) {
  rlang::try_fetch(withCallingHandlers(code, warning = function(w) stop(conditionMessage(w))),
    error = function(cnd) {
      if (inherits(cnd, "hmvn_error")) {
        return(rlang::zap())
      }
      abort_filed(
        folder, paste0("It cannot be written to: ", conditionMessage(cnd), "."),
        paste0("What is there is kept: {.code resume_hmvn(\"", folder, "\")} goes on.")
      )
    }
  )
}

# `problem`: a finished text; `hint`: one in the words of cli.
abort_filed <- function(path, problem, hint = NULL) {
  hint <- hint %||% paste(
    "If the folder was moved, {.code resume_hmvn()} of its new place gives the fit that reads it",
    "there."
  )
  abort_hmvn(
    c(
      "Draws of groups must be in the files in which they were left.",
      x = "{.path {path}}: {problem}", i = hint
    ),
    "draws_dir", path = path, call = NULL
  )
}
