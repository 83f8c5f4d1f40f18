# A run that is stopped at any moment is gone on with to the same draws.

holes <- iris_with_holes()
many <- many_small_groups()
run_kinds <- list(
  nuts = list(data = holes, group = ~Species, algorithm = "nuts"),
  exact = list(data = iris, group = ~Species),
  partial = list(data = holes, group = ~Species, pooling = "partial"),
  many = list(data = many, group = ~g)
)
new_folder <- function() tempfile("checkpoint-")
fit_kind <- function(kind, ..., iter_sampling = 60) {
  rlang::inject(short_fit(!!!run_kinds[[kind]], thin = 2, iter_sampling = iter_sampling, ...))
}
silently <- function(code) suppressWarnings(suppressMessages(code))

# A copy of a checkpoint with the first parts only: as if the process had been killed after them.
cut_after <- function(folder, parts) {
  copy <- new_folder()
  dir.create(copy)
  files <- c("header", part_files(folder)[seq_len(parts)])
  file.copy(file.path(folder, files), copy)
  copy
}

test_that("a checkpoint changes no draw, and what it holds is the fit", {
  for (kind in names(run_kinds)) {
    folder <- new_folder()
    fit <- fit_kind(kind, checkpoint = folder, checkpoint_every = 0)
    expect_same_outcome(fit, fit_kind(kind))
    expect_gt(length(part_files(folder)), 0)
    expect_same_outcome(silently(resume_hmvn(folder)), fit)
    expect_false(file.exists(file.path(folder, "lock")))
    # the call made again reads it
    expect_same_outcome(fit_kind(kind, checkpoint = folder), fit)
    # and it can be extended
    expect_same_outcome(
      silently(extend(resume_hmvn(folder), iter_sampling = 80)), fit_kind(kind, iter_sampling = 80)
    )
  }
})

# Runs the kind by so many iterations of every job at a time, and then stops it as an error would.
stop_early <- function(kind, folder, iterations) {
  n <- 0
  advance <- function(run, seconds, progress, call) {
    n <<- n + 1
    if (n > length(iterations)) stop("stopped")
    advance_run_(run$core, 1L, Inf, iterations[[n]], progress$report)
  }
  expect_error(
    with_replaced("advance_run", advance, fit_kind(kind, checkpoint = folder)), "stopped"
  )
}

test_that("left at any place it is gone on with, by other cores too, and again", {
  set.seed(8)
  for (kind in names(run_kinds)) {
    whole <- fit_kind(kind)
    folder <- new_folder()
    stop_early(kind, folder, sample.int(35, 4))
    for (parts in 0:4) {
      copy <- cut_after(folder, parts)
      expect_same_outcome(silently(resume_hmvn(copy, cores = 1 + parts %% 2)), whole)
      expect_same_outcome(silently(resume_hmvn(copy)), whole)
    }
    # and left again
    again <- function(run, seconds, progress, call) {
      advance_run_(run$core, 1L, Inf, 25L, progress$report)
    }
    copy <- cut_after(folder, 2)
    resumed <- with_replaced("advance_run", again, silently(resume_hmvn(copy)))
    expect_same_outcome(resumed, whole)
    expect_gt(length(part_files(copy)), 3)
    expect_same_outcome(silently(resume_hmvn(cut_after(copy, 3))), whole)
  }
})

test_that("an extension is left and gone on with likewise", {
  for (kind in c("partial", "many")) {
    fit <- fit_kind(kind)
    folder <- new_folder()
    advance <- function(run, seconds, progress, call) {
      advance_run_(run$core, 1L, Inf, 17L, progress$report)
    }
    longer <- with_replaced("advance_run", advance, silently(
      extend(fit, iter_sampling = 100, checkpoint = folder)
    ))
    whole <- fit_kind(kind, iter_sampling = 100)
    expect_same_outcome(longer, whole)
    # with the time that the fit took
    fit$time$total <- 1000
    folder <- new_folder()
    longer <- with_replaced("advance_run", advance, silently(
      extend(fit, iter_sampling = 100, checkpoint = folder)
    ))
    expect_gt(longer$time$total, 1000)
    expect_gt(silently(resume_hmvn(cut_after(folder, 2)))$time$total, 1000)
    expect_gt(silently(partial_hmvn(folder))$time$total, 1000)
    expect_same_outcome(silently(resume_hmvn(cut_after(folder, 2))), whole)
  }
})

test_that("hmvn_progress() tells how far it is, and partial_hmvn() fits to what is there", {
  folder <- new_folder()
  stop_early("partial", folder, c(30L, 42L))
  first <- silently(hmvn_progress(folder))
  expect_identical(first$status, "stopped")
  expect_equal(first$done, 72 / 160)
  expect_snapshot(print(structure(
    utils::modifyList(unclass(first), list(
      path = "run", seconds = 12.3, done = 0.25, seconds_left = 36.9, bytes = 1234567,
      time = as.POSIXct("2026-01-02 03:04:05", tz = "UTC")
    )),
    class = "hmvn_progress"
  )))
  expect_error(silently(partial_hmvn(folder)), class = "hmvn_error_unfinished")
  copy <- new_folder()
  stop_early("partial", copy, c(30L, 75L, 36L))
  partial <- silently(partial_hmvn(copy))
  n <- dim(partial$draws$lp)[[1]]
  expect_identical(n, 20L)
  whole <- fit_kind("partial")
  expect_identical(partial$draws$mean, whole$draws$mean[seq_len(n), , , drop = FALSE])
  expect_identical(partial$control$iter_sampling, as.integer(2 * n))
  expect_match(partial$warnings[["partial"]], "of 60")
  expect_error(extend(partial, iter_sampling = 60), class = "hmvn_error_state")
  # nothing was changed by looking
  expect_same_outcome(silently(resume_hmvn(copy)), whole)
  expect_same_outcome(silently(partial_hmvn(copy)), whole)
  expect_identical(hmvn_progress(copy)$status, "finished")
  expect_identical(hmvn_progress(copy)$done, 1)
})

test_that("a checkpoint of another fit is not gone on with, and what changed is said", {
  folder <- new_folder()
  fit <- fit_kind("exact", checkpoint = folder)
  files <- tools::md5sum(list.files(folder, full.names = TRUE))
  expect_error(
    fit_kind("exact", checkpoint = folder, seed = 2), "seed changed",
    class = "hmvn_error_checkpoint"
  )
  expect_error(fit_kind("nuts", checkpoint = folder), class = "hmvn_error_checkpoint")
  expect_error(
    silently(extend(fit, iter_sampling = 90, checkpoint = folder)),
    class = "hmvn_error_checkpoint"
  )
  expect_identical(tools::md5sum(list.files(folder, full.names = TRUE)), files)
  expect_message(
    other <- suppressWarnings(fit_hmvn(
      iris, ~Species, chains = 2, iter_warmup = 100, iter_sampling = 60, thin = 2,
      checkpoint = folder
    )), "seed is 1", class = "hmvn_message_checkpoint"
  )
  expect_identical(other$draws, fit$draws)
})
