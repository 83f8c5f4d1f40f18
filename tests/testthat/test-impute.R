# A fit of random draws with rows of given patterns: what is imputed is checked against each draw's
# own law.
rows_with_gaps <- function(K, n = 8) {
  data <- data.frame(
    g = rep(c("A", "B", "C"), length.out = n),
    matrix(rnorm(n * K, sd = 2), n, dimnames = list(NULL, paste0("x", seq_len(K))))
  )
  for (i in seq_len(n)) data[i, 1 + which(bitwAnd(i, 2^(seq_len(K) - 1)) > 0)] <- NA
  data
}

imputing_fit <- function(data, K, ...) {
  fit <- fake_fit(G = 3, K = K, ...)
  fit$data <- model_data(data, "g", paste0("x", seq_len(K)))
  fit
}

# Cells less their conditional mean, times the inverse root of their conditional covariance, by
# textbook formulas: standard normal.
whitened <- function(fit, imputed, data, row) {
  cells <- which(imputed$cells$row == row)
  K <- n_features(fit)
  missing <- match(imputed$cells$feature[cells], fit$statistics$features)
  seen <- setdiff(seq_len(K), missing)
  y <- unlist(data[row, 1 + seen])
  group <- match(data$g[row], fit$statistics$labels)
  mu <- quantity(fit, "mu", group)
  Sigma <- quantity(fit, "Sigma", group)
  size <- dim(mu)[1:2]
  t(vapply(seq_len(prod(size)), function(s) {
    at <- arrayInd(s, size)
    m <- mu[at[1], at[2], 1, ]
    S <- matrix(Sigma[at[1], at[2], 1, , ], K)
    B <- matrix(0, length(missing), length(seen))
    if (length(seen) > 0) B <- S[missing, seen, drop = FALSE] %*% solve(S[seen, seen, drop = FALSE])
    C <- S[missing, missing, drop = FALSE] - B %*% S[seen, missing, drop = FALSE]
    residual <- imputed$draws[s, cells] - m[missing] - as.vector(B %*% (y - m[seen]))
    c(backsolve(chol(C), residual, transpose = TRUE), numeric(K - length(missing)))
  }, double(K)))[, seq_along(missing), drop = FALSE]
}

test_that("cells follow their conditional normal law, draw by draw, for every pattern", {
  set.seed(1)
  K <- 3
  data <- rows_with_gaps(K)
  for (pooling in list("none", c(mean = "complete"), c(sd = "complete", cor = "complete"))) {
    fit <- imputing_fit(data, K, pooling = pooling, iter = 200, chains = 2)
    imputed <- posterior_impute(fit, seed = 1)
    e <- do.call(
      cbind, lapply(unique(imputed$cells$row), function(row) whitened(fit, imputed, data, row))
    )
    p <- apply(e, 2, function(x) ks.test(x, "pnorm")$p.value)
    expect_gt(min(p.adjust(p, "holm")), 0.001)
    # cells of different rows are independent given the draw
    r <- cor(e)[lower.tri(diag(ncol(e)))]
    expect_lt(max(abs(r)) * sqrt(nrow(e)), z_bound(length(r)))
  }
})

test_that("features that nearly determine each other are imputed to full precision", {
  data <- data.frame(g = c("A", "B", "C"), x1 = c(NA, 1, 1), x2 = c(2, NA, 1))
  fit <- imputing_fit(data, 2, iter = 500, chains = 2)
  # sd of x2 given x1: 1e-9, where 1 - correlation^2 = 1e-18 is lost in the covariance matrix
  fit$draws$chol[] <- rep(c(1, 1, 1e-9), each = 1000)
  fit$draws$mean[] <- 0
  draws <- posterior_impute(fit, seed = 1)$draws
  # Sigma = (1 1; 1 1 + 1e-18), so both conditional sds are 1e-9 to that precision
  p <- c(
    ks.test((draws[, 1] - 2) / 1e-9, "pnorm")$p.value,
    ks.test((draws[, 2] - 1) / 1e-9, "pnorm")$p.value
  )
  # 2 and 1 are held to 4e-16 and 2e-16, far below 1e-9
  expect_gt(min(p.adjust(p, "holm")), 0.001)
})

test_that("cells are listed by row and feature, and completed data hold them", {
  set.seed(1)
  data <- rows_with_gaps(2, 9)
  data$g <- factor(data$g)
  fit <- imputing_fit(data, 2)
  imputed <- posterior_impute(fit, ndraws = 10, seed = 2)
  gaps <- which(is.na(t(as.matrix(data[c("x1", "x2")]))), arr.ind = TRUE)
  expect_identical(imputed$cells$row, unname(gaps[, 2]))
  expect_identical(imputed$cells$feature, c("x1", "x2")[gaps[, 1]])
  expect_identical(imputed$cells$group, as.character(data$g)[gaps[, 2]])
  expect_identical(dim(imputed$draws), c(10L, nrow(gaps)))
  expect_identical(colnames(imputed$draws)[1:2], c("x1[1]", "x2[2]"))
  full <- completed(imputed, 4)
  expect_identical(names(full), names(data))
  expect_identical(full$g, data$g)
  expect_false(anyNA(full))
  observed <- !is.na(data)
  expect_identical(full[observed], data[observed])
  expect_identical(t(as.matrix(full[c("x1", "x2")]))[gaps], unname(imputed$draws[4, ]))
  s <- summary(imputed)
  expect_identical(s[1:3], imputed$cells)
  expect_equal(s$mean, unname(colMeans(imputed$draws)))
  expect_equal(s$q95, unname(apply(imputed$draws, 2, quantile, 0.95)))
  expect_snapshot(imputed)
  expect_error(completed(imputed, 11), class = "hmvn_error_argument")
  expect_error(completed(data), class = "hmvn_error_argument")
})

test_that("draws depend on the seed and the draw alone; R's random numbers are left alone", {
  set.seed(1)
  fit <- imputing_fit(rows_with_gaps(2), 2)
  before <- .Random.seed
  all <- posterior_impute(fit, seed = 1)
  expect_identical(.Random.seed, before)
  expect_identical(posterior_impute(fit, seed = 1), all)
  expect_false(identical(posterior_impute(fit, seed = 2)$draws, all$draws))
  expect_identical(
    posterior_impute(fit, ndraws = 5, seed = 1)$draws, all$draws[choose_draws(fit, 5), ]
  )
  set.seed(4)
  one <- posterior_impute(fit)
  set.seed(4)
  expect_identical(posterior_impute(fit), one)
})

test_that("a fit of data with gaps imputes them; without gaps there is nothing to do", {
  d <- iris
  d$Sepal.Width[c(3, 60)] <- NA
  d[101, 1:4] <- NA
  fit <- short_fit(d, ~Species, chains = 1, iter_warmup = 200, iter_sampling = 200)
  imputed <- posterior_impute(fit, seed = 1)
  expect_identical(imputed$cells$row, c(3L, 60L, rep(101L, 4)))
  expect_identical(imputed$cells$group, rep(c("setosa", "versicolor", "virginica"), c(1, 1, 4)))
  # the cells that were taken out lie where the draws say
  truth <- c(iris$Sepal.Width[c(3, 60)], unlist(iris[101, 1:4]))
  s <- summary(imputed)
  expect_lt(max(abs(truth - s$mean) / s$sd), z_bound(6))
  nothing <- imputing_fit(data.frame(g = c("A", "B", "C"), x1 = 1:3, x2 = 3:1), 2)
  imputed <- posterior_impute(nothing)
  expect_identical(dim(imputed$draws), c(400L, 0L))
  expect_identical(nrow(summary(imputed)), 0L)
  expect_identical(completed(imputed)$x2, 3:1)
  expect_output(print(imputed), "0 missing cells")
})

test_that("one feature: a missing cell is a row with nothing observed", {
  fit <- imputing_fit(data.frame(g = c("A", "B", "C", "C"), x1 = c(1, NA, 2, NA)), 1, iter = 1000)
  draws <- posterior_impute(fit, seed = 1)$draws
  e <- (draws[, 2] - as.vector(fit$draws$mean[, , 3])) / abs(as.vector(fit$draws$chol[, , 3]))
  expect_gt(ks.test(e, "pnorm")$p.value, 0.001)
})

test_that("with covariates cells follow the conditional law about the row's own mean", {
  d <- regression_data()
  for (pooling in slope_poolings) {
    fit <- regression_fit(d, pooling = pooling, chains = 4, iter_sampling = 250)
    expect_message(
      imputed <- posterior_impute(fit, seed = 1), NA
    )
    expect_identical(unique(imputed$cells$row), c(3L, 4L, 8L, 11L, 12L, 20L, 26L))
    means <- means_by_hand(fit, d)
    Sigma <- posterior::draws_of(group_cov(fit))
    z <- vapply(c(3, 11, 20), function(row) {
      g <- match(d$g[row], fit$statistics$labels)
      slope <- Sigma[, g, 1, 2] / Sigma[, g, 2, 2]
      center <- means[, row, 1] + slope * (d$y[row] - means[, row, 2])
      sd <- sqrt(Sigma[, g, 1, 1] - slope * Sigma[, g, 1, 2])
      (imputed$draws[, paste0("x[", row, "]")] - center) / sd
    }, double(1000))
    expect_gt(stats::ks.test(c(z), "pnorm")$p.value, 0.001 / length(slope_poolings))
  }
})

test_that("cells of a row without one of its covariates stay missing, and it is said", {
  d <- regression_data()
  d$x[5] <- NA
  fit <- regression_fit(d)
  expect_message(
    imputed <- posterior_impute(fit, ndraws = 3, seed = 1), "1 row with missing cells lacks",
    class = "hmvn_message_incomplete_covariates"
  )
  expect_false(5L %in% imputed$cells$row)
  filled <- completed(imputed, 2)
  expect_named(filled, c("g", "x", "y", "age", "site"))
  expect_identical(filled[5, ], d[5, names(filled)])
  expect_false(anyNA(filled[-5, ]))
})

test_that("what cannot be imputed is refused", {
  fit <- fake_fit()
  expect_error(posterior_impute(fit), class = "hmvn_error_rows")
  expect_error(posterior_impute(1), class = "hmvn_error_fit")
  many <- imputing_fit(data.frame(g = c("A", "B", "C"), x1 = rep(c(1, 1, NA), 1e5)), 1, iter = 400)
  expect_error(posterior_impute(many), "ndraws", class = "hmvn_error_size")
})

test_that("what only looks like an imputation is refused", {
  d <- iris
  d$Sepal.Width[c(3, 60)] <- NA
  cells <- posterior_impute(short_fit(d, ~Species, iter_sampling = 5), seed = 1)
  refused <- function(...) {
    broken <- unclass(cells)
    broken$cells <- structure(
      utils::modifyList(unclass(cells$cells), list(...)), class = "data.frame"
    )
    broken <- structure(broken, class = "hmvn_imputation")
    for (f in list(completed, summary, print)) {
      expect_error(f(broken), class = "hmvn_error_argument")
    }
  }
  refused(row = 3L)
  refused(row = c("3", "60"))
  refused(row = c(3L, 151L))
  refused(row = c(3L, NA))
  refused(feature = factor(c("Sepal.Width", "Sepal.Width")))
  refused(feature = c("Sepal.Width", "z"))
  refused(group = NULL)
})
