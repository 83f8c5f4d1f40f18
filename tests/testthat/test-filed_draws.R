# Draws that stay in files are those of the fit in memory, to the last bit, and files that are not
# what was written are refused.

test_that("draws in files are those in memory, of every kind of fit", {
  settings <- list(
    list(by_group_data(80), ~g, ~ x + y), list(by_group_data(80), ~g, ~ x + y, "partial"),
    list(iris, ~Species, algorithm = "nuts"),
    list(iris, ~Species, pooling = c(mean = "none", sd = "complete", cor = "complete")),
    list(iris, ~Species, ~ Sepal.Length + Sepal.Width, covariates = ~Petal.Length, cores = 2)
  )
  for (args in settings) {
    whole <- quietly(do.call(short_fit, args))
    # all at once, and written at every occasion
    for (every in c(60, 0)) {
      filed <- quietly(do.call(filed_fit, c(args, checkpoint_every = every)))
      expect_s3_class(filed$draws$mean, "hmvn_filed_draws")
      expect_same_draws(filed, whole)
    }
  }
})

test_that("what all groups share stays in memory", {
  args <- list(iris, ~Species, pooling = "complete")
  filed <- quietly(do.call(filed_fit, args))
  expect_identical(filed$draws, quietly(do.call(short_fit, args))$draws)
})

test_that("summaries, densities and comparisons read files by group", {
  data <- by_group_data(6)
  data$x[c(3, 20)] <- NA
  whole <- quietly(short_fit(data, ~g, ~ x + y, "partial"))
  filed <- quietly(filed_fit(data, ~g, ~ x + y, "partial"))
  for (read in list(
    summary, group_cov, function(fit) group_mean(fit, "3"), posterior::as_draws_array,
    function(fit) posterior::as_draws_df(fit, variable = "mu"), log_lik, pooling_summary,
    function(fit) predict(fit, data[1:9, ], seed = 1),
    function(fit) predict(fit, data[1:9, ], type = "distance"),
    function(fit) posterior_impute(fit, ndraws = 3, seed = 1),
    function(fit) compare_groups(fit, reference = "2"), unconstrain_pars,
    function(fit) posterior_new_group(fit, seed = 1)
  )) {
    expect_identical(quietly(read(filed)), quietly(read(whole)))
  }
})

test_that("a folder that was moved gives its fit again; without it the fit says so", {
  folder <- new_folder()
  fit <- quietly(filed_fit(iris, ~Species, folder = folder))
  expected <- quantity(fit, "Sigma")
  copy <- tempfile(fileext = ".rds")
  saveRDS(fit, copy)
  expect_lt(file.size(copy), 50000)
  expect_identical(quantity(readRDS(copy), "Sigma"), expected)
  moved <- new_folder()
  file.rename(folder, moved)
  error <- expect_error(group_cov(fit), "not there", class = "hmvn_error_draws_dir")
  expect_identical(dirname(error$path), folder)
  again <- quietly(resume_hmvn(moved))
  expect_identical(quantity(again, "Sigma"), expected)
  expect_identical(dirname(again$draws$chol$runs[[1L]]$folder), dirname(moved))
})

test_that("a file that is damaged anywhere or foreign is refused, and stays", {
  folder <- new_folder()
  args <- list(iris, ~Species, algorithm = "nuts", chains = 2)
  fit <- quietly(do.call(filed_fit, c(args, folder = folder)))
  file <- draws_files(folder)[[1L]]
  whole <- readBin(file, "raw", file.size(file))
  n <- length(whole)
  set.seed(2)
  damage <- c(
    lapply(c(0, 1, 30, n - 62, n - 1, sample(n, 3)), function(size) whole[seq_len(size)]),
    lapply(c(1, 40, n - 70, n - 61, n - 20, n, sample(n, 20)), function(at) {
      whole[at] <- xor(whole[at], as.raw(2^sample(0:7, 1)))
      whole
    }),
    list(c(whole, as.raw(0)), as.raw(sample(0:255, 500, TRUE)), charToRaw("a,b\n1,2\n"))
  )
  for (bytes in damage) {
    writeBin(bytes, file)
    expect_error(group_cov(fit, "setosa"), class = "hmvn_error_draws_dir")
    expect_identical(readBin(file, "raw", n + 1L), bytes)
    # the others are not looked at
    expect_silent(group_cov(fit, "virginica"))
  }
  other <- new_folder()
  quietly(do.call(filed_fit, c(args, folder = other)))
  file.copy(draws_files(other)[[1L]], folder, overwrite = TRUE)
  expect_error(group_cov(fit, "setosa"), "another fit", class = "hmvn_error_draws_dir")
  file.rename(draws_files(folder)[[2L]], file)
  expect_error(group_cov(fit, "setosa"), "another fit", class = "hmvn_error_draws_dir")
})

test_that("a folder is a checkpoint: of another fit, or of draws in memory, it is refused", {
  folder <- new_folder()
  fit <- quietly(filed_fit(iris, ~Species, folder = folder))
  before <- list.files(folder)
  expect_error(
    quietly(filed_fit(iris, ~Species, folder = folder, seed = 3)), "seed",
    class = "hmvn_error_checkpoint"
  )
  expect_error(
    quietly(short_fit(iris, ~Species, checkpoint = folder)), "draws_dir",
    class = "hmvn_error_checkpoint"
  )
  expect_error(
    quietly(filed_fit(iris, ~Species, checkpoint = folder)), class = "hmvn_error_argument"
  )
  expect_identical(quantity(quietly(filed_fit(iris, ~Species, folder = folder)), "mu"),
    quantity(fit, "mu"))
  expect_identical(hmvn_progress(folder)$status, "finished")
  expect_identical(list.files(folder), before)
  # update() knows nothing of it
  expect_null(quietly(update(fit, seed = 9))$control$draws_dir)
})

test_that("a fit in a file is used while its draws are there", {
  folder <- new_folder()
  file <- tempfile(fileext = ".rds")
  fit <- quietly(filed_fit(iris, ~Species, folder = folder, file = file))
  again <- quietly(filed_fit(iris, ~Species, folder = folder, file = file))
  expect_identical(again, fit)
  unlink(folder, recursive = TRUE)
  said <- testthat::capture_messages(suppressWarnings(fit_hmvn(
    iris, ~Species, chains = 2, iter_warmup = 100, iter_sampling = 50, seed = 1,
    draws_dir = folder, file = file
  )))
  expect_match(said, "draws_dir.*changed", all = FALSE)
  expect_true(dir.exists(folder))
})
