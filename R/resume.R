# Runs with a checkpoint: going on with them, looking at them, and the fit to what is there.

#' Go on with a run that was stopped
#'
#' [fit_hmvn()] with `checkpoint = "folder"` writes down every minute what it has drawn and where
#' its chains stand. A run that was stopped, by an interrupt, a crash or a power cut, is gone on
#' with by `resume_hmvn()`, to the draws that it would have had otherwise, to the last bit. So it is
#' by the same call of `fit_hmvn()`.
#'
#' What was drawn since the last writing is drawn again. Runs can be stopped and gone on with any
#' number of times, with another number of `cores`, and on another machine of the same kind, by the
#' same version of the package. A run that came to its end is read, and nothing is sampled. One
#' process at a time may write: a second one is refused. A process that is gone does not count,
#' where that can be known: on the same machine, and not under Windows.
#'
#' @param checkpoint The folder that was named in [fit_hmvn()] or [extend()].
#' @param ... Must be empty.
#' @param cores,workers Number of threads, and other processes, as in [fit_hmvn()]; by default those
#'   of the run. Draws do not depend on them.
#' @param progress Show a progress bar?
#' @return `resume_hmvn()`: the `hmvn_fit`. `partial_hmvn()`: a fit to the draws that are there, as
#'   many of every chain as the shortest has; a message says how many. Another process may be
#'   sampling meanwhile. `hmvn_progress()`: a list of class `hmvn_progress` with `path`, `status`
#'   (`"running"`, `"stopped"`, `"finished"`), `done` (the share of iterations, warm-up among them),
#'   `seconds` (spent until the last writing), `seconds_left` (at that pace), `time` (of the last
#'   writing), `pid` and `host` (who is running), `parts` and `bytes`.
#' @section Errors: `hmvn_error_checkpoint` if the folder holds no checkpoint, or a file in it is
#'   damaged, missing or from a newer version; nothing is changed then. `hmvn_error_locked` if
#'   another process is writing. `hmvn_error_state` if another version or kind of machine wrote it.
#'   `hmvn_error_unfinished` if there are no draws yet of every chain and group.
#' @seealso [extend()] for more draws of a fit that is finished; `vignette("long_jobs")`.
#' @examples
#' folder <- tempfile("run-")
#' fit <- fit_hmvn(
#'   iris, ~ Species, pooling = "partial", chains = 2, seed = 1, checkpoint = folder
#' )
#' hmvn_progress(folder)
#' identical(resume_hmvn(folder)$draws, fit$draws)
#' @export
resume_hmvn <- function(checkpoint, ..., cores = NULL, workers, progress = interactive()) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  folder <- existing_checkpoint(checkpoint, call)
  changes <- list(progress = progress)
  if (!is.null(cores)) changes$cores <- cores
  if (!missing(workers)) changes["workers"] <- list(workers)
  changes <- check_settings(changes, call)
  lock <- lock_folder(folder, call)
  on.exit(free_lock(folder, lock))
  header <- read_header(folder, call)
  header$plan$settings[names(changes)] <- changes
  go_on(header, folder, lock, call)
}

#' @rdname resume_hmvn
#' @export
partial_hmvn <- function(checkpoint, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  folder <- existing_checkpoint(checkpoint, call)
  header <- read_header(folder, call)
  plan <- header$plan
  pool <- read_pool(folder, header, call)
  plan$record$started <- begin_of(header, pool)
  if (is_finished(pool)) {
    return(finish_plan(plan, pool_drawn(pool), call))
  }
  n <- equal_length(pool)
  asked <- plan$settings$iter_sampling
  before <- pool$before %/% plan$settings$thin
  had <- (before + n) * plan$settings$thin
  if (n < 1L) abort_unfinished(folder, call)
  text <- paste("Partial:", number(had), "of", number(asked), "sampling iterations of every chain.")
  inform_hmvn(
    c("!" = cli_verbatim(text), i = "{.code resume_hmvn(\"{folder}\")} goes on."),
    "checkpoint", path = folder
  )
  plan$settings$iter_sampling <- as.integer(had)
  plan$settings$keep_state <- FALSE
  plan$said <- c(plan$said, partial = text)
  finish_plan(plan, first_draws(pool, n), call)
}

#' @rdname resume_hmvn
#' @export
hmvn_progress <- function(checkpoint, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  folder <- existing_checkpoint(checkpoint, call)
  path <- file.path(folder, "progress")
  found <- if (file.exists(path)) read_sealed(path, call)
  owner <- read_owner(file.path(folder, "lock"))
  runs <- !anyNA(owner[c("pid", "host")]) && !is_dead(owner)
  files <- file.path(folder, part_files(folder))
  draws <- list.files(folder, "^(draws|ends)-", full.names = TRUE)
  done <- if (is.null(found)) 0 else found$done / found$due
  seconds <- found$seconds %||% 0
  structure(
    list(
      path = folder,
      status = if (isTRUE(found$finished)) "finished" else if (runs) "running" else "stopped",
      done = done, seconds = seconds,
      seconds_left = if (done > 0) seconds * (1 - done) / done else NA_real_,
      time = found$time %||% as.POSIXct(NA), pid = if (runs) owner[["pid"]] else NA_character_,
      host = if (runs) owner[["host"]] else NA_character_, parts = length(files),
      bytes = sum(file.size(c(files, draws)))
    ),
    class = "hmvn_progress"
  )
}

#' @rdname resume_hmvn
#' @param x An `hmvn_progress`.
#' @export
print.hmvn_progress <- function(x, ...) {
  who <- if (x$status == "running") paste0(", process ", x$pid, " on ", x$host)
  cat("Checkpoint ", x$path, ": ", x$status, who, "\n", sep = "")
  left <- if (x$status != "finished" && !is.na(x$seconds_left)) {
    paste0(", about ", number(signif(x$seconds_left, 2)), " s more at that pace")
  }
  spent <- paste0(number(round(x$seconds)), " s")
  cat(percent(x$done), " of the iterations in ", spent, left, "\n", sep = "")
  if (x$parts > 0L) {
    cat(count_of(x$parts, "part"), ", ", number(signif(x$bytes / 1e6, 2)), " MB, the last written ",
      format(x$time, "%Y-%m-%d %H:%M:%S"), "\n",
      sep = ""
    )
  }
  invisible(x)
}

# internal -----------------------------------------------------------------

existing_checkpoint <- function(folder, call) {
  check_path(folder, "checkpoint", call)
  if (!file.exists(file.path(folder, "header"))) {
    abort_checkpoint(folder, "It holds no checkpoint.", call)
  }
  normalizePath(folder)
}

# Draws that every cell has
equal_length <- function(pool) {
  begun <- pool$places$cell + 1L >= pool$cells
  if (!all(begun)) {
    return(0L)
  }
  kept <- kept_at(pool$places$iteration, pool$problem, pool$before)
  kept[pool$places$cell == pool$cells] <- pool$n_kept
  min(kept)
}

# The first `n` of every chain, as draw_share() returns draws. What units report is counted anew.
first_draws <- function(pool, n) {
  rows <- seq_len(n)
  first <- function(x) {
    if (is_filed(x)) first_filed(x, n) else if (!is.null(x)) x[rows, , , drop = FALSE]
  }
  facts <- lapply(pool$facts, first)
  reports <- pool$reports
  if (pool$problem$n_units == dim(facts$divergent)[[3L]]) {
    by_unit <- function(x) t(matrix(colSums(x), dim(x)[[2L]]))
    deepest <- facts$treedepth >= pool$problem$control$max_treedepth
    reports$divergent <- by_unit(facts$divergent)
    reports$max_treedepth <- by_unit(deepest)
  }
  list(draws = lapply(pooled_draws(pool), first), facts = facts, reports = reports)
}

abort_unfinished <- function(folder, call) {
  abort_hmvn(
    c(
      "A partial fit needs draws of every chain and group.",
      x = "{.path {folder}} has not so many yet.",
      i = "{.fn hmvn_progress} says how far it is; {.code resume_hmvn(\"{folder}\")} goes on."
    ),
    "unfinished", path = folder, call = call
  )
}
