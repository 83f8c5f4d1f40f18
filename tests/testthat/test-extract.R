test_that("quantities are arrays [iteration, chain, group, feature] with the user's labels", {
  labels <- c("100001", "a b", "c,d")
  fit <- fake_fit(G = 3, K = 2, labels = labels, features = c("x [m]", "y"), iter = 5)
  mu <- quantity(fit, "mu")
  expect_equal(dim(mu), c(5, 4, 3, 2))
  expect_equal(dimnames(mu)[3:4], list(labels, c("x [m]", "y")))
  expect_equal(mu[2, 3, 2, ], fit$draws$mean[2, 3, 3:4], ignore_attr = TRUE)
  expect_equal(quantity(fit, "mu", 3:2)[, , 1, ], mu[, , 3, ])
})

test_that("group_mean() and the like are rvars that keep chains and labels", {
  fit <- fake_fit(G = 3, K = 2)
  expect_equal(dim(group_mean(fit)), c(3, 2))
  expect_equal(dimnames(group_cov(fit)), list(c("A", "B", "C"), c("x1", "x2"), c("x1", "x2")))
  expect_equal(posterior::nchains(group_sd(fit)), 4)
  L <- factor_of(fit, 1, 1, 2)
  expect_equal(posterior::draws_of(group_cov(fit, "B"))[1, 1, , ], tcrossprod(L), ignore_attr = TRUE)
  expect_equal(posterior::draws_of(group_cor(fit))[1, 2, , ], cov2cor(tcrossprod(L)), ignore_attr = TRUE)
  expect_equal(posterior::draws_of(group_sd(fit))[1, 2, ], sqrt(diag(tcrossprod(L))), ignore_attr = TRUE)
})

test_that("the joint covariance is block-diagonal in the order of the raveled means", {
  fit <- fake_fit(G = 3, K = 2, iter = 3)
  joint <- group_cov(fit, joint = TRUE)
  expect_equal(rownames(joint), c("A:x1", "A:x2", "B:x1", "B:x2", "C:x1", "C:x2"))
  draw <- unname(posterior::draws_of(joint)[1, , ])
  expect_equal(draw[3:4, 3:4], tcrossprod(factor_of(fit, 1, 1, 2)))
  draw[cbind(rep(1:6, each = 2), c(1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6))] <- 0
  expect_true(all(draw == 0))
})

test_that("a joint covariance above 1 GB, an unknown group and another object are refused", {
  # 400 draws of a (G K)^2 matrix of doubles: 1 GB is passed at G K = 580
  fit <- fake_fit(G = 300, K = 2, labels = paste0("g", 1:300))
  error <- expect_error(group_cov(fit, joint = TRUE), class = "hmvn_error_size")
  expect_equal(error$bytes, 8 * 400 * 600^2)
  expect_equal(dim(group_cov(fit, group = c("g1", "g2"), joint = TRUE)), c(4, 4))
  expect_error(group_mean(fit, "z"), class = "hmvn_error_group")
  expect_error(group_mean(1), class = "hmvn_error_fit")
})

test_that("complete pooling gives every group the same values", {
  fit <- fake_fit(G = 3, pooling = "complete")
  mean <- posterior::draws_of(group_mean(fit))
  expect_equal(mean[, 1, ], mean[, 3, ])
  expect_equal(mean[1, 3, ], fit$draws$mean[1, 1, ], ignore_attr = TRUE)
  expect_equal(posterior::draws_of(group_cov(fit))[1, 3, , ], tcrossprod(factor_of(fit, 1, 1, 1)), ignore_attr = TRUE)
})

test_that("the population's covariance is made of its sds and correlations", {
  fit <- fake_fit(K = 3, pooling = "partial", iter = 4)
  sigma0 <- fit$draws$scale0[2, 3, ]
  Omega0 <- quantity(fit, "Omega0")[2, 3, , ]
  expect_equal(diag(Omega0), rep(1, 3), ignore_attr = TRUE)
  expect_equal(Omega0["x2", "x1"], fit$draws$chol_cor0[2, 3, 2])
  expect_equal(quantity(fit, "Sigma0")[2, 3, , ], Omega0 * outer(sigma0, sigma0))
  expect_equal(quantity(fit, "tau")[2, 3, ], fit$draws$h_mean[2, 3, ] * c(2, 3, 4), ignore_attr = TRUE)
  # one feature: Sigma0 is the variance, there is no Omega0
  one <- fake_fit(K = 1, pooling = "partial", iter = 4)
  expect_equal(c(quantity(one, "Sigma0")), c(one$draws$scale0^2))
  expect_false("Omega0" %in% quantity_table(one)$quantity)
})

test_that("shrinkage weights are (sigma^2/n) / (sigma^2/n + tau^2), and 1 without observations", {
  fit <- fake_fit(G = 2, K = 2, pooling = "partial", n = c(5, 50), iter = 4)
  fit$statistics$patterns$observed[2, 1] <- FALSE
  weight <- quantity(fit, "shrinkage")
  error <- quantity(fit, "sigma")[3, 1, "B", "x1"]^2 / 50
  expect_equal(weight[3, 1, "B", "x1"], error / (error + quantity(fit, "tau")[3, 1, "x1"]^2), ignore_attr = TRUE)
  expect_equal(c(weight[, , "A", "x2"]), rep(1, 16))
})

test_that("observations are counted by feature over patterns", {
  s <- fake_statistics(c("A", "B", "C"), c("x", "y"), "g", 1)
  s$patterns <- list(group = c(1L, 1L, 3L), n = c(4, 2.5, 7), observed = cbind(c(TRUE, TRUE), c(TRUE, FALSE), c(FALSE, TRUE)))
  expect_equal(unname(observed_counts(s)), rbind(c(6.5, 4), c(0, 0), c(0, 7)))
})
