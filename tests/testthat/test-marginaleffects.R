test_that("what marginaleffects asks for are means of rows, feature after feature", {
  fit <- short_fit(iris, ~Species, iter_sampling = 50)
  rows <- iris[c(1, 60, 120), ]
  found <- get_predict.hmvn_fit(fit, cbind(rows, rowid = 7:9))
  mu <- posterior::draws_of(group_mean(fit))
  expect_identical(found$rowid, rep(7:9, 4))
  expect_identical(as.character(found$group), rep(names(iris)[1:4], each = 3))
  wanted <- matrix(mu, nrow(mu))
  expect_equal(attr(found, "posterior_draws"), t(wanted), ignore_attr = TRUE)
  expect_equal(found$estimate, apply(wanted, 2, median))
  expect_identical(get_predict.hmvn_fit(fit, rows)$rowid, rep(1:3, 4))
  expect_identical(get_coef.hmvn_fit(fit), colMeans(as.matrix(fit, variable = "mu")))
  expect_error(get_predict.hmvn_fit(fit, rows, type = "link"), class = "hmvn_error_argument")
  for (odd in list(mean, list(Species = 1:3, y = 1:2), "a", 1)) {
    expect_error(get_predict.hmvn_fit(fit, odd), class = "hmvn_error")
  }
})

test_that("rows that are predicted vary as rows do", {
  fit <- short_fit(iris, ~Species, iter_sampling = 500)
  set.seed(1)
  found <- get_predict.hmvn_fit(fit, iris[1, ], type = "prediction")
  spread <- apply(attr(found, "posterior_draws"), 1, sd)
  # of n draws the sd has a relative error of 1 / sqrt(2 n), and rows vary more than sigma
  sigma <- sqrt(colMeans(posterior::draws_of(group_cov(fit))[, 1, , , drop = FALSE])[1, , ])
  error <- 1 / sqrt(2 * posterior::ndraws(fit))
  expect_lt(max(abs(spread / (diag(sigma) * sqrt(1 + 1 / 50)) - 1)), 4 * error)
})

test_that("marginaleffects works on a fit", {
  expect_true("hmvn_fit" %in% getOption("marginaleffects_model_classes"))
  skip_if_not_installed("marginaleffects")
  skip_if_not(exists("%||%", baseenv()), "marginaleffects 1.0.0 needs R 4.4")
  fit <- short_fit(iris, ~Species, iter_sampling = 100)
  found <- getExportedValue("marginaleffects", "avg_comparisons")(fit, variables = "Species")
  mu <- posterior::draws_of(group_mean(fit))
  one <- found$group == "Sepal.Width" & found$contrast == "virginica - setosa"
  expect_equal(found$estimate[one], median(mu[, 3, 2] - mu[, 1, 2]))
})
