# Scores of a quantity under its prior (S1)-(S3), for three features with a prior of each kind;
# LKJ(eta).
eta <- 1.5
K <- 3
location <- c(0, 1, -2)
spread <- c(1, 2, 3)
prior <- hmvn_prior(
  mean = distributional::dist_normal(location, spread), cor = dist_lkj(eta),
  sd = c(
    distributional::dist_exponential(2), distributional::dist_gamma(2, 1),
    distributional::dist_lognormal(0, 1)
  )
)
cdf <- list(function(x) pexp(x, 2), function(x) pgamma(x, 2, 1), plnorm)
quantile_of <- list(function(p) qexp(p, 2), function(p) qgamma(p, 2, 1), qlnorm)
shape <- eta + (K - 1 - c(1, 1, 2)) / 2 # of c21, c31, c32

# Packed factor of a correlation matrix from partial correlations (c21, c31, c32), by the recursion
# of the LKJ paper, and back.
factor_of_partial <- function(c) {
  third <- sqrt(1 - c[2]^2)
  c(1, c[1], sqrt(1 - c[1]^2), c[2], c[3] * third, third * sqrt(1 - c[3]^2))
}
scores_of_covariance <- function(packed) {
  L <- unpack_factor(packed)
  sigma <- sqrt(rowSums(L^2))
  R <- L / sigma
  partial <- c(R[2, 1], R[3, 1], R[3, 2] / sqrt(1 - R[3, 1]^2))
  c(
    vapply(1:3, function(k) qnorm(cdf[[k]](sigma[k])), 0),
    qnorm(pbeta((partial + 1) / 2, shape, shape))
  )
}

core_model <- function(pooling) {
  data <- data.frame(g = c("a", "b"), x = 0:1, y = 0:1, z = 0:1)
  resolved <- resolve_prior(prior, hmvn_statistics(data, ~g, ~ x + y + z), "raw")
  pooling <- resolve_pooling(pooling)
  coefficients <- coefficient_pooling(pooling, c("x", "y", "z"), character(), NULL)
  as_core(new_hmvn_model(resolved, prior, coefficients, pooling[c("sd", "cor")]))
}

test_that("a new group's scores are v + h e, e standard normal, in every coordinate (S4)", {
  set.seed(1)
  n <- 4000
  u0 <- matrix(rnorm(n * 9), n)
  h <- matrix(rbeta(n * 7, 1, 1), n)
  of_coordinate <- c(1:6, 7, 7, 7)
  v <- sqrt(1 - h[, of_coordinate]^2) * u0
  population <- list(
    mean0 = sweep(sweep(v[, 1:3], 2, spread, `*`), 2, location, `+`),
    scale0 = vapply(1:3, function(k) quantile_of[[k]](pnorm(v[, 3 + k])), double(n)),
    chol_cor0 = t(
      apply(v[, 7:9], 1, function(s) factor_of_partial(2 * qbeta(pnorm(s), shape, shape) - 1))
    ),
    h_mean = h[, 1:3], h_sd = h[, 4:6], h_cor = h[, 7, drop = FALSE],
    slope0 = NULL, h_slope = NULL, chol_between = NULL
  )
  drawn <- new_group_(core_model("partial"), population, seq_len(n), 1)
  u <- cbind(
    sweep(sweep(drawn$mean, 2, location, `-`), 2, spread, `/`),
    t(apply(drawn$chol, 1, scores_of_covariance))
  )
  e <- (u - v) / h[, of_coordinate]
  normal <- function(x) apply(x, 2, function(column) ks.test(column, "pnorm")$p.value)
  # given the population, and over it: the group's own prior (P1)-(P3)
  expect_gt(min(p.adjust(c(normal(e), normal(u)), "holm")), 0.001)
  # e knows nothing of v or h, nor one coordinate's of another's
  z <- c(cor(e, v), cor(e, h), cor(e)[lower.tri(diag(9))], cor(e^2, h)) * sqrt(n)
  expect_lt(max(abs(z)), z_bound(length(z)))
})

prior_p_values <- function(new) {
  value <- function(name, ...) as.vector(posterior::draws_of(new[[name]][...]))
  marginal <- eta - 1 + K / 2
  p <- c(
    vapply(1:3, function(k) ks.test(value("mu", k), "pnorm", location[k], spread[k])$p.value, 0),
    vapply(1:3, function(k) ks.test(value("sigma", k), cdf[[k]])$p.value, 0)
  )
  for (at in list(c(2, 1), c(3, 1), c(3, 2))) {
    p <- c(
      p,
      ks.test(
        value("Omega", at[1], at[2]), function(x) pbeta((x + 1) / 2, marginal, marginal)
      )$p.value
    )
  }
  p
}

test_that("without data a new group follows the priors; unpooled also with data", {
  set.seed(2)
  data <- data.frame(g = rep(c("a", "b"), each = 10), x = rnorm(20), y = rnorm(20), z = rnorm(20))
  fit <- function(pooling, prior_only = TRUE) {
    quietly(fit_hmvn(
      data, ~g, pooling = pooling, prior = prior, prior_only = prior_only, chains = 2,
      iter_warmup = 500,
      iter_sampling = 8000, thin = 8, cores = 2, seed = 5,
      adapt_delta = if (prior_only) 0.8 else 0.95
    ))
  }
  p <- c(
    prior_p_values(quietly(posterior_new_group(fit("none", prior_only = FALSE), seed = 1))),
    prior_p_values(posterior_new_group(fit("partial"), seed = 1)),
    prior_p_values(quietly(posterior_new_group(fit("complete"), seed = 1))),
    prior_p_values(
      quietly(
        posterior_new_group(fit(c(mean = "complete", sd = "partial", cor = "none")), seed = 1)
      )
    )
  )
  expect_gt(min(p.adjust(p, "holm")), 0.001)
})

test_that("under complete pooling a new group is like all others, exactly where it can be", {
  fit <- short_fit(iris, ~Species, pooling = "complete")
  expect_message(
    new <- posterior_new_group(fit), "those of all groups", class = "hmvn_message_new_group"
  )
  one <- function(x) unname(posterior::draws_of(x))
  expect_equal(one(new$mu), one(group_mean(fit))[, 1, ], tolerance = 1e-12)
  expect_equal(one(new$Sigma), one(group_cov(fit))[, 1, , ], tolerance = 1e-12)
})

test_that("h of 0 is the population's value: mu0, sigma0 and Omega0 come back through the scores", {
  fit <- short_fit(iris, ~Species, pooling = "partial")
  for (h in c("h_mean", "h_sd", "h_cor")) fit$draws[[h]][] <- 0
  expect_no_message <- function(code) expect_message(code, NA)
  expect_no_message(new <- posterior_new_group(fit))
  one <- function(x) unname(posterior::draws_of(x))
  rvars <- as_draws_rvars(fit)
  expect_equal(one(new$mu), one(rvars$mu0), tolerance = 1e-12)
  expect_equal(one(new$sigma), one(rvars$sigma0), tolerance = 1e-10)
  expect_equal(one(new$Omega), one(rvars$Omega0), tolerance = 1e-10)
})

test_that("partial correlations near 1 survive the way through the factor", {
  model <- core_model(c(mean = "partial", sd = "partial", cor = "partial"))
  # sqrt(1 - c^2) = 1e-9
  packed <- c(1, sqrt(1 - 1e-18), 1e-9, 0.5, sqrt(0.75 - 1e-20), 1e-10)
  population <- list(
    mean0 = matrix(0, 1, 3), scale0 = matrix(1, 1, 3), chol_cor0 = matrix(packed, 1),
    h_mean = matrix(0, 1, 3), h_sd = matrix(0, 1, 3), h_cor = matrix(0),
    slope0 = NULL, h_slope = NULL, chol_between = NULL
  )
  expect_equal(
    as.vector(new_group_(model, population, 1L, 1)$chol) / packed, rep(1, 6), tolerance = 1e-7
  )
})

test_that("shapes, labels, chains and seeds", {
  fit <- short_fit(iris, ~Species, ~ Sepal.Length + Petal.Width, pooling = c(mean = "partial"))
  expect_message(
    new <- posterior_new_group(fit, seed = 1), "deviations and correlations",
    class = "hmvn_message_new_group"
  )
  features <- c("Sepal.Length", "Petal.Width")
  expect_named(new, c("mu", "sigma", "Omega", "Sigma"))
  expect_identical(dimnames(new$mu), list(features))
  expect_identical(dimnames(new$Sigma), list(features, features))
  expect_identical(posterior::nchains(new), 2L)
  expect_equal(
    posterior::draws_of(new$Sigma[1, 2]),
    posterior::draws_of(new$Omega[2, 1] * new$sigma[1] * new$sigma[2]), ignore_attr = TRUE
  )
  get <- function(...) quietly(posterior_new_group(fit, ...))
  expect_identical(get(seed = 1), new)
  expect_false(identical(get(seed = 2), new))
  # fewer draws are some of the same
  few <- get(ndraws = 10, seed = 1)
  expect_identical(posterior::ndraws(few), 10L)
  expect_identical(
    unname(posterior::draws_of(few$mu)),
    unname(posterior::draws_of(new$mu)[choose_draws(fit, 10), ])
  )
  set.seed(1)
  before <- .Random.seed
  get(seed = 3)
  expect_identical(.Random.seed, before)
  expect_error(posterior_new_group(1), class = "hmvn_error_fit")
  expect_error(posterior_new_group(fit, 1000), class = "hmvn_error_argument")
})

test_that("one feature has a new group too", {
  fit <- short_fit(iris, ~Species, ~Sepal.Length, pooling = "partial")
  expect_message(new <- posterior_new_group(fit), NA)
  expect_equal(posterior::draws_of(new$Sigma)[, 1, 1], posterior::draws_of(new$sigma)[, 1]^2)
})
