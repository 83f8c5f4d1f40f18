# From a plan to a fit: in one go, or with a checkpoint.

# internal -----------------------------------------------------------------

# Samples, judges the draws, and returns the fit. `checkpoint`: list(folder, every), or NULL; where
# draws are left in files, their folder is the checkpoint.
carry_out <- function(plan, checkpoint, call) {
  if (is.null(checkpoint)) {
    return(finish_plan(plan, draw_plan(plan, call), call))
  }
  folder <- plan$settings$draws_dir %||% checkpoint$folder
  lock <- lock_folder(folder, call)
  on.exit(free_lock(folder, lock))
  header <- if (file.exists(file.path(folder, "header"))) {
    matching_header(plan, folder, call)
  } else {
    with_folder_errors(write_header(plan, folder, checkpoint$every), folder, call)
  }
  header$every <- checkpoint$every
  go_on(header, folder, lock, call)
}

draw_plan <- function(plan, call) {
  if (is.null(plan$settings$workers)) {
    return(sample_chains(plan, call))
  }
  draw_by_workers(plan_pool(plan), plan_starts(plan), NULL, call)
}

draw_with_log_by_workers <- function(log, starts, call) {
  draw_by_workers(log$pool, starts, log, call)
}

# Goes on with a checkpoint, from its begin or from where it was left, to the fit.
go_on <- function(header, folder, lock, call) {
  plan <- header$plan
  pool <- read_pool(folder, header, call)
  plan$record$started <- begin_of(header, pool)
  drawn <- if (is_finished(pool)) {
    pool_drawn(pool)
  } else {
    log <- new_log(folder, lock, header, pool)
    draw <- if (!is.null(plan$settings$workers)) {
      draw_with_log_by_workers
    } else if (!is.null(pool$filing)) {
      draw_into_files
    } else {
      draw_with_log
    }
    draw(log, plan_starts(plan), call)
  }
  finish_plan(plan, drawn, call)
}

# The checkpoint that is there must be of the same fit: the call is made again, and goes on.
matching_header <- function(plan, folder, call) {
  header <- read_header(folder, call)
  old <- plan_parts(header$plan)
  new <- plan_parts(plan)
  if (!is_seed_given(plan)) new$seed <- old$seed
  changed <- names(new)[!vapply(names(new), function(p) identical(old[[p]], new[[p]]), TRUE)]
  filed <- function(plan) !is.null(plan$settings$draws_dir)
  if (filed(header$plan) != filed(plan)) changed <- c(changed, "draws_dir")
  if (length(changed) > 0L || !identical(header$plan$before, plan$before)) {
    if (length(changed) == 0L) changed <- "draws to extend"
    what <- paste0("It is of another fit: ", paste(changed, collapse = ", "), " changed.")
    abort_checkpoint(folder, what, call)
  }
  header$plan$settings[run_settings] <- plan$settings[run_settings]
  seed <- header$plan$settings$seed
  inform_hmvn(
    c("Going on with the checkpoint {.path {folder}}.",
      i = if (!is_seed_given(plan)) "Its seed is {.val {seed}}."),
    "checkpoint", path = folder
  )
  header
}

# The lock, after a folder was made if there is none. A folder that holds anything else than a
# checkpoint is refused.
lock_folder <- function(folder, call) {
  if (file.exists(folder) && !dir.exists(folder)) {
    abort_checkpoint(folder, "It is a file.", call)
  }
  if (!dir.exists(folder)) {
    check_writable(dirname(folder), "checkpoint", call)
    dir.create(folder, showWarnings = FALSE)
  }
  check_writable(folder, "checkpoint", call)
  there <- list.files(folder, all.files = TRUE, no.. = TRUE)
  ours <- "^(header|progress|part-[0-9]{5,}|(draws|ends)-[-0-9]+|lock.*|.*[.]tmp|[.]hmvn-.*)$"
  strange <- there[!grepl(ours, there) & !is_extension_name(there)]
  if (length(strange) > 0L) {
    abort_checkpoint(folder, paste0("It holds other files, such as ", strange[[1L]], "."), call)
  }
  if (!"header" %in% there && any(grepl("^(part|draws|ends)-", there))) {
    abort_checkpoint(folder, "Its header is missing.", call)
  }
  lock <- with_folder_errors(take_lock(folder, call), folder, call)
  unlink(file.path(folder, grep("[.]tmp$", there, value = TRUE)))
  lock
}

# Plain errors of writing become ours.
with_folder_errors <- function(code, folder, call) {
  rlang::try_fetch(code, error = function(cnd) {
    if (inherits(cnd, "hmvn_error")) {
      return(rlang::zap())
    }
    abort_checkpoint(folder, paste0(conditionMessage(cnd), "."), call)
  })
}

# The arguments `checkpoint` and `checkpoint_every` -> list(folder, every), or NULL.
check_checkpoint <- function(folder, every, call) {
  every <- check_number(every, "checkpoint_every", 0, 86400, call = call)
  if (is.null(folder)) {
    return(NULL)
  }
  check_path(folder, "checkpoint", call)
  list(folder = normalizePath(folder, mustWork = FALSE), every = every)
}

check_one_checkpoint <- function(checkpoint, draws_dir, call) {
  if (!is.null(checkpoint) && !is.null(draws_dir)) {
    must <- "left out where draws of groups are in files: their folder is one"
    abort_argument("checkpoint", must, checkpoint, call)
  }
}
