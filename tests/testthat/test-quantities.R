test_that("quantities are arrays [iteration, chain, group, feature] with the user's labels", {
  labels <- c("100001", "a b", "c,d")
  fit <- fake_fit(G = 3, K = 2, labels = labels, features = c("x [m]", "y"), iter = 5)
  mu <- quantity(fit, "mu")
  expect_equal(dim(mu), c(5, 4, 3, 2))
  expect_equal(dimnames(mu)[3:4], list(labels, c("x [m]", "y")))
  expect_equal(mu[2, 3, 2, ], fit$draws$mean[2, 3, 3:4], ignore_attr = TRUE)
  expect_equal(quantity(fit, "mu", 3:2)[, , 1, ], mu[, , 3, ])
})

test_that("the population's covariance is made of its sds and correlations", {
  fit <- fake_fit(K = 3, pooling = "partial", iter = 4)
  sigma0 <- fit$draws$scale0[2, 3, ]
  Omega0 <- quantity(fit, "Omega0")[2, 3, , ]
  expect_equal(diag(Omega0), rep(1, 3), ignore_attr = TRUE)
  expect_equal(Omega0["x2", "x1"], fit$draws$chol_cor0[2, 3, 2])
  expect_equal(quantity(fit, "Sigma0")[2, 3, , ], Omega0 * outer(sigma0, sigma0))
  expect_equal(
    quantity(fit, "tau")[2, 3, ], fit$draws$h_mean[2, 3, ] * c(2, 3, 4), ignore_attr = TRUE
  )
  # one feature: Sigma0 is the variance, there is no Omega0
  one <- fake_fit(K = 1, pooling = "partial", iter = 4)
  expect_equal(c(quantity(one, "Sigma0")), c(one$draws$scale0^2))
  expect_false("Omega0" %in% quantity_names(one))
})

test_that("shrinkage weights are (sigma^2/n) / (sigma^2/n + tau^2), and 1 without observations", {
  fit <- fake_fit(G = 2, K = 2, pooling = "partial", n = c(5, 50), iter = 4)
  fit$statistics$patterns$observed[2, 1] <- FALSE
  weight <- quantity(fit, "shrinkage")
  error <- quantity(fit, "sigma")[3, 1, "B", "x1"]^2 / 50
  expect_equal(
    weight[3, 1, "B", "x1"], error / (error + quantity(fit, "tau")[3, 1, "x1"]^2),
    ignore_attr = TRUE
  )
  expect_equal(c(weight[, , "A", "x2"]), rep(1, 16))
})

test_that("a fit has the quantities whose draws it has, in the order of the table", {
  for (pooling in all_poolings(pooling_levels)) {
    fit <- fake_fit(K = 2, pooling = pooling, iter = 4)
    names <- quantity_names(fit)
    expect_identical(names, intersect(names(quantities), names))
    parts <- unlist(lapply(quantities[names], `[[`, "from"))
    expect_true(all(vapply(parts, is_stored, TRUE, fit = fit)))
    expect_true(all(c("mu", "sigma", "Omega", "Sigma", "lp__") %in% names))
    expect_identical("tau" %in% names, pooling[["mean"]] == "partial")
    expect_identical("Sigma0" %in% names, all(pooling[c("sd", "cor")] != "none"))
  }
})

test_that("every quantity's packed and full form hold the same, under the names of its elements", {
  for (K in c(1, 3)) {
    fit <- fake_fit(G = 3, K = K, pooling = "partial", iter = 4)
    for (name in c(quantity_names(fit), "precision")) {
      full <- quantity(fit, name, c(3, 1))
      dim(full) <- c(dim(full)[1:2], prod(dim(full)[-(1:2)]))
      packed <- packed_quantity(fit, name, c(3, 1))
      layout <- packed_layout(fit, name)
      group <- if (quantities[[name]]$by_group) rep(c(3, 1), each = nrow(layout))
      rows <- rep(seq_len(nrow(layout)), if (is.null(group)) 1 else 2)
      if (length(rows) == 0) {
        expect_identical(dim(packed)[[3]], 0L)
        next
      }
      entries <- packed_names(fit, name, group, layout[rows, , drop = FALSE])
      where <- match(entries, element_names(fit, name, c(3, 1)))
      expect_false(anyNA(where))
      expect_equal(unname(full[, , where, drop = FALSE]), unname(packed), tolerance = 1e-12)
    }
  }
})

test_that("what C++ summarises from stored draws is what it summarises from an array", {
  fit <- fake_fit(G = 3, K = 3, iter = 20)
  how <- list(prob = c(q5 = 0.05, q95 = 0.95), cores = 1L)
  in_core <- names(Filter(function(row) row$summarised_in_core, quantities))
  expect_setequal(in_core, c("mu", "sigma", "Omega", "Sigma"))
  for (name in in_core) {
    expect_identical(
      summarise_groups(fit, name, 3:2, how),
      summarise_array_(packed_quantity(fit, name, 3:2), how$prob, 1L)
    )
  }
})

test_that("rows of the table name what there is", {
  parts <- names(draw_sizes(fake_fit(iter = 4)))
  for (row in quantities) {
    expect_true(all(row$from %in% parts))
    expect_true(row$block %in% c("", pooling_blocks))
    expect_true(row$readers %in% c("draws", "summary", "name"))
    expect_true(row$typical %in% c("", names(quantities)))
    expect_match(row$index, "^g?(c?f|f{0,2})$")
  }
  expect_identical(anyDuplicated(names(quantities)), 0L)
})

test_that("each value is judged once: common ones, and every group's own", {
  judged <- function(pooling, K = 2, common) {
    judged_quantities(fake_fit(K = K, pooling = pooling, iter = 4), common)
  }
  expect_identical(judged("none", common = TRUE), "lp__")
  expect_identical(judged("none", common = FALSE), c("mu", "sigma", "Omega"))
  expect_identical(judged("none", K = 1, common = FALSE), c("mu", "sigma"))
  expect_identical(judged("complete", common = TRUE), c("lp__", "mu", "sigma", "Omega"))
  expect_identical(judged("complete", common = FALSE), character())
  expect_identical(
    judged("partial", common = TRUE),
    c("lp__", "mu0", "sigma0", "Omega0", "Omega_between", "h_mean", "h_sd", "h_cor")
  )
  expect_identical(judged(c(sd = "complete"), common = FALSE), c("mu", "sigma", "Omega"))
})
