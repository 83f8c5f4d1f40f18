test_that("diagnostics by variable are those of posterior", {
  fit <- fake_fit(pooling = "partial")
  by_hand <- posterior::summarise_draws(as_draws_array(fit), "rhat", "ess_bulk", "ess_tail")
  named <- function(x) stats::setNames(as.vector(x), by_hand$variable)
  expect_equal(posterior::rhat(fit), named(by_hand$rhat))
  expect_equal(posterior::ess_bulk(fit), named(by_hand$ess_bulk))
  expect_equal(posterior::ess_tail(fit), named(by_hand$ess_tail))
  expect_identical(names(posterior::rhat(fit, variable = "mu0")), c("mu0[x1]", "mu0[x2]"))
  skip_if_not_installed("bayesplot")
  expect_equal(bayesplot::rhat(fit), named(by_hand$rhat))
  expect_equal(bayesplot::neff_ratio(fit), named(by_hand$ess_bulk / 400))
})

test_that("intervals are those of rstantools", {
  fit <- fake_fit()
  found <- posterior_interval(fit, prob = 0.5, variable = c("mu", "lp__"))
  draws <- as.matrix(fit, variable = c("mu", "lp__"))
  expect_equal(found, t(apply(draws, 2, quantile, c(0.25, 0.75))), ignore_attr = TRUE)
  expect_identical(dimnames(found), list(colnames(draws), c("25%", "75%")))
  expect_error(posterior_interval(fit, prob = 2), class = "hmvn_error_argument")
})

test_that("coda gets chains of draws", {
  skip_if_not_installed("coda")
  fit <- fake_fit(chains = 3)
  for (found in list(coda::as.mcmc(fit), coda::as.mcmc.list(fit))) {
    expect_s3_class(found, "mcmc.list")
    expect_identical(coda::nchain(found), 3L)
    expect_identical(coda::varnames(found), variables(fit))
    expect_equal(as.vector(found[[2]][, "mu[B,x1]"]), fit$draws$mean[, 2, 3])
  }
  expect_equal(
    coda::effectiveSize(coda::as.mcmc.list(fit, variable = "lp__"))[["lp__"]],
    sum(apply(fit$draws$lp, 2, coda::effectiveSize))
  )
})

test_that("tidy(), glance() and augment() are data frames of broom's columns", {
  skip_if_not_installed("generics")
  fit <- fake_fit(G = 3)
  tidied <- generics::tidy(fit)
  found <- summary(fit, c("mu", "sigma", "Omega"))
  expect_s3_class(tidied, "data.frame", exact = TRUE)
  expect_identical(tidied$term, found$variable)
  expect_identical(tidied$estimate, found$mean)
  expect_identical(tidied$std.error, found$sd)
  tidied <- generics::tidy(fit, "mu", group = "B", conf.int = TRUE, conf.level = 0.9)
  expect_identical(tidied$conf.low, found$q5[found$group == "B" & found$quantity == "mu"])
  expect_identical(tidied$conf.high, found$q95[found$group == "B" & found$quantity == "mu"])
  expect_identical(nrow(generics::tidy(fake_fit(K = 1))), 4L)
  # a key column is no quantile, whatever it is called
  odd <- fake_fit(G = 3, key = "q1")
  expect_identical(
    generics::tidy(odd, conf.int = TRUE), generics::tidy(fit, conf.int = TRUE)
  )
  glanced <- generics::glance(fit)
  expect_identical(nrow(glanced), 1L)
  expect_identical(glanced[c("n_groups", "n_features", "ndraws")],
    data.frame(n_groups = 3L, n_features = 2L, ndraws = 400))
  d <- iris
  d[5, 1:4] <- NA
  d[6, 1] <- NA
  fit <- short_fit(d, ~Species, iter_sampling = 20)
  found <- generics::augment(fit)
  expect_identical(found[names(d)[c(5, 1:4)]], d[c(5, 1:4)])
  expect_equal(found$.fitted_Sepal.Width, unname(fitted(fit)[, "Sepal.Width"]))
  expect_equal(found$.resid_Sepal.Width, unname(residuals(fit)[, "Sepal.Width"]))
  own <- predict(fit, type = "distance")[cbind(1:150, as.integer(d$Species))]
  expect_equal(found$.distance, own)
  expect_identical(names(generics::augment(fit, data = transform(d, id = 1:150)))[1:6],
    c(names(d), "id"))
  expect_error(generics::augment(fit, data = d[-1, ]), class = "hmvn_error_argument")
})
