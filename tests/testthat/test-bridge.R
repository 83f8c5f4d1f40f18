# Marginal likelihoods against integrals and the acceptance of direct sampling.

skip_if_not_installed("bridgesampling")

bridge_of <- function(fit, ..., seed = 1) {
  set.seed(seed)
  bridgesampling::bridge_sampler(fit, ...)
}

# |estimate - wanted| within four standard errors, and these small
expect_logml <- function(found, wanted, most) {
  error <- bridgesampling::error_measures(found)$cv
  expect_lt(error, most)
  expect_lt(abs(found$logml - wanted), 4 * error)
}

numbers <- hmvn_prior(
  mean = distributional::dist_normal(0, 2), sd = distributional::dist_exponential(1)
)

fit_numbers <- function(data, ..., iter_sampling = 2000) {
  suppressMessages(fit_hmvn(
    data, group = ~g, prior = numbers, ..., chains = 2, iter_sampling = iter_sampling, seed = 1
  ))
}

# The log density of rows given Sigma, means integrated out, where every group has its own.
log_given_covariance <- function(y, Sigma, s = 2) {
  n <- nrow(y)
  S <- crossprod(sweep(y, 2, colMeans(y)))
  P <- solve(Sigma)
  V <- Sigma / n + diag(s^2, ncol(y))
  -n * ncol(y) / 2 * log(2 * pi) - n / 2 * log(det(Sigma)) - sum(P * S) / 2 +
    ncol(y) / 2 * log(2 * pi) + log(det(Sigma / n)) / 2 -
    ncol(y) / 2 * log(2 * pi) - log(det(V)) / 2 - sum(colMeans(y) * solve(V, colMeans(y))) / 2
}

test_that("two features without pooling: a product over groups of integrals over three numbers", {
  set.seed(1)
  data <- data.frame(g = rep(c("a", "b"), c(8, 15)), x = rnorm(23, 1), y = rnorm(23, 0, 2))
  data$y <- data$y + data$x
  integral <- function(y) {
    # the midpoint rule, in log sd and the correlation
    sds <- seq(log(0.15), log(12), length.out = 70)
    cors <- seq(-0.995, 0.995, by = 0.01)
    grid <- expand.grid(a = exp(sds), b = exp(sds), r = cors)
    n <- nrow(y)
    m <- colMeans(y)
    S <- crossprod(sweep(y, 2, m))
    with(grid, {
      det <- a^2 * b^2 * (1 - r^2)
      quad <- (S[1, 1] * b^2 - 2 * S[1, 2] * r * a * b + S[2, 2] * a^2) / det
      v11 <- a^2 / n + 4
      v22 <- b^2 / n + 4
      v12 <- r * a * b / n
      det_v <- v11 * v22 - v12^2
      of_mean <- (m[1]^2 * v22 - 2 * m[1] * m[2] * v12 + m[2]^2 * v11) / det_v
      log_f <- -n * log(2 * pi) - (n - 1) / 2 * log(det) - log(n) - log(det_v) / 2 -
        quad / 2 - of_mean / 2
      at <- sample.int(length(a), 3)
      for (i in at) {
        Sigma <- matrix(c(a[i]^2, r[i] * a[i] * b[i], r[i] * a[i] * b[i], b[i]^2), 2)
        stopifnot(abs(log_given_covariance(y, Sigma) - log_f[i]) < 1e-8)
      }
      log_f <- log_f + log(a) - a + log(b) - b + dbeta((1 + r) / 2, 2, 2, log = TRUE) - log(2)
      log(sum(exp(log_f - max(log_f)))) + max(log_f) + 2 * log(diff(sds)[1]) + log(0.01)
    })
  }
  wanted <- sum(vapply(split(data[2:3], data$g), function(y) integral(as.matrix(y)), 0))
  fit <- fit_numbers(data)
  found <- bridge_of(fit)
  expect_s3_class(found, c("hmvn_bridge", "bridge"), exact = TRUE)
  expect_named(found$groups, c("a", "b"))
  expect_logml(found, wanted, 0.02)
  expect_equal(found$logml, sum(vapply(found$groups, `[[`, 0, "logml")))
  expect_output(print(found), "sum over 2 independent groups")
  expect_s3_class(summary(found), "summary.bridge")
  framed <- update(fit, prior = hmvn_prior(
    mean = distributional::dist_normal(0, 2), frame = diag(c(1, 3)),
    sd = c(x = distributional::dist_exponential(1), y = distributional::dist_exponential(sqrt(3)))
  ))
  # a frame that only changes units is no other model
  expect_logml(bridge_of(framed), wanted, 0.02)
})

test_that("one feature under partial pooling: an integral over h, the population and sds", {
  set.seed(2)
  data <- data.frame(g = rep(c("a", "b", "c"), c(4, 6, 9)), y = rnorm(19) * rep(1:3, c(4, 6, 9)))
  fit <- fit_numbers(data, features = "y", pooling = c(sd = "partial"), iter_sampling = 4000)
  u <- seq(-7, 7, length.out = 201)
  sds <- qexp(pnorm(u, log.p = TRUE), log.p = TRUE)
  of_rows <- vapply(split(data$y, data$g), function(y) {
    vapply(sds, function(s) exp(log_given_covariance(matrix(y), matrix(s^2))), 0)
  }, sds)
  h <- (seq_len(200) - 0.5) / 200
  given_h <- vapply(h, function(h) {
    of_group <- outer(u, u, function(u, u0) dnorm(u, sqrt(1 - h^2) * u0, h)) * diff(u)[1]
    # where h is less than the grid is fine, the groups' scores are the population's
    if (h < 0.1) of_group <- diag(length(u))
    sum(apply(crossprod(of_rows, of_group), 2, prod) * dnorm(u)) * diff(u)[1]
  }, 0)
  expect_logml(bridge_of(fit), log(mean(given_h)), 0.03)
})

test_that("another method and repetitions give the same", {
  fit <- suppressMessages(fit_hmvn(iris, group = ~Species, chains = 2, seed = 1))
  found <- bridge_of(fit, method = "warp3", repetitions = 3)
  expect_s3_class(found, "bridge_list")
  expect_lt(diff(range(found$logml)), 0.1)
  expect_equal(bridge_of(fit)$logml, median(found$logml), tolerance = 1e-3)
})

test_that("equal models have a Bayes factor of 1, and draws from the prior a density of 1", {
  fit <- suppressMessages(fit_hmvn(iris, group = ~Species, pooling = "partial", chains = 2,
    seed = 1))
  a <- bridge_of(fit)
  b <- bridge_of(update(fit, seed = 2), seed = 2)
  error <- sqrt(bridgesampling::error_measures(a)$re2 + bridgesampling::error_measures(b)$re2)
  expect_lt(error, 0.1)
  expect_lt(abs(log(bridgesampling::bf(a, b)$bf)), 4 * error)
  expect_equal(sum(bridgesampling::post_prob(a, b)), 1)
  expect_error(bridge_of(update(fit, prior_only = TRUE)), class = "hmvn_error_no_meaning")
})

# Where the posterior is all but Normal, bridgesampling's error is too small (by 1.6 in 75 units, of
# whose positions means and standard deviations are right): that of repetitions is not.
test_that("positions of draws from the prior are draws of a density that integrates to 1", {
  for (pooling in c("none", "partial", "complete")) {
    logml <- vapply(1:12, function(seed) {
      fit <- suppressMessages(fit_hmvn(
        iris, group = ~Species, features = c("Sepal.Length", "Sepal.Width"), pooling = pooling,
        prior_only = TRUE, chains = 2, iter_sampling = 500, seed = seed
      ))
      set.seed(seed)
      found <- lapply(sampling_units(fit), bridge_of_unit, fit = fit, silent = TRUE)
      mean(vapply(found, function(one) one$logml, 0))
    }, 0)
    expect_lt(stats::sd(logml), 0.05)
    # once in 2,000 runs by chance
    expect_gt(stats::t.test(logml)$p.value, 0.0005)
  }
})

test_that("with known covariances and h nothing is left to integrate over", {
  effects <- matrix(c(0.47, 0.20, 0.40, 0.26), dimnames = list(letters[1:4], "PD"))
  V <- c(0.0075, 0.0057, 0.0021, 0.0029)
  known <- hmvn_statistics_from(mean = effects, cov = lapply(V, matrix), known = TRUE)
  prior <- hmvn_prior(mean = distributional::dist_normal(0, 1), heterogeneity = c(mean = 0.6))
  fit <- suppressMessages(fit_hmvn(known, pooling = c(mean = "partial"), prior = prior, seed = 1))
  root <- chol(diag(V) + diag(0.36, 4) + 0.64)
  wanted <- -sum(backsolve(root, effects, transpose = TRUE)^2) / 2 - sum(log(diag(root))) -
    2 * log(2 * pi)
  found <- bridge_of(fit)
  expect_equal(found$logml, wanted, tolerance = 1e-10)
  expect_identical(bridgesampling::error_measures(found)$re2, 0)
  expect_identical(capture.output(print(found)), c(
    paste("Log marginal likelihood:", round(wanted, 5)),
    "Known exactly: nothing was left to integrate over."
  ))
})

test_that("too few draws are refused", {
  fit <- suppressWarnings(suppressMessages(fit_hmvn(
    iris, group = ~Species, pooling = "partial", chains = 1, iter_sampling = 100, seed = 1
  )))
  expect_error(bridge_of(fit), class = "hmvn_error_argument")
})

test_that("Bayes factors and probabilities take fits and bridges", {
  prior <- hmvn_prior(mean = dist_normal(5, 3), sd = dist_exponential(1))
  d <- iris[c(1:20, 51:70), ]
  fit <- function(pooling) {
    short_fit(d, ~Species, ~Sepal.Width, prior = prior, pooling = pooling, iter_sampling = 500)
  }
  none <- fit("none")
  shared <- fit("complete")
  a <- bridge_of(none)
  b <- bridge_of(shared)
  set.seed(1)
  found <- bridgesampling::bayes_factor(none, shared, log = TRUE)
  expect_equal(found$bf, a$logml - b$logml, tolerance = 1e-2)
  expect_identical(bridgesampling::bf(none, b, log = TRUE)$log, TRUE)
  probability <- bridgesampling::post_prob(none, shared)
  expect_named(probability, c("none", "shared"))
  expect_equal(unname(probability[1]), plogis(a$logml - b$logml), tolerance = 1e-2)
  expect_equal(
    unname(bridgesampling::post_prob(none, b, prior_prob = c(0.9, 0.1))[1]),
    plogis(a$logml - b$logml + log(9)), tolerance = 1e-2
  )
  expect_error(bridgesampling::bf(none, 1), class = "hmvn_error_argument")
  expect_error(bridgesampling::post_prob(none), "only one", class = "hmvn_error_argument")
})
