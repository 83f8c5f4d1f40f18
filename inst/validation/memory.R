# Memory: does a session grow over many fits, and does it live on where memory cannot be had?
#
#   Rscript inst/validation/memory.R [part ...]                from the package's folder, on Linux
#
# Parts, both by default. growth: 1000 fits of all kinds by one process, each summarised, and
# its missing cells imputed; resident memory after each hundred, garbage collected. It must grow by
# less than 5 % from the first hundred to the last. failure: work of every kind by a process that
# may have no more memory than it has, or 8 or 32 MB more, so that allocation fails in R or in a
# thread; each must give its result or an error of class hmvn_error, live, and its next fit must be
# what it was before. Needs prlimit. Results: results/memory_*.txt beside this file.

parts <- commandArgs(TRUE)
if (length(parts) == 0) parts <- c("growth", "failure")

save_lines <- function(lines, part) {
  writeLines(lines)
  writeLines(lines, sprintf("inst/validation/results/memory_%s.txt", part))
}

# The lines that a process of its own writes. `before`: a command of the shell.
run_alone <- function(code, values, before = "") {
  file <- tempfile(fileext = ".R")
  on.exit(unlink(file))
  code <- do.call(substitute, list(code, values))
  writeLines(c(sprintf(".libPaths(%s)", deparse1(.libPaths())), deparse(code)), file)
  command <- paste(before, shQuote(file.path(R.home("bin"), "Rscript")), shQuote(file))
  suppressWarnings(system2("sh", c("-c", shQuote(command)), stdout = TRUE, stderr = FALSE))
}

# growth ------------------------------------------------------------------------------------------

growth <- quote({
  library(hmvn)
  quietly <- function(code) suppressWarnings(suppressMessages(code))
  set.seed(1)
  d <- data.frame(g = rep(1:12, each = 8), w = rnorm(96), matrix(rnorm(96 * 4), ncol = 4))
  gaps <- d
  gaps[3:6][matrix(runif(96 * 4) < 0.1, ncol = 4)] <- NA
  kinds <- expand.grid(
    pooling = c("none", "partial", "complete"), K = 1:4, missing = c(FALSE, TRUE),
    covariates = c(FALSE, TRUE), cores = 1:2, stringsAsFactors = FALSE
  )
  resident <- function() {
    gc()
    4096 * as.numeric(strsplit(readLines("/proc/self/statm"), " ")[[1]][2]) / 2^20
  }
  for (i in seq_len(n)) {
    kind <- as.list(kinds[(i - 1) %% nrow(kinds) + 1, ])
    fit <- quietly(fit_hmvn(
      if (kind$missing) gaps else d, "g", paste0("X", seq_len(kind$K)), kind$pooling,
      covariates = if (kind$covariates) "w", chains = 2, iter_warmup = 30, iter_sampling = 30,
      seed = i, cores = kind$cores, keep_data = TRUE
    ))
    quietly(summary(fit))
    if (kind$missing) quietly(posterior_impute(fit, ndraws = 2, seed = 1))
    if (i %% 100 == 0) cat("at", i, resident(), "\n")
  }
})

# Is it as it must be?
check_growth <- function(n = 1000) {
  at <- grep("^at ", run_alone(growth, list(n = n)), value = TRUE)
  resident <- as.numeric(do.call(rbind, strsplit(at, " "))[, 3])
  grown <- resident[length(resident)] / resident[1] - 1
  save_lines(c(
    sprintf("%d fits; resident MB after each hundred: %s", n, toString(round(resident))),
    sprintf("grown by %.1f %% from the first hundred to the last", 100 * grown)
  ), "growth")
  length(resident) == n %/% 100 && grown < 0.05
}

# failure -----------------------------------------------------------------------------------------

failure <- quote({
  library(hmvn)
  quietly <- function(code) suppressWarnings(suppressMessages(code))
  # Another process sets limits: one that is at its own cannot start any
  heard <- tempfile()
  set <- paste0("prlimit --pid ", Sys.getpid(), " --as=$limit:; touch ", heard)
  limits <- pipe(paste("while read limit; do", set, "; done"), "w")
  limit_to <- function(bytes) {
    unlink(heard)
    writeLines(if (is.finite(bytes)) sprintf("%.0f", bytes) else "unlimited", limits)
    flush(limits)
    while (!file.exists(heard)) Sys.sleep(0.01)
  }
  size_now <- function() {
    invisible(gc())
    4096 * as.numeric(strsplit(readLines("/proc/self/statm"), " ")[[1]][1])
  }
  set.seed(1)
  d <- data.frame(g = rep(1:3000, each = 4), x = rnorm(12000), y = rnorm(12000))
  few <- d[1:4000, ]
  gaps <- few
  gaps$x[seq(1, 4000, 3)] <- NA
  fit_to <- function(data, ...) {
    quietly(fit_hmvn(
      data, ~g, ~ x + y, ..., chains = 2, iter_warmup = 50, iter_sampling = 500, seed = 1
    ))
  }
  fit <- fit_to(few)
  of_gaps <- fit_to(gaps)
  small <- function() fit_to(d[1:40, ], pooling = "partial", cores = 2)$draws
  before <- small()
  wide <- data.frame(
    g = rep(1:500, 40), matrix(ifelse(runif(4e5) < 0.3, NA, rnorm(4e5)), ncol = 20)
  )
  some <- as.character(1:60)
  works <- list(
    none = function() fit_to(d, cores = 2),
    partial = function() fit_to(few, pooling = "partial", max_treedepth = 3, cores = 2),
    complete = function() fit_to(d, pooling = "complete"),
    missing = function() fit_to(gaps, max_treedepth = 3),
    statistics = function() hmvn_statistics(wide, ~g),
    summary = function() summary(fit),
    draws = function() as_draws_df(fit),
    covariances = function() group_cov(fit),
    log_lik = function() log_lik(fit, cores = 2),
    loo = function() loo::loo(fit),
    compare = function() compare_groups(fit, group = some),
    distance = function() group_distance(fit, group = some),
    closest = function() closest_groups(fit, group = some),
    predict = function() posterior_predict(fit, seed = 1),
    means = function() posterior_epred(fit),
    group = function() predict(fit, few[1:500, ], type = "group"),
    impute = function() posterior_impute(of_gaps, seed = 1),
    unconstrain = function() unconstrain_pars(fit)
  )
  # nor packages to be loaded, nor R's stack to grow, where they cannot
  quietly(loo::loo(fit_to(d[1:40, ])))
  deep <- function(n) if (n > 0) 1 + deep(n - 1) else 0
  deep(300)
  for (name in names(works)) for (extra in c(0, 8, 32)) {
    limit_to(size_now() + extra * 2^20)
    said <- tryCatch(
      {
        quietly(works[[name]]())
        "result"
      },
      error = function(e) {
        if (inherits(e, "hmvn_error")) class(e)[[1]] else paste(class(e)[[1]], conditionMessage(e))
      }
    )
    limit_to(Inf)
    same <- tryCatch(identical(before, small()), error = conditionMessage)
    cat("work", name, extra, gsub("[ \n]", "_", said), gsub("[ \n]", "_", same), "\n")
  }
  cat("all works\n")
})

check_failure <- function() {
  # with one arena only: what is free in another would be memory beyond the limit
  lines <- run_alone(failure, list(), "MALLOC_ARENA_MAX=1")
  said <- do.call(rbind, strsplit(grep("^work ", lines, value = TRUE), " "))[, 2:5]
  result <- said[, 3] == "result"
  ours <- startsWith(said[, 3], "hmvn_error")
  fine <- (result | ours) & said[, 4] == "TRUE"
  all <- grepl("^all works", utils::tail(lines, 1))
  save_lines(c(
    sprintf("%d tries: %d results, %d errors of ours, %d otherwise; next fit the same after %d",
      nrow(said), sum(result), sum(ours), sum(!result & !ours), sum(said[, 4] == "TRUE")),
    if (all) "the session lived" else "the session died",
    sprintf("%-12s +%2s MB: %s, next fit the same: %s", said[, 1], said[, 2], said[, 3], said[, 4])
  ), "failure")
  all && all(fine)
}

checks <- list(growth = check_growth, failure = check_failure)
quit(status = !all(vapply(parts, function(part) checks[[part]](), NA)))
