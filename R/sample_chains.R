# From what is to be sampled to draws: a run of the core is opened, advanced and read.

# internal -----------------------------------------------------------------

# Draws all chains of all sampling units: see draw_share(). `plan`: see new_plan().
sample_chains <- function(plan, call) {
  problem <- plan_problem(plan)
  draw_share(problem, whole_share(problem), plan_starts(plan), call)
}

plan_problem <- function(plan) new_problem(plan$statistics, plan$model, plan$settings)

# Where chains of a plan start, see open_run_()
plan_starts <- function(plan) {
  before <- plan$before
  if (is.null(before)) {
    return(from_nothing())
  }
  from_states(plan$settings$iter_warmup + before$iterations, before$states$ends)
}

# What the core is told: lists and numbers only, so that it can be sent anywhere.
new_problem <- function(statistics, model, settings) {
  core <- as_core(model)
  n_groups <- length(statistics$labels)
  list(
    patterns = core_patterns(statistics), n_groups = n_groups, model = core,
    control = c(settings, list(max_bytes = machine_bytes())),
    n_units = count_units_(core, n_groups)
  )
}

# Jobs `first` to `end`, from 0 and without the last, of those that sampling is divided into:
# job_ranges_(n_units, n_chains).
new_share <- function(problem, first, end) {
  list(n_units = problem$n_units, n_chains = problem$control$chains, first = first, end = end)
}

whole_share <- function(problem) {
  new_share(problem, 0L, nrow(job_ranges_(problem$n_units, problem$control$chains)))
}

# Where jobs start: see open_run_().
from_nothing <- function() from_states(0L, list())
from_states <- function(iterations, states) {
  list(
    iterations = iterations, states = states, cell = integer(), iteration = integer(),
    current = list()
  )
}

# Samples the jobs of a share to their end: list(draws, facts, reports, states), see read_run_();
# states: a raw vector a job, empty where they are not kept.
draw_share <- function(problem, share, starts, call) {
  run <- open_run(problem, share, starts, call)
  progress <- progress_reporter(problem$control$progress, run$due)
  on.exit(progress$finish())
  advance_run(run, Inf, progress, call)
  c(read_run_(run$core), list(states = take_states_(run$core)$finished))
}

# A run and what must be known to advance it
open_run <- function(problem, share, starts, call) {
  control <- problem$control
  core <- with_sampling_errors(open_run_(problem, share, starts), control, call)
  list(core = core, control = control, due = iterations_due(problem, share, starts))
}

# Returns whether the run has come to its end.
advance_run <- function(run, seconds, progress, call) {
  control <- run$control
  most <- .Machine$integer.max
  with_sampling_errors(
    advance_run_(run$core, control$cores, seconds, most, progress$report), control, call
  )
}

# Iterations of all cells that are still to be done
iterations_due <- function(problem, share, starts) {
  cells <- apply(job_table(problem)[seq(share$first + 1, share$end), , drop = FALSE], 1L, n_cells)
  first <- list(cell = 0L, iteration = starts$iterations)
  places <- if (length(starts$cell) == 0L) first else starts
  iterations_left(cells, places, starts$iterations, problem$control)
}

# What a share gave, of all jobs, in the user's terms. Sums over units go over slices in order: to
# the last bit they do not depend on who drew what.
finish_draws <- function(drawn, problem) {
  facts <- drawn$facts
  reports <- drawn$reports
  total <- function(x) sum_slices(x, `+`)
  average <- function(x) total(x / problem$n_units)
  lp <- total(facts$log_likelihood + facts$lprior)
  lprior <- total(facts$lprior)
  as_draws <- function(x) array(x, c(dim(x), 1L))
  list(
    draws = c(drawn$draws, list(lp = as_draws(lp), lprior = as_draws(lprior))),
    sampler = list(
      accept_stat = average(facts$accept_stat), stepsize = average(facts$stepsize),
      treedepth = sum_slices(facts$treedepth, pmax), n_leapfrog = total(facts$n_leapfrog),
      divergent = total(facts$divergent), energy = total(facts$energy)
    ),
    units = list(
      n = problem$n_units, algorithm = algorithm_names_()[reports$algorithm[, 1L] + 1L],
      iter_warmup = reports$iter_warmup, divergent = reports$divergent,
      max_treedepth = reports$max_treedepth, ebfmi = reports$ebfmi
    ),
    seconds = cbind(warmup = colSums(reports$warmup), sampling = colSums(reports$sampling)),
    states = if (problem$control$keep_state) new_states(drawn$states)
  )
}

# `x`: [iteration, chain, slice]; a matrix without the slices.
sum_slices <- function(x, combine) {
  size <- dim(x)
  out <- matrix(0, size[[1L]], size[[2L]])
  for (slice in seq_len(size[[3L]])) out[] <- combine(out, x[, , slice])
  out
}

# Evaluates `code`, a call of the sampler, and says in our words why it could not go on. Where the
# core gives no reason by name, one that was asked for by name is the likely one.
with_sampling_errors <- function(code, control, call) {
  topic <- if (control$algorithm == "direct") "direct_not_applicable"
  with_memory_errors(with_core_errors(code, topic = topic, call = call), "Draws", call)
}

# Evaluates `code`, and signals what the core throws as ours. An error of the core has the class
# hmvn_core_error and its reason as the field `topic`; `topic` here is that of other errors of C++.
# Errors of R, such as that a time limit is over, are not ours.
with_core_errors <- function(code, topic, call) {
  rlang::try_fetch(code, error = function(cnd) {
    if (inherits(cnd, "hmvn_core_error")) {
      topic <- cnd$topic
    } else if (!inherits(cnd, "C++Error") || is_memory_error(cnd)) {
      return(rlang::zap())
    }
    if (identical(topic, "state")) abort_state(conditionMessage(cnd), call)
    abort_sampling(conditionMessage(cnd), topic, call)
  })
}

# What to do, by the reason for which the core gives up (its topic).
sampling_hints <- c(
  direct_not_applicable = "Use {.code algorithm = \"auto\"} or {.code algorithm = \"nuts\"}.",
  no_start = "Check the scale of the data against the prior, or try another {.arg init}.",
  no_step_size = "Check the scale of the data against the prior, or try another {.arg init}.",
  numerical = "Check the scale of the data against the prior.",
  size = "Name fewer {.arg features}."
)

# `problem`: a finished text; `topic`: a name of sampling_hints, or NULL.
abort_sampling <- function(problem, topic, call) {
  known <- topic %in% names(sampling_hints)
  abort_hmvn(
    c(
      "The sampler could not go on.",
      x = "{problem}",
      i = sampling_hints[[if (isTRUE(known)) topic else "no_start"]]
    ),
    "sampling", topic = topic, call = call
  )
}

# A cli progress bar that the sampler's main thread moves; cli itself shows none in a log file. An
# interrupt within cli would leave it halfway through a line: it waits until cli has done.
progress_reporter <- function(show, due) {
  if (!isTRUE(show)) {
    return(list(report = function(done) NULL, finish = function() NULL))
  }
  force(due) # what is left gets less
  bar <- NULL
  list(
    report = function(done) {
      suspendInterrupts({
        if (is.null(bar)) {
          # finish() ends it: more than one report may say that all is done
          bar <<- cli::cli_progress_bar(
            "Sampling", total = due, auto_terminate = FALSE, .auto_close = FALSE
          )
        }
        cli::cli_progress_update(set = done, id = bar)
      })
    },
    finish = function() if (!is.null(bar)) suspendInterrupts(cli::cli_progress_done(id = bar))
  )
}
