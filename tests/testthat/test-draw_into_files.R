# Runs that leave draws in files: stopped and gone on with, by workers, in bounded memory.

test_that("a run that was stopped goes on to the same draws, and a partial fit has the first", {
  set.seed(4)
  data <- data.frame(g = rep(1:80, each = 8), x = rnorm(640), y = rnorm(640))
  for (pooling in c("none", "partial")) {
    args <- list(data, ~g, ~ x + y, pooling, iter_warmup = 30, iter_sampling = 40, chains = 2)
    whole <- quietly(do.call(short_fit, args))
    folder <- tempfile("draws-")
    calls <- 0
    stopping <- function(run, seconds, progress, call) {
      calls <<- calls + 1
      if (calls == 2) stop("power cut")
      advance_run_(run$core, 1L, Inf, 45L, progress$report)
    }
    filed <- function() do.call(short_fit, c(args, draws_dir = folder))
    expect_error(quietly(with_replaced("advance_run", stopping, filed())), "power cut")
    if (pooling == "partial") {
      partial <- suppressWarnings(quietly(partial_hmvn(folder)))
      n <- dim(partial$draws$lp)[[1L]]
      expect_lt(n, 40)
      first <- quantity(whole, "Sigma")[seq_len(n), , , , , drop = FALSE]
      expect_identical(quantity(partial, "Sigma"), first)
    }
    fit <- suppressWarnings(quietly(resume_hmvn(folder)))
    expect_identical(quantity(fit, "Sigma"), quantity(whole, "Sigma"))
    expect_identical(quantity(fit, "mu"), quantity(whole, "mu"))
  }
})

test_that("workers write files themselves", {
  skip_if_not_installed("future")
  skip_on_cran()
  set.seed(4)
  data <- data.frame(g = rep(1:80, each = 8), x = rnorm(640), y = rnorm(640))
  whole <- quietly(short_fit(data, ~g, ~ x + y))
  folder <- tempfile("draws-")
  fit <- quietly(short_fit(data, ~g, ~ x + y, workers = 2, draws_dir = folder))
  expect_identical(quantity(fit, "Sigma"), quantity(whole, "Sigma"))
  # parts came back without draws of groups
  part <- read_sealed(part_path(folder, 1L), NULL)
  expect_null(part$pieces[[1L]]$draws[[1L]]$arrays$mean)
  elsewhere <- list(list(files = list(c(900L, 901L, 1L, 1L, 1L, 9L))), list(ends = list(99:101)))
  for (piece in elsewhere) {
    expect_error(
      check_arrived(piece, list(folder = folder), NULL), "share", class = "hmvn_error_draws_dir"
    )
  }
})

test_that("a folder that cannot be written to stops the run and keeps what is there", {
  full <- function(...) stop("the disk is full")
  folder <- tempfile("draws-")
  run <- function() short_fit(iris, ~Species, draws_dir = folder)
  error <- expect_error(
    quietly(with_replaced("write_records", full, run())), "disk is full",
    class = "hmvn_error_draws_dir"
  )
  fit <- quietly(run())
  expect_identical(quantity(fit, "mu"), quantity(quietly(short_fit(iris, ~Species)), "mu"))
})

test_that("jobs are drawn a few at a time", {
  pool <- list(
    filing = list(n_groups = 1e5, sizes = c(mean = 4, chol = 10)), n_kept = 1000,
    problem = list(control = list(cores = 2)), ranges = job_table(
      list(n_units = 1e5, control = list(chains = 4L))
    )
  )
  # 97 slices of 1031 groups x 14 numbers x 4000 draws x 8 bytes
  expect_identical(jobs_at_once(pool), 2)
  pool$n_kept <- 10
  expect_identical(jobs_at_once(pool), floor(2^26 / (8 * 40 * 1e5 / 97 * 14)))
})
