test_that("sampler settings come back checked", {
  settings <- check_settings(list(
    chains = 2, iter_warmup = 0, iter_sampling = 1, thin = 1, cores = 1, seed = NULL,
    adapt_delta = NULL, max_treedepth = 10, init = 2, prior_only = FALSE, progress = TRUE,
    keep_data = TRUE
  ))
  expect_identical(settings$chains, 2L)
  expect_true("seed" %in% names(settings))
  expect_null(settings$seed)
  expect_identical(check_settings(list(seed = 0))$seed, 0)
})

test_that("every bad sampler setting is an error naming it", {
  bad <- list(
    chains = 0, iter_warmup = -1, iter_warmup = 10.5, iter_sampling = 0, thin = 0, cores = 0,
    seed = -1,
    seed = 1.5, seed = NA, adapt_delta = 0, adapt_delta = 1, adapt_delta = "0.9", max_treedepth = 0,
    init = -1, prior_only = NA, progress = "yes", keep_data = 1
  )
  for (i in seq_along(bad)) {
    error <- expect_error(check_settings(bad[i]), class = "hmvn_error_argument")
    expect_identical(error$argument, names(bad)[[i]])
  }
})

test_that("settings that are not given take the defaults of fit_hmvn()", {
  all <- fill_settings(list(chains = 3), formals(fit_hmvn))
  expect_named(all, setting_names)
  expect_identical(all$chains, 3L)
  expect_identical(all$iter_sampling, 1000L)
  expect_identical(all$keep, keep_choices)
  arguments <- setdiff(
    names(formals(fit_hmvn)), c("data", column_arguments, storage_names, "pooling", "prior", "...")
  )
  expect_setequal(arguments, setting_names)
})

test_that("what NULL leaves open is settled: the seed, and the acceptance rate of few rows", {
  settle <- function(given, ...) settle_settings(fill_settings(given, formals(fit_hmvn)), ...)
  expect_true(is_plain_number(settle(list())$seed))
  rates <- function(...) unlist(settle(...)[c("adapt_delta", "adapt_delta_scarce")], FALSE, FALSE)
  expect_equal(rates(list()), c(0.8, 0.98))
  expect_equal(rates(list(), apart = TRUE), c(0.8, 0.9))
  expect_equal(rates(list(algorithm = "nuts"), apart = TRUE), c(0.8, 0.98))
  expect_equal(rates(list(adapt_delta = 0.7), apart = TRUE), c(0.7, 0.7))
  given <- settle_settings(
    fill_settings(list(adapt_delta = 0.9, seed = 4, keep = "mu"), formals(fit_hmvn))
  )
  expect_equal(c(given$adapt_delta, given$adapt_delta_scarce, given$seed), c(0.9, 0.9, 4))
  expect_equal(c(given$keep_mean, given$keep_chol), c(TRUE, FALSE))
})

test_that("init is a number: NULL stands for nothing", {
  expect_error(check_settings(list(init = NULL)), class = "hmvn_error_argument")
  expect_error(fit_hmvn(iris, ~Species, init = NULL), class = "hmvn_error_argument")
})
