quick <- function(...) short_fit(..., iter_warmup = 200, iter_sampling = 200)

# Estimates near the sample's: within 5 posterior sds of the mean.
expect_sound <- function(fit, scale = 1) {
  for (draws in fit$draws) expect_true(all(is.finite(draws)))
  s <- summary(fit, variable = "mu")
  observed <- as.vector(fit$statistics$patterns$mean)
  n <- rep(fit$statistics$patterns$n, each = length(fit$statistics$features))
  big <- n > 5
  expect_true(all(abs(s$mean - observed)[big] < 5 * s$sd[big]))
}

test_that("the call works with every form of group and features", {
  iris$row <- rep(1:50, 3)
  formula <- quick(iris, group = ~ Species, features = ~ Sepal.Length + Petal.Width)
  string <- quick(iris, group = "Species", features = c("Sepal.Length", "Petal.Width"))
  expect_identical(formula$draws, string$draws)
  expect_identical(formula$statistics$labels, levels(iris$Species))
  warp <- quick(warpbreaks, group = ~ wool + tension, features = ~ breaks)
  expect_equal(nrow(warp$statistics$keys), 6)
  expect_named(warp$statistics$keys, c("wool", "tension"))
})

test_that("statistics in place of data give the same fit", {
  rows <- quick(iris, group = ~ Species)
  statistics <- suppressMessages(hmvn_statistics(iris, ~ Species))
  expect_identical(quick(statistics)$draws, rows$draws)
  expect_error(fit_hmvn(statistics, group = ~ Species), class = "hmvn_error_argument")
})

test_that("what must simply work, works", {
  set.seed(1)
  two <- function(n, scale = 1, offset = 0) {
    data.frame(
      g = rep(c("a", "b"), each = n), x = offset + scale * rnorm(2 * n),
      y = offset + scale * rnorm(2 * n)
    )
  }
  expect_sound(quick(two(20)[c("g", "x")], group = ~ g)) # one feature
  expect_sound(quick(transform(two(20), g = "only"), group = ~ g)) # one group
  expect_sound(quick(rbind(two(20), data.frame(g = "c", x = 0, y = 1)), group = ~ g)) # a single row
  wide <- data.frame(g = rep(c("a", "b"), c(3, 30)), matrix(rnorm(33 * 6), 33))
  expect_sound(quick(wide, group = ~ g)) # fewer rows than features
  for (scale in c(1e-8, 1e8)) expect_sound(quick(two(20, scale), group = ~ g))
  expect_sound(quick(two(20, offset = 1e8), group = ~ g))
  twins <- two(50)
  twins$y <- twins$x + sqrt(2e-6) * rnorm(100) # correlated at 0.999999
  fit <- quick(twins, group = ~ g)
  expect_sound(fit)
  expect_equal(sum(fit$sampler$divergent), 0)
  expect_gt(min(summary(fit, variable = "Omega")$mean), 0.99999)
})

test_that("features of very different scales do not disturb each other", {
  set.seed(2)
  data <- data.frame(g = "a", x = rnorm(50), y = rnorm(50))
  correlation <- function(data) posterior::extract_variable_matrix(
    posterior::as_draws_array(quick(data, group = ~ g)), "Omega[a,y,x]"
  )
  plain <- correlation(data)
  scaled <- correlation(transform(data, x = 1e-8 * x, y = 1e8 * y))
  error <- sqrt(posterior::mcse_mean(plain)^2 + posterior::mcse_mean(scaled)^2)
  expect_lt(abs(mean(plain) - mean(scaled)) / error, z_bound(1))
})

test_that("labels of any kind come back as given", {
  labels <- c("a b", "c,d", "e[1]", "\U1F600", "100001", " lead")
  data <- data.frame(
    g = rep(labels, each = 8), x = rnorm(48), `not syntactic` = rnorm(48), check.names = FALSE
  )
  fit <- quick(data, group = ~ g)
  expect_setequal(dimnames(posterior::as_draws_rvars(fit)$Sigma)[[1]], labels)
  expect_equal(dimnames(group_cov(fit))[[2]], c("x", "not syntactic"))
  big <- quick(data.frame(g = rep(c(1, 2^53 - 1), each = 8), x = rnorm(16)), group = ~ g)
  expect_equal(big$statistics$labels, c("1", "9007199254740991"))
})

test_that("1,000 groups work", {
  data <- data.frame(g = rep(1:1000, each = 4), x = rnorm(4000))
  fit <- short_fit(data, group = ~ g, chains = 1, iter_sampling = 20)
  expect_equal(dim(fit$draws$mean), c(20, 1, 1000))
  expect_equal(fit$units$n, 1000)
})

test_that("bad settings and misspelt arguments end in a classed error before sampling", {
  bad <- function(...) {
    expect_error(suppressMessages(fit_hmvn(iris, group = ~ Species, ...)), class = "hmvn_error")
  }
  bad(chains = 0)
  bad(iter_sampling = 10.5)
  bad(iter_warmup = -1)
  bad(adapt_delta = 1)
  bad(seed = -3)
  bad(pooling = "some")
  bad(pooling = c(means = "none"))
  bad(prior = "normal")
  bad(iter_sampling = 10, thin = 20)
  expect_error(
    fit_hmvn(iris, group = ~ Species, iter_sampl = 10), "iter_sampling",
    class = "hmvn_error_argument"
  )
  expect_error(
    fit_hmvn(iris, group = ~ Species, , "none", hmvn_prior(), 4), class = "hmvn_error_argument"
  )
  expect_error(fit_hmvn(iris, group = Species), "~ Species", class = "hmvn_error_column")
  expect_error(fit_hmvn(iris), class = "hmvn_error")
  expect_error(fit_hmvn(iris[0, ], group = ~ Species), class = "hmvn_error")
})

test_that("improper posteriors are refused, and a lognormal prior cures a constant feature", {
  data <- data.frame(g = rep(c("a", "b"), each = 6), x = c(rep(1, 6), rnorm(6)), y = rnorm(12))
  expect_error(fit_hmvn(data, group = ~ g), class = "hmvn_error_improper")
  fit <- quick(data, group = ~ g, prior = hmvn_prior(sd = distributional::dist_lognormal(0, 1)))
  expect_true(all(is.finite(fit$draws$chol)))
})

test_that("adapt_delta is 0.8 by default and higher for groups with few rows, unless it is given", {
  control <- quick(iris, ~ Species)$control
  expect_equal(c(control$adapt_delta, control$adapt_delta_scarce), c(0.8, 0.99))
  control <- quick(iris, ~ Species, adapt_delta = 0.9)$control
  expect_equal(c(control$adapt_delta, control$adapt_delta_scarce), c(0.9, 0.9))
  scarce <- iris[c(1:10, 51:100, 101:150), ]
  steps <- function(...) quick(scarce, ~ Species, algorithm = "nuts", ...)$sampler$stepsize[1]
  expect_lt(steps(), steps(adapt_delta = 0.8))
})

test_that("a heterogeneity fixed at an end is no pooling or complete pooling", {
  end <- function(h) {
    quick(iris, ~ Species, pooling = "partial", prior = hmvn_prior(heterogeneity = h))
  }
  expect_equal(unname(end(1)$pooling), rep("none", 3))
  expect_equal(unname(end(0)$pooling), rep("complete", 3))
})

test_that("lp__ and lprior are among the draws", {
  draws <- posterior::as_draws_rvars(quick(iris, ~ Species))
  expect_true(all(c("lp__", "lprior") %in% posterior::variables(draws)))
  expect_true(all(is.finite(posterior::draws_of(draws$lprior))))
})

test_that("rows without data and a single partially pooled group are said in a message", {
  few <- function(data, ...) suppressWarnings(suppressMessages(
    fit_hmvn(
      data, group = ~ g, features = ~ x + y, chains = 1, iter_warmup = 50, iter_sampling = 20,
      seed = 1, ...
    ),
    classes = "hmvn_message_features"
  ))
  set.seed(1)
  data <- data.frame(g = "a", x = c(rnorm(9), NA), y = c(rnorm(9), NA))
  expect_message(few(data), "1 row has nothing observed", class = "hmvn_message_empty_rows")
  expect_message(few(data[-10, ], pooling = "partial"), class = "hmvn_message_one_group")
})
