# Files that show whether they are whole: an R object, serialised, then a seal. Written beside their
# place and renamed, so that a file is there as a whole or not at all; never changed afterwards.
#
# The seal: the hash of every block of so many bytes, one after the other, then a line of its own:
# what the file is, and how many bytes there are before the seal. Hashes come after the object as
# they are of the bytes on the disk: an object of many megabytes is never held twice.

# internal -----------------------------------------------------------------

seal_name <- "hmvn-checkpoint"
seal_format <- 2L
block_bytes <- 2^20
hash_bytes <- 32

# Stops with a plain error where it cannot be written.
write_sealed <- function(object, path) {
  write_whole(path, function(con) serialize(object, con, xdr = FALSE), seal_of)
}

# A file that is there as a whole or not at all. `write(con)` writes it; `seal(path, size)` gives
# the text that ends it, or nothing. A worker of a session that was killed may be writing the same.
write_whole <- function(path, write, seal = function(path, size) "") {
  temporary <- paste0(path, "-", basename(tempfile("")), ".tmp")
  on.exit(unlink(temporary))
  append_to(temporary, write, 0)
  size <- file.size(temporary)
  text <- charToRaw(seal(temporary, size))
  if (length(text) > 0L) append_to(temporary, function(con) writeBin(text, con), size)
  if (!file.rename(temporary, path)) stop("a file could not be renamed")
}

append_to <- function(path, write, before) {
  con <- file(path, if (before > 0) "ab" else "wb")
  written <- tryCatch(
    {
      write(con)
      seek(con, rw = "write")
    },
    finally = close(con)
  )
  # the errors of a full disk are not all reported
  if (file.size(path) != written) stop("the disk is full")
}

seal_of <- function(path, size) {
  con <- file(path, "rb")
  on.exit(close(con))
  paste0(block_hashes(con, size), seal_line(size))
}

seal_line <- function(size) sprintf("\n%s %d %015.0f\n", seal_name, seal_format, size)

block_hashes <- function(con, size) {
  blocks <- pmin(block_bytes, size - block_bytes * (seq_len(ceiling(size / block_bytes)) - 1))
  paste(vapply(blocks, function(n) rlang::hash(readBin(con, "raw", n)), ""), collapse = "")
}

# The object; stops with hmvn_error_checkpoint where the file is not what write_sealed() wrote.
read_sealed <- function(path, call) {
  con <- tryCatch(
    suppressWarnings(file(path, "rb")),
    error = function(e) abort_checkpoint(path, "It cannot be read.", call)
  )
  on.exit(close(con))
  size <- sealed_bytes(con, path, call)
  hashes <- read_at(con, size, hash_bytes * ceiling(size / block_bytes))
  seek(con, 0)
  if (!identical(charToRaw(block_hashes(con, size)), hashes)) {
    abort_checkpoint(path, "It is damaged.", call)
  }
  seek(con, 0)
  unserialize(con)
}

# How many bytes there are before the seal, as its line says.
sealed_bytes <- function(con, path, call) {
  total <- file.size(path)
  said <- strsplit(last_line(con, total), " ", fixed = TRUE)[[1L]]
  if (length(said) < 2L || !identical(said[[1L]], seal_name)) {
    abort_checkpoint(path, "It is damaged, or none of hmvn's.", call)
  }
  format <- suppressWarnings(as.integer(said[[2L]]))
  if (!is.na(format) && format > seal_format) {
    abort_checkpoint(path, "It was written by a newer version of hmvn.", call)
  }
  size <- suppressWarnings(as.double(c(said, "")[[3L]]))
  line <- charToRaw(seal_line(size))
  ends <- identical(read_at(con, max(0, total - length(line)), length(line)), line)
  seal <- hash_bytes * ceiling(size / block_bytes) + length(line)
  if (!identical(format, seal_format) || !ends || size + seal != total) {
    abort_checkpoint(path, "It is damaged.", call)
  }
  size
}

last_line <- function(con, total) {
  end <- read_at(con, max(0, total - 100), 100)
  text <- rawToChar(end[end > as.raw(0L) & end < as.raw(128L)])
  utils::tail(c("", strsplit(text, "\n", fixed = TRUE)[[1L]]), 1L)
}

read_at <- function(con, offset, size) {
  seek(con, offset)
  readBin(con, "raw", size)
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
