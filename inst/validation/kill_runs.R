# Processes that sample with a checkpoint and are killed: used by kill_resume.R and by the tests.

# Kinds of runs: expressions that are evaluated in a process of its own, with `folder` (NULL:
# without a checkpoint) and `scale`, by which a run is longer.
kill_kinds <- list(
  nuts = quote(fit_hmvn(
    iris, ~Species, algorithm = "nuts", chains = 2, iter_warmup = 300, iter_sampling = 300 * scale,
    seed = 1, progress = FALSE, checkpoint = folder, checkpoint_every = 0.1
  )),
  exact = quote(fit_hmvn(
    iris, ~Species, chains = 2, iter_sampling = 20000 * scale, thin = 10, seed = 1,
    progress = FALSE, checkpoint = folder, checkpoint_every = 0.1
  )),
  partial = quote(fit_hmvn(
    iris, ~Species, pooling = "partial", chains = 3, iter_warmup = 300,
    iter_sampling = 300 * scale, seed = 1, progress = FALSE, checkpoint = folder,
    checkpoint_every = 0.1
  )),
  workers = quote(fit_hmvn(
    iris, ~Species, pooling = "partial", chains = 3, iter_warmup = 300,
    iter_sampling = 300 * scale, seed = 1, progress = FALSE, checkpoint = folder,
    checkpoint_every = 0.1, workers = 2
  )),
  files = quote(fit_hmvn(
    iris, ~Species, algorithm = "nuts", chains = 2, iter_warmup = 300, iter_sampling = 300 * scale,
    seed = 1, progress = FALSE, draws_dir = folder, checkpoint_every = 0.1
  )),
  extension = quote(extend(
    fit_hmvn(
      iris, ~Species, pooling = "partial", chains = 2, iter_warmup = 300, iter_sampling = 100,
      seed = 1, progress = FALSE, draws_dir = folder
    ),
    300 * scale, progress = FALSE, checkpoint_every = 0.1
  ))
)

# The checkpoint of a run that is given `folder`.
checkpoint_of <- function(kind, folder, scale) {
  if (kind == "extension") file.path(folder, paste0("to-", 300 * scale)) else folder
}

# A process that runs the kind: `more` are lines that are run afterwards.
start_run <- function(kind, folder, scale, more = character()) {
  code <- c(
    paste0(".libPaths(", deparse1(.libPaths()), ")"), "library(hmvn)",
    paste("folder <-", deparse1(folder)), paste("scale <-", scale),
    paste("fit <- suppressMessages(suppressWarnings(", deparse1(kill_kinds[[kind]]), "))"), more
  )
  script <- tempfile(fileext = ".R")
  writeLines(code, script)
  getExportedValue("processx", "process")$new(
    file.path(R.home("bin"), "Rscript"), script, stdout = NULL, stderr = NULL, cleanup_tree = TRUE
  )
}

# Waits until the checkpoint has so many parts, or the process has come to its end.
wait_for_parts <- function(process, folder, parts) {
  while (process$is_alive() && length(list.files(folder, "^part-[0-9]+$")) < parts) {
    Sys.sleep(0.01)
  }
}

uninterrupted <- function(kind, scale) {
  folder <- NULL
  suppressMessages(suppressWarnings(eval(kill_kinds[[kind]])))
}

same_fit <- function(one, other) {
  parts <- c("sampler", "units", "warnings")
  identical(unclass(one)[parts], unclass(other)[parts]) && identical(draws_of(one), draws_of(other))
}

draws_of <- function(fit) {
  lapply(fit$draws, function(x) {
    is_filed <- inherits(x, "hmvn_filed_draws")
    if (is_filed) hmvn:::read_filed(x, seq_along(fit$statistics$labels)) else x
  })
}

# Kills the run as often as said, each time at a random moment after something new was written, goes
# on with it in another process, and lets the last come to its end here. Returns list(killed (how
# often it was still alive), parts, identical).
kill_and_resume <- function(kind, kills, scale, whole = uninterrupted(kind, scale)) {
  given <- tempfile("killed-")
  on.exit(unlink(given, recursive = TRUE))
  folder <- checkpoint_of(kind, given, scale)
  killed <- 0
  for (i in seq_len(kills)) {
    process <- start_run(kind, given, scale)
    wait_for_parts(process, folder, length(list.files(folder, "^part-[0-9]+$")) + 1)
    Sys.sleep(stats::runif(1, 0, 0.3))
    killed <- killed + process$is_alive()
    # the process itself: its workers notice by themselves
    process$signal(9L)
    process$wait()
  }
  fit <- suppressMessages(suppressWarnings(hmvn::resume_hmvn(folder, progress = FALSE)))
  list(
    killed = killed, parts = length(list.files(folder, "^part-[0-9]+$")),
    identical = same_fit(fit, whole)
  )
}

# Is a second process on a checkpoint refused while the first is alive?
second_is_refused <- function() {
  folder <- tempfile("two-")
  process <- start_run("partial", folder, 1, "Sys.sleep(60)")
  on.exit({
    process$kill()
    unlink(folder, recursive = TRUE)
  })
  wait_for_parts(process, folder, 1)
  outcome <- tryCatch(
    suppressMessages(suppressWarnings(hmvn::resume_hmvn(folder))), hmvn_error_locked = identity
  )
  inherits(outcome, "hmvn_error_locked") && outcome$pid == as.character(process$get_pid())
}
