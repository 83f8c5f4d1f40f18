skip_if_not_installed("loo")

test_that("rows are predicted as by fits of all other rows", {
  # no row far out, so that every weight is fine
  d <- with_fixed_seed(2, data.frame(g = rep(c("a", "b"), 20), x = runif(40, -2, 2)))
  d$y <- with_fixed_seed(3, 0.8 * d$x + runif(40, -2, 2))
  d$y[c(4, 15)] <- NA
  prior <- hmvn_prior(mean = dist_normal(0, 2), sd = dist_exponential(1), cor = dist_lkj(2))
  fit <- short_fit(d, ~g, ~ x + y, prior = prior, iter_sampling = 2000)
  psis <- loo::psis(-log_lik(fit), r_eff = rep(1, 40))
  # importance weights leave a quarter of the draws, or more
  expect_gt(min(psis$diagnostics$n_eff), 1000)
  mean <- loo_linpred(fit, psis_object = psis)
  predicted <- lapply(c(mean = "mean", var = "var"), function(type) {
    loo_predict(fit, type, psis_object = psis, seed = 1)$value
  })
  pit <- loo_pit(fit, psis_object = psis)
  expect_lt(max(mean$pareto_k), 0.7)

  # by hand: another fit for every row, and the sds of what is averaged
  others <- lapply(seq_len(40), function(i) {
    other <- short_fit(d[-i, ], ~g, ~ x + y, prior = prior, iter_sampling = 2000, seed = 100 + i)
    mu <- posterior_epred(other, d[i, ])[, 1, ]
    sigma <- matrix(posterior::draws_of(group_sd(other, d$g[[i]])), ncol = 2)
    below <- pnorm(rep(unlist(d[i, c("x", "y")]), each = nrow(mu)), mu, sigma)
    below <- matrix(below, ncol = 2)
    list(mean = mu, var = mu^2 + sigma^2 - rep(colMeans(mu)^2, each = nrow(mu)), pit = below)
  })
  z <- function(found, part) {
    exact <- t(vapply(others, function(other) colMeans(other[[part]]), double(2)))
    sd <- t(vapply(others, function(other) apply(other[[part]], 2, sd), double(2)))
    as.vector((found - exact) / (sd * sqrt(1 / 1000 + 1 / 4000)))
  }
  means <- z(mean$value, "mean")
  expect_lt(max(abs(means)), z_bound(80))
  shares <- z(pit, "pit")
  expect_identical(which(is.na(shares)), c(44L, 55L))
  expect_lt(max(abs(shares), na.rm = TRUE), z_bound(78))
  # draws of rows scatter more than their means
  exact <- t(vapply(others, function(other) colMeans(other$mean), double(2)))
  variance <- t(vapply(others, function(other) colMeans(other$var), double(2)))
  expect_lt(max(abs(predicted$mean - exact) / sqrt(variance / 1000)), z_bound(80))
  expect_lt(max(abs(log(predicted$var / variance)) / sqrt(6 / 1000)), z_bound(80))
  # and it is not the posterior's prediction
  apart <- abs(fitted(fit) - exact) / apply(mean$value, 2, sd)
  expect_gt(max(apart), 5 * max(abs(mean$value - exact) / apply(mean$value, 2, sd)))
})

test_that("intervals are quantiles, and a row outside is one of few", {
  fit <- short_fit(iris, ~Species, iter_sampling = 500)
  psis <- suppressWarnings(loo::loo(fit, save_psis = TRUE))$psis_object
  interval <- loo_predictive_interval(fit, prob = 0.8, psis_object = psis, seed = 1)
  expect_identical(names(interval), c("value", "pareto_k"))
  expect_identical(dim(interval$value), c(150L, 2L, 4L))
  expect_identical(dimnames(interval$value), list(NULL, c("10%", "90%"), names(iris)[1:4]))
  expect_identical(dim(interval$pareto_k), c(150L, 4L))
  quantiles <- loo_predict(fit, "quantile", c(0.1, 0.5, 0.9), psis_object = psis, seed = 1)
  expect_identical(dim(quantiles$value), c(3L, 150L, 4L))
  expect_identical(quantiles$value[3, , ], interval$value[, 2, ])
  inside <- iris[1:4] > interval$value[, 1, ] & iris[1:4] < interval$value[, 2, ]
  # binomial, rows of one feature being independent; four features
  expect_lt(max(abs(colMeans(inside) - 0.8)) / sqrt(0.16 / 150), z_bound(4))
  pit <- loo_pit(fit, psis_object = psis)
  expect_identical(dim(pit), c(150L, 4L))
  p <- apply(pit, 2, function(u) ks.test(jitter(u, amount = 1e-9), "punif")$p.value)
  expect_gt(min(p), 0.001 / 4)
})

test_that("weights may be given, and what does not fit is refused", {
  d <- iris[c(1:30, 51:80), ]
  fit <- short_fit(d, ~Species, ~ Sepal.Length + Sepal.Width, iter_sampling = 100)
  psis <- suppressWarnings(loo::loo(fit, save_psis = TRUE))$psis_object
  expect_equal(suppressWarnings(loo_linpred(fit, psis_object = psis)),
    suppressWarnings(loo_linpred(fit)))
  expect_error(loo_predict(fit, psis_object = 1), class = "hmvn_error_argument")
  other <- suppressWarnings(loo::psis(-log_lik(fit)[, -1], r_eff = NA))
  expect_error(loo_pit(fit, psis_object = other), class = "hmvn_error_argument")
  expect_error(loo_predict(fit, "median"), class = "hmvn_error_argument")
  expect_error(loo_predict(fit, "quantile", 1), class = "hmvn_error_argument")
  expect_error(loo_predict(fit, lw = 1), class = "hmvn_error_argument")
  expect_error(loo_predictive_interval(fit, prob = 1), class = "hmvn_error_argument")
  expect_error(loo_pit(short_fit(d, ~Species, ~Sepal.Length, keep_data = FALSE)),
    class = "hmvn_error_rows")
  prior <- hmvn_prior(mean = dist_normal(5, 2), sd = dist_exponential(1))
  before <- short_fit(d, ~Species, ~Sepal.Length, prior = prior, prior_only = TRUE)
  expect_error(loo_predict(before), class = "hmvn_error_no_meaning")
})

test_that("a row that says nothing is predicted by the posterior, one without covariate not", {
  d <- with_fixed_seed(4, data.frame(g = rep(c("a", "b"), 15), x = rnorm(30), y = rnorm(30)))
  d$z <- with_fixed_seed(5, rnorm(30))
  d[3, c("x", "y")] <- NA
  d$z[[5]] <- NA
  fit <- suppressMessages(short_fit(d, ~g, ~ x + y, covariates = ~z, iter_sampling = 100))
  found <- suppressWarnings(loo_linpred(fit))
  expect_equal(found$value[3, ], colMeans(posterior_epred(fit)[, 3, ]))
  expect_identical(unname(found$pareto_k[3, ]), c(0, 0))
  expect_true(all(is.na(found$value[5, ])) && all(is.na(found$pareto_k[5, ])))
  expect_false(anyNA(found$value[-5, ]))
  spread <- suppressWarnings(loo_predict(fit, "var", seed = 1))$value
  expect_equal(spread[3, ], apply(posterior_predict(fit, seed = 1)[, 3, ], 2, var))
  pit <- suppressWarnings(loo_pit(fit))
  expect_identical(which(is.na(pit[, "x"])), c(3L, 5L))
})
