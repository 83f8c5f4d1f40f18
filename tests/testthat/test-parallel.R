# Threads, time limits, forks: what the session around a fit may do.

d <- data.frame(g = rep(1:60, each = 5), x = sin(1:300), y = cos((1:300)^2))
draws <- function(...) short_fit(d, ~g, ~ x + y, pooling = "partial", ...)$draws

test_that("any number of cores is a number of threads that can be had", {
  one <- draws()
  expect_identical(draws(cores = 2), one)
  expect_identical(draws(cores = 1e6), one)
  fit <- fake_fit(G = 3)
  expect_identical(summary(fit, cores = 1e6), summary(fit))
  expect_identical(hmvn_statistics(d, ~g, ~ x + y, cores = 1e6), hmvn_statistics(d, ~g, ~ x + y))
  for (bad in list(0, -1, 1.5, NA, "a", NULL, 1:2, 2^31, mean)) {
    expect_error(summary(fit, cores = bad), "cores", class = "hmvn_error_argument")
    expect_error(hmvn_statistics(d, ~g, cores = bad), "cores", class = "hmvn_error_argument")
  }
})

test_that("a time limit is R's own error, heard soon, and the next fit is right", {
  one <- draws()
  # Ends by itself where the limit is not heard
  limited <- function(do) {
    on.exit(setTimeLimit())
    started <- proc.time()[["elapsed"]]
    setTimeLimit(elapsed = 0.5, transient = TRUE)
    error <- tryCatch(
      while (proc.time()[["elapsed"]] - started < 10) do(),
      error = identity, interrupt = function(e) "an interrupt"
    )
    setTimeLimit()
    expect_s3_class(error, "simpleError")
    expect_match(conditionMessage(error), "time limit")
    expect_lt(proc.time()[["elapsed"]] - started, 3)
  }
  # half a gigabyte of draws less, whose pages a machine in use may take seconds to give
  long_fit <- function(...) {
    short_fit(d, ~g, ~ x + y, "partial", iter_sampling = 1e5, keep = character(), ...)
  }
  limited(function() long_fit(algorithm = "nuts"))
  limited(function() long_fit(cores = 2))
  missing <- data.frame(g = 1, x = rep(c(NA, 1, 2, 3), 2500), y = sin(1:10000))
  fit <- short_fit(missing, ~g, ~ x + y)
  limited(function() posterior_impute(fit, seed = 1))
  limited(function() summary(fit))
  # Nothing here that is told: rlang reads a file for a message, in a try() that hides the limit
  limited(function() hmvn_statistics(missing, ~g, ~ x + y))
  expect_identical(draws(), one)
})

test_that("preparing many groups is left as soon as sampling them", {
  skip_on_cran()
  i <- 1:60000
  many <- hmvn_statistics(data.frame(g = rep(1:15000, each = 4), x = sin(i), y = cos(i^2)), ~g)
  shared <- c(sd = "complete", cor = "complete")
  for (pooling in list("partial", shared)) {
    setTimeLimit(elapsed = 1, transient = TRUE)
    started <- proc.time()[["elapsed"]]
    error <- tryCatch(
      short_fit(many, pooling = pooling, keep = character(), iter_sampling = 1e4), error = identity
    )
    setTimeLimit()
    expect_match(conditionMessage(error), "time limit")
    expect_lt(proc.time()[["elapsed"]] - started, 3)
  }
})

test_that("an error while progress is reported stops the jobs and is the one that is seen", {
  report <- function(done) stop("the report failed")
  reporter <- function(show, due) list(report = report, finish = function() NULL)
  with_replaced("progress_reporter", reporter, {
    expect_error(draws(iter_sampling = 1e5), "the report failed")
  })
})

test_that("forked processes draw the same, also after threads were used", {
  skip_on_cran()
  skip_on_os("windows")
  one <- draws(cores = 2)
  forked <- parallel::mclapply(1:4, function(i) draws(cores = i), mc.cores = 2)
  for (found in forked) expect_identical(found, one)
  expect_identical(draws(cores = 2), one)
  # a lock of TBB's may have been held when the process was forked: its threads are not used there
  skip_if_not(dir.exists("/proc/self/task"))
  threads <- parallel::mclapply(1:2, function(i) {
    draws(cores = 2)
    length(list.files("/proc/self/task"))
  }, mc.cores = 2)
  expect_identical(threads, list(1L, 1L))
})

test_that("futures in processes of their own draw the same", {
  skip_on_cran()
  skip_on_os("windows")
  skip_if_not_installed("future")
  one <- draws(cores = 2)
  old <- future::plan(future::multicore, workers = 2)
  on.exit(future::plan(old))
  futures <- lapply(1:3, function(i) future::future(draws(cores = i), seed = NULL))
  for (found in lapply(futures, future::value)) expect_identical(found, one)
  expect_identical(draws(cores = 2), one)
})

test_that("two processes at once, and RcppParallel's own options, change nothing", {
  skip_on_cran()
  one <- sum(unlist(draws()))
  old <- Sys.getenv(c("RCPP_PARALLEL_NUM_THREADS", "RCPP_PARALLEL_STACK_SIZE"), NA)
  for (threads in 1:3) {
    RcppParallel::setThreadOptions(numThreads = threads)
    expect_identical(sum(unlist(draws(cores = 2))), one)
  }
  for (name in names(old)) {
    if (is.na(old[[name]])) Sys.unsetenv(name) else do.call(Sys.setenv, as.list(old[name]))
  }
  code <- quote({
    library(hmvn)
    d <- data.frame(g = rep(1:60, each = 5), x = sin(1:300), y = cos((1:300)^2))
    fit <- suppressWarnings(suppressMessages(fit_hmvn(
      d, ~g, ~ x + y, "partial", chains = 2, iter_warmup = 100, iter_sampling = 50, seed = 1,
      cores = 2
    )))
    cat(format(sum(unlist(fit$draws)), digits = 17))
  })
  skip_on_os("windows")
  both <- parallel::mclapply(1:2, function(i) run_r(code), mc.cores = 2)
  for (found in both) expect_equal(as.numeric(utils::tail(found, 1)), one, tolerance = 1e-12)
})
