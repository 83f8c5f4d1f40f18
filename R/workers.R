# Sampling by other processes, here or on other machines: jobs are sent as tasks, pieces come back.

# internal -----------------------------------------------------------------

# Samples all that is left of a pool by workers; returns what draw_share() returns. `log`: where
# pieces are written, see new_log(), or NULL.
draw_by_workers <- function(pool, starts, log, call) {
  restore <- use_workers(pool$problem$control$workers, call)
  on.exit(restore())
  due <- pool_due(pool)
  progress <- progress_reporter(pool$problem$control$progress, due)
  on.exit(progress$finish(), add = TRUE)
  old <- options(future.globals.maxSize = Inf)
  on.exit(options(old), add = TRUE)
  ended <- FALSE
  on.exit(if (!ended && !is.null(log)) leave_pieces(log), add = TRUE)
  crew <- new_crew(pool, starts, if (is.null(log)) Inf else log$every)
  while (length(crew$waiting) + length(crew$running) > 0L) {
    send_tasks(crew, call)
    pieces <- collect_pieces(crew, call)
    if (!is.null(log)) log_pieces(log, pieces, call)
    progress$report(due - pool_due(pool))
  }
  if (!is.null(log)) write_pending(log, call)
  ended <- TRUE
  pool_drawn(pool)
}

# With a number, so many R processes of this machine while sampling; else the plan that is there.
# Returns a function that gives back the plan.
use_workers <- function(workers, call) {
  require_package("future", "{.arg workers}", call)
  if (identical(workers, "plan")) {
    return(function() NULL)
  }
  old <- future::plan("list")
  future::plan(future::multisession, workers = I(workers))
  function() future::plan(old)
}

# Who does what: `waiting`, a list of jobs by task; `running`, a list of list(jobs, future);
# `failures` by the number of the first job.
new_crew <- function(pool, starts, seconds) {
  crew <- new.env(parent = emptyenv())
  crew$pool <- pool
  crew$starts <- starts
  crew$seconds <- seconds
  crew$most <- future::nbrOfWorkers()
  crew$waiting <- job_shares(pool, crew$most)
  crew$running <- list()
  crew$failures <- integer(nrow(pool$ranges))
  crew
}

# Jobs that are left, several to a task where there are many: four tasks a worker, so that none has
# to wait long for the last one.
job_shares <- function(pool, n_workers) {
  few <- all(pool$cells == 1L)
  each <- if (few) 1L else max(1L, nrow(pool$ranges) %/% (4L * min(n_workers, 256L)))
  cut_jobs(pool, min(each, jobs_at_once(pool)))
}

send_tasks <- function(crew, call) {
  while (length(crew$waiting) > 0L && length(crew$running) < crew$most) {
    jobs <- crew$waiting[[1L]]
    task <- new_task(crew$pool, crew$starts, jobs)
    sent <- tryCatch(
      future::futureCall(do_task, list(task, crew$seconds), packages = "hmvn"),
      FutureError = function(e) NULL
    )
    if (is.null(sent)) {
      note_failure(crew, jobs, "it could not be started", call)
      return(renew_workers(crew))
    }
    crew$waiting <- crew$waiting[-1L]
    crew$running <- c(crew$running, list(list(jobs = jobs, future = sent)))
  }
}

# Pieces of the tasks that have come to an end, poured into the pool; waits a little for them. What
# was not drawn to its end waits again.
collect_pieces <- function(crew, call) {
  all <- list()
  for (one in crew$running) {
    if (!future::resolved(one$future)) next
    pieces <- tryCatch(future::value(one$future), FutureError = identity)
    is_this <- vapply(crew$running, identical, TRUE, one)
    crew$running <- crew$running[!is_this]
    if (inherits(pieces, "FutureError")) {
      crew$waiting <- c(crew$waiting, list(one$jobs))
      note_failure(crew, one$jobs, conditionMessage(pieces), call)
      renew_workers(crew)
      break
    }
    for (piece in pieces) {
      check_arrived(piece, crew$pool$filing, call)
      pour_piece(crew$pool, piece)
    }
    all <- c(all, pieces)
    crew$waiting <- c(crew$waiting, cut_jobs(crew$pool, length(one$jobs), one$jobs))
  }
  if (length(all) == 0L) Sys.sleep(0.02)
  all
}

# Tasks that others were at are done again: a cluster with a dead worker is started anew.
renew_workers <- function(crew) {
  crew$waiting <- c(lapply(crew$running, `[[`, "jobs"), crew$waiting)
  crew$running <- list()
  old <- future::plan("list")
  future::plan("sequential")
  future::plan(old)
}

note_failure <- function(crew, jobs, problem, call) {
  crew$failures[jobs] <- crew$failures[jobs] + 1L
  if (max(crew$failures) > 3L) {
    range <- crew$pool$ranges[jobs[[1L]], ]
    units <- paste0("from unit ", range[["first_unit"]], ", chain ", range[["first_chain"]], " on")
    said <- cli_verbatim(problem)
    abort_hmvn(
      c(
        "A task must be done by one of four workers.",
        x = "Four have died at it, {units}: {said}",
        i = "Look at their memory, or use fewer {.arg workers}."
      ),
      "worker", call = call
    )
  }
}

# What cannot be written is kept, and tried again with the next pieces and at the end.
log_pieces <- function(log, pieces, call) {
  if (length(pieces) > 0L) {
    log$pending <- c(log$pending, pieces)
    write_pending(log, call)
  }
}

write_pending <- function(log, call) {
  if (write_or_warn(log, log$pending, call)) log$pending <- list()
}

# After an interrupt or an error
leave_pieces <- function(log) {
  tryCatch(write_pending(log, NULL), error = function(e) NULL)
  inform_stopped(log$folder)
}

# Iterations that are still to be done
pool_due <- function(pool) {
  iterations_left(pool$cells, pool$places, pool$start, pool$problem$control)
}
