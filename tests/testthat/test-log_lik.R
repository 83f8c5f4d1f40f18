# [draw, row], chains after one another
log_lik_by_hand <- function(fit, values, groups) {
  mu <- posterior::draws_of(group_mean(fit))
  Sigma <- posterior::draws_of(group_cov(fit))
  K <- n_features(fit)
  vapply(seq_along(groups), function(i) {
    vapply(seq_len(dim(mu)[1]), function(s) {
      density_by_hand(values[, i], mu[s, groups[i], ], matrix(Sigma[s, groups[i], , ], K))
    }, 0)
  }, double(dim(mu)[1]))
}

# Rows with every pattern of missing cells, the empty one too.
with_patterns <- function(fit, K) {
  n <- 2^K + 5
  data <- with_fixed_seed(2, data.frame(
    g = rep(c("A", "B", "C"), length.out = n),
    matrix(rnorm(n * K, sd = 2), n, dimnames = list(NULL, paste0("x", seq_len(K))))
  ))
  for (i in seq_len(n)) data[i, 1 + which(bitwAnd(i, 2^(seq_len(K) - 1)) > 0)] <- NA
  fit$data <- model_data(data, "g", paste0("x", seq_len(K)))
  fit
}

test_that("the density of every row is that of its observed cells, for every pattern and pooling", {
  for (K in c(1, 3)) {
    for (pooling in list("none", c(mean = "complete"), c(sd = "complete", cor = "complete"))) {
      # 35 draws a chain: blocks of draws end in the middle of a chain
      fit <- with_patterns(fake_fit(G = 3, K = K, pooling = pooling, iter = 35), K)
      values <- cell_matrix(fit$data$columns, fit$data$n_obs)
      seen <- which(colSums(!is.na(values)) > 0)
      ll <- log_lik(fit)
      expect_identical(dimnames(ll), list(NULL, as.character(seen)))
      expect_lt(length(seen), fit$data$n_obs)
      by_hand <- log_lik_by_hand(fit, values[, seen, drop = FALSE], fit$data$codes[seen])
      expect_equal(unname(ll), by_hand, tolerance = 1e-10)
      expect_identical(log_lik(fit, cores = 2), ll)
      expect_identical(log_lik(fit, ndraws = 7), ll[choose_draws(fit, 7), ])
    }
  }
})

test_that("rows add up to the log likelihood of the sampler: missing cells, weights", {
  d <- airquality
  d$w <- rep(c(1, 2.5, 3), length.out = nrow(d))
  d[5, c("Ozone", "Wind", "Temp")] <- NA
  for (weights in list(NULL, ~w)) {
    fit <- short_fit(d, ~Month, ~ Ozone + Wind + Temp, weights = weights, pooling = "partial")
    ll <- log_lik(fit)
    expect_identical(dim(ll), c(100L, 152L))
    expect_equal(rowSums(ll), as.vector(fit$draws$lp - fit$draws$lprior), tolerance = 1e-10)
  }
})

test_that("features that nearly determine each other keep their density", {
  fit <- fake_fit(G = 1, K = 3, iter = 1, chains = 1)
  # x2 = x1 + 1e-8 e, which the covariance matrix itself cannot tell from x1
  L <- rbind(c(1, 0, 0), c(1, 1e-8, 0), c(0, 0, 1))
  fit$draws$chol[1, 1, ] <- L[lower.tri(L, TRUE)[, 1:3]][c(1, 2, 4, 3, 5, 6)]
  fit$draws$mean[] <- 0
  y <- data.frame(g = "A", x1 = c(0.5, NA, 0.5), x2 = 0.5 + 1e-8, x3 = c(2, 2, NA))
  expected <- c(
    sum(dnorm(c(0.5, 1, 2), log = TRUE)) + log(1e8),
    sum(dnorm(c(0.5, 2), log = TRUE)),
    sum(dnorm(c(0.5, 1), log = TRUE)) + log(1e8)
  )
  # of x2 - x1 = 1e-8 eight digits are left
  expect_equal(as.vector(log_lik(fit, y)), expected, tolerance = 1e-6)
})

test_that("new rows are read by name and label; what is not known is refused", {
  fit <- with_patterns(fake_fit(G = 3, K = 2, iter = 5), 2)
  new <- kept_data_frame(fit$data)[c(9, 4), c("x2", "g", "x1")]
  new$g <- factor(new$g, levels = c("C", "unused", "A", "B"))
  new$other <- "not read"
  expect_identical(unname(log_lik(fit, new)), unname(log_lik(fit)[, c("9", "4")]))
  expect_identical(dim(log_lik(fit, new[0, ])), c(20L, 0L))
  new$x1 <- NA
  expect_identical(dim(log_lik(fit, new)), c(20L, as.integer(sum(!is.na(new$x2)))))
  expect_error(log_lik(fit, as.list(new)), class = "hmvn_error_argument")
  expect_error(log_lik(fit, new["g"]), class = "hmvn_error_column")
  expect_error(log_lik(fit, new[c("x1", "x2")]), class = "hmvn_error_column")
  expect_error(log_lik(fit, transform(new, g = "Z")), "Z", class = "hmvn_error_group")
  expect_error(log_lik(fit, transform(new, g = NA_character_)), class = "hmvn_error_group")
  expect_error(log_lik(fit, transform(new, x1 = c(1, Inf))), class = "hmvn_error_cells")
  expect_error(log_lik(fit, new, ndraw = 3), "ndraws", class = "hmvn_error_argument")
})

test_that("keys of several columns and of numbers find their groups", {
  d <- with_fixed_seed(1, data.frame(
    a = rep(c(10L, 9L), 10), b = rep(c(TRUE, TRUE, FALSE, FALSE), 5), x = rnorm(20), y = rnorm(20)
  ))
  fit <- short_fit(d, ~ a + b, ~ x + y)
  new <- transform(d[20:1, ], a = as.numeric(a), b = as.character(b))
  expect_identical(unname(log_lik(fit, new)), unname(log_lik(fit)[, 20:1]))
})

test_that("a fit without rows or draws says what to do", {
  fit <- fake_fit()
  expect_error(log_lik(fit), "keep_data = TRUE", class = "hmvn_error_rows")
  new <- data.frame(g = "A", x1 = 1, x2 = 2)
  expect_identical(dim(log_lik(fit, new)), c(400L, 1L))
  expect_error(log_lik(without(fit, "mean"), new), "keep = ", class = "hmvn_error_keep")
  expect_error(log_lik(without(fit, "chol"), new), class = "hmvn_error_keep")
  many <- new[rep(1, 4e5), ]
  expect_error(log_lik(fit, many), "ndraws", class = "hmvn_error_size")
})

test_that("threads are counted before anything is computed", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20)
  for (cores in list(0, 1.5, NA, "two", NULL)) {
    expect_error(log_lik(fit, cores = cores), class = "hmvn_error_argument")
    expect_error(predict(fit, iris, "group", cores = cores), class = "hmvn_error_argument")
    expect_error(loo.hmvn_fit(fit, cores = cores), class = "hmvn_error_argument")
    expect_error(waic.hmvn_fit(fit, cores = cores), class = "hmvn_error_argument")
  }
})

test_that("a row, a draw or a group that is not there is not read", {
  fit <- fake_fit(G = 2, K = 2)
  density <- function(..., chosen = 1L, covariates = matrix(0, 0, 2)) {
    laws <- list(
      mean = fit$draws$mean, chol = fit$draws$chol, slope = array(0, c(100, 4, 0)),
      mean_at = 1:2, chol_at = 1:2, slope_at = 1:2
    )
    rows <- list(values = matrix(0, 2, 2), covariates = covariates)
    row_densities_(rows, utils::modifyList(laws, list(...)), chosen, "log_density", 1L)
  }
  expect_true(all(is.finite(density())))
  expect_error(density(mean_at = c(1L, 3L)), "group 3 is not there")
  expect_error(density(chol_at = 0:1), "group 0 is not there")
  expect_error(density(mean_at = 1L), "groups of the rows")
  expect_error(density(chosen = 401L), "draw 401 is not there")
  expect_error(density(chol = fit$draws$chol[-1, , ]), "draws must have another length")
  # slopes of two features on two covariates, of two groups
  slope <- array(0, c(100, 4, 8))
  x <- matrix(0, 2, 2)
  expect_identical(density(slope = slope, covariates = x), density())
  expect_error(density(slope = slope, slope_at = 2:3, covariates = x), "group 3 is not there")
  expect_error(density(slope = slope, slope_at = 1L, covariates = x), "groups of the rows")
  expect_error(density(slope = slope[, -1, ], covariates = x), "draws must have another length")
  expect_error(density(slope = slope[, , 1:3], covariates = x), "group 1 is not there")
  expect_error(density(covariates = x[, 1, drop = FALSE]), "covariates of the rows")
  expect_error(density(slope = slope, covariates = x * NA), "covariate of a row is not known")
})

test_that("the density of a row with covariates is about its own mean", {
  d <- regression_data()
  seen <- setdiff(seq_len(nrow(d)), c(5, 8))
  for (pooling in slope_poolings) {
    fit <- regression_fit(d, pooling = pooling, iter_sampling = 70)
    ll <- log_lik(fit)
    expect_identical(colnames(ll), as.character(seen))
    expect_equal(unname(ll), densities_by_hand(fit, d[seen, ]), tolerance = 1e-10)
    expect_equal(rowSums(ll), as.vector(fit$draws$lp - fit$draws$lprior), tolerance = 1e-10)
    expect_identical(log_lik(fit, cores = 2), ll)
  }
})

test_that("new rows with covariates are read by name, and must have them", {
  d <- regression_data()
  fit <- regression_fit(d)
  new <- d[c(10, 2, 25), c("site", "y", "age", "g", "x")]
  new$site <- as.character(new$site)
  expect_identical(unname(log_lik(fit, new)), unname(log_lik(fit)[, c("10", "2", "25")]))
  expect_identical(dim(log_lik(fit, new[0, ])), c(100L, 0L))
  expect_error(log_lik(fit, new[names(new) != "age"]), "age", class = "hmvn_error_column")
  expect_error(log_lik(fit, transform(new, site = "z")), "site", class = "hmvn_error_covariates")
  error <- expect_error(
    log_lik(fit, transform(new, age = c(1, NA, NA))), "2 lack", class = "hmvn_error_covariates"
  )
  expect_identical(error$argument, "newdata")
  expect_error(log_lik(without(fit, "slope"), new), class = "hmvn_error_keep")
})

test_that("terms are those of the rows that were fitted", {
  d <- regression_data()
  formula <- ~ poly(age, 2) + site
  d$age[5] <- 31
  fit <- regression_fit(d, covariates = formula)
  # a polynomial of three rows alone would be another one
  all <- log_lik(fit)
  expect_equal(unname(all), densities_by_hand(fit, d[-8, ], formula), tolerance = 1e-10)
  expect_equal(unname(log_lik(fit, d[c(1, 7, 9), ])), unname(all[, c("1", "7", "9")]))
})

test_that("a category that only a row with nothing observed has says nothing of the others", {
  d <- regression_data()
  d$site <- factor(d$site, levels = c("u", "v", "w", "z"))
  d$site[8] <- "z"
  fit <- regression_fit(d)
  expect_identical(dim(log_lik(fit)), c(100L, 46L))
  means <- posterior_epred(fit)
  expect_identical(which(is.na(means[1, , 1])), c(5L, 8L))
  # nor does one that does not count; a known one is predicted
  d$w <- 1
  d$w[c(1, 2)] <- 0
  d$site[1] <- "z"
  fit <- regression_fit(d, weights = ~w)
  expect_identical(which(is.na(fitted(fit)[, 1])), c(1L, 5L, 8L))
})

test_that("the mean of densities that are all 0 is 0, not unknown", {
  expect_identical(log_mean_exp(cbind(c(-Inf, -Inf), c(-Inf, 0))), c(-Inf, log(0.5)))
  expect_identical(log_mean_exp(cbind(c(NA, 0))), NA_real_)
})
