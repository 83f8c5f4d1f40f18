test_that("draws of the prior are those of a fit without data", {
  prior <- hmvn_prior(mean = dist_normal(5, 2), sd = dist_exponential(1), cor = dist_lkj(3))
  fit <- short_fit(iris, ~Species, ~ Sepal.Length + Sepal.Width, prior = prior,
    iter_sampling = 1000)
  found <- prior_draws.hmvn_fit(fit, c("mu", "Omega"), group = "setosa")
  expect_s3_class(found, "draws_df")
  expect_identical(posterior::ndraws(found), 2000L)
  # means, and means of squares, within their Monte Carlo errors
  z <- function(x, mean) (base::mean(x) - mean) / posterior::mcse_mean(x)
  mu <- posterior::extract_variable_matrix(found, "mu[setosa,Sepal.Width]")
  r <- posterior::extract_variable_matrix(found, "Omega[setosa,Sepal.Width,Sepal.Length]")
  # LKJ(3) of two features: (r + 1) / 2 ~ Beta(3, 3)
  found_z <- c(z(mu, 5), z((mu - 5)^2, 4), z(r, 0), z(r^2, 1 / 7))
  expect_lt(max(abs(found_z)), z_bound(4))
  before <- update(fit, prior_only = TRUE)
  expect_equal(prior_draws.hmvn_fit(before), as_draws_df(before))
  expect_error(prior_draws.hmvn_fit(fit, "mu0"), class = "hmvn_error_variable")
})
