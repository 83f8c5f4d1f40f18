# What is compiled once for every number of features is tested once for every number of features:
# the posterior for 1 to 8 and any, direct sampling for 1 to 10 and any. With seven features a
# compiler had left out a forward substitution, and no test had seven features.

sizes_of <- function(K) c(2, K + 3, 3 * K + 10)

# Two of the poolings with every value of every block, and the mixed ones with different blocks.
poolings <- list(
  c(mean = "none", sd = "none", cor = "none"), c(mean = "partial", sd = "partial", cor = "partial"),
  c(mean = "complete", sd = "complete", cor = "complete"),
  c(mean = "partial", sd = "none", cor = "complete"),
  c(mean = "none", sd = "complete", cor = "partial"),
  c(mean = "complete", sd = "partial", cor = "none")
)

every_case <- function(K, n_points, use) {
  for (missing in c(0, 0.15)) {
    for (pooling in poolings) {
      # of partially pooled means, every other time correlated between groups (B1)
      between_eta <- if (pooling[["sd"]] != "none") 1.5
      case <- core_case(
        K, sizes_of(K), pooling = pooling, missing = missing, between_eta = between_eta
      )
      set.seed(K)
      use(case, random_positions(case, n_points, radius = 1))
    }
  }
}

test_that("densities are those of the same text in long double, and gradients its differences", {
  for (K in 1:12) {
    every_case(K, 2, function(case, positions) {
      found <- inspect_density_(case$statistics$patterns, case$n_groups, case$core, positions)
      expect_true(all(is.finite(found$log_density)))
      # rounding of 1e-16 is multiplied by the condition of covariance matrices, here up to 1e6, in
      # some hundred operations; what was left out by a compiler is off by the density itself
      expect_lt(max(abs(found$log_density - found$long_density) / abs(found$long_density)), 1e-8)
      expect_lt(max(gradient_error(found)), 1e-7)
    })
  }
})

test_that("lp__ is the log joint density written out in plain R", {
  for (K in 1:12) {
    every_case(K, 1, function(case, positions) {
      draw <- inspect_draws_(
        case$statistics$patterns, case$n_groups, case$core, positions, 1
      )[[1]]
      plain <- as_r_draw(draw, case)
      expect_equal(draw$log_likelihood, r_log_likelihood(plain, case$data), tolerance = 1e-9)
      expect_equal(draw$log_prior, r_log_prior(case$model, plain), tolerance = 1e-8)
    })
  }
})

test_that("NUTS and direct sampling agree for every number of features", {
  for (K in 1:12) {
    set.seed(K)
    data <- data.frame(g = 1, matrix(rnorm((8 * K + 40) * K), ncol = K))
    fit <- function(algorithm) {
      suppressMessages(fit_hmvn(data, group = ~ g, algorithm = algorithm, chains = 2, seed = K))
    }
    nuts <- fit("nuts")
    z <- differences(nuts, fit("direct"), c("mu", "sigma"))
    expect_lt(max(z), z_bound(12 * length(z)))
    expect_lt(mean(nuts$sampler$treedepth), 6)
  }
})

test_that("quarter turns and NUTS agree for every number of features that is compiled", {
  for (K in 1:9) {
    set.seed(100 + K)
    sizes <- c(2, 3, 4) * K + 5
    data <- data.frame(g = rep(1:3, sizes), matrix(rnorm(sum(sizes) * K), ncol = K))
    fit <- function(algorithm) {
      suppressMessages(suppressWarnings(fit_hmvn(
        data, group = ~ g, pooling = "partial", algorithm = algorithm, chains = 2,
        iter_warmup = 500, iter_sampling = 500, seed = K
      )))
    }
    z <- differences(fit("auto"), fit("nuts"), c("mu", "sigma"))
    expect_lt(max(z), z_bound(9 * length(z)))
  }
})

test_that("so they do for a group by itself, and for groups in common, where cells are missing", {
  for (K in 1:9) {
    set.seed(200 + K)
    n <- c(K + 3, 3 * K)
    y <- matrix(rnorm(sum(n) * K), ncol = K)
    y[c(1, n[1] + 1, sample(length(y), 0.15 * length(y)))] <- NA # some in either group
    data <- data.frame(g = rep(1:2, n), y)
    for (pooling in c("none", "complete")) {
      fit <- function(algorithm) {
        short_fit(
          data, group = ~ g, pooling = pooling, algorithm = algorithm, seed = K,
          iter_warmup = 500, iter_sampling = 500,
          prior = hmvn_prior(mean = dist_normal(0, 2), sd = dist_exponential(1))
        )
      }
      turns <- fit("auto")
      if (K > 1) expect_true(all(turns$units$algorithm == "hmc")) # one feature is complete
      z <- differences(turns, fit("nuts"), c("mu", "sigma"))
      expect_lt(max(z), z_bound(18 * length(z)))
    }
  }
})
