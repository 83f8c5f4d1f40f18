# The position with this value everywhere, and the log density there.
all_at <- function(case, value) matrix(value, core_layout(case)$dimension)
density_at <- function(case, value) {
  inspect_density_(
    case$statistics$patterns, case$n_groups, case$core, all_at(case, value), FALSE
  )$log_density
}

test_that("gradients agree with long-double differences without partial pooling", {
  # 1,000 points in all: 4 numbers of features x 8 combinations x 32 points
  for (K in c(1, 2, 5, 10)) {
    sizes <- if (K == 10) c(3, 30) else c(2, 5, 20)
    for (pooling in all_poolings(c("none", "complete"))) {
      expect_right_gradient(core_case(K, sizes, pooling = pooling), n = 32)
    }
  }
})

test_that("gradients agree with long-double differences, all poolings, also with missing cells", {
  for (missing in c(0, 0.2)) {
    for (pooling in all_poolings(c("none", "partial", "complete"))) {
      expect_right_gradient(core_case(3, pooling = pooling, missing = missing), n = 10)
    }
  }
})

test_that("gradients are right where h is fixed and for every family of sd prior", {
  fixed <- list(mean = c(0.3, NA, NA), sd = c(0.01, NA, NA), cor = c(0.999, NA, NA))
  expect_right_gradient(core_case(3, pooling = "partial", heterogeneity = fixed), n = 10)
  beta <- list(mean = c(NA, 2, 3), sd = c(NA, 0.5, 4), cor = c(NA, 3, 0.7))
  families <- core_case(
    5, pooling = "partial", heterogeneity = beta, eta = 0.7,
    family = c("exponential", "normal", "student_t", "gamma", "lognormal"),
    parameters = rbind(c(2, NA, NA), c(0.5, 1, NA), c(3, 0, 1), c(2, 2, NA), c(-0.5, 0.7, NA))
  )
  expect_right_gradient(families, n = 10)
})

test_that("lp__ is the log joint density written out in plain R, for all 27 poolings", {
  for (missing in c(0, 0.2)) {
    for (pooling in all_poolings(c("none", "partial", "complete"))) {
      expect_density_in_r(core_case(3, pooling = pooling, missing = missing), n = 3)
    }
  }
})

test_that("lp__ is right for every family of sd prior and any eta", {
  case <- core_case(
    5, pooling = "partial", eta = 0.7,
    family = c("exponential", "normal", "student_t", "gamma", "lognormal"),
    parameters = rbind(c(2, NA, NA), c(0.5, 1, NA), c(3, 0, 1), c(2, 2, NA), c(-0.5, 0.7, NA))
  )
  expect_density_in_r(case, n = 5)
})

test_that("the sampler's density is the joint density, means integrated out, times the Jacobian", {
  # One feature, one group: there p(mean | sigma, data) is known in closed form, and lp__ less its
  # log is the joint density of data and sigma, whatever mean was drawn. The sampler's density
  # differs from it by dsigma/dx and a constant.
  n <- 7
  case <- core_case(1, sizes = n)
  ybar <- mean(case$data$y1)
  at <- function(x, seed = 1) {
    draw <- inspect_draws_(case$statistics$patterns, 1, case$core, matrix(x), seed)[[1]]
    variance <- draw$chol[1, 1]^2
    precision <- n / variance + 1
    list(
      density = inspect_density_(case$statistics$patterns, 1, case$core, matrix(x))$log_density,
      sigma = draw$chol[1, 1],
      joint = draw$log_likelihood + draw$log_prior -
        dnorm(draw$mean[1, 1], (n * ybar / variance) / precision, sqrt(1 / precision), log = TRUE)
    )
  }
  log_slope <- function(x) log((at(x + 1e-5)$sigma - at(x - 1e-5)$sigma) / 2e-5)
  expect_equal(at(0.3, seed = 1)$joint, at(0.3, seed = 2)$joint, tolerance = 1e-12)
  constants <- vapply(
    c(-2, -0.4, 0.3, 1.7), function(x) at(x)$density - at(x)$joint - log_slope(x), double(1)
  )
  expect_equal(constants[-1], rep(constants[1], 3), tolerance = 1e-7)
})

test_that("under partial pooling the sampler's density has the Jacobian of the coordinates (S4)", {
  # One feature, three groups: lp__ less the log density of the drawn means is the joint density of
  # data, sigma_g, u_0 and h. The sampler's density differs from it by |d(h, u_0, sigma)/dx|, here
  # by differences, and a constant.
  sizes <- c(3, 6, 12)
  case <- core_case(1, sizes = sizes, pooling = c(sd = "partial"))
  ybar <- tapply(case$data$y1, case$data$g, mean)
  draw_at <- function(x) inspect_draws_(case$statistics$patterns, 3, case$core, matrix(x), 1)[[1]]
  natural <- function(x) {
    draw <- draw_at(x)
    c(draw$h_sd, qnorm(pexp(draw$scale0)) / sqrt(1 - draw$h_sd^2), draw$chol[1, ])
  }
  joint <- function(x) {
    draw <- draw_at(x)
    precision <- sizes / draw$chol[1, ]^2 + 1
    means <- dnorm(
      draw$mean[1, ], (sizes * ybar / draw$chol[1, ]^2) / precision, sqrt(1 / precision), log = TRUE
    )
    draw$log_likelihood + draw$log_prior - sum(means)
  }
  log_jacobian <- function(x) {
    columns <- vapply(seq_along(x), function(i) {
      step <- replace(numeric(length(x)), i, 1e-5)
      (natural(x + step) - natural(x - step)) / 2e-5
    }, numeric(5))
    as.numeric(determinant(columns)$modulus)
  }
  set.seed(1)
  positions <- random_positions(case, 6, radius = 1.5)
  density <- inspect_density_(case$statistics$patterns, 3, case$core, positions)$log_density
  constants <- density - apply(positions, 2, joint) - apply(positions, 2, log_jacobian)
  expect_equal(constants[-1], rep(constants[1], 5), tolerance = 1e-6)
})

test_that("the sampler's space is centred on the posterior, also where groups lie far apart", {
  # Unpooled within-group scatter would be a hundred times too small a guess for the covariance
  # matrix.
  set.seed(3)
  data <- data.frame(
    g = rep(c("a", "b"), each = 40), x = rnorm(80, sd = 0.1) + rep(c(0, 5), each = 40),
    y = rnorm(80)
  )
  fit <- suppressMessages(
    fit_hmvn(
      data, group = ~ g, pooling = "complete", algorithm = "nuts", chains = 1, iter_warmup = 500,
      seed = 1
    )
  )
  expect_no_detours(fit)
  expect_equal(sum(fit$sampler$divergent), 0)
})

test_that("a single row has a posterior where all is completely pooled", {
  prior <- hmvn_prior(mean = dist_normal(0, 1), sd = dist_exponential(1))
  fit <- function(algorithm) {
    short_fit(
      data.frame(g = "a", x = 0.3, y = -1.2), ~g, pooling = "complete", algorithm = algorithm,
      prior = prior, iter_warmup = 500, iter_sampling = 2000
    )
  }
  z <- differences(fit("auto"), fit("nuts"), c("mu", "sigma", "Omega"))
  expect_lt(max(z, na.rm = TRUE), z_bound(length(z)))
})

test_that("groups are located where hardly two rows observe the same features", {
  # the few that do give a standard deviation of 0.002 where it is 3 in other groups
  for (seed in 1:2) {
    case <- core_case(11, sizes = c(2, 14, 20), missing = 0.3, C = 1, seed = seed)
    expect_gt(density_at(case, 0), -1e4)
  }
})

test_that("a place without a density is not read", {
  case <- core_case(3)
  expect_identical(density_at(case, 1e4), -Inf)
  expect_error(
    inspect_draws_(case$statistics$patterns, case$n_groups, case$core, all_at(case, 1e4), 1),
    "without a density"
  )
})
