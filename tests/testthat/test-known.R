# Berkey et al. (1998), five trials of periodontal treatments: improvement in probing depth (PD) and
# attachment level (AL), with known covariance matrices; as printed there (dat.berkey1998 of the
# package metafor).
effects <- rbind(
  c(0.47, -0.32), c(0.20, -0.60), c(0.40, -0.12), c(0.26, -0.31), c(0.56, -0.39)
)
dimnames(effects) <- list(paste0("t", 1:5), c("PD", "AL"))
V <- Map(
  function(a, b, c) matrix(c(a, b, b, c), 2), c(0.0075, 0.0057, 0.0021, 0.0029, 0.0148),
  c(0.0030, 0.0009, 0.0007, 0.0009, 0.0072), c(0.0077, 0.0008, 0.0014, 0.0015, 0.0304)
)

known_statistics <- function(mean = effects, cov = V) {
  hmvn_statistics_from(mean = mean, cov = cov, known = TRUE)
}

fit_effects <- function(statistics = known_statistics(), ...) {
  suppressMessages(fit_hmvn(statistics, pooling = c(mean = "partial"), ..., seed = 1))
}

# log density of effects given mu0, tau and the correlation between groups, means integrated out
marginal <- function(mu0, tau, r) {
  between <- matrix(c(tau[1]^2, r * tau[1] * tau[2], r * tau[1] * tau[2], tau[2]^2), 2)
  sum(vapply(1:5, function(g) {
    root <- chol(V[[g]] + between)
    z <- backsolve(root, effects[g, ] - mu0, transpose = TRUE)
    -sum(log(diag(root))) - sum(z^2) / 2
  }, 0))
}

test_that("the multivariate random-effects meta-analysis agrees with importance sampling", {
  prior <- hmvn_prior(mean = distributional::dist_normal(0, 1), between = dist_lkj(1))
  fit <- fit_effects(prior = prior, iter_sampling = 4000)
  # the posterior of h, R_b and u_0 by weighting draws of the prior around what is plausible: h is
  # uniform, u_0 standard normal, r = R_b uniform under LKJ(1) with two features
  set.seed(1)
  n <- 200000
  h <- matrix(runif(2 * n)^2, n)
  log_q <- rowSums(-log(2 * sqrt(h)))
  v <- cbind(rnorm(n, 0.35, 0.2), rnorm(n, -0.34, 0.2))
  spread <- sqrt(1 - h^2)
  log_q <- log_q + dnorm(v[, 1], 0.35, 0.2, TRUE) + dnorm(v[, 2], -0.34, 0.2, TRUE)
  r <- runif(n, -1, 1)
  log_w <- vapply(seq_len(n), function(i) marginal(v[i, ], h[i, ], r[i]), 0) +
    rowSums(dnorm(v, 0, spread, TRUE)) - log_q
  w <- exp(log_w - max(log_w))
  w <- w / sum(w)
  expect_gt(1 / sum(w^2), 1000)
  compare <- function(values, variable) {
    expected <- sum(w * values)
    error <- sqrt(sum(w^2 * (values - expected)^2))
    draws <- posterior::extract_variable_matrix(as_draws_array(fit), variable)
    z <- (mean(draws) - expected) / sqrt(error^2 + posterior::mcse_mean(draws)^2)
    expect_lt(abs(z), z_bound(5))
  }
  compare(v[, 1], "mu0[PD]")
  compare(v[, 2], "mu0[AL]")
  compare(h[, 1], "tau[PD]")
  compare(h[, 2], "tau[AL]")
  compare(r, "Omega_between[AL,PD]")
  # metafor's rma.mv(), REML: 0.353, -0.339; tau 0.108, 0.181; r 0.61. Of five studies posterior
  # means of tau lie above the REML estimates.
  mu0 <- posterior::as_draws_rvars(fit, "mu0")$mu0
  expect_lt(max(abs(posterior::E(mu0) - c(0.353, -0.339)) / posterior::sd(mu0)), 0.5)
})

test_that("gradients and lp__ are right, also where estimates lack features", {
  y <- effects
  y["t2", "AL"] <- NA
  lacking <- V
  lacking[[2]][2, ] <- lacking[[2]][, 2] <- NA
  for (statistics in list(known_statistics(), known_statistics(y, lacking))) {
    model <- specify_model(statistics, hmvn_prior(), c(mean = "partial"), NULL)
    case <- list(statistics = statistics, n_groups = 5, core = as_core(model))
    expect_right_gradient(case, 8)
    set.seed(1)
    for (draw in inspect_draws_(statistics$patterns, 5, case$core, random_positions(case, 3), 1)) {
      by_hand <- sum(vapply(1:5, function(g) {
        seen <- statistics$patterns$observed[, g]
        root <- chol(statistics$patterns$scatter[seen, seen, g])
        off <- (statistics$patterns$mean[, g] - draw$mean[, g])[seen]
        z <- backsolve(root, off, transpose = TRUE)
        sum(dnorm(z, log = TRUE)) - sum(log(diag(root)))
      }, 0))
      expect_equal(draw$log_likelihood, by_hand, tolerance = 1e-10)
    }
  }
})

test_that("what has no meaning with known covariances is refused, and the rest says what it is", {
  fit <- fit_effects(chains = 2)
  expect_output(print(fit), "5 estimates with known covariances")
  expect_identical(unique(prior_summary(fit)$block), c("mean", "between"))
  expect_setequal(
    names(as_draws_rvars(fit)),
    c("mu", "mu0", "Omega_between", "Sigma_between", "tau", "h_mean", "lp__", "lprior")
  )
  for (ask in list(within_between, group_cov, group_cor, group_sd)) {
    expect_error(ask(fit), class = "hmvn_error_no_meaning")
  }
  expect_error(
    fit_effects(prior = hmvn_prior(cor = dist_lkj(1))), "only means", class = "hmvn_error_prior"
  )
  expect_identical(names(posterior_new_group(fit, seed = 1)), "mu")
  expect_identical(update(fit, seed = 1, chains = 2)$draws$mean, fit$draws$mean)
  expect_error(
    fit_hmvn(known_statistics(), pooling = "none"), "partially", class = "hmvn_error_pooling"
  )
  # the order of studies and features in the matrices tells nothing
  turned <- known_statistics(effects[5:1, 2:1], lapply(V[5:1], function(v) v[2:1, 2:1]))
  expect_equal(turned$patterns$mean[2:1, 5:1], known_statistics()$patterns$mean)
  both <- c(known_statistics(effects[1:2, ], V[1:2]), known_statistics(effects[3:5, ], V[3:5]))
  expect_equal(both$patterns, known_statistics()$patterns)
  for (wrong in list(
    quote(hmvn_statistics_from(n = c(a = 3), mean = effects, cov = V, known = TRUE)),
    quote(hmvn_statistics_from(mean = unname(effects), cov = V, known = TRUE)),
    quote(hmvn_statistics_from(cov = V, known = TRUE)),
    quote(hmvn_statistics_from(mean = effects, sd = effects^2, known = TRUE)),
    quote(known_statistics(cov = lapply(V, function(v) v * 0 + 1))),
    quote(c(known_statistics(), known_statistics())),
    quote(c(known_statistics(), hmvn_statistics_from(
      c(t9 = 5), mean = effects[1, , drop = FALSE], cov = V[1]
    )))
  )) {
    expect_error(eval(wrong), class = "hmvn_error_statistics")
  }
})

test_that("known covariances may be next to nothing, or next to everything", {
  # written out: scales of the default come from the covariances
  prior <- hmvn_prior(mean = dist_normal(0, 0.5))
  fit_with <- function(statistics) {
    suppressWarnings(fit_effects(statistics, prior = prior, chains = 2))
  }
  with_one <- function(v) fit_with(known_statistics(cov = c(V[-5], list(v * diag(2)))))
  exact <- posterior::draws_of(group_mean(with_one(1e-320), "t5"))
  expect_equal(c(exact), rep(effects["t5", ], each = nrow(exact)), ignore_attr = TRUE)
  # an estimate that says nothing leaves the others what they are without it
  useless <- group_mean(with_one(1e300), "t1")
  without <- group_mean(fit_with(known_statistics(effects[-5, ], V[-5])), "t1")
  size <- min(posterior::ess_mean(useless), posterior::ess_mean(without))
  z <- (posterior::E(useless) - posterior::E(without)) / posterior::sd(without) * sqrt(size / 2)
  expect_lt(max(abs(z)), z_bound(2))
})

test_that("no study alone sets the scale of the default prior of means", {
  scale <- function(mean = effects, cov = V) {
    estimate_moments(known_statistics(mean, cov))$sd
  }
  # equally precise estimates: the root of the average of variance plus squared distance
  equal <- rep(list(diag(c(0.02, 0.5))), 5)
  expected <- sqrt(5 / 4 * c(0.02, 0.5) + apply(effects, 2, var))
  expect_equal(scale(cov = equal), expected, tolerance = 1e-12)
  # one that says nothing, whatever it says, and one that is exact
  vague <- c(V[-5], list(1e300 * diag(2)))
  wild <- effects
  wild["t5", ] <- c(1, -1) * 1e6
  exact <- c(V[-5], list(1e-300 * diag(2)))
  for (found in list(scale(cov = vague), scale(wild, vague), scale(cov = exact))) {
    expect_true(all(found > scale() / 2 & found < scale() * 2))
  }
  # of two estimates the more precise one counts; variances and features have units
  two <- scale(effects[1:2, ], list(diag(2), 1e300 * diag(2)))
  expect_equal(two, c(PD = 2, AL = 2), tolerance = 1e-12)
  units <- diag(c(100, 1e-5))
  in_units <- scale(sweep(effects, 2, diag(units), `*`), lapply(V, function(v) {
    units %*% v %*% units
  }))
  expect_equal(in_units, scale() * diag(units), tolerance = 1e-12)
  # what one study has of a feature has no spread
  one <- effects
  one[-1, "AL"] <- NA
  lacking <- lapply(seq_along(V), function(g) {
    if (g > 1) V[[g]][2, ] <- V[[g]][, 2] <- NA
    V[[g]]
  })
  expect_error(
    fit_effects(known_statistics(one, lacking)), "AL", class = "hmvn_error_prior"
  )
  # the default is read from there
  resolved <- specify_model(known_statistics(cov = vague), NULL, c(mean = "partial"), NULL)$prior
  expect_equal(resolved$mean$scale, 2.5 * scale(cov = vague), tolerance = 1e-12)
})
