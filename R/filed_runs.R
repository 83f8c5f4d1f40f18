# Runs of one fit whose draws are in files: where their chains ended, and those that went on with
# them.
#
# A file ends-<place> holds the states of cells that came to their end: a sealed list(token, place,
# states). `place`: job, first and last cell. Draws that are added to a fit are a run of their own,
# in the folder to-<iterations> in that of the run that it goes on with: what is there stays as it
# is, and what belongs together is moved together.

# internal -----------------------------------------------------------------

extension_folder <- function(folder, iter_sampling) {
  file.path(folder, sprintf("to-%d", as.integer(iter_sampling)))
}

is_extension_name <- function(name) grepl("^to-[0-9]+$", name)

# Is `folder` that of a run at `first`, or of one that went on with it?
is_run_of <- function(folder, first) {
  if (is.null(folder) || is.null(first)) {
    return(is.null(folder) && is.null(first))
  }
  while (folder != first && is_extension_name(basename(folder))) folder <- dirname(folder)
  identical(folder, first)
}

# Writes the states that ended in a piece; returns their place.
file_ends <- function(piece, cell, filing) {
  place <- as.integer(c(piece$job, cell, piece$cell - 1L))
  ends <- list(token = filing$token, place = place, states = piece$finished)
  path <- file.path(filing$folder, ends_name(place))
  with_filing_errors(write_sealed(ends, path), filing$folder)
  place
}

ends_name <- function(place) paste(c("ends", sprintf("%d", place)), collapse = "-")

# Where the states of all jobs are; `files`: a list of places.
new_filed_ends <- function(filing, files, n_jobs) {
  structure(
    list(
      folder = filing$folder, token = filing$token, places = do.call(rbind, files), n_jobs = n_jobs
    ),
    class = "hmvn_filed_ends"
  )
}

are_filed_ends <- function(ends) inherits(ends, "hmvn_filed_ends")

# The states of some `jobs`, raw vectors, wherever they are. `ends`: an empty list where chains
# start from nothing.
ends_of_jobs <- function(ends, jobs) {
  if (!are_filed_ends(ends)) {
    return(ends[if (length(ends)) jobs])
  }
  lapply(jobs, function(job) {
    places <- ends$places[ends$places[, 1L] == job, , drop = FALSE]
    places <- places[order(places[, 2L]), , drop = FALSE]
    do.call(c, lapply(seq_len(nrow(places)), function(i) read_ends(ends, places[i, ])))
  })
}

read_ends <- function(ends, place) {
  path <- file.path(ends$folder, ends_name(place))
  if (!file.exists(path)) abort_filed(path, "It is not there.")
  found <- rlang::try_fetch(
    read_sealed(path, NULL),
    hmvn_error_checkpoint = function(cnd) abort_filed(path, "It is damaged, or none of hmvn's.")
  )
  if (!identical(found$token, ends$token) || !identical(found$place, unname(place))) {
    abort_filed(path, "It belongs to another fit.")
  }
  found$states
}

# A part of the draws of a fit, and of the run that went on with it.
bind_filed <- function(first, second) {
  n <- dim(first)[[1L]]
  added <- lapply(second$runs, function(run) {
    run$before <- run$before + n
    run
  })
  first$runs <- c(first$runs, added)
  first$dim[[1L]] <- n + dim(second)[[1L]]
  first
}

# `before`, see plan_extension(), of a run whose folder may have been moved with all that is in it.
follow_runs <- function(before, folder) {
  above <- dirname(folder)
  if (are_filed_ends(before$states$ends)) before$states$ends$folder <- above
  before$draws <- lapply(before$draws, function(x) {
    if (!is_filed(x)) {
      return(x)
    }
    at <- above
    for (i in rev(seq_along(x$runs))) {
      x$runs[[i]]$folder <- at
      at <- dirname(at)
    }
    x
  })
  before
}

# Are the draws of a fit where it says they are, and where its chains ended?
has_its_files <- function(fit) all(file.exists(files_of_fit(fit)))

# Paths; none of a fit in memory.
files_of_fit <- function(fit) {
  runs <- unlist(lapply(Filter(is_filed, fit$draws), `[[`, "runs"), recursive = FALSE)
  draws <- lapply(runs, function(run) file.path(run$folder, apply(run$places, 1L, draws_name)))
  ends <- fit$states$ends
  filed <- if (are_filed_ends(ends)) file.path(ends$folder, apply(ends$places, 1L, ends_name))
  unique(c(character(), unlist(draws), filed))
}
