with_rows <- function(fit) {
  data <- data.frame(g = c("B", "A", "B"), x1 = c(1, NA, 3), x2 = c(0, NA, NA))
  fit$data <- model_data(data, "g", c("x1", "x2"))
  fit
}

test_that("estimates are posterior means by group, also under complete pooling", {
  for (pooling in c("none", "partial", "complete")) {
    fit <- fake_fit(G = 3, K = 2, pooling = pooling)
    expect_equal(coef(fit), posterior::E(group_mean(fit)))
    expect_equal(sigma(fit), posterior::E(group_sd(fit)))
    expect_identical(dimnames(coef(fit)), list(c("A", "B", "C"), c("x1", "x2")))
  }
})

test_that("fitted values and residuals are by row, and add up to the data", {
  fit <- with_rows(fake_fit())
  expect_identical(fitted(fit), unname_rows(coef(fit)[c(2, 1, 2), ]))
  y <- as.matrix(kept_data_frame(fit$data)[c("x1", "x2")])
  expect_equal(fitted(fit) + residuals(fit), y)
  expect_equal(residuals(fit, type = "pearson") * sigma(fit)[c(2, 1, 2), ], residuals(fit),
    ignore_attr = TRUE)
  expect_identical(rownames(residuals(fit)), NULL)
})

test_that("vcov() and confint() are of the draws of means", {
  fit <- fake_fit(G = 2, K = 2)
  draws <- as.matrix(fit, variable = "mu")
  names <- c("mu[A,x1]", "mu[A,x2]", "mu[B,x1]", "mu[B,x2]")
  expect_equal(vcov(fit), cov(draws)[names, names], ignore_attr = "dimnames")
  expect_identical(dimnames(vcov(fit)), list(names, names))
  expect_equal(
    confint(fit, level = 0.8), t(apply(draws[, names], 2, quantile, c(0.1, 0.9))),
    ignore_attr = TRUE
  )
  expect_identical(dimnames(confint(fit)), list(names, c("2.5 %", "97.5 %")))
  expect_identical(confint(fit, names[3:2]), confint(fit)[3:2, ])
  expect_error(confint(fit, "mu[Z,x1]"), class = "hmvn_error_variable")
  expect_error(confint(fit, 1), class = "hmvn_error_argument")
  asked <- NULL
  read <- mean_draws
  with_replaced("mean_draws", function(fit, groups) {
    asked <<- c(asked, groups)
    read(fit, groups)
  }, confint(fit, c("mu[B,x2]", "mu[B,x1]")))
  expect_identical(asked, 2L)
  expect_error(confint(fit, level = 95), class = "hmvn_error_argument")
  expect_error(vcov(fake_fit(G = 6e3, labels = as.character(1:6e3), iter = 1)),
    class = "hmvn_error_size")
})

test_that("what the fit was made of", {
  d <- airquality[c("Month", "Ozone", "Wind")]
  d$w <- 2
  d[1, c("Ozone", "Wind")] <- NA
  fit <- short_fit(d, ~Month, ~ Ozone + Wind, weights = ~w, iter_sampling = 4)
  expect_identical(nobs(fit), 152L)
  expect_identical(weights(fit), rep(2, 153))
  expect_identical(variable.names(fit), c("Ozone", "Wind"))
  expect_identical(labels(fit), as.character(5:9))
  expect_identical(levels(fit), as.character(5:9))
  expect_identical(case.names(fit), as.character(1:153))
  expect_identical(model.frame(fit), d)
  expect_equal(formula(fit), cbind(Ozone, Wind) ~ Month, ignore_attr = TRUE)
  expect_output(print(family(fit)), "multivariate normal")
  two <- short_fit(transform(d, odd = seq_len(153) %% 2), ~ odd + Month, ~Ozone, iter_sampling = 4)
  expect_equal(formula(two), Ozone ~ odd:Month, ignore_attr = TRUE)
  expect_identical(weights(two), rep(1, 153))
})

test_that("typical group and deviations add up to the groups", {
  skip_if_not_installed("nlme")
  fit <- fake_fit(G = 3, pooling = "partial")
  expect_equal(nlme::fixef(fit), c(posterior::E(as_draws_rvars(fit, "mu0")$mu0)))
  expect_equal(nlme::ranef(fit) + rep(nlme::fixef(fit), each = 3), coef(fit))
  expect_identical(dimnames(nlme::ranef(fit)), dimnames(coef(fit)))
  parts <- nlme::VarCorr(fit)
  expect_equal(parts$between$sd, c(posterior::E(as_draws_rvars(fit, "tau")$tau)))
  expect_equal(parts$between$cor, posterior::E(between_cor(fit)))
  expect_equal(parts$between$cov, posterior::E(between_cov(fit)))
  expect_equal(parts$within$cov, posterior::E(group_cov(fit)))
  expect_equal(parts$within$cor, posterior::E(group_cor(fit)))
  none <- with_rows(fake_fit())
  expect_null(nlme::VarCorr(none)$between)
  expect_error(nlme::fixef(none), class = "hmvn_error_no_meaning")
  expect_error(nlme::ranef(none), "coef", class = "hmvn_error_no_meaning")
  expect_identical(ngrps.hmvn_fit(fit), list(g = 3L))
  expect_identical(nlme::getGroups(none), factor(c("B", "A", "B")))
  expect_identical(nlme::getData(none), model.frame(none))
  expect_equal(nlme::getGroupsFormula(none), ~g, ignore_attr = TRUE)
})

test_that("with covariates rows have means of their own, and rows without them are NA", {
  d <- regression_data()
  fit <- regression_fit(d, pooling = "partial")
  means <- apply(means_by_hand(fit, d), 2:3, mean)
  expect_equal(unname(fitted(fit)), means, tolerance = 1e-10)
  residual <- as.matrix(d[c("x", "y")]) - means
  expect_equal(unname(residuals(fit)), unname(residual), tolerance = 1e-10)
  added <- augment.hmvn_fit(fit)
  expect_equal(cbind(added$.resid_x, added$.resid_y), unname(residual), tolerance = 1e-10)
  expect_identical(which(is.na(added$.distance)), c(5L, 8L))
  expect_identical(model.frame(fit), d[c("g", "x", "y", "age", "site")])
  expect_identical(getData.hmvn_fit(fit), model.frame(fit))
})

test_that("covariates are in the formula, slopes in VarCorr() and tidy()", {
  fit <- regression_fit(pooling = "partial")
  terms <- stats::terms(formula(fit))
  expect_identical(attr(terms, "term.labels"), c("g", "age", "site"))
  expect_identical(formula(fit)[[2]], quote(cbind(x, y)))
  expect_equal(getGroupsFormula.hmvn_fit(fit), ~g, ignore_attr = TRUE)
  found <- VarCorr.hmvn_fit(fit)
  expect_named(found, c("between", "slope", "within"))
  expect_identical(dimnames(found$slope$sd), list(c("age", "sitev", "sitew"), c("x", "y")))
  tau <- summary(fit, "tau_slope")
  expect_equal(found$slope$sd[["sitew", "x"]],
    tau$mean[tau$covariate == "sitew" & tau$feature == "x"])
  expect_named(VarCorr.hmvn_fit(regression_fit()), c("between", "within"))
  tidied <- tidy.hmvn_fit(fit, group = "b")
  expect_identical(tidied$quantity, rep(c("mu", "beta", "sigma", "Omega"), c(2, 6, 2, 1)))
  expect_identical(tidied$covariate[3:8], rep(c("age", "sitev", "sitew"), each = 2))
  expect_equal(tidied$estimate[[3]], mean(group_slope(fit)["b", "age", "x"]), ignore_attr = TRUE)
  expect_false("covariate" %in% names(tidy.hmvn_fit(fake_fit())))
})

test_that("what rows are asked of other data is refused, with what answers it", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20)
  expect_error(fitted(fit, newdata = iris), "posterior_epred", class = "hmvn_error_argument")
  expect_error(residuals(fit, newdata = iris), "predictive_error", class = "hmvn_error_argument")
  asked <- list(
    function() coef(fit, 1), function() sigma(fit, groups = 1), function() confint(fit, prob = 0.9),
    function() nlme::fixef(fit, summary = FALSE), function() nlme::ranef(fit, summary = FALSE),
    function() nlme::VarCorr(fit, summary = FALSE)
  )
  for (ask in asked) expect_error(ask(), class = "hmvn_error_argument")
})
