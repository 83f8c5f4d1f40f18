# Draws that are added to a fit whose draws are in files are those of the longer fit, to the last
# bit, and nothing of the shorter one changes.

quiet_extend <- function(...) quietly(suppressWarnings(extend(...)))
contents <- function(folder) {
  files <- list.files(folder, full.names = TRUE)
  files <- files[!dir.exists(files)]
  stats::setNames(tools::md5sum(files), basename(files))
}

test_that("extended in files is the longer fit in memory, of every kind", {
  settings <- list(
    list(by_group_data(80), ~g, ~ x + y), list(by_group_data(80), ~g, ~ x + y, "partial"),
    list(iris, ~Species, algorithm = "nuts", thin = 4),
    list(iris_with_holes(), ~Species, pooling = "partial", algorithm = "nuts"),
    list(iris, ~Species, pooling = "complete"), list(iris, ~Species, keep = "mu"),
    list(iris, ~Species, ~ Sepal.Length + Sepal.Width, covariates = ~Petal.Length, cores = 2)
  )
  for (args in settings) {
    whole <- quietly(do.call(short_fit, c(args, iter_sampling = 75)))
    for (every in c(60, 0)) {
      filed <- quietly(do.call(
        filed_fit, c(args, iter_sampling = 50, checkpoint_every = every, folder = new_folder())
      ))
      longer <- quiet_extend(filed, 75, checkpoint_every = every, cores = 2)
      names <- if (is.null(args$keep)) c("mu", "sigma", "Omega", "Sigma") else "mu"
      for (name in names) {
        expect_identical(quantity(longer, name), quantity(whole, name))
        expect_identical(quantity(longer, name, 2L), quantity(whole, name, 2L))
      }
      same <- c("sampler", "warnings", "statistics", "units")
      expect_identical(longer[same], whole[same])
      expect_identical(longer$draws$lp, whole$draws$lp)
    }
  }
})

test_that("steps after one another, summaries over all; what was there stays", {
  whole <- quietly(short_fit(by_group_data(6), ~g, ~ x + y, "partial", iter_sampling = 70))
  folder <- new_folder()
  first <- quietly(filed_fit(by_group_data(6), ~g, ~ x + y, "partial", iter_sampling = 30,
    folder = folder))
  before <- contents(folder)
  means <- quantity(first, "mu")
  second <- quiet_extend(first, 41)
  third <- quiet_extend(second, 70)
  for (read in list(summary, group_cov, posterior::as_draws_array, unconstrain_pars, log_lik)) {
    expect_identical(quietly(read(third)), quietly(read(whole)))
  }
  expect_output(print(third$draws$mean), "Draws \\[70, 2, 12\\]")
  expect_identical(contents(folder), before)
  expect_identical(quantity(first, "mu"), means)
  # the same again is read, another one beside it is drawn
  files <- contents(file.path(folder, "to-41"))
  expect_identical(quiet_extend(first, 41)$draws, second$draws)
  expect_identical(contents(file.path(folder, "to-41")), files)
  expect_identical(quantity(quiet_extend(first, 70), "Sigma"), quantity(whole, "Sigma"))
  # through a file, and moved as a whole
  path <- tempfile(fileext = ".rds")
  saveRDS(third, path)
  expect_identical(quantity(readRDS(path), "mu"), quantity(whole, "mu"))
  moved <- new_folder()
  file.rename(folder, moved)
  expect_error(quantity(third, "mu"), "not there", class = "hmvn_error_draws_dir")
  expect_error(quiet_extend(third, 90), "not there", class = "hmvn_error_draws_dir")
  again <- suppressWarnings(quietly(resume_hmvn(file.path(moved, "to-41", "to-70"))))
  expect_identical(quantity(again, "mu"), quantity(whole, "mu"))
  expect_identical(quietly(quiet_extend(again, 80)$draws$lp[1:70, , , drop = FALSE]),
    whole$draws$lp)
})

test_that("an extension that was stopped goes on", {
  folder <- new_folder()
  args <- list(iris_with_holes(), ~Species, pooling = "partial", algorithm = "nuts")
  whole <- quietly(do.call(short_fit, c(args, iter_sampling = 200)))
  fit <- quietly(do.call(filed_fit, c(args, iter_sampling = 50, folder = folder)))
  plan <- plan_extension(fit, utils::modifyList(fit$control, list(iter_sampling = 200L)), 0)
  target <- plan$settings$draws_dir
  lock <- lock_folder(target, NULL)
  header <- write_header(plan, target, 0)
  log <- new_log(target, lock, header, read_pool(target, header, NULL))
  run <- open_task(new_task(log$pool, plan_starts(plan), 1:2), NULL)
  advance_run_(run$core, 1, Inf, 70, function(done) NULL)
  pieces <- cut_pieces(run, log$pool$places[1:2, ], take_states_(run$core))
  expect_null(write_part(log, pieces))
  free_lock(target, lock)
  part <- suppressWarnings(quietly(partial_hmvn(target)))
  n <- dim(part$draws$lp)[[1]]
  expect_gt(n, 50)
  expect_lt(n, 200)
  expect_identical(part_draws(part, "chol", 1:3), whole$draws$chol[seq_len(n), , , drop = FALSE])
  for (longer in list(quiet_extend(fit, 200), suppressWarnings(quietly(resume_hmvn(target))))) {
    expect_identical(quantity(longer, "Sigma"), quantity(whole, "Sigma"))
  }
})

test_that("a fit in a file is extended when only more draws are asked for", {
  folder <- new_folder()
  file <- tempfile(fileext = ".rds")
  fit_of <- function(n) {
    suppressWarnings(fit_hmvn(
      iris, ~Species, chains = 2, iter_warmup = 100, iter_sampling = n, seed = 1,
      draws_dir = folder, file = file
    ))
  }
  first <- quietly(fit_of(50))
  said <- testthat::capture_messages(second <- fit_of(80))
  expect_match(said, "Extending", all = FALSE)
  expect_message(again <- fit_of(80), "is used")
  expect_identical(again, second)
  whole <- quietly(short_fit(iris, ~Species, iter_sampling = 80))
  expect_identical(quantity(second, "Sigma"), quantity(whole, "Sigma"))
  expect_setequal(list.files(folder, "^to-"), "to-80")
})

test_that("states that are missing, damaged or another fit's are refused, and stay", {
  folder <- new_folder()
  fit <- quietly(filed_fit(iris, ~Species, folder = folder))
  ends <- list.files(folder, "^ends-", full.names = TRUE)
  whole <- readBin(ends[[1L]], "raw", 1e6)
  for (at in c(1, 30, length(whole) - 5)) {
    bytes <- whole
    bytes[[at]] <- xor(bytes[[at]], as.raw(4))
    writeBin(bytes, ends[[1L]])
    expect_error(quiet_extend(fit, 60), class = "hmvn_error_draws_dir")
    expect_identical(readBin(ends[[1L]], "raw", 1e6), bytes)
  }
  other <- new_folder()
  quietly(filed_fit(iris, ~Species, seed = 9, folder = other))
  file.copy(file.path(other, basename(ends[[1L]])), folder, overwrite = TRUE)
  expect_error(quiet_extend(fit, 60), "another fit", class = "hmvn_error_draws_dir")
  unlink(ends[[1L]])
  expect_error(quiet_extend(fit, 60), "not there", class = "hmvn_error_draws_dir")
  expect_error(extend(fit, 60, checkpoint = tempfile()), class = "hmvn_error_argument")
  none <- quietly(filed_fit(iris, ~Species, keep_state = FALSE))
  expect_error(quiet_extend(none, 60), class = "hmvn_error_state")
  expect_length(list.files(none$control$draws_dir, "^ends-"), 0)
})
