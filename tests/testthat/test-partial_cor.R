test_that("partial correlations and precisions are those of the inverse covariance", {
  for (K in c(1, 2, 4)) {
    fit <- fake_fit(G = 2, K = K, iter = 5)
    P <- solve(matrix(posterior::draws_of(group_cov(fit))[7, 2, , ], K))
    expect_equal(matrix(posterior::draws_of(precision(fit))[7, 2, , ], K), P)
    expected <- -cov2cor(P)
    diag(expected) <- 1
    expect_equal(matrix(posterior::draws_of(partial_cor(fit))[7, 2, , ], K), expected)
  }
  expect_identical(dimnames(partial_cor(fit, "B")), rep(list(paste0("x", 1:4)), 2))
  # given no other feature, it is the correlation
  fit <- fake_fit(K = 2)
  expect_equal(partial_cor(fit), group_cor(fit))
  expect_error(partial_cor(fit, "Z"), class = "hmvn_error_group")
  expect_error(precision(without(fit, "chol")), class = "hmvn_error_keep")
})

test_that("features that are independent given a third have none", {
  # a chain x1 -> x2 -> x3
  L <- rbind(c(1, 0, 0), c(0.8, 1, 0), c(0.8 * 0.5, 0.5, 1))
  fit <- fake_fit(G = 1, K = 3, iter = 1, chains = 1)
  fit$draws$chol[1, 1, ] <- t(L)[upper.tri(L, diag = TRUE)]
  found <- posterior::draws_of(partial_cor(fit))[1, 1, , ]
  expect_equal(found[1, 3], 0)
  expect_gt(posterior::draws_of(group_cor(fit))[1, 1, 1, 3], 0.2)
})
