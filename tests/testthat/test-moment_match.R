# Rows with a high Pareto k.

skip_if_not_installed("loo")

# One row far from the others of a small group.
outlier <- function() {
  set.seed(1)
  d <- data.frame(g = rep(c("A", "B"), c(12, 15)), x = rnorm(27), y = rnorm(27))
  d$x[1] <- 5
  d$y[1] <- -5
  d
}

numbers <- hmvn_prior(
  mean = distributional::dist_normal(0, 2), sd = distributional::dist_exponential(1)
)

# log of the density of row 1 in fits to the others, and its Monte Carlo error
left_out <- function(pooling) {
  without <- short_fit(
    outlier()[-1, ], ~g, ~ x + y, prior = numbers, pooling = pooling, chains = 4,
    iter_sampling = 10000, seed = 9
  )
  ll <- log_lik(without, outlier()[1, ])[, 1]
  r <- exp(ll - max(ll))
  size <- posterior::ess_mean(matrix(r, ncol = 4))
  c(log_mean_exp(matrix(ll)), sd(r) / mean(r) / sqrt(size))
}

test_that("moment matching and sampling without a row agree with fits to the other rows", {
  for (pooling in c("none", "partial")) {
    fit <- short_fit(
      outlier(), ~g, ~ x + y, prior = numbers, pooling = pooling, chains = 4, iter_sampling = 2000
    )
    plain <- suppressWarnings(loo::loo(fit))
    expect_gt(loo::pareto_k_values(plain)[1], 0.7)
    wanted <- left_out(pooling)
    expect_gt(abs(plain$pointwise[1, "elpd_loo"] - wanted[1]), 5 * wanted[2])

    exact <- loo::loo(fit, reloo = TRUE)
    error <- sqrt(wanted[2]^2 + exact$pointwise[1, "mcse_elpd_loo"]^2)
    expect_lt(abs(exact$pointwise[1, "elpd_loo"] - wanted[1]), 4 * error)
    expect_identical(loo::pareto_k_values(exact)[1], 0)

    matched <- loo::loo(fit, moment_match = TRUE)
    expect_lt(loo::pareto_k_values(matched)[1], 0.7)
    error <- sqrt(wanted[2]^2 + matched$pointwise[1, "mcse_elpd_loo"]^2)
    expect_lt(abs(matched$pointwise[1, "elpd_loo"] - wanted[1]), 4 * error)
    expect_equal(loo::loo_moment_match(fit, plain)$estimates, matched$estimates)
    expect_equal(loo::loo_moment_match(fit, plain, cores = 2)$estimates, matched$estimates)

    # others are as they were, and sums are theirs
    low <- loo::pareto_k_values(plain) <= 0.7
    expect_identical(matched$pointwise[low, ], plain$pointwise[low, ])
    expect_equal(matched$estimates["elpd_loo", 1], sum(matched$pointwise[, "elpd_loo"]))
    expect_equal(
      matched$estimates["looic", 2], sqrt(27) * sd(matched$pointwise[, "looic"])
    )
    expect_equal(
      sum(matched$pointwise[1, c("elpd_loo", "p_loo")]),
      sum(plain$pointwise[1, c("elpd_loo", "p_loo")])
    )
  }
})

test_that("what cannot be improved is refused or warned of", {
  fit <- short_fit(outlier(), ~g, ~ x + y, iter_sampling = 200)
  other <- short_fit(iris, ~Species, iter_sampling = 200)
  expect_error(
    loo::loo_moment_match(fit, suppressWarnings(loo::loo(other))), class = "hmvn_error_argument"
  )
  found <- suppressWarnings(loo::loo(fit))
  found$diagnostics$pareto_k[2] <- 0.8
  expect_warning(warn_high_k(found, 0.7, NULL), class = "hmvn_warning_pareto_k")
  expect_error(loo::loo(fit, reloo = NA), class = "hmvn_error_argument")
  expect_error(loo::loo_moment_match(fit, found, cores = 0), class = "hmvn_error_argument")
})
