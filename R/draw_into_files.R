# Sampling that leaves the draws of groups in files: some jobs after others, so that memory is that
# of their draws.

# internal -----------------------------------------------------------------

# Samples all that is left of a log's pool; returns what draw_share() returns.
draw_into_files <- function(log, starts, call) {
  pool <- log$pool
  due <- pool_due(pool)
  progress <- progress_reporter(pool$problem$control$progress, due)
  ended <- FALSE
  on.exit({
    progress$finish()
    if (!ended) leave_pieces(log)
  })
  for (jobs in cut_jobs(pool, jobs_at_once(pool))) {
    before <- due - pool_due(pool)
    shown <- list(report = function(done) progress$report(before + done))
    draw_some(log, new_task(pool, starts, jobs), shown, call)
  }
  write_pending(log, call)
  ended <- TRUE
  pool_drawn(pool)
}

# Draws the jobs of a task to their end, and writes what they drew.
draw_some <- function(log, task, progress, call) {
  run <- open_task(task, call)
  keep <- function() {
    from <- log$pool$places[run$jobs, ]
    pieces <- cut_pieces(run, from, take_states_(run$core))
    for (piece in pieces) pour_piece(log$pool, piece)
    log_pieces(log, pieces, call)
  }
  ended <- FALSE
  on.exit(if (!ended) tryCatch(keep(), error = function(e) NULL))
  while (!advance_run(run, log$every, progress, call)) keep()
  keep()
  ended <- TRUE
}
