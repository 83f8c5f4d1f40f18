# Coefficients that are pooled by feature or by covariate, and estimates with known covariances
# (K1): densities against the model in plain R, gradients against differences.

by_feature <- function(levels, C = 0, between_eta = NULL, missing = 0, sizes = c(2, 5, 20)) {
  core_case(
    length(levels$mean), sizes, pooling = c(sd = "partial", cor = "complete"), C = C,
    levels = levels, between_eta = between_eta, missing = missing
  )
}

mixed_levels <- list(
  list(mean = c("complete", "partial", "partial")), list(mean = c("partial", "none", "complete")),
  list(mean = c("none", "partial", "partial")), list(mean = c("complete", "none", "none"))
)

test_that("lp__ is the log joint density in plain R, and gradients are its", {
  for (levels in mixed_levels) {
    for (eta in list(NULL, 2)) {
      for (missing in c(0, 0.2)) {
        case <- by_feature(levels, between_eta = eta, missing = missing)
        expect_density_in_r(case, 3)
        expect_right_gradient(case, 4)
      }
    }
  }
})

test_that("so they are where slopes are pooled by covariate, or by feature", {
  slopes <- list(
    rbind(rep("complete", 3), rep("partial", 3)), rbind(rep("none", 3), rep("complete", 3)),
    rbind(c("partial", "complete", "none"), c("partial", "complete", "none"))
  )
  for (i in seq_along(slopes)) {
    levels <- c(mixed_levels[[i]], list(slope = slopes[[i]]))
    case <- by_feature(levels, C = 2, between_eta = 2, sizes = c(4, 7, 20))
    expect_density_in_r(case, 3)
    expect_right_gradient(case, 4)
  }
})

test_that("so they are of estimates with known covariances", {
  set.seed(1)
  model <- r_model(
    3, c(mean = "partial", sd = "none", cor = "none"), between_eta = 2, known = TRUE
  )
  y <- matrix(rnorm(15), 5, dimnames = list(letters[1:5], c("x", "y", "z")))
  V <- lapply(1:5, function(g) crossprod(matrix(rnorm(15), 5)) / 5)
  y[2, 1] <- NA
  V[[2]][1, ] <- V[[2]][, 1] <- NA
  s <- hmvn_statistics_from(mean = y, cov = V, known = TRUE)
  prior <- hmvn_prior(mean = distributional::dist_normal(0, 1))
  core <- as_core(specify_model(s, prior, c(mean = "partial"), NULL))
  case <- list(statistics = s, n_groups = 5, core = core)
  expect_right_gradient(case, 6)
  for (draw in inspect_draws_(s$patterns, 5, core, random_positions(case, 3, 1), 1)) {
    plain <- list(
      groups = lapply(1:5, function(g) list(mu = draw$mean[, g])),
      population = list(mu = draw$mean0), h = list(mean = draw$h_mean, sd = 1, cor = 1),
      L_between = draw$between
    )
    expect_equal(draw$log_likelihood, r_known_log_likelihood(plain, y, V), tolerance = 1e-9)
    expect_equal(draw$log_prior, r_log_prior(model, plain), tolerance = 1e-8)
  }
})
