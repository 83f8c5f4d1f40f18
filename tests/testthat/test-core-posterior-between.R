# Correlations between the groups' means (B1)

poolings <- list(
  c(mean = "partial", sd = "none", cor = "none"),
  c(mean = "partial", sd = "complete", cor = "complete"),
  c(mean = "partial", sd = "partial", cor = "partial")
)

test_that("gradients agree with long-double differences, also where cells or features lack", {
  for (missing in c(0, 0.3)) {
    for (pooling in poolings) {
      case <- core_case(3, pooling = pooling, missing = missing, between_eta = 1.5)
      expect_right_gradient(case, 10)
    }
  }
  case <- core_case(4, c(5, 6, 7, 20), pooling = "partial", between_eta = 0.7)
  case$data[case$data$g == "g02", c("y1", "y4")] <- NA
  case$statistics <- core_statistics(case$data)
  expect_right_gradient(case, 10)
  fixed <- list(mean = c(0.3, NA, NA), sd = c(NA, 1, 1), cor = c(NA, 1, 1))
  expect_right_gradient(
    core_case(3, pooling = "partial", heterogeneity = fixed, between_eta = 2), 10
  )
})

test_that("lp__ is the log joint density written out in plain R", {
  for (missing in c(0, 0.3)) {
    for (pooling in poolings) {
      case <- core_case(4, pooling = pooling, missing = missing, between_eta = 1.3)
      expect_density_in_r(case, 3)
    }
  }
})

test_that("means given the rest have their exact law, also of features that a group lacks", {
  # At one position: covariance matrices, h and R_b are fixed; the means' joint law with the
  # population integrated out is normal, here from its prior covariance and the data.
  case <- core_case(3, c(4, 6), pooling = c(mean = "partial"), between_eta = 1.5)
  case$data[case$data$g == "g02", "y1"] <- NA
  case$statistics <- core_statistics(case$data)
  set.seed(3)
  position <- random_positions(case, 1, 1)
  n <- 4000
  draws <- inspect_draws_(
    case$statistics$patterns, 2, case$core, matrix(position, length(position), n), 1
  )
  means <- t(vapply(draws, function(draw) as.vector(draw$mean), numeric(6)))
  h <- draws[[1]]$h_mean
  between <- diag(h) %*% tcrossprod(draws[[1]]$between) %*% diag(h)
  prior <- rbind(cbind(between, 0 * between), cbind(0 * between, between)) +
    kronecker(matrix(1, 2, 2), diag(1 - h^2))
  seen <- c(TRUE, TRUE, TRUE, FALSE, TRUE, TRUE)
  noise <- matrix(0, 6, 6)
  for (g in 1:2) {
    own <- 3 * (g - 1) + 1:3
    noise[own, own] <- tcrossprod(unpack_factor(draws[[1]]$chol[, g])) / c(4, 6)[g]
  }
  ybar <- unlist(lapply(split(case$data[-1], case$data$g), colMeans))
  gain <- prior[, seen] %*% solve((prior + noise)[seen, seen])
  expected <- drop(gain %*% ybar[seen])
  covariance <- prior - gain %*% prior[seen, ]
  expect_normal(means, expected, covariance)
})

test_that("the two algorithms agree where means are correlated between groups", {
  case <- core_case(3, rep(c(3, 8), 4), pooling = "partial", between_eta = 2, seed = 5)
  fit <- function(algorithm) {
    suppressMessages(suppressWarnings(fit_hmvn(
      case$data, ~g, pooling = "partial", algorithm = algorithm, chains = 2, seed = 2
    )))
  }
  expect_same_posterior(
    fit("auto"), fit("nuts"), "algorithms", "^(mu0|tau|Omega_between|icc)"
  )
})
