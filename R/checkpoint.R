# A run that is written down on its way, so that it can be gone on with.
#
# A checkpoint is a folder:
#   header      the plan of the fit, a token of the run, and who can read its states
#   part-00001  pieces, in the order in which they were drawn; part-00002 those after them, ...
#   progress    how far it is, for whoever wants to know; written anew with every part
#   draws-...   draws of groups, where they are to be left in files: see R/filed_draws.R
#   ends-..., to-...  where chains ended then, and runs that went on with them: see R/filed_runs.R
#   lock/       who writes
# Header and parts are sealed files that are never changed. Names that end in .tmp are what a
# process left that was killed while it wrote.

# internal -----------------------------------------------------------------

# Where a run is written: an environment, as it is changed on the way. `lock`: the token of the
# lock; `pool`: what was drawn so far.
new_log <- function(folder, lock, header, pool) {
  log <- new.env(parent = emptyenv())
  log$folder <- folder
  log$lock <- lock
  log$token <- header$token
  log$every <- header$every
  log$number <- length(part_files(folder))
  log$pool <- pool
  log$places <- pool$places
  log$finished <- log$unwritten <- vector("list", nrow(pool$ranges))
  log$warned <- FALSE
  log$seconds <- pool$seconds
  log$began <- proc.time()[["elapsed"]]
  log
}

part_files <- function(folder) sort(list.files(folder, "^part-[0-9]{5,}$"))

part_path <- function(folder, number) file.path(folder, sprintf("part-%05d", number))

# Writes a new checkpoint's header. `plan`: see new_plan(). `spent`: seconds before sampling, as no
# other process can read from when the plan was begun.
write_header <- function(plan, folder, every) {
  header <- list(
    plan = plan, every = every, token = new_token(), maker = state_maker(),
    spent = proc.time()[["elapsed"]] - plan$record$started
  )
  write_sealed(header, file.path(folder, "header"))
  header
}

read_header <- function(folder, call) {
  path <- file.path(folder, "header")
  if (!file.exists(path)) abort_checkpoint(folder, "It holds no checkpoint.", call)
  header <- read_sealed(path, call)
  check_state_maker(header$maker, call)
  # it may have been moved
  if (!is.null(header$plan$settings$draws_dir)) {
    header$plan$settings$draws_dir <- folder
    if (!is.null(header$plan$before)) {
      header$plan$before <- follow_runs(header$plan$before, folder)
    }
  }
  header
}

# From when a run would have been begun that has taken the same time without a break.
begin_of <- function(header, pool) proc.time()[["elapsed"]] - header$spent - pool$seconds

# A pool of all that the parts hold.
read_pool <- function(folder, header, call) {
  plan <- header$plan
  pool <- plan_pool(plan)
  pool$filing <- new_filing(plan, header$token)
  files <- part_files(folder)
  for (number in seq_along(files)) {
    path <- file.path(folder, files[[number]])
    part <- read_sealed(path, call)
    if (!identical(part$token, header$token) || !identical(part$number, number)) {
      abort_checkpoint(path, "It belongs to another run, or a part is missing before it.", call)
    }
    for (piece in part$pieces) pour_piece(pool, piece)
    pool$seconds <- part$seconds
  }
  pool
}

plan_pool <- function(plan) {
  new_pool(plan_problem(plan), plan_starts(plan), plan$before$iterations %||% 0L)
}

# Writes pieces as the next part. Returns what stood in the way, or NULL.
write_part <- function(log, pieces) {
  if (length(pieces) == 0L) {
    return(NULL)
  }
  number <- log$number + 1L
  part <- list(token = log$token, number = number, pieces = pieces, seconds = log_seconds(log))
  problem <- tryCatch(
    {
      if (!holds_lock(log$folder, log$lock)) stop("another process has taken it over")
      write_sealed(part, part_path(log$folder, number))
    },
    error = conditionMessage, warning = conditionMessage
  )
  if (is.null(problem)) {
    log$number <- number
    for (piece in pieces) log$places[piece$job, ] <- list(piece$cell, piece$iteration)
    tryCatch(write_progress(log), error = function(e) NULL, warning = function(w) NULL)
  }
  problem
}

# Since the run was begun, over all processes that went on with it
log_seconds <- function(log) log$seconds + proc.time()[["elapsed"]] - log$began

write_progress <- function(log) {
  pool <- log$pool
  left_at <- function(places) {
    iterations_left(pool$cells, places, pool$start, pool$problem$control)
  }
  due <- left_at(list(cell = 0L, iteration = pool$start))
  progress <- list(
    done = due - left_at(log$places), due = due, seconds = log_seconds(log), time = Sys.time(),
    finished = all(log$places$cell == pool$cells)
  )
  write_sealed(progress, file.path(log$folder, "progress"))
}

# Samples to the end, and writes pieces every so many seconds. Returns what draw_share() returns.
draw_with_log <- function(log, starts, call) {
  pool <- log$pool
  run <- open_task(new_task(pool, starts, seq_len(nrow(pool$ranges))), call)
  began <- pool$places
  fresh <- is.null(pool$draws)
  progress <- progress_reporter(run$control$progress, run$due)
  ended <- FALSE
  on.exit({
    progress$finish()
    if (!ended) leave_run(log, run)
  })
  while (!advance_run(run, log$every, progress, call)) save_run(log, run, call)
  save_run(log, run, call)
  ended <- TRUE
  if (fresh) {
    drawn <- read_run_(run$core)[c("draws", "facts", "reports")]
    return(c(drawn, list(states = lapply(log$finished, function(x) x %||% raw()))))
  }
  states <- list(finished = log$finished, current = vector("list", length(log$finished)))
  for (piece in cut_pieces(run, began, states)) pour_piece(pool, piece)
  pool_drawn(pool)
}

# Writes what the run drew since it was written last. What cannot be written is kept, and tried
# again the next time.
save_run <- function(log, run, call) {
  states <- take_states_(run$core)
  append_raw <- function(x, y) if (is.null(y)) x else c(x, y)
  log$finished <- Map(append_raw, log$finished, states$finished)
  log$unwritten <- Map(append_raw, log$unwritten, states$finished)
  pieces <- cut_pieces(run, log$places, list(finished = log$unwritten, current = states$current))
  if (write_or_warn(log, pieces, call)) {
    for (piece in pieces) log$unwritten[piece$job] <- list(NULL)
  }
}

# Returns whether pieces were written; that they were not is said once a run.
write_or_warn <- function(log, pieces, call) {
  problem <- write_part(log, pieces)
  if (!is.null(problem) && !log$warned) {
    log$warned <- TRUE
    warn_not_written(log$folder, problem, call)
  }
  is.null(problem)
}

# After an interrupt or an error: those jobs that came to the end of an iteration are written.
leave_run <- function(log, run) {
  tryCatch(save_run(log, run, NULL), error = function(e) NULL)
  inform_stopped(log$folder)
}

inform_stopped <- function(folder) {
  inform_hmvn(
    c(
      "Sampling was stopped; {.path {folder}} has what was drawn.",
      i = "{.code resume_hmvn(\"{folder}\")} goes on to the draws that were asked for.",
      i = "{.code partial_hmvn(\"{folder}\")} is the fit to the draws that are there."
    ),
    "checkpoint", path = folder
  )
}

warn_not_written <- function(folder, problem, call) {
  warn_hmvn(
    c(
      "A checkpoint could not be written into {.path {folder}}.", x = cli_verbatim(problem),
      i = "Sampling goes on in memory, and writing is tried again."
    ),
    "checkpoint", path = folder, call = call
  )
}
