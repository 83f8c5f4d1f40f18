test_that("sds, correlations, covariances and precisions follow from the stored factor", {
  for (K in c(1, 2, 5)) {
    fit <- fake_fit(G = 3, K = K, iter = 4, chains = 2)
    full <- lapply(
      c(Sigma = "Sigma", Omega = "Omega", precision = "precision", sigma = "sigma"),
      function(kind) derive_quantity_(fit$draws$chol, K, c(3L, 1L), kind, FALSE)
    )
    expect_equal(dim(full$Sigma), c(4, 2, 2, K, K))
    L <- factor_of(fit, 3, 2, 3)
    Sigma <- L %*% t(L)
    expect_equal(matrix(full$Sigma[3, 2, 1, , ], K), Sigma)
    expect_equal(matrix(full$Omega[3, 2, 1, , ], K), cov2cor(Sigma))
    expect_equal(matrix(full$precision[3, 2, 1, , ], K), solve(Sigma))
    expect_equal(full$sigma[3, 2, 1, ], sqrt(diag(Sigma)))
    expect_equal(matrix(full$Sigma[3, 2, 2, , ], K), tcrossprod(factor_of(fit, 3, 2, 1)))
  }
})

test_that("packed triangles are the full matrices' rows", {
  fit <- fake_fit(G = 2, K = 3, iter = 3, chains = 1)
  packed <- derive_quantity_(fit$draws$chol, 3, 2:1, "Omega", TRUE)
  full <- derive_quantity_(fit$draws$chol, 3, 2:1, "Omega", FALSE)
  expect_equal(
    packed[2, 1, ],
    c(
      full[2, 1, 1, 2, 1], full[2, 1, 1, 3, 1], full[2, 1, 1, 3, 2], full[2, 1, 2, 2, 1],
      full[2, 1, 2, 3, 1], full[2, 1, 2, 3, 2]
    )
  )
  covariance <- derive_quantity_(fit$draws$chol, 3, 1L, "Sigma", TRUE)
  expect_equal(covariance[1, 1, ], t(tcrossprod(factor_of(fit, 1, 1, 1)))[upper.tri(diag(3), TRUE)])
})

test_that("correlations stay within 1 and their diagonal is exactly 1", {
  # sd 1 and correlation 1 - 1e-16: rounding alone decides the last digit
  chol <- array(rep(c(0.1, 0.3, 1e-17), each = 10), c(10, 1, 3))
  Omega <- derive_quantity_(chol, 2, 1L, "Omega", FALSE)
  expect_true(all(abs(Omega) <= 1))
  expect_identical(Omega[, , , 1, 1], rep(1, 10))
})

test_that("groups that are not stored are refused", {
  fit <- fake_fit(G = 2, iter = 2)
  expect_error(derive_quantity_(fit$draws$chol, 2, 3L, "Sigma", FALSE), "group 3")
})
