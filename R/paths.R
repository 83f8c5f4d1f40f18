# Paths that are given by the user.

# internal -----------------------------------------------------------------

check_path <- function(path, arg, call) {
  if (length(path) != 1L || !nzchar(check_text(path, arg, "one path", call))) {
    abort_argument(arg, "one path", path, call)
  }
}

# Whether one can write there is found by writing.
check_writable <- function(folder, arg, call) {
  found <- if (dir.exists(folder)) "can" else "does not exist"
  if (found == "can") {
    trial <- tempfile(".hmvn-", folder)
    if (isTRUE(suppressWarnings(file.create(trial)))) {
      unlink(trial)
      return(invisible())
    }
    found <- "cannot be written to"
  }
  abort_hmvn(
    c("{.arg {arg}} must lie in a folder that can be written to.", x = "{.path {folder}} {found}."),
    "file", path = folder, call = call
  )
}
