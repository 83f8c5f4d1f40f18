# Answers against those of lm(), nlme::lme() and EM, and against posteriors in plain R.

one_covariance <- c(sd = "complete", cor = "complete")
unit_prior <- function(mean_sd = 5, ...) {
  hmvn_prior(
    mean = distributional::dist_normal(0, mean_sd), sd = distributional::dist_exponential(1),
    cor = dist_lkj(2), ...
  )
}

test_that("common slopes and one sd are lm()'s", {
  d <- MASS::anorexia
  d$Postwt <- as.vector(scale(d$Postwt))
  d$x <- d$Prewt - mean(d$Prewt)
  # Priors so wide that their pull, (standard error / prior sd)^2 of an estimate, is below 1e-8
  fit <- fit_hmvn(
    d, ~Treat, ~Postwt, covariates = ~x, seed = 1,
    pooling = c(sd = "complete", slope = "complete"),
    prior = hmvn_prior(
      mean = distributional::dist_normal(0, 1e4), sd = distributional::dist_exponential(1e-4),
      slope = distributional::dist_normal(0, 1e4)
    )
  )
  lm <- lm(Postwt ~ Treat + x - 1, d)
  # Of a density flat in sigma, sigma^2 has the mean S / (df - 3), with lm()'s S / df
  expected <- data.frame(
    mean = coef(lm), sd = sqrt(diag(vcov(lm)) * lm$df.residual / (lm$df.residual - 3)),
    row.names = c(paste0("mu[", levels(d$Treat), ",Postwt]"), "beta[CBT,x,Postwt]")
  )
  expect_agrees(fit, expected)
})

test_that("slopes of two features are those of each alone, whatever their correlation", {
  d <- data.frame(scale(MASS::crabs[4:8]), g = MASS::crabs$sp)
  fit <- fit_hmvn(
    d, ~g, ~ FL + RW, covariates = ~ CL + BD, seed = 1,
    pooling = c(one_covariance, slope = "complete"),
    prior = unit_prior(1e4, slope = distributional::dist_normal(0, 1e4))
  )
  lm <- lm(cbind(FL, RW) ~ g + CL + BD - 1, d)
  # Given the covariance matrix the slopes of all features have the least squares' mean and
  # variance sigma^2 (X'X)^-1, whose average over the draws is theirs
  variance <- group_sd(fit)[1, , drop = TRUE]^2
  sd <- sqrt(outer(diag(chol2inv(lm$qr$qr)), posterior::E(variance)))
  relative_error <- posterior::mcse_mean(variance) / posterior::E(variance) / 2
  expect_agrees(fit, data.frame(
    mean = as.vector(coef(lm)), sd = as.vector(sd),
    mcse_sd = as.vector(sd %*% diag(relative_error)),
    row.names = outer(
      c("mu[B,", "mu[O,", "beta[B,CL,", "beta[B,BD,"), c("FL]", "RW]"), paste0
    )
  ))
})

# Groups of 3 and of 9 rows: their means vary together by 0.7, rows within them by -0.3.
two_level_data <- function() {
  with_fixed_seed(1, {
    n <- rep(c(3, 9), each = 30)
    g <- rep(seq_along(n), n)
    between <- matrix(rnorm(120), 60) %*% chol(covariance_of(c(0.8, 0.6), 0.7))
    within <- matrix(rnorm(2 * sum(n)), sum(n)) %*% chol(covariance_of(c(1, 1.2), -0.3))
    data.frame(g = factor(g), between[g, ] + within)
  })
}

# The log likelihood of sds and correlations between and within groups, in the order tau[2], r_b,
# sigma[2], r. Typical means have the prior Normal(0, D), or are flat (the restricted likelihood).
two_level_likelihood <- function(d) {
  y <- as.matrix(d[-1])
  n <- as.vector(table(d$g))
  means <- rowsum(y, d$g) / n
  scatter <- crossprod(y - means[d$g, ])
  function(between, within, D = NULL) {
    value <- (nrow(y) - nrow(means)) * log_det(within) + sum(solve(within) * scatter)
    A <- if (is.null(D)) 0 else solve(D)
    b <- 0
    for (size in unique(n)) {
      m <- means[n == size, ]
      P <- solve(between + within / size)
      A <- A + nrow(m) * P
      b <- b + P %*% colSums(m)
      value <- value - nrow(m) * log_det(P) + sum(m %*% P * m)
    }
    value <- value + log_det(A) - sum(b * solve(A, b)) + if (is.null(D)) 0 else log_det(D)
    -value / 2
  }
}

two_level_density <- function(d) {
  likelihood <- two_level_likelihood(d)
  function(x, log_prior = function(between, within) 0, D = function(tau) NULL) {
    between <- covariance_of(x[1:2], x[3])
    within <- covariance_of(x[4:5], x[6])
    if (is.null(between) || is.null(within)) {
      return(-Inf)
    }
    likelihood(between, within, D(x[1:2])) + log_prior(between, within)
  }
}

test_that("covariance between and within groups: nlme::lme() and the posterior of its likelihood", {
  d <- two_level_data()
  density <- two_level_density(d)
  start <- c(0.8, 0.6, 0.7, 1, 1.2, -0.3)
  # nlme's restricted maximum likelihood has its maximum where ours has
  long <- data.frame(
    g = d$g, row = seq_len(nrow(d)), v = factor(rep(1:2, each = nrow(d))), y = c(d$X1, d$X2)
  )
  lme <- nlme::lme(
    y ~ v - 1, long, ~ v - 1 | g, nlme::corSymm(form = ~ 1 | g / row),
    nlme::varIdent(form = ~ 1 | v)
  )
  structure <- lme$modelStruct
  random <- as.matrix(structure$reStruct$g) * lme$sigma^2
  theirs <- c(
    sqrt(diag(random)), cov2cor(random)[2, 1],
    lme$sigma * c(1, coef(structure$varStruct, unconstrained = FALSE)),
    coef(structure$corStruct, unconstrained = FALSE)
  )
  expect_equal(density(unname(theirs)), -maximum_of(density, start)$value)

  # and its posterior is ours: tau is uniform up to the prior's sd of means, 5
  names(start) <- c(
    "tau[X1]", "tau[X2]", "Omega_between[X2,X1]", "sigma[g1,X1]", "sigma[g1,X2]", "Omega[g1,X2,X1]"
  )
  log_posterior <- function(x) {
    density(
      x,
      function(between, within) log_covariance_prior(within) + log_det(cov2cor(between)),
      function(tau) diag(25 - tau^2)
    )
  }
  fit <- suppressMessages(fit_hmvn(
    d, ~g, seed = 1, prior = unit_prior(), pooling = c(mean = "partial", one_covariance)
  ))
  expect_agrees(fit, with_fixed_seed(2, importance_posterior(log_posterior, start)))
})

test_that("correlations within and between equal groups are those of deviations and of means", {
  d <- with_fixed_seed(3, {
    between <- matrix(rnorm(400), 200) %*% chol(covariance_of(c(1, 1), 0.6))
    within <- matrix(rnorm(2000), 1000) %*% chol(covariance_of(c(1, 1), -0.4))
    data.frame(g = rep(1:200, each = 5), between[rep(1:200, each = 5), ] + within)
  })
  fit <- suppressMessages(fit_hmvn(
    d, ~g, seed = 1, prior = unit_prior(), pooling = c(mean = "partial", one_covariance)
  ))
  y <- as.matrix(d[-1])
  means <- rowsum(y, d$g) / 5
  rbg <- cor(means)[2, 1]
  rwg <- cor(y - means[d$g, ])[2, 1]
  Sigma <- group_cov(fit)[1, , , drop = TRUE]
  of_means <- between_cov(fit) + Sigma / 5
  r <- function(S) S[1, 2, drop = TRUE] / sqrt(S[1, 1, drop = TRUE] * S[2, 2, drop = TRUE])
  # Fisher's z of a correlation with df degrees of freedom has the variance 1 / df; LKJ(2) moves it
  # by 4 r / df, skewness by r / (2 df), both to first order, of which we allow the double
  expect_near <- function(found, sample, df) {
    z <- atanh(found)
    bound <- 4 * posterior::mcse_mean(z) + 2 * 4.5 * abs(sample) / df
    expect_lt(abs(mean(z) - atanh(sample)), bound)
    expect_lt(bound, 2 / sqrt(df))
  }
  expect_near(r(Sigma), rwg, 800)
  expect_near(r(of_means), rbg, 199)
})

# Two arms with a baseline and three visits; who does badly leaves.
trial_data <- function() {
  with_fixed_seed(4, {
    arm <- rep(c("a", "b"), each = 120)
    base <- rnorm(240)
    error <- matrix(rnorm(720), 240)
    R <- covariance_of(c(1, 1, 1), c(0.7, 0.5, 0.7))
    y <- error %*% chol(R)
    y[arm == "b", ] <- y[arm == "b", ] * 1.5 + 0.5
    y <- y + outer(base, c(0.8, 0.6, 0.4))
    for (v in 2:3) y[is.na(y[, v - 1]) | runif(240) < plogis(-1 - y[, v - 1]), v] <- NA
    data.frame(arm, base, y)
  })
}

# Means and covariance matrix of rows with missing cells, by EM.
em <- function(y) {
  mean <- colMeans(y, na.rm = TRUE)
  S <- diag(apply(y, 2, var, na.rm = TRUE))
  repeat {
    filled <- y
    extra <- 0
    for (i in seq_len(nrow(y))) {
      m <- is.na(y[i, ])
      if (!any(m)) next
      B <- S[m, !m, drop = FALSE] %*% solve(S[!m, !m])
      filled[i, m] <- mean[m] + B %*% (y[i, !m] - mean[!m])
      rest <- matrix(0, ncol(y), ncol(y))
      rest[m, m] <- S[m, m] - B %*% S[!m, m]
      extra <- extra + rest
    }
    old <- c(mean, S)
    mean <- colMeans(filled)
    S <- (crossprod(sweep(filled, 2, mean)) + extra) / nrow(y)
    if (max(abs(c(mean, S) - old)) < 1e-10) return(list(mean = mean, cov = S))
  }
}

# One arm's log likelihood as a function of means at baseline 0, slopes, sds and correlations.
trial_likelihood <- function(d) {
  y <- as.matrix(d[c("X1", "X2", "X3")])
  seen <- rowSums(!is.na(y))
  function(x) {
    Sigma <- covariance_of(x[7:9], x[10:12])
    if (is.null(Sigma)) {
      return(-Inf)
    }
    residual <- y - outer(rep(1, nrow(y)), x[1:3]) - outer(d$base, x[4:6])
    sum(vapply(unique(seen), function(last) {
      e <- residual[seen == last, seq_len(last), drop = FALSE]
      S <- Sigma[seq_len(last), seq_len(last)]
      -(nrow(e) * log_det(as.matrix(S)) + sum(e %*% solve(S) * e)) / 2
    }, 0))
  }
}

test_that("a trial with dropout: EM by arm, and the posterior of its likelihood", {
  d <- trial_data()
  expect_gt(mean(is.na(d$X3)), 0.3)
  d$base <- d$base - mean(d$base)
  prior <- unit_prior(10, slope = distributional::dist_normal(0, 10))
  fit <- fit_hmvn(d, ~arm, ~ X1 + X2 + X3, covariates = ~base, seed = 1, prior = prior)
  pairs <- c("X2,X1", "X3,X1", "X3,X2")
  for (arm in c("a", "b")) {
    rows <- d[d$arm == arm, ]
    likelihood <- trial_likelihood(rows)
    # With the baseline among the variables EM knows the joint distribution; its conditional is ours
    joint <- em(as.matrix(rows[-1]))
    slope <- joint$cov[-1, 1] / joint$cov[1, 1]
    S <- joint$cov[-1, -1] - tcrossprod(slope) * joint$cov[1, 1]
    top <- c(
      joint$mean[-1] - slope * joint$mean[[1]], slope, sqrt(diag(S)), cov2cor(S)[lower.tri(S)]
    )
    names(top) <- c(
      paste0("mu[", arm, ",X", 1:3, "]"), paste0("beta[", arm, ",base,X", 1:3, "]"),
      paste0("sigma[", arm, ",X", 1:3, "]"), paste0("Omega[", arm, ",", pairs, "]")
    )
    expect_equal(likelihood(top), -maximum_of(likelihood, top)$value)

    log_posterior <- function(x) {
      value <- likelihood(x)
      if (value == -Inf) return(value)
      value + log_covariance_prior(covariance_of(x[7:9], x[10:12])) - sum(x[1:6]^2) / 200
    }
    expect_agrees(fit, with_fixed_seed(5, importance_posterior(log_posterior, top)))
  }
})
