test_that("predicted rows follow the Normal of their group, draw by draw", {
  fit <- fake_fit(G = 2, K = 3, iter = 1000, chains = 2)
  new <- data.frame(g = c("B", "A", "B"), x1 = NA, x2 = NA, x3 = NA)
  drawn <- posterior_predict(fit, new, seed = 1)
  expect_identical(dim(drawn), c(2000L, 3L, 3L))
  expect_identical(dimnames(drawn)[[3]], c("x1", "x2", "x3"))
  mu <- posterior::draws_of(group_mean(fit))
  Sigma <- posterior::draws_of(group_cov(fit))
  # less the mean, times the inverse root of the covariance: standard normal
  white <- vapply(1:3, function(row) {
    g <- c(2, 1, 2)[row]
    t(vapply(1:2000, function(s) {
      backsolve(chol(Sigma[s, g, , ]), drawn[s, row, ] - mu[s, g, ], transpose = TRUE)
    }, double(3)))
  }, matrix(0, 2000, 3))
  white <- matrix(white, 2000)
  p <- apply(white, 2, function(x) ks.test(x, "pnorm")$p.value)
  expect_gt(min(p.adjust(p, "holm")), 0.001)
  r <- cor(white)[lower.tri(diag(9))]
  expect_lt(max(abs(r)) * sqrt(2000), z_bound(length(r)))
  expect_identical(posterior_predict(fit, new, seed = 1, ndraws = 5),
    drawn[choose_draws(fit, 5), , ])
})

test_that("expectations, intervals and errors have the shapes that are written down", {
  fit <- short_fit(iris, ~Species, iter_sampling = 50)
  mean <- posterior_epred(fit)
  expect_identical(dim(mean), c(100L, 150L, 4L))
  expect_equal(colMeans(mean), fitted(fit), ignore_attr = TRUE)
  expect_equal(mean[, 51, "Petal.Width"],
    as.vector(posterior::draws_of(group_mean(fit)[2, 4])))
  expect_identical(posterior_linpred(fit, ndraws = 3), posterior_epred(fit, ndraws = 3))
  drawn <- posterior_predict(fit, seed = 1)
  bounds <- predictive_interval(fit, seed = 1, prob = 0.8)
  expect_identical(dim(bounds), c(150L, 2L, 4L))
  expect_identical(dimnames(bounds)[2:3], list(c("10%", "90%"), names(iris)[1:4]))
  expect_equal(bounds[7, , 2], quantile(drawn[, 7, 2], c(0.1, 0.9)))
  error <- predictive_error(fit, seed = 1)
  expect_equal(error[3, 7, 2], iris[7, 2] - drawn[3, 7, 2], ignore_attr = TRUE)
  sets <- simulate(fit, 3, seed = 1)
  expect_identical(names(sets), c("sim_1", "sim_2", "sim_3"))
  expect_identical(names(sets$sim_2), c("Species", names(iris)[1:4]))
  expect_equal(sets$sim_2$Petal.Width, posterior_predict(fit, seed = 1, ndraws = 3)[2, , 4],
    ignore_attr = TRUE)
})

test_that("new rows need no more than their groups, and means no covariances", {
  fit <- fake_fit(G = 2, K = 2)
  groups <- data.frame(g = c("B", "A"))
  drawn <- posterior_predict(fit, groups, seed = 1)
  expect_identical(dim(drawn), c(400L, 2L, 2L))
  odd <- data.frame(g = c("B", "A"), x1 = c(NaN, Inf), x2 = c("a", "b"))
  expect_identical(posterior_predict(fit, odd, seed = 1), drawn)
  expect_identical(posterior_epred(without(fit, "chol"), odd), posterior_epred(fit, groups))
  expect_error(posterior_epred(without(fit, "mean"), groups), class = "hmvn_error_keep")
  expect_error(posterior_predict(without(fit, "chol"), groups), class = "hmvn_error_keep")
  expect_error(predictive_error(fit, odd), class = "hmvn_error_column")
  expect_error(posterior_predict(fit, list(g = "A")), class = "hmvn_error_argument")
  expect_error(predictive_interval(fit, groups, draws = 3), class = "hmvn_error_argument")
  rows <- short_fit(iris, ~Species, iter_sampling = 5)
  expect_error(simulate(rows, newdata = iris[1:2, ]), class = "hmvn_error_argument")
})

test_that("the rows of the fit are looked at once", {
  fit <- short_fit(iris, ~Species, iter_sampling = 5)
  looked <- function(code) unname(count_calls("fingerprint_of", code))
  expect_identical(looked(predictive_error(fit, seed = 1)), 1L)
  expect_identical(looked(simulate(fit, seed = 1)), 1L)
  expect_identical(looked(augment.hmvn_fit(fit)), 1L)
  expect_identical(looked(residuals(fit)), 1L)
  skip_if_not_installed("bayesplot")
  # fewer draws than are shown by default
  expect_identical(looked(bayesplot::pp_check(fit, seed = 1)), 1L)
})

test_that("with covariates predictions are about the means that they give", {
  d <- regression_data()
  for (pooling in slope_poolings) {
    fit <- regression_fit(d, pooling = pooling, chains = 4, iter_sampling = 250)
    means <- means_by_hand(fit, d)
    expected <- unname(posterior_epred(fit))
    expect_equal(expected, means, tolerance = 1e-10)
    expect_identical(which(is.na(expected[1, , 1])), 5L)
    expect_identical(unname(posterior_epred(fit, d[12:10, 5:1])), expected[, 12:10, ])
    drawn <- posterior_predict(fit, seed = 1)
    expect_identical(is.na(unname(drawn)), is.na(expected))
    Sigma <- posterior::draws_of(group_cov(fit))
    group <- match(d$g, fit$statistics$labels)
    for (k in 1:2) {
      z <- (drawn[, , k] - means[, , k]) / sqrt(Sigma[, group, k, k])
      p <- stats::ks.test(z[, c(1, 8, 30)], "pnorm")$p.value
      expect_gt(p, 0.001 / (2 * length(slope_poolings)))
    }
    bounds <- predictive_interval(fit, seed = 1)
    expect_identical(bounds[5, , ], array(NA_real_, c(2, 2), dimnames(bounds)[2:3]))
    expect_equal(bounds[7, , "y"], quantile(drawn[, 7, "y"], c(0.05, 0.95)), ignore_attr = TRUE)
    error <- predictive_error(fit, seed = 1)
    expect_equal(error[, 9, "x"], d$x[9] - drawn[, 9, "x"])
    new <- simulate(fit, seed = 1)$sim_1
    expect_identical(new[c("g", "age", "site")], d[c("g", "age", "site")])
    expect_identical(is.na(new$x), is.na(d$age))
  }
})

test_that("new rows to predict must have covariates; no rows are none", {
  fit <- regression_fit()
  new <- data.frame(g = "b", age = 35, site = "w")
  expect_identical(dim(posterior_epred(fit, new)), c(100L, 1L, 2L))
  expect_identical(dim(posterior_predict(fit, new[0, ])), c(100L, 0L, 2L))
  expect_identical(dim(predictive_interval(fit, new[0, ])), c(0L, 2L, 2L))
  expect_error(posterior_predict(fit, new["g"]), "age", class = "hmvn_error_column")
  new$age <- NA
  for (f in list(posterior_predict, posterior_epred, predictive_interval)) {
    expect_error(f(fit, new), "must have all covariates", class = "hmvn_error_covariates")
  }
})

test_that("pp_check() leaves out rows without one of their covariates", {
  skip_if_not_installed("bayesplot")
  fit <- regression_fit()
  picture <- bayesplot::pp_check(fit, "intervals", feature = "y", ndraws = 20, seed = 1)
  # row 5 lacks a covariate; 4, 8, 12 and 26 are not observed
  expect_identical(nrow(picture$data), 43L)
})

test_that("pp_check() shows the observed cells of a feature by group", {
  skip_if_not_installed("bayesplot")
  d <- iris
  d$Sepal.Width[1:10] <- NA
  fit <- short_fit(d, ~Species, iter_sampling = 50)
  p <- bayesplot::pp_check(fit, feature = "Sepal.Width", ndraws = 5, seed = 1)
  shown <- ggplot2::ggplot_build(p)$plot$data
  expect_identical(as.vector(table(shown$group)), c(240L, 300L, 300L))
  expect_s3_class(bayesplot::pp_check(fit, "stat", stat = "mean", seed = 1), "ggplot")
  expect_error(bayesplot::pp_check(fit, "dens_overlai"), class = "hmvn_error_argument")
  expect_error(bayesplot::pp_check(fit, feature = "z"), class = "hmvn_error_argument")
})
