test_that("posterior's verbs take a fit as they take its draws", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20)
  draws <- as_draws(fit)
  expect_identical(
    posterior::subset_draws(fit, variable = "lprior", chain = 1),
    posterior::subset_draws(draws, variable = "lprior", chain = 1)
  )
  expect_identical(posterior::thin_draws(fit, 5), posterior::thin_draws(draws, 5))
  for (thin in list(0, NA, 1.5, "a", 1:2, -1, 21)) {
    expect_error(posterior::thin_draws(fit, thin), class = "hmvn_error_argument")
  }
  expect_identical(posterior::merge_chains(fit), posterior::merge_chains(draws))
  expect_identical(posterior::split_chains(fit), posterior::split_chains(draws))
  weights <- seq_len(posterior::ndraws(fit))
  set.seed(1)
  some <- suppressMessages(posterior::resample_draws(fit, weights = weights, ndraws = 7))
  set.seed(1)
  expect_identical(
    some, suppressMessages(posterior::resample_draws(draws, weights = weights, ndraws = 7))
  )
  twice <- posterior::mutate_variables(fit, twice = 2 * lprior)
  expect_identical(
    posterior::extract_variable(twice, "twice"), 2 * posterior::extract_variable(fit, "lprior")
  )
  expect_error(posterior::mutate_variables(fit), class = "hmvn_error_argument")
  expect_error(posterior::mutate_variables(fit, 2 * lprior), class = "hmvn_error_argument")
  expect_error(posterior::mutate_variables(fit, one = "x"), "numeric",
    class = "hmvn_error_argument"
  )
  expect_true("log_prior" %in%
    posterior::variables(posterior::rename_variables(fit, log_prior = lprior)))
  expect_error(posterior::rename_variables(fit, log_prior = 2), class = "hmvn_error_argument")
})

test_that("posterior's verbs refuse arguments that posterior would pass over", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20)
  expect_error(posterior::subset_draws(fit, varible = "mu"), "variable",
    class = "hmvn_error_argument"
  )
  expect_error(posterior::subset_draws(fit, "mu", 1, 1, 1, TRUE, TRUE, 7),
    class = "hmvn_error_argument"
  )
  expect_error(posterior::thin_draws(fit, 2, by = 1), "by", class = "hmvn_error_argument")
  expect_error(posterior::thin_draws(fit), "thin", class = "hmvn_error_argument")
  expect_error(posterior::merge_chains(fit, 3), class = "hmvn_error_argument")
  expect_error(posterior::split_chains(fit, n = 2), "n", class = "hmvn_error_argument")
  weights <- rep(1, posterior::ndraws(fit))
  expect_error(
    posterior::resample_draws(fit, weight = weights, draws = 3), "draws",
    class = "hmvn_error_argument"
  )
})
