# A task: consecutive jobs of a fit from where they stand, in a form that can be sent anywhere.

# internal -----------------------------------------------------------------

# `starts`: where all jobs of the fit started, see open_run_(). What is known of the jobs' slices
# and units goes with them, as sums go on from there; and who made it, as another version may draw
# otherwise.
new_task <- function(pool, starts, jobs) {
  ranges <- pool$ranges[jobs, , drop = FALSE]
  first <- ranges[1L, ]
  last <- ranges[length(jobs), ]
  box <- list(
    unit = first[["first_unit"]] - 1L, chain = first[["first_chain"]] - 1L,
    slice = first[["slice"]] - 1L, n_units = last[["last_unit"]] - first[["first_unit"]] + 1L
  )
  list(
    problem = problem_of_units(pool$problem, seq(first[["first_unit"]], last[["last_unit"]])),
    share = new_share(pool$problem, jobs[[1L]] - 1L, jobs[[length(jobs)]]),
    starts = list(
      iterations = starts$iterations, states = ends_of_jobs(starts$states, jobs),
      cell = pool$places$cell[jobs], iteration = pool$places$iteration[jobs],
      current = pool$current[jobs]
    ),
    jobs = jobs, ranges = ranges, places = pool$places[jobs, ], box = box,
    known = if (!is.null(pool$draws)) known_in_box(pool, box, last),
    n_kept = pool$n_kept, before = pool$before, filing = pool$filing, maker = state_maker()
  )
}

# Which of the `jobs` that are left go together, at most `each`: a list. The jobs of a task are
# consecutive and a rectangle of units and chains: where chains are jobs of their own, these are
# whole units, or chains of one.
cut_jobs <- function(pool, each, jobs = seq_len(nrow(pool$ranges))) {
  left <- jobs[pool$places$cell[jobs] < pool$cells[jobs]]
  if (length(left) == 0L) {
    return(list())
  }
  slice <- pool$ranges[left, "slice"]
  jobs_of_slice <- sum(pool$ranges[, "slice"] == 1L)
  slices <- each %/% jobs_of_slice
  is_whole <- tabulate(slice)[slice] == jobs_of_slice
  within <- (left - 1L) %% jobs_of_slice
  part <- ifelse(
    is_whole & slices > 0L, paste("slices", (slice - 1L) %/% max(slices, 1L)),
    paste("slice", slice, within %/% each)
  )
  n <- length(left)
  unname(split(left, cumsum(c(TRUE, diff(left) != 1L | part[-1L] != part[-n]))))
}

# How many jobs are drawn together: where draws are left in files, as many as have 64 MB, and no
# fewer than there are threads.
jobs_at_once <- function(pool) {
  if (is.null(pool$filing)) {
    return(nrow(pool$ranges))
  }
  groups <- pool$filing$n_groups / max(pool$ranges[, "slice"])
  chains <- pool$ranges[1L, "last_chain"] - pool$ranges[1L, "first_chain"] + 1
  bytes <- 8 * pool$n_kept * chains * groups * sum(pool$filing$sizes)
  max(pool$problem$control$cores, floor(2^26 / max(bytes, 1)))
}

# The statistics of some units; `n_units` stays that of all.
problem_of_units <- function(problem, units) {
  if (problem$n_units == 1L || length(units) == problem$n_units) {
    return(problem)
  }
  chosen <- which(problem$patterns$group %in% units)
  problem$patterns <- pick_patterns(problem$patterns, chosen)
  problem$patterns$group <- match(problem$patterns$group, units)
  problem$n_groups <- length(units)
  problem
}

known_in_box <- function(pool, box, last) {
  units <- seq(box$unit + 1L, last[["last_unit"]])
  chains <- seq(box$chain + 1L, last[["last_chain"]])
  slices <- seq(box$slice + 1L, last[["slice"]])
  list(
    facts = lapply(pool$facts, function(x) x[, chains, slices, drop = FALSE]),
    reports = lapply(pool$reports, function(x) {
      x <- x[units, chains, drop = FALSE]
      if (is.integer(x)) x[is.na(x)] <- 0L  # not drawn yet: an enumerator that there is
      x
    })
  )
}

# A run, and what pieces of it are cut by
open_task <- function(task, call) {
  run <- open_run(task$problem, task$share, task$starts, call)
  if (!is.null(task$known)) restore_run_(run$core, task$known$facts, task$known$reports)
  c(run, task[c("jobs", "ranges", "box", "n_kept", "filing")], list(
    kept_at = function(iteration) kept_at(iteration, task$problem, task$before)
  ))
}

# What a worker does: its pieces, drawn in so many seconds.
do_task <- function(task, seconds) {
  check_state_maker(task$maker, NULL, "Install the {.pkg hmvn} of this session where workers run.")
  run <- open_task(task, NULL)
  advance_run(run, seconds, progress_reporter(FALSE, 0), NULL)
  cut_pieces(run, task$places, take_states_(run$core))
}
