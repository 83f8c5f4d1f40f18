# Files that show whether they are whole: a line that says what they are, a hash of what follows,
# and an R object, serialised. Written beside their place and renamed, so that a file is there as a
# whole or not at all; never changed afterwards.

# internal -----------------------------------------------------------------

seal_name <- "hmvn-checkpoint"
seal_format <- 1L

# Stops with a plain error where it cannot be written.
write_sealed <- function(object, path) {
  payload <- serialize(object, NULL, xdr = FALSE)
  top <- charToRaw(paste0(seal_name, " ", seal_format, "\n", rlang::hash(payload), "\n"))
  write_whole(path, function(put) {
    put(top)
    put(payload)
  })
}

# A file that is there as a whole or not at all. `write(put)` puts raw vectors one after another.
write_whole <- function(path, write) {
  temporary <- paste0(path, ".tmp")
  on.exit(unlink(temporary))
  con <- file(temporary, "wb")
  size <- 0
  put <- function(bytes) {
    writeBin(bytes, con)
    size <<- size + length(bytes)
  }
  tryCatch(write(put), finally = close(con))
  # the errors of a full disk are not all reported
  if (file.size(temporary) != size) stop("the disk is full")
  if (!file.rename(temporary, path)) stop("a file could not be renamed")
}

# The object; stops with hmvn_error_checkpoint where the file is not what write_sealed() wrote.
read_sealed <- function(path, call) {
  bytes <- tryCatch(
    suppressWarnings(readBin(path, "raw", file.size(path))),
    error = function(e) abort_checkpoint(path, "It cannot be read.", call)
  )
  ends <- utils::head(which(bytes[seq_len(min(80L, length(bytes)))] == as.raw(10L)), 2L)
  top <- if (length(ends) == 2L && !any(bytes[seq_len(ends[[2L]])] == as.raw(0L))) {
    strsplit(rawToChar(bytes[seq_len(ends[[2L]])]), "\n", fixed = TRUE)[[1L]]
  }
  said <- strsplit(c(top, "")[[1L]], " ", fixed = TRUE)[[1L]]
  if (length(said) != 2L || !identical(said[[1L]], seal_name)) {
    abort_checkpoint(path, "It is damaged, or none of hmvn's.", call)
  }
  format <- suppressWarnings(as.integer(said[[2L]]))
  if (!is.na(format) && format > seal_format) {
    abort_checkpoint(path, "It was written by a newer version of hmvn.", call)
  }
  payload <- bytes[-seq_len(ends[[2L]])]
  if (!identical(format, seal_format) || !identical(rlang::hash(payload), top[[2L]])) {
    abort_checkpoint(path, "It is damaged.", call)
  }
  unserialize(payload)
}

# `problem`: a finished text.
abort_checkpoint <- function(path, problem, call) {
  abort_hmvn(
    c(
      "A checkpoint must be as {.pkg hmvn} has written it.",
      x = "{.path {path}}: {problem}",
      i = "It is left as it is: name another folder, or delete this one."
    ),
    "checkpoint", path = path, call = call
  )
}
