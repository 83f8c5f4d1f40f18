# Limits and invariances: where two ways of saying the same must give the same.

# Rows with gaps in the last group: the limits hold with missing cells too.
features <- names(iris)[1:4]
gappy <- iris
gappy$Sepal.Width[101:115] <- NA
gappy$Petal.Width[111:120] <- NA

limit_fit <- function(pooling, h = NULL, seed = 1) {
  short_fit(
    gappy, ~Species, ~ Sepal.Length + Sepal.Width + Petal.Width, pooling,
    hmvn_prior(heterogeneity = h, frame = "raw"), # in any pooling
    chains = 4, iter_warmup = 500, iter_sampling = 1000, cores = 2, seed = seed
  )
}

# What groups have in both models; the population is of one of them only.
expect_same_own <- function(one, other) {
  variables <- "^(mu|sigma|Omega)\\["
  expect_gt(length(difference_z(one, other, variables)), 20)
  expect_same_posterior(one, other, variables = variables)
}

test_that("partial pooling with h near 1 agrees with none, with h near 0 with complete", {
  expect_same_own(limit_fit("partial", 0.999999), limit_fit("none", seed = 2))
  expect_same_own(limit_fit("partial", 1e-4), limit_fit("complete", seed = 2))
})

test_that("each block has these limits on its own", {
  expect_same_own(
    limit_fit("partial", list(mean = 0.999999, sd = 1e-4, cor = 0.999999)),
    limit_fit(c(mean = "none", sd = "complete", cor = "none"), seed = 2)
  )
  expect_same_own(
    limit_fit("partial", list(mean = 1e-4, sd = 0.999999, cor = 1e-4)),
    limit_fit(c(mean = "complete", sd = "none", cor = "complete"), seed = 2)
  )
})

# Every pattern cut into two of the same observed features.
split_patterns <- function(patterns, at) {
  second <- first <- patterns
  first$n <- at * patterns$n
  second$n <- (1 - at) * patterns$n
  # rows apart by 2 d: means move, scatter loses what lies between
  K <- nrow(patterns$mean)
  for (p in seq_along(patterns$n)) {
    away <- 0.1 * sqrt(
      diag(as.matrix(patterns$scatter[, , p])) / patterns$n[p]
    ) * patterns$observed[, p]
    first$mean[, p] <- patterns$mean[, p] + (1 - at) * away
    second$mean[, p] <- patterns$mean[, p] - at * away
    within <- patterns$scatter[, , p] - patterns$n[p] * at * (1 - at) * tcrossprod(away)
    first$scatter[, , p] <- at * within
    second$scatter[, , p] <- (1 - at) * within
  }
  order <- order(c(first$group, second$group))
  list(
    group = c(first$group, second$group)[order], n = c(first$n, second$n)[order],
    observed = cbind(first$observed, second$observed)[, order, drop = FALSE],
    mean = cbind(first$mean, second$mean)[, order, drop = FALSE],
    scatter = array(
      c(first$scatter, second$scatter), c(K, K, 2 * length(patterns$n))
    )[, , order, drop = FALSE]
  )
}

test_that("the code for missing cells with nothing missing is the code for complete rows", {
  set.seed(1)
  for (chosen in list("Petal.Length", c("Sepal.Length", "Petal.Width"), features)) {
    patterns <- hmvn_statistics(iris, ~Species, chosen)$patterns
    K <- length(chosen)
    for (trial in 1:20) {
      factor <- t(chol(rWishart(1, K + 2, diag(K))[, , 1] / K))
      location <- rnorm(K)
      complete <- inspect_likelihood_(patterns, 3L, location, factor)
      apart <- inspect_likelihood_(
        split_patterns(patterns, runif(1, 0.2, 0.8)), 3L, location, factor
      )
      expect_true(all(vapply(complete, `[[`, TRUE, "complete")))
      expect_false(any(vapply(apart, `[[`, TRUE, "complete")))
      for (part in c("within", "estimate", "spread")) {
        expect_equal(lapply(apart, `[[`, part), lapply(complete, `[[`, part), tolerance = 1e-9)
      }
    }
  }
})

# Log densities and gradients of two sets of statistics at the same positions.
expect_same_density <- function(one, other, pooling, tolerance = 1e-8) {
  model <- function(s) as_core(specify_model(s, hmvn_prior(), pooling, NULL))
  G <- length(one$labels)
  positions <- matrix(rnorm(10 * inspect_layout_(G, model(one))$dimension), ncol = 10)
  a <- inspect_density_(one$patterns, G, model(one), positions)
  b <- inspect_density_(other$patterns, G, model(other), positions)
  expect_equal(b$log_density, a$log_density, tolerance = tolerance)
  expect_equal(b$gradient, a$gradient, tolerance = tolerance)
  expect_gt(min(abs(diff(a$log_density))), 1e-3)
}

short_draws <- function(...) {
  pooling <- c(mean = "partial", sd = "complete")
  short_fit(..., pooling = pooling, iter_warmup = 0, iter_sampling = 5)$draws
}

test_that("statistics are as good as rows, also those of parts put together", {
  whole <- hmvn_statistics(gappy, ~Species, features)
  expect_identical(short_draws(whole), short_draws(gappy, ~Species))
  parts <- c(
    hmvn_statistics(gappy[seq(1, 150, 2), ], ~Species, features),
    hmvn_statistics(gappy[seq(2, 150, 2), ], ~Species, features)
  )
  set.seed(1)
  for (pooling in c("none", "partial", "complete")) expect_same_density(whole, parts, pooling)
  expect_equal(short_draws(parts), short_draws(whole), tolerance = 1e-6)
})

test_that("a row of weight w is w equal rows", {
  weighted <- transform(gappy, w = rep(1:3, 50))
  repeated <- gappy[rep(1:150, weighted$w), ]
  one <- hmvn_statistics(weighted, ~Species, features, ~w)
  other <- hmvn_statistics(repeated, ~Species, features)
  set.seed(1)
  for (pooling in c("none", "partial", "complete")) expect_same_density(one, other, pooling)
  expect_equal(
    short_draws(weighted, ~Species, weights = ~w), short_draws(repeated, ~Species), tolerance = 1e-6
  )
})

test_that("the order of rows, and rows with nothing observed, change nothing", {
  set.seed(1)
  mixed <- rbind(
    gappy,
    transform(
      gappy[c(1, 60), ], Sepal.Length = NA, Sepal.Width = NA, Petal.Length = NA, Petal.Width = NA
    )
  )[sample(152), ]
  one <- hmvn_statistics(gappy, ~Species, features)
  other <- hmvn_statistics(mixed, ~Species, features)
  expect_equal(other$n_empty, 2)
  for (pooling in c("none", "partial", "complete")) expect_same_density(one, other, pooling)
})
