# The only place that calls the sampler: what it needs goes in, arrays come out.

# internal -----------------------------------------------------------------

# Draws all chains of all sampling units. Returns list(draws, sampler, units, seconds), see
# ?hmvn_fit; seconds: a matrix [chain, c("warmup", "sampling")].
sample_chains <- function(statistics, model, settings, call = NULL) {
  progress <- progress_reporter(settings$progress)
  on.exit(progress$finish())
  n_groups <- length(statistics$labels)
  sampled <- with_core_errors(
    sample_(statistics$patterns, n_groups, as_core(model), settings, progress$report),
    # where the core gives no reason by name, one that was asked for by name is the likely one
    topic = if (settings$algorithm == "direct") "direct_not_applicable",
    call = call
  )
  dimnames(sampled$seconds) <- list(NULL, c("warmup", "sampling"))
  sampled
}

# Evaluates `code`, and signals what the core throws as ours. An error of the core has the class
# hmvn_core_error and its reason as the field `topic`; `topic` here is that of other errors.
with_core_errors <- function(code, topic, call) {
  rlang::try_fetch(code, error = function(cnd) {
    if (inherits(cnd, "hmvn_core_error")) topic <- cnd$topic
    abort_sampling(conditionMessage(cnd), topic, call)
  })
}

# What to do, by the reason for which the core gives up (its topic).
sampling_hints <- c(
  direct_not_applicable = "Use {.code algorithm = \"auto\"} or {.code algorithm = \"nuts\"}.",
  no_start = "Check the scale of the data against the prior, or try another {.arg init}.",
  no_step_size = "Check the scale of the data against the prior, or try another {.arg init}.",
  numerical = "Check the scale of the data against the prior."
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
