test_that("prior and likelihood of a draw add up to lp__, and the likelihood to its rows", {
  fit <- short_fit(iris, ~Species)
  parts <- total_densities(fit)
  expect_identical(posterior::variables(parts$log_prior), "lprior")
  expect_identical(posterior::nchains(parts$log_lik), 2L)
  expect_equal(as.vector(parts$log_lik), rowSums(log_lik(fit)), tolerance = 1e-10)
  expect_equal(as.vector(parts$log_lik + parts$log_prior), as.vector(fit$draws$lp))
})

test_that("draws from the prior have no likelihood to be sensitive to", {
  fit <- short_fit(iris, ~Species, prior_only = TRUE)
  expect_error(create_priorsense_data.hmvn_fit(fit), class = "hmvn_error_no_meaning")
})

test_that("priorsense works on a fit", {
  skip_if_not_installed("priorsense")
  fit <- short_fit(iris, ~Species, iter_sampling = 500)
  found <- getExportedValue("priorsense", "powerscale_sensitivity")(fit, variable = "sigma")
  expect_identical(as.data.frame(found)$variable, posterior::variables(
    as_draws_array(fit, variable = "sigma")
  ))
})
