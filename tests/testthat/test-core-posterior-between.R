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
      set.seed(1)
      draws <- inspect_draws_(
        case$statistics$patterns, case$n_groups, case$core, random_positions(case, 3, 1), 1
      )
      for (draw in draws) {
        plain <- as_r_draw(draw, case)
        expect_equal(draw$log_likelihood, r_log_likelihood(plain, case$data), tolerance = 1e-9)
        expect_equal(draw$log_prior, r_log_prior(case$model, plain), tolerance = 1e-8)
      }
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
  z <- (colMeans(means) - expected) / sqrt(diag(covariance) / n)
  expect_lt(max(abs(z)), z_bound(6))
  # variances of the sample's second moments of a normal
  spread <- crossprod(sweep(means, 2, expected)) / n
  error <- sqrt((covariance^2 + outer(diag(covariance), diag(covariance))) / n)
  expect_lt(max(abs(spread - covariance) / error), z_bound(21))
})

test_that("the two algorithms agree where means are correlated between groups", {
  case <- core_case(3, rep(c(3, 8), 4), pooling = "partial", between_eta = 2, seed = 5)
  fit <- function(algorithm) {
    suppressMessages(suppressWarnings(fit_hmvn(
      case$data, ~g, pooling = "partial", algorithm = algorithm, chains = 2, seed = 2
    )))
  }
  table <- function(fit) {
    draws <- as_draws_array(fit, variable = c("mu0", "tau", "Omega_between", "icc"))
    found <- posterior::summarise_draws(draws, mean = mean, error = posterior::mcse_mean)
    found[is.finite(found$error), ]
  }
  a <- table(fit("auto"))
  b <- table(fit("nuts"))
  z <- abs(a$mean - b$mean) / sqrt(a$error^2 + b$error^2)
  expect_identical(a$variable, b$variable)
  expect_lt(max(z), z_bound(length(z)))
})
