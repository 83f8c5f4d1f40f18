test_that("group_mean() and the like are rvars that keep chains and labels", {
  fit <- fake_fit(G = 3, K = 2)
  expect_equal(dim(group_mean(fit)), c(3, 2))
  expect_equal(dimnames(group_cov(fit)), list(c("A", "B", "C"), c("x1", "x2"), c("x1", "x2")))
  expect_equal(posterior::nchains(group_sd(fit)), 4)
  L <- factor_of(fit, 1, 1, 2)
  expect_equal(
    posterior::draws_of(group_cov(fit, "B"))[1, , ], tcrossprod(L), ignore_attr = TRUE
  )
  expect_equal(
    posterior::draws_of(group_cor(fit))[1, 2, , ], cov2cor(tcrossprod(L)), ignore_attr = TRUE
  )
  expect_equal(
    posterior::draws_of(group_sd(fit))[1, 2, ], sqrt(diag(tcrossprod(L))), ignore_attr = TRUE
  )
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
  expect_equal(
    posterior::draws_of(group_cov(fit))[1, 3, , ], tcrossprod(factor_of(fit, 1, 1, 1)),
    ignore_attr = TRUE
  )
})

test_that("of one group that is named the index of the group is left out", {
  fit <- fake_fit(G = 3, K = 2, labels = c("5", "3", "1"))
  expect_identical(group_cov(fit, "3"), group_cov(fit)["3", , , drop = TRUE])
  expect_identical(group_mean(fit, 5), group_mean(fit)[1, , drop = TRUE])
  expect_identical(dim(group_cor(fit, c("3", "5"))), c(2L, 2L, 2L))
  expect_identical(dim(partial_cor(fit, "1")), c(2L, 2L))
  one <- fake_fit(G = 1, K = 2)
  expect_identical(dim(group_cov(one)), c(1L, 2L, 2L))
  expect_identical(posterior::nchains(group_sd(fit, "1")), 4L)
})
