# Who may write into a checkpoint: one process at a time.

# internal -----------------------------------------------------------------

# The lock is a folder `lock` with a file `owner`: a folder is renamed into its place as a whole,
# and not onto one that has something in it. Returns the token by which it is known, or stops.
take_lock <- function(folder, call) {
  lock <- file.path(folder, "lock")
  mine <- c(process_id(), token = new_token())
  if (!place_lock(lock, mine)) {
    owner <- read_owner(lock)
    if (!is_dead(owner)) abort_locked(folder, owner, call)
    # whoever renames it first has it out of the way
    aside <- paste0(lock, "-", mine[["token"]])
    suppressWarnings(file.rename(lock, aside))
    unlink(aside, recursive = TRUE)
    if (!place_lock(lock, mine)) abort_locked(folder, read_owner(lock), call)
  }
  if (!holds_lock(folder, mine[["token"]])) abort_locked(folder, read_owner(lock), call)
  mine[["token"]]
}

place_lock <- function(lock, owner) {
  ready <- paste0(lock, "-new-", owner[["token"]])
  on.exit(unlink(ready, recursive = TRUE))
  made <- dir.create(ready, showWarnings = FALSE)
  if (!made) stop("the folder cannot be written to")
  writeLines(paste(names(owner), owner), file.path(ready, "owner"))
  !file.exists(lock) && suppressWarnings(file.rename(ready, lock))
}

holds_lock <- function(folder, token) {
  identical(unname(read_owner(file.path(folder, "lock"))["token"]), token)
}

free_lock <- function(folder, token) {
  if (holds_lock(folder, token)) unlink(file.path(folder, "lock"), recursive = TRUE)
}

# A named vector pid, host, started, token; those that are not there are NA.
read_owner <- function(lock) {
  lines <- tryCatch(
    suppressWarnings(readLines(file.path(lock, "owner"))), error = function(e) character()
  )
  words <- regmatches(lines, regexpr(" ", lines, fixed = TRUE), invert = TRUE)
  owner <- vapply(words, function(w) c(w, "")[[2L]], "")
  names(owner) <- vapply(words, `[[`, "", 1L)
  stats::setNames(owner[c("pid", "host", "started", "token")], c("pid", "host", "started", "token"))
}

process_id <- function() {
  c(
    pid = as.character(Sys.getpid()), host = Sys.info()[["nodename"]],
    started = process_start(Sys.getpid())
  )
}

# When a process was started, in the system's own count, where that can be known: numbers of
# processes are used again.
process_start <- function(pid) {
  line <- tryCatch(
    suppressWarnings(readLines(file.path("/proc", pid, "stat"), n = 1L)),
    error = function(e) character()
  )
  # the 22nd field; the second is a name in brackets, which may have blanks
  if (length(line)) strsplit(sub("^.*[)] ", "", line), " ")[[1L]][[20L]] else "unknown"
}

# Is it known that the owner runs no more? Of another machine it never is.
is_dead <- function(owner) {
  if (anyNA(owner[c("pid", "host")]) || owner[["host"]] != Sys.info()[["nodename"]] ||
        .Platform$OS.type == "windows") {
    return(FALSE)
  }
  pid <- as.integer(owner[["pid"]])
  !tools::pskill(pid, 0L) || !identical(process_start(pid), owner[["started"]])
}

new_token <- function() {
  substr(rlang::hash(list(process_id(), Sys.time(), proc.time(), tempfile())), 1L, 16L)
}

abort_locked <- function(folder, owner, call) {
  pid <- owner[["pid"]]
  host <- owner[["host"]]
  abort_hmvn(
    c(
      "One process at a time may write into a checkpoint.",
      x = "{.path {folder}} is used by process {pid} on {host}.",
      i = "If that runs no more, delete the folder {.path lock} in it.",
      i = "{.fn hmvn_progress} says how far it is."
    ),
    "locked", path = folder, pid = pid, host = host, call = call
  )
}
