# The only place that calls the sampler: what it needs goes in, arrays come out.

# internal -----------------------------------------------------------------

# Draws all chains of all sampling units. Returns list(draws, sampler, units, seconds), see
# ?hmvn_fit; seconds: a matrix [chain, c("warmup", "sampling")].
sample_chains <- function(statistics, model, settings, call = NULL) {
  progress <- progress_reporter(settings$progress)
  on.exit(progress$finish())
  n_groups <- length(statistics$labels)
  limits <- list(max_bytes = machine_bytes())
  sampled <- with_memory_errors(
    with_core_errors(
      sample_(
        core_patterns(statistics), n_groups, as_core(model), c(settings, limits), progress$report
      ),
      # where the core gives no reason by name, one that was asked for by name is the likely one
      topic = if (settings$algorithm == "direct") "direct_not_applicable",
      call = call
    ),
    "Draws", call
  )
  dimnames(sampled$seconds) <- list(NULL, c("warmup", "sampling"))
  sampled
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

# A cli progress bar that the sampler's main thread moves; cli itself shows none in a log file.
progress_reporter <- function(show) {
  if (!isTRUE(show)) {
    return(list(report = function(done, due) NULL, finish = function() NULL))
  }
  bar <- NULL
  list(
    report = function(done, due) {
      if (is.null(bar)) {
        bar <<- cli::cli_progress_bar("Sampling", total = due, .auto_close = FALSE)
      }
      cli::cli_progress_update(set = done, id = bar)
    },
    finish = function() if (!is.null(bar)) cli::cli_progress_done(id = bar)
  )
}
