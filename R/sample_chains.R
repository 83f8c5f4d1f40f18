# The only place that calls the sampler: what it needs goes in, arrays come out.

# internal -----------------------------------------------------------------

# Draws all chains of all sampling units. Returns list(draws, sampler, units, seconds), see ?hmvn_fit.
sample_chains <- function(statistics, model, control, call = NULL) {
  progress <- progress_reporter(control$progress)
  on.exit(progress$finish())
  rlang::try_fetch(
    sample_(statistics$patterns, length(statistics$labels), model_for_core(model), control, progress$report),
    error = function(cnd) {
      hint <- if (startsWith(conditionMessage(cnd), "direct sampling")) {
        "Use {.code algorithm = \"auto\"} or {.code algorithm = \"nuts\"}."
      } else {
        "Check the scale of the data against the prior, or try another {.arg init}."
      }
      abort_hmvn(
        c("The sampler could not go on.", x = conditionMessage(cnd), i = hint), "sampling", call = call
      )
    }
  )
}

# Pooling, priors and heterogeneities as plain vectors and matrices.
model_for_core <- function(model) {
  prior <- model$prior
  list(
    pooling = unname(model$pooling[c("mean", "sd", "cor")]),
    heterogeneity = do.call(rbind, prior$heterogeneity[c("mean", "sd", "cor")]),
    location = prior$mean$location,
    scale = prior$mean$scale,
    family = prior$sd$family,
    parameters = prior$sd$parameters,
    eta = prior$cor$eta
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
