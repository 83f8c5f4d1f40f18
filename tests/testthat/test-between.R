# Many groups whose means are strongly correlated over features, unlike rows within them.
correlated_groups <- function(G, n, seed, absent = 0L) {
  set.seed(seed)
  R <- matrix(c(1, 0.95, 0.95, 1), 2)
  mu <- matrix(rnorm(2 * G, sd = 3), G) %*% chol(R)
  noise <- matrix(rnorm(2 * G * n), G * n) %*% chol(matrix(c(1, -0.5, -0.5, 1), 2))
  data <- data.frame(g = rep(seq_len(G), each = n), mu[rep(seq_len(G), each = n), ] + noise)
  data$X2[data$g <= absent] <- NA
  list(data = data, mu = mu)
}

fit_groups <- function(data, between = dist_lkj(2), ...) {
  suppressMessages(fit_hmvn(
    data, ~g, ~ X1 + X2, pooling = c(mean = "partial", sd = "complete", cor = "complete"),
    prior = hmvn_prior(between = between), chains = 2, seed = 1, ...
  ))
}

test_that("the correlation between groups is recovered, and is not the one within", {
  truth <- correlated_groups(200, 5, 1)
  fit <- fit_groups(truth$data)
  sample <- cor(truth$mu)[1, 2]
  found <- between_cor(fit)["X1", "X2", drop = TRUE]
  # of 200 groups Fisher's z of the correlation has the sd 1 / sqrt(197)
  expect_lt(abs(atanh(mean(found)) - atanh(sample)), 4 / sqrt(197))
  wb <- within_between(fit)
  expect_identical(wb$feature, "X1")
  expect_identical(wb$feature2, "X2")
  expect_true(wb$within_low < -0.5 && -0.5 < wb$within_high)
  expect_equal(wb$between, mean(found), tolerance = 1e-12)
  # between covariance and icc by hand
  draws <- posterior::as_draws_rvars(fit)
  expect_equal(
    posterior::draws_of(between_cov(fit)[1, 2, drop = TRUE]),
    posterior::draws_of(found * draws$tau[1] * draws$tau[2]), tolerance = 1e-12, ignore_attr = TRUE
  )
  icc <- draws$tau^2 / (draws$tau^2 + draws$sigma[1, , drop = TRUE]^2)
  expect_equal(posterior::draws_of(draws$icc), posterior::draws_of(icc), ignore_attr = TRUE)
})

test_that("means of a feature that groups lack are predicted through their others", {
  truth <- correlated_groups(60, 20, 2, absent = 15L)
  fit <- fit_groups(truth$data)
  alone <- fit_groups(truth$data, "independent")
  rmse <- function(fit) {
    sqrt(mean((posterior::E(group_mean(fit))[1:15, 2] - truth$mu[1:15, 2])^2))
  }
  # given the first feature's mean the second has the sd 3 sqrt(1 - 0.95^2) = 0.94, without it 3;
  # the mean square of 15 has a relative sd of sqrt(2 / 15)
  expect_lt(rmse(fit)^2, 0.94^2 * (1 + 4 * sqrt(2 / 15)))
  expect_gt(rmse(alone)^2, 9 * (1 - 2.5 * sqrt(2 / 15)))
})

test_that("with one group the correlation keeps its prior", {
  set.seed(1)
  data <- data.frame(g = 1, X1 = rnorm(20), X2 = rnorm(20))
  fit <- suppressMessages(fit_hmvn(data, ~g, pooling = "partial", seed = 1))
  r <- as.vector(posterior::as_draws_matrix(fit, variable = "Omega_between[X2,X1]"))
  # (r + 1) / 2 ~ Beta(2, 2) at K = 2 and eta = 2
  ess <- posterior::ess_mean(r)
  u <- pbeta((r + 1) / 2, 2, 2)
  expect_lt(abs(mean(u) - 0.5), 4 * sqrt(1 / 12 / ess))
  expect_lt(abs(mean(u^2) - 1 / 3), 4 * sqrt(4 / 45 / ess))
  expect_output(print(fit), "correlated by about their prior (1 group)", fixed = TRUE)
  expect_output(print(within_between(fit)), "Of 1 group little is learned")
})

test_that("a prior sample has the prior of the correlations, and a new group follows them", {
  set.seed(1)
  data <- data.frame(g = 1:3, X1 = 0, X2 = 0, X3 = 0)
  prior <- hmvn_prior(
    mean = distributional::dist_normal(0, 1), sd = distributional::dist_exponential(1),
    between = dist_lkj(0.7), heterogeneity = 0.9
  )
  fit <- suppressMessages(fit_hmvn(
    data, ~g, pooling = c(mean = "partial"), prior = prior, prior_only = TRUE, seed = 1
  ))
  r <- posterior::as_draws_matrix(fit, variable = "Omega_between[X3,X1]")
  u <- pbeta((as.vector(r) + 1) / 2, 0.7 + 0.5, 0.7 + 0.5)
  ess <- posterior::ess_mean(posterior::as_draws_array(fit, variable = "Omega_between[X3,X1]"))
  expect_lt(abs(mean(u) - 0.5), 4 * sqrt(1 / 12 / ess))
  expect_lt(abs(mean(u^2) - 1 / 3), 4 * sqrt(4 / 45 / ess))
  # a new group's deviations e have the correlation R_b of their draw: E(e_1 e_3 - R_13) = 0
  new <- suppressMessages(posterior_new_group(fit, seed = 1))
  mu0 <- posterior::as_draws_rvars(fit, variable = "mu0")$mu0
  e <- posterior::draws_of(new$mu - mu0) / 0.9
  off <- e[, 1] * e[, 3] - as.vector(posterior::draws_of(between_cor(fit)[1, 3, drop = TRUE]))
  expect_lt(abs(mean(off)) / (sd(off) / sqrt(length(off))), 4)
  expect_lt(abs(mean(e[, 2]^2 - 1)) / sqrt(2 / nrow(e)), 4)
})

test_that("what has no covariance between groups says why", {
  for (fit in list(
    fake_fit(pooling = "none"), fake_fit(pooling = "complete"), fake_fit(pooling = "partial", K = 1)
  )) {
    for (ask in list(between_cov, between_cor, within_between)) {
      expect_error(ask(fit), class = "hmvn_error_no_meaning")
    }
  }
  expect_error(between_cov(1), class = "hmvn_error_fit")
  expect_error(
    within_between(fake_fit(pooling = "partial"), prob = 2), class = "hmvn_error_argument"
  )
  expect_error(hmvn_prior(between = "none"), class = "hmvn_error_prior")
  expect_error(hmvn_prior(between = NULL), class = "hmvn_error_prior")
})

test_that("within and between are of the groups' rows", {
  fit <- fake_fit(pooling = "partial")
  n <- fit$statistics$patterns$n
  Sigma <- posterior::draws_of(group_cov(fit))
  within <- apply(Sigma, c(1, 3, 4), function(x) sum(x * n) / sum(n))
  r <- within[, 1, 2] / sqrt(within[, 1, 1] * within[, 2, 2])
  table <- within_between(fit, prob = 0.5)
  expect_equal(table$within[[1]], mean(r))
  expect_equal(
    c(table$within_low[[1]], table$within_high[[1]]), quantile(r, c(0.25, 0.75), names = FALSE)
  )
  total <- within + posterior::draws_of(between_cov(fit))
  expect_equal(
    table$total[[1]], mean(total[, 1, 2] / sqrt(total[, 1, 1] * total[, 2, 2]))
  )
  expect_true(all(nchar(capture.output(print(table))) <= 80))
})
