# Processes that are killed while they sample.

skip_on_cran()
skip_on_os("windows")
skip_if_not_installed("processx")

# What the processes run: see kill_runs.R, which the long check has in common with this.
source(system.file("validation", "kill_runs.R", package = "hmvn"), local = TRUE)

test_that("killed at random moments, a run is gone on with to the draws of the whole", {
  set.seed(11)
  for (kind in c("partial", "nuts")) {
    result <- kill_and_resume(kind, kills = 2, scale = 20)
    expect_true(result$identical, label = kind)
    expect_gt(result$killed, 0)
  }
})

test_that("an interrupt writes what there is, and gives the lock back", {
  folder <- tempfile("interrupted-")
  process <- start_run("partial", folder, 20)
  wait_for_parts(process, folder, 1)
  process$interrupt()
  process$wait()
  expect_false(file.exists(file.path(folder, "lock")))
  expect_identical(hmvn_progress(folder)$status, "stopped")
  fit <- suppressMessages(suppressWarnings(resume_hmvn(folder)))
  expect_true(same_fit(fit, uninterrupted("partial", 20)))
})

test_that("of two processes on one checkpoint the second is refused", {
  expect_true(second_is_refused())
})
