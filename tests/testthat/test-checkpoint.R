# What is damaged, foreign or newer is refused and left as it is; what cannot be written stays in
# memory.

new_folder <- function() tempfile("checkpoint-")
small_fit <- function(...) {
  short_fit(iris, ~Species, pooling = "partial", iter_warmup = 30, iter_sampling = 30, ...)
}
in_parts <- function(folder) {
  advance <- function(run, seconds, progress, call) {
    advance_run_(run$core, 1L, Inf, 20L, progress$report)
  }
  with_replaced("advance_run", advance, small_fit(checkpoint = folder))
}
copy_of <- function(folder) {
  copy <- new_folder()
  dir.create(copy)
  file.copy(list.files(folder, full.names = TRUE), copy)
  copy
}
sums <- function(folder) unname(tools::md5sum(sort(list.files(folder, full.names = TRUE))))
contents <- function(file) readBin(file, "raw", file.size(file))

test_that("a file that is damaged anywhere is an error of its class, and stays", {
  folder <- new_folder()
  fit <- in_parts(folder)
  expect_gt(length(part_files(folder)), 2)
  set.seed(6)
  for (name in c("header", part_files(folder))) {
    whole <- contents(file.path(folder, name))
    n <- length(whole)
    damage <- c(
      lapply(c(0, 1, 30, 60, n - 1, sample(n, 3)), function(size) whole[seq_len(size)]),
      lapply(c(1, 17, 20, 40, n, sample(n, 5)), function(at) {
        whole[at] <- xor(whole[at], as.raw(2^sample(0:7, 1)))
        whole
      }),
      list(c(whole, as.raw(0)), as.raw(sample(0:255, 500, TRUE)), charToRaw("a,b\n1,2\n"))
    )
    for (bytes in damage) {
      copy <- copy_of(folder)
      writeBin(bytes, file.path(copy, name))
      before <- sums(copy)
      expect_error(quietly(resume_hmvn(copy)), class = "hmvn_error_checkpoint")
      expect_error(quietly(partial_hmvn(copy)), class = "hmvn_error_checkpoint")
      expect_error(small_fit(checkpoint = copy), class = "hmvn_error_checkpoint")
      expect_identical(sums(copy), before)
      unlink(copy, recursive = TRUE)
    }
  }
})

test_that("a missing part, a part of another run and another version are refused", {
  folder <- new_folder()
  in_parts(folder)
  copy <- copy_of(folder)
  unlink(file.path(copy, "part-00002"))
  expect_error(quietly(resume_hmvn(copy)), "missing", class = "hmvn_error_checkpoint")
  other <- new_folder()
  in_parts(other)
  copy <- copy_of(folder)
  file.copy(file.path(other, "part-00002"), copy, overwrite = TRUE)
  expect_error(quietly(resume_hmvn(copy)), "another run", class = "hmvn_error_checkpoint")
  copy <- copy_of(folder)
  unlink(file.path(copy, "header"))
  expect_error(small_fit(checkpoint = copy), "header", class = "hmvn_error_checkpoint")
  copy <- copy_of(folder)
  header <- read_header(copy, NULL)
  header$maker[["version"]] <- "99.0"
  write_sealed(header, file.path(copy, "header"))
  expect_error(quietly(resume_hmvn(copy)), "99.0", class = "hmvn_error_state")
  newer <- charToRaw("abc\nhmvn-checkpoint 3 of tomorrow\n")
  writeBin(newer, file.path(copy, "header"))
  expect_error(quietly(resume_hmvn(copy)), "newer", class = "hmvn_error_checkpoint")
})

test_that("folders that are no checkpoints are refused before sampling", {
  expect_error(small_fit(checkpoint = 3), class = "hmvn_error_argument")
  expect_error(small_fit(checkpoint = new_folder(), checkpoint_every = -1),
    class = "hmvn_error_argument")
  expect_error(resume_hmvn(new_folder()), "no checkpoint", class = "hmvn_error_checkpoint")
  expect_error(hmvn_progress(tempdir()), "no checkpoint", class = "hmvn_error_checkpoint")
  expect_error(small_fit(checkpoint = file.path(new_folder(), "deep")), class = "hmvn_error_file")
  file <- tempfile()
  writeLines("x", file)
  expect_error(small_fit(checkpoint = file), "file", class = "hmvn_error_checkpoint")
  folder <- new_folder()
  dir.create(folder)
  writeLines("x", file.path(folder, "thesis.txt"))
  expect_error(small_fit(checkpoint = folder), "thesis", class = "hmvn_error_checkpoint")
  expect_identical(list.files(folder), "thesis.txt")
})

test_that("a second process is refused while the first lives, and not when it is gone", {
  folder <- new_folder()
  fit <- small_fit(checkpoint = folder)
  lock <- take_lock(folder, NULL)
  error <- expect_error(resume_hmvn(folder), class = "hmvn_error_locked")
  expect_identical(error$pid, as.character(Sys.getpid()))
  expect_identical(hmvn_progress(folder)$status, "finished")
  owner <- file.path(folder, "lock", "owner")
  said <- readLines(owner)
  # of another machine nobody knows
  writeLines(sub("^host .*", "host elsewhere", said), owner)
  expect_error(resume_hmvn(folder), "elsewhere", class = "hmvn_error_locked")
  skip_on_os("windows")
  dead <- sub("^pid .*", "pid 999999999", said)
  writeLines(dead, owner)
  expect_identical(suppressWarnings(quietly(resume_hmvn(folder)))$draws, fit$draws)
  expect_false(file.exists(file.path(folder, "lock")))
  # its number has been given to another process
  take_lock(folder, NULL)
  skip_if_not(file.exists("/proc/self/stat"))
  writeLines(sub("^started .*", "started 1", said), owner)
  expect_identical(suppressWarnings(quietly(resume_hmvn(folder)))$draws, fit$draws)
})

test_that("what cannot be written stays in memory, is said once, and is written later", {
  folder <- new_folder()
  n <- 0
  failing <- function(object, path) {
    if (!is.null(object$pieces)) {
      n <<- n + 1
      if (n < 3) stop("the disk is full")
    }
    theirs(object, path)
  }
  theirs <- write_sealed
  seen <- 0
  fit <- withCallingHandlers(
    with_replaced("write_sealed", failing, with_replaced(
      "advance_run", function(run, seconds, progress, call) {
        advance_run_(run$core, 1L, Inf, 20L, progress$report)
      },
      suppressMessages(fit_hmvn(
        iris, ~Species, pooling = "partial", iter_warmup = 30, iter_sampling = 30, chains = 2,
        seed = 1, checkpoint = folder
      ))
    )),
    warning = function(w) {
      seen <<- seen + inherits(w, "hmvn_warning_checkpoint")
      invokeRestart("muffleWarning")
    }
  )
  expect_identical(seen, 1)
  expect_same_outcome(fit, small_fit())
  expect_same_outcome(suppressWarnings(resume_hmvn(folder)), fit)
})

test_that("who has lost the lock writes no more", {
  folder <- new_folder()
  steal <- function(run, seconds, progress, call) {
    owner <- file.path(folder, "lock", "owner")
    writeLines(sub("^token .*", "token other", readLines(owner)), owner)
    advance_run_(run$core, 1L, Inf, 20L, progress$report)
  }
  fit <- with_replaced("advance_run", steal, small_fit(checkpoint = folder))
  expect_same_outcome(fit, small_fit())
  expect_length(part_files(folder), 0)
})

test_that("what cannot be loaded is an error, and no state of it is written", {
  fit <- short_fit(iris, ~Species, algorithm = "nuts")
  ends <- seq_along(fit$states$ends)
  fit$states$ends[ends] <- lapply(fit$states$ends, function(x) utils::head(x, -3))
  folder <- new_folder()
  expect_error(extend(fit, 60, checkpoint = folder), class = "hmvn_error_state")
  expect_length(part_files(folder), 0)
})
