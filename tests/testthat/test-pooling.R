test_that("one string is for all blocks, names are for some", {
  expect_identical(
    resolve_pooling("partial"), pool_all("partial", "partial", "partial", slope = "partial")
  )
  expect_identical(resolve_pooling(c(cor = "complete")), pool_all(cor = "complete"))
  expect_identical(
    resolve_pooling(list(sd = "partial", mean = "complete")), pool_all("complete", "partial")
  )
})

test_that("bad pooling is an error of its own class", {
  bad <- list(
    "parial", NA_character_, c("none", "partial"), c(means = "none"),
    c(mean = "none", mean = "partial"),
    NULL, 1, character(), list(mean = 1), c(mean = "none", "partial")
  )
  for (x in bad) expect_error(resolve_pooling(x), "pooling", class = "hmvn_error_pooling")
  expect_error(resolve_pooling("parial"), "Did you mean.*partial")
})

test_that("means and slopes are pooled by feature, an unnamed level for the rest", {
  features <- c("Bas", "V1", "V2")
  by <- function(pooling, covariates = character()) {
    coefficient_pooling(resolve_pooling(pooling), features, covariates, NULL)
  }
  expect_identical(
    by(list(mean = c(Bas = "complete", "none"), sd = "none")),
    matrix(c("complete", "none", "none"), 1, dimnames = list("mean", features))
  )
  expect_identical(
    unname(by(list(mean = c("partial", V2 = "none")))[1, ]), c("partial", "partial", "none")
  )
  # the order in which features are named tells nothing
  every <- c(V2 = "none", Bas = "partial", V1 = "complete")
  expect_identical(unname(by(list(mean = every))[1, ]), c("partial", "complete", "none"))
  covariates <- c("age", "sexm")
  slopes <- by(list(mean = "none", slope = c(age = "complete", "partial")), covariates)
  expect_identical(unname(slopes[2, ]), rep("complete", 3))
  expect_identical(unname(slopes[3, ]), rep("partial", 3))
  slopes <- by(list(slope = c(V1 = "complete", "partial")), covariates)
  expect_identical(unname(slopes[2, ]), c("partial", "complete", "partial"))
  for (wrong in list(
    list(mean = c(x = "none", "partial")), list(mean = c(Bas = "none")),
    list(mean = c(Bas = "none", Bas = "partial", "none")), list(mean = c("none", "partial")),
    list(sd = c(Bas = "none", "partial")), list(sd = c(Bas = "complete")),
    list(mean = c(Bas = "all", "none"))
  )) {
    expect_error(by(wrong), class = "hmvn_error_pooling")
  }
})

test_that("a baseline that all arms have in common: constrained longitudinal analysis", {
  # With one covariance matrix the model is y_arm ~ Normal(mu_arm, Sigma) with one baseline mean;
  # the other means' estimates are then adjusted for the baseline: mu_v + b (common - own baseline).
  set.seed(11)
  n <- 40
  S <- 0.7^abs(outer(1:3, 1:3, "-"))
  data <- do.call(rbind, lapply(1:2, function(arm) {
    y <- matrix(rnorm(3 * n), n) %*% chol(S) + rep(c(0, 0.4 * arm, 0.8 * arm), each = n)
    data.frame(arm = c("A", "B")[arm], Bas = y[, 1], V1 = y[, 2], V2 = y[, 3])
  }))
  fit <- suppressMessages(fit_hmvn(
    data, ~arm,
    pooling = list(mean = c(Bas = "complete", "none"), sd = "complete", cor = "complete"),
    prior = hmvn_prior(mean = distributional::dist_normal(0, 100)), seed = 1
  ))
  mu <- posterior::draws_of(group_mean(fit))
  expect_identical(mu[, "A", "Bas"], mu[, "B", "Bas"])
  expect_true(all(mu[, "A", "V1"] != mu[, "B", "V1"]))
  # given Sigma: the common baseline is the mean of both arms', and V2 - its regression on it
  own <- aggregate(data[-1], data["arm"], mean)
  Sigma <- posterior::draws_of(group_cov(fit, "A"))
  slope <- Sigma[, 3, 1] / Sigma[, 1, 1]
  expected <- own$V2[2] - own$V2[1] - mean(slope) * (own$Bas[2] - own$Bas[1])
  difference <- mu[, "B", "V2"] - mu[, "A", "V2"]
  se <- posterior::mcse_mean(matrix(difference, ncol = 4))
  expect_lt(abs(mean(difference) - expected) / se, 4)
  rows <- prior_summary(fit)
  expect_identical(rows$pooling[rows$block == "mean"], c("complete", "none", "none"))
  expect_identical(names(as_draws_rvars(fit, "mu0")), "mu0")
  expect_true(all(is.na(posterior::draws_of(as_draws_rvars(fit, "mu0")$mu0)[, 2:3])))
  expect_identical(summary(fit, "mu0")$feature, "Bas")
  expect_output(print(fit), "mean mixed")
  expect_error(between_cov(fit), class = "hmvn_error_no_meaning")
})

test_that("some means are partially pooled, and only these are correlated between groups", {
  case <- core_case(3, rep(c(4, 9), 4), pooling = "partial", seed = 3)
  fit <- suppressMessages(suppressWarnings(fit_hmvn(
    case$data, ~g, pooling = list(mean = c(y2 = "none", "partial"), sd = "complete"), chains = 2,
    seed = 1
  )))
  expect_identical(rownames(between_cor(fit)), c("y1", "y3"))
  found <- summary(fit, "Omega_between")
  expect_identical(c(found$feature, found$feature2), c("y1", "y3"))
  expect_identical(summary(fit, "tau")$feature, c("y1", "y3"))
  expect_identical(nrow(within_between(fit)), 1L)
  expect_output(print(fit), "y1 0")
  new <- suppressMessages(posterior_new_group(fit, seed = 1))
  prior <- fit$prior$mean
  # the unpooled one is a draw from the prior
  z <- (posterior::draws_of(new$mu)[, 2] - prior$location[[2]]) / prior$scale[[2]]
  expect_gt(ks.test(z, "pnorm")$p.value, 0.001)
})
