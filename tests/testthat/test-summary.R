test_that("summary() has a row for each quantity, as posterior summarises it", {
  fit <- fake_fit(G = 2, K = 3, pooling = "partial")
  s <- summary(fit)
  expect_equal(
    as.vector(
      table(s$quantity)[c("mu", "sigma", "Omega", "Sigma", "Omega0", "Sigma0", "h_cor", "lp__")]
    ),
    c(6, 6, 6, 12, 3, 6, 1, 1)
  )
  reference <- suppressWarnings(posterior::summarise_draws(fit))
  here <- s[s$variable %in% reference$variable, ]
  expect_equal(nrow(here), nrow(s) - 7 - 6) # pooling_*: 3 + 3 + 1, shrinkage: 2 x 3
  reference <- reference[match(here$variable, reference$variable), ]
  for (column in c("mean", "median", "sd", "q5", "q95", "rhat", "ess_bulk", "ess_tail")) {
    expect_equal(here[[column]], as.numeric(reference[[column]]), tolerance = 1e-8)
  }
})

test_that("rows are filtered by quantity and group, in any number of chunks", {
  fit <- fake_fit(G = 5, K = 2, pooling = "partial")
  all <- summary(fit)
  some <- summary(fit, variable = c("Sigma", "mu"), group = c("D", "B"))
  expect_equal(
    some$variable[1:4], c("Sigma[D,x1,x1]", "Sigma[D,x2,x1]", "Sigma[D,x2,x2]", "Sigma[B,x1,x1]")
  )
  expect_equal(some$mean, all$mean[match(some$variable, all$variable)])
  expect_setequal(
    unique(summary(fit, group = "A")$quantity), c("mu", "sigma", "Omega", "Sigma", "shrinkage")
  )
  expect_error(summary(fit, variable = "nope"), class = "hmvn_error_variable")
  expect_error(summary(fit, prob = 2), class = "hmvn_error_prob")
  expect_error(summary(fit, quantiles = 0.5), class = "hmvn_error_argument")
  expect_true(
    all(c("q2.5", "q50", "q97.5") %in% names(summary(fit, "lp__", prob = c(0.025, 0.5, 0.975))))
  )
  expect_equal(length(group_chunks(fake_fit(G = 5, K = 2))), 1)
})

test_that("what there is nothing of has no rows, and all columns", {
  one <- fake_fit(K = 1)
  expect_identical(summary(one, "Omega"), summary(one, "mu")[0, ], ignore_attr = TRUE)
  expect_s3_class(summary(one, "Omega"), "hmvn_summary")
  fit <- fake_fit(pooling = "partial")
  expect_error(summary(fit, c("mu", "mu0"), group = "A"), class = "hmvn_error_variable")
  expect_identical(nrow(summary(fit, "mu0")), 2L)
})

test_that("what all groups have in common is summarised once", {
  fit <- fake_fit(G = 3, K = 2, pooling = "complete")
  summarise <- summarise_groups_
  seen <- integer()
  found <- with_replaced("summarise_groups_", function(draws, k, where, ...) {
    seen <<- c(seen, length(where))
    summarise(draws, k, where, ...)
  }, summary(fit, c("mu", "Sigma"), group = c("C", "A")))
  expect_identical(seen, c(1L, 1L))
  expect_identical(found$variable[c(1, 3, 7)], c("mu[C,x1]", "mu[A,x1]", "Sigma[C,x2,x2]"))
  alone <- summary(fit, c("mu", "Sigma"), group = "A")
  expect_identical(found$mean, alone$mean[c(1:2, 1:2, 3:5, 3:5)])
  expect_identical(found$q95, alone$q95[c(1:2, 1:2, 3:5, 3:5)])
})

test_that("key columns keep their types and never hide the summary's own", {
  fit <- fake_fit(G = 2, K = 1, iter = 5)
  fit$statistics$keys <- data.frame(year = c(2001L, 2002L), mean = c("a", "b"))
  s <- summary(fit, "mu")
  expect_equal(s$year, 2001:2002)
  expect_equal(s$key_mean, c("a", "b"))
  expect_type(s$mean, "double")
  expect_equal(
    names(summary(fake_fit(key = "group", iter = 5), "mu"))[1:4],
    c("variable", "quantity", "group", "feature")
  )
})

test_that("a summary prints as a page that fits the width", {
  fit <- fake_fit(G = 2, K = 2, pooling = "partial", key = "site")
  expect_snapshot(print(summary(fit, c("mu", "Omega", "tau", "h_cor"))))
  expect_snapshot(print(summary(fit, "sigma"), n = 1))
  long <- fake_fit(features = paste("a feature with a long name", 1:2))
  page <- capture.output(print(summary(long, c("sigma", "Omega"))))
  expect_lte(max(nchar(page)), 80)
  expect_output(print(summary(fit, "mu")["mean"]), "mean")
})

test_that("pairs have the first feature first, and probs is prob", {
  found <- summary(fake_fit(K = 3), "Sigma", group = "A")
  expect_identical(found$feature, paste0("x", c(1, 1, 2, 1, 2, 3)))
  expect_identical(found$feature2, paste0("x", c(1, 2, 2, 3, 3, 3)))
  fit <- fake_fit()
  expect_identical(summary(fit, probs = 0.5), summary(fit, prob = 0.5))
  expect_error(summary(fit, prob = 0.5, probs = 0.1), class = "hmvn_error_argument")
})

test_that("a fit of one draw is summarised, without a spread", {
  fit <- fake_fit(pooling = "partial", iter = 1, chains = 1)
  s <- summary(fit)
  expect_true(all(is.na(s$sd)))
  expect_output(print(s), "mu")
  found <- within_between(fit)
  expect_equal(found$within_low, found$within)
  expect_error(waic.hmvn_fit(fit), class = "hmvn_error_no_meaning")
})
