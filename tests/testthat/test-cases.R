# Questions that people who estimate covariance matrices by group asked in public, as they would ask
# this package, with the answer that is right.

# Two arms, four visits, a third of the cells missing.
visits_by_arm <- function(n = 100) {
  with_fixed_seed(6, {
    sd <- list(PBO = c(6, 5, 4.5, 9.5), TRT = c(7.5, 6, 4.5, 11))
    S <- lapply(sd, function(s) equal_correlations(4, 0.4) * tcrossprod(s))
    d <- rbind(
      data.frame(arm = "PBO", normal_rows(n, c(33, 38, 43, 48), S$PBO)),
      data.frame(arm = "TRT", normal_rows(n, c(33, 38, 43, 48) + 4.5, S$TRT))
    )
    age <- rnorm(2 * n, 60, 10)
    for (v in 2:5) d[runif(2 * n) < 0.33, v] <- NA
    list(rows = d, S = S, age = age)
  })
}
visits <- ~ X1 + X2 + X3 + X4

test_that("C-01: each group's correlations around a population's are nearer than the samples'", {
  set.seed(1993)
  R0 <- matrix(c(1, 0.5, -0.2, 0.5, 1, 0.3, -0.2, 0.3, 1), 3)
  truth <- lapply(1:10, function(g) cov2cor(rWishart(1, 25, R0)[, , 1]))
  rows <- lapply(1:10, function(g) data.frame(g = g, normal_rows(50, rnorm(3), truth[[g]])))
  d <- do.call(rbind, rows)
  fit <- fit_hmvn(d, group = ~g, features = ~ X1 + X2 + X3, pooling = "partial", seed = 1)
  R <- vapply(truth, identity, R0)
  own <- group_cor(fit)
  expect_unremarkable(truth_z(own, aperm(R, c(3, 1, 2))))
  expect_unremarkable(truth_z(posterior::as_draws_rvars(fit)$Omega0, R0))
  error <- function(x) sqrt(mean((x - apply(R, 3, below))^2))
  sample <- vapply(rows, function(x) below(cor(x[-1])), double(3))
  expect_lt(error(apply(posterior::E(own), 1, below)), error(sample))
})

test_that("C-03: long data are told, wide data give each arm's covariance, and a baseline enters", {
  case <- visits_by_arm()
  case$rows$id <- seq_len(200)
  long <- reshape(
    case$rows, direction = "long", varying = paste0("X", 1:4), v.names = "y", timevar = "visit",
    idvar = "id"
  )
  told <- tryCatch(
    quietly(fit_hmvn(long, group = ~arm, seed = 1)), warning = conditionMessage
  )
  expect_match(told, "id (an id), visit (an occasion)", fixed = TRUE)
  fit <- quietly(fit_hmvn(case$rows, group = ~arm, features = visits, seed = 1))
  for (arm in c("PBO", "TRT")) {
    own <- group_cov(fit)[arm, , , drop = TRUE]
    expect_unremarkable(truth_z(own, case$S[[arm]]))
  }
  # with a baseline that every visit depends on by 0.2 a year, the arms differ by 4.5 at each visit
  adjusted <- case$rows
  adjusted$age <- case$age
  adjusted[paste0("X", 1:4)] <- adjusted[paste0("X", 1:4)] + 0.2 * case$age
  fit <- quietly(fit_hmvn(
    adjusted, group = ~arm, features = visits, covariates = ~age,
    pooling = c(slope = "complete"), seed = 1
  ))
  means <- group_mean(fit)
  expect_unremarkable(truth_z(means["TRT", , drop = TRUE] - means["PBO", , drop = TRUE], 4.5))
  expect_unremarkable(truth_z(group_slope(fit)["PBO", , , drop = TRUE], 0.2))
})

test_that("C-04: of visits never seen together only the prior speaks, and print() says so", {
  d <- visits_by_arm()$rows
  d$X3[d$arm == "TRT"] <- NA
  d$X4[d$arm == "PBO"] <- NA
  d <- d[rowSums(!is.na(d[2:5])) > 0, ]
  fit <- fit_hmvn(
    d, group = ~arm, features = visits, pooling = c(sd = "complete", cor = "complete"), seed = 1
  )
  # Under LKJ(eta) the partial correlation of two features given all others is independent of the
  # other rows of the vine, on which alone the likelihood depends: (r + 1) / 2 ~ Beta(eta, eta)
  z <- function(x, mean, sd) {
    c(
      (posterior::E(x) - mean) / posterior::mcse_mean(x),
      (posterior::sd(x) - sd) / posterior::mcse_sd(x)
    )
  }
  partial <- partial_cor(fit)["PBO", "X4", "X3", drop = TRUE]
  mean <- group_mean(fit)["PBO", "X4", drop = TRUE]
  expect_unremarkable(c(
    z(partial, 0, 1 / sqrt(5)), z(mean, mean(d$X4, na.rm = TRUE), 2.5 * sd(d$X4, na.rm = TRUE))
  ))
  expect_output(print(fit), "X3 in TRT; X4 in PBO", fixed = TRUE)
})

test_that("C-05: counts of epileptic seizures have the correlations of a plain computation", {
  d <- reshape(
    MASS::epil[c("subject", "trt", "period", "y")], idvar = c("subject", "trt"),
    timevar = "period", direction = "wide"
  )
  features <- paste0("y.", 1:4)
  fit <- quietly(fit_hmvn(d, group = ~trt, features = features, seed = 1))
  set.seed(1)
  z <- unlist(lapply(levels(d$trt), function(arm) {
    expected <- covariance_posterior(
      as.matrix(d[d$trt == arm, features]), fit$prior$frame$root, d[features]
    )
    cor <- group_cor(fit)[arm, , , drop = TRUE]
    posterior_z(cor[lower.tri(cor)], expected, function(s) below(cov2cor(s)))
  }))
  expect_unremarkable(z)
})

test_that("C-07: ellipses of groups of one row and more have areas, and none stops the others", {
  set.seed(88)
  n <- c(1, 2, 3, 4, 30, 30)
  d <- do.call(rbind, lapply(1:6, function(g) {
    data.frame(g = g, normal_rows(n[g], c(-15, 5) + g, equal_correlations(2, 0.5) * g))
  }))
  features <- ~ X1 + X2
  standard <- 1 - exp(-1 / 2) # the share of the ellipse of one standard deviation
  fit <- fit_hmvn(d, group = ~g, features = features, pooling = "partial", seed = 1)
  area <- group_volume(fit, level = standard)
  S <- group_cov(fit)
  by_hand <- pi * sqrt(S[, 1, 1] * S[, 2, 2] - S[, 1, 2]^2)
  expect_equal(as.vector(posterior::draws_of(area)), as.vector(posterior::draws_of(by_hand)))
  expect_true(all(is.finite(posterior::E(area))))
  expect_unremarkable(truth_z(log(area[5:6]), log(pi * sqrt(0.75) * 5:6)))
  tied <- rbind(d[d$g > 4, ], data.frame(g = 9, X1 = c(1, 1), X2 = c(3, 3)))
  expect_error(
    fit_hmvn(tied, group = ~g, features = features, seed = 1), "not_estimable",
    class = "hmvn_error_improper"
  )
  rest <- quietly(
    fit_hmvn(tied, group = ~g, features = features, not_estimable = "drop", seed = 1)
  )
  set.seed(1)
  rows <- as.matrix(d[d$g > 4, 2:3])
  z <- unlist(lapply(5:6, function(g) {
    expected <- covariance_posterior(as.matrix(d[d$g == g, 2:3]), rest$prior$frame$root, rows)
    posterior_z(
      group_volume(rest, as.character(g), standard), expected, function(s) pi * sqrt(det(s))
    )
  }))
  expect_unremarkable(z)
  expect_identical(compare_groups(rest, what = "volume")$quantity, "log_volume")
})

test_that("C-08: correlation matrices of studies have an average, and a spread between studies", {
  set.seed(14)
  R0 <- equal_correlations(5, 0.2)
  R0[2, 1] <- R0[1, 2] <- 0.4
  R0[4, 3] <- R0[3, 4] <- 0.5
  dimnames(R0) <- rep(list(paste0("v", 1:5)), 2)
  n <- stats::setNames(round(seq(60, 450, length.out = 14)), paste0("study", 1:14))
  around <- function() cov2cor(rWishart(1, 40, R0)[, , 1])
  found <- lapply(n, function(n) {
    R <- cor(normal_rows(n, double(5), around()))
    dimnames(R) <- dimnames(R0)
    R
  })
  expect_message(
    statistics <- hmvn_statistics_from(n = n, cor = found), class = "hmvn_message_standardised"
  )
  fit <- fit_hmvn(
    statistics, pooling = c(mean = "complete", sd = "complete", cor = "partial"), seed = 1
  )
  expect_unremarkable(truth_z(posterior::as_draws_rvars(fit)$Omega0, R0))
  # how far one more study may be, against what the studies were drawn with; of 14 an sd is known
  # to a relative error of 1 / sqrt(2 * 13)
  new <- quietly(posterior_new_group(fit, seed = 1))$Omega
  spread <- apply(replicate(2000, around()), 1:2, sd)
  z <- (below(posterior::sd(new)) / below(spread) - 1) * sqrt(2 * 13)
  expect_unremarkable(z)
})

test_that("C-08: of two studies' typical correlation the prior says much, as documented", {
  n <- c(a = 305, b = 112)
  found <- list(a = Harman23.cor$cov, b = stats::cov2cor(ability.cov$cov))
  features <- paste0("v", 1:2)
  found <- lapply(found, function(r) matrix(r[1:2, 1:2], 2, dimnames = list(features, features)))
  statistics <- quietly(hmvn_statistics_from(n = n, cor = found))
  pooling <- c(mean = "none", sd = "none", cor = "partial")
  one <- distributional::dist_exponential(1)
  fit <- fit_hmvn(
    statistics, pooling = pooling, prior = hmvn_prior(sd = one), iter_sampling = 4000, seed = 1
  )
  typical <- posterior::as_draws_rvars(fit)$Omega0[2, 1, drop = TRUE]
  # Sums over a grid: a score z is that of r(z), (r + 1) / 2 ~ Beta(2, 2); a group's is
  # sqrt(1 - h^2) u + h e. Each study's likelihood of r has its sds integrated out, means being
  # free under wide priors.
  r_of <- function(z) 2 * stats::qbeta(stats::pnorm(z), 2, 2) - 1
  grid <- seq(-6, 6, length.out = 401)
  likelihood <- vapply(1:2, function(g) {
    vapply(r_of(grid), marginal_likelihood, 0, n = n[[g]], r = found[[g]][2, 1])
  }, grid)
  likelihood <- sweep(likelihood, 2, apply(likelihood, 2, max), "/")
  h <- (seq_len(100) - 0.5) / 100
  by_center <- vapply(h, function(h) {
    given <- outer(grid, grid, function(v, z) stats::dnorm(z, v, h)) * (grid[2] - grid[1])
    stats::dnorm(grid, 0, sqrt(1 - h^2)) * apply(given %*% likelihood, 1, prod)
  }, grid)
  weight <- rowSums(by_center) / sum(by_center)
  center <- sum(weight * r_of(grid))
  spread <- sqrt(sum(weight * (r_of(grid) - center)^2))
  expect_unremarkable(c(
    (posterior::E(typical) - center) / posterior::mcse_mean(typical),
    (posterior::sd(typical) - spread) / posterior::mcse_sd(typical)
  ))
  # between the prior's 0 and the studies' average, which it does not rule out
  average <- mean(c(found$a[2, 1], found$b[2, 1]))
  expect_lt(center, average)
  expect_lt(abs(center - average) / spread, 2)
})

test_that("C-10: the prior of a correlation depends on the number of features as documented", {
  for (K in c(2, 3, 6)) {
    d <- with_fixed_seed(1, data.frame(matrix(rnorm(20 * K), 20)))
    fit <- short_fit(
      d, group = NULL, prior_only = TRUE, iter_sampling = 2000, prior = hmvn_prior(frame = "raw")
    )
    r <- group_cor(fit)[1, 2, 1, drop = TRUE]
    # (r + 1) / 2 ~ Beta(a, a) with a = eta + (K - 2) / 2 has variance 1 / (4 (2 a + 1))
    expect_lt(
      abs(posterior::sd(r) - 1 / sqrt(2 * 2 + K - 1)) / posterior::mcse_sd(r), z_bound(3)
    )
  }
})

test_that("C-10: in the pooled frame a correlation hardly depends on the company it is in", {
  companies <- list(c("mpg", "wt"), c("mpg", "wt", "drat", "hp", "qsec", "disp"))
  move <- function(frame) {
    r <- lapply(companies, function(features) {
      fit <- suppressWarnings(quietly(fit_hmvn(
        mtcars, group = ~gear, features = features, prior = hmvn_prior(frame = frame), seed = 1
      )))
      group_cor(fit)[, "mpg", "wt", drop = TRUE]
    })
    list(
      by = posterior::E(r[[2]]) - posterior::E(r[[1]]),
      error = sqrt(posterior::mcse_mean(r[[1]])^2 + posterior::mcse_mean(r[[2]])^2)
    )
  }
  raw <- move("raw")
  pooled <- move("pooled")
  # less than half as far, in each of three groups, the smallest of five rows
  z <- (raw$by / 2 - abs(pooled$by)) / sqrt(raw$error^2 / 4 + pooled$error^2)
  expect_gt(min(z), z_bound(3))
})

test_that("C-11: partial correlations by group are those of a plain computation", {
  features <- c("Sepal.Length", "Sepal.Width", "Petal.Length")
  fit <- fit_hmvn(iris, group = ~Species, features = features, seed = 1)
  set.seed(1)
  z <- unlist(lapply(levels(iris$Species), function(group) {
    expected <- covariance_posterior(
      as.matrix(iris[iris$Species == group, features]), fit$prior$frame$root, iris[features]
    )
    partial <- partial_cor(fit)[group, , , drop = TRUE]
    posterior_z(partial[lower.tri(partial)], expected, function(s) -below(cov2cor(solve(s))))
  }))
  expect_unremarkable(z)
})

test_that("C-12: weights that are no counts are told, and scaled they leave intervals as wide", {
  set.seed(61372)
  d <- data.frame(
    g1 = sample(c("a", "b"), 400, TRUE), g2 = sample(c("c", "d"), 400, TRUE), x = rnorm(400)
  )
  d$y <- 0.5 * d$x + rnorm(400)
  d$w <- rnorm(400, 5, 1)
  fit <- function(d) fit_hmvn(d, ~ g1 + g2, ~ x + y, weights = ~w, seed = 1)
  expect_message(fit(d), "w / mean(w)", fixed = TRUE)
  tiny <- transform(d, w = w / sum(w))
  expect_error(quietly(fit(tiny)), "sum to more than 1", class = "hmvn_error_weights")
  scaled <- transform(d, w = w / mean(w))
  found <- quietly(fit(scaled))
  set.seed(1)
  z <- unlist(lapply(found$statistics$labels, function(label) {
    own <- paste(d$g1, d$g2, sep = ":") == label
    expected <- covariance_posterior(
      as.matrix(d[own, c("x", "y")]), found$prior$frame$root, d[c("x", "y")], scaled$w[own],
      scaled$w
    )
    r <- group_cor(found)[label, "y", "x", drop = TRUE]
    centre <- posterior::E(r)
    of <- function(s) {
      r <- below(cov2cor(s))
      c(r, (r - centre)^2)
    }
    posterior_z(c(r, (r - centre)^2), expected, of)
  }))
  expect_unremarkable(z)
  # a row of weight 0 is not there
  d$w <- rep(0:1, c(10, 390))
  without <- d[-(1:10), ]
  expect_identical(quietly(fit(d))$draws$chol, quietly(fit(without))$draws$chol)
})

test_that("C-15: where qda() stops rows still have their groups' probabilities", {
  glass <- MASS::fgl[c("RI", "Na", "Mg", "Al", "K", "type")]
  expect_error(MASS::qda(type ~ ., glass), "rank deficiency")
  expect_error(
    quietly(fit_hmvn(glass, ~type, seed = 1)), "K is constant", class = "hmvn_error_improper"
  )
  fit <- short_fit(
    glass, ~type, prior = hmvn_prior(sd = "lognormal"), iter_warmup = 300, iter_sampling = 300
  )
  p <- predict(fit, glass[c(1, 100, 170, 180), ], type = "group")
  expect_equal(rowSums(p), rep(1, 4))
  # by hand: proportions times the average density
  mu <- posterior::draws_of(group_mean(fit))
  Sigma <- posterior::draws_of(group_cov(fit))
  density <- function(y) {
    vapply(1:6, function(g) {
      log(mean(vapply(seq_len(nrow(mu)), function(s) {
        exp(density_by_hand(y, mu[s, g, ], Sigma[s, g, , ]))
      }, 0)))
    }, 0)
  }
  for (i in 1:4) {
    y <- unlist(glass[c(1, 100, 170, 180)[i], 1:5])
    expected <- exp(density(y)) * as.vector(table(glass$type))
    expect_equal(unname(p[i, ]), expected / sum(expected))
  }
  dropped <- short_fit(glass, ~type, not_estimable = "drop")
  expect_identical(dropped$statistics$labels, setdiff(levels(glass$type), "Tabl"))
})

test_that("C-16: the volatility of a portfolio by year is that of a plain computation", {
  returns <- diff(log(EuStockMarkets))
  d <- data.frame(year = as.integer(floor(time(EuStockMarkets)[-1])), returns)
  features <- colnames(returns)
  volatility <- function(s) sqrt(252 * mean(s))
  fit <- quietly(fit_hmvn(d, group = ~year, features = features, seed = 1))
  set.seed(1)
  z <- unlist(lapply(c("1992", "1998"), function(year) {
    expected <- covariance_posterior(
      as.matrix(d[d$year == year, features]), fit$prior$frame$root, d[features]
    )
    S <- group_cov(fit)[year, , , drop = TRUE]
    posterior_z(sqrt(252 * posterior::rvar_mean(S)), expected, volatility)
  }))
  expect_unremarkable(z)
  # on raw features LKJ draws the portfolio's down by a few percent
  raw <- quietly(
    fit_hmvn(d, group = ~year, features = features, prior = hmvn_prior(frame = "raw"), seed = 1)
  )
  sample <- vapply(split(d[features], d$year), function(x) volatility(cov(x)), 0)
  ratio <- function(fit) {
    S <- posterior::draws_of(group_cov(fit))
    sqrt(252 * apply(S, 1:2, mean)) %*% diag(1 / sample)
  }
  off <- function(fit) mean(abs(colMeans(ratio(fit)) - 1))
  error <- function(fit) sqrt(sum(apply(ratio(fit), 2, posterior::mcse_mean)^2)) / length(sample)
  expect_lt(off(fit), off(raw) - z_bound(1) * sqrt(error(fit)^2 + error(raw)^2))
})

test_that("C-18: data as people have them give the fit of a plain data frame", {
  fit <- function(data, group = ~Species, features = ~ Sepal.Length + Petal.Width) {
    short_fit(data, group, features)
  }
  plain <- fit(iris)
  same <- list(
    tibble = fit(tibble::as_tibble(iris)), table = fit(data.table::as.data.table(iris)),
    text = fit(transform(iris, Species = as.character(Species))),
    day = fit(transform(iris, Species = as.Date("2020-01-01") + as.integer(Species))),
    key = fit(iris, "Species", c("Sepal.Length", "Petal.Width")),
    column = fit(transform(iris, Petal.Width = I(as.matrix(Petal.Width)))), # as of scale()
    rest = fit(iris, features = ~ . - Sepal.Width - Petal.Length)
  )
  for (other in same) expect_identical(other$draws, plain$draws)
  one <- fit(transform(iris, Species = "all"))
  for (group in list(NULL, ~1)) {
    expect_identical(fit(iris, group)$draws, one$draws)
    expect_identical(fit(iris, group)$statistics$labels, "all")
  }
  wrong <- list(
    column = quote(fit(iris, features = ~ log(Petal.Width))),
    column = quote(fit(iris, features = cbind(Petal.Width, Sepal.Width) ~ Species)),
    column = quote(fit(iris, ~ Species / Sepal.Width)),
    data = quote(fit(as.matrix(iris[1:4]))),
    group = quote(fit(transform(iris, Species = replace(Species, 3, NA))))
  )
  for (i in seq_along(wrong)) {
    expect_error(eval(wrong[[i]]), class = paste0("hmvn_error_", names(wrong)[i]))
  }
})

test_that("C-20: means of arms with dropout are the truth's, where complete cases are not", {
  set.seed(351)
  C <- 0.8^abs(outer(1:5, 1:5, "-")) * tcrossprod(c(11.5, 12, 13, 14, 15))
  mean <- outer(0:3, c(0, 1.5, 2.2, 3, 3.7), function(a, visit) 50 - a * visit)
  d <- do.call(rbind, lapply(1:4, function(a) {
    data.frame(arm = paste0("tr", a), normal_rows(500, mean[a, ], (0.7 + 0.3 * a) * C))
  }))
  for (v in 4:6) {
    d[is.na(d[[v - 1]]) | runif(2000) < plogis(-3 + 0.1 * (d[[v - 1]] - 45)), v] <- NA
  }
  fit <- fit_hmvn(d, group = ~arm, features = paste0("X", 1:5), seed = 1)
  expect_unremarkable(truth_z(group_mean(fit), mean))
  S <- group_cov(fit)
  expect_unremarkable(unlist(lapply(1:4, function(a) {
    truth_z(S[a, , , drop = TRUE], (0.7 + 0.3 * a) * C)
  })))
  last <- d$X5[!is.na(d$X5)]
  arm <- d$arm[!is.na(d$X5)]
  z <- (tapply(last, arm, mean) - mean[, 5]) / (tapply(last, arm, sd) / sqrt(table(arm)))
  expect_gt(max(abs(z)), z_bound(4))
})

test_that("C-22: effects with known covariance have the average and spread of a meta-analysis", {
  # of five trials, Berkey et al. (1998): probing depth and attachment level
  y <- rbind(c(0.47, -0.32), c(0.20, -0.60), c(0.40, -0.12), c(0.26, -0.31), c(0.56, -0.39))
  dimnames(y) <- list(paste0("t", 1:5), c("PD", "AL"))
  V <- Map(
    function(a, b, c) matrix(c(a, b, b, c), 2), c(0.0075, 0.0057, 0.0021, 0.0029, 0.0148),
    c(0.0030, 0.0009, 0.0007, 0.0009, 0.0072), c(0.0077, 0.0008, 0.0014, 0.0015, 0.0304)
  )
  expect_error(
    hmvn_statistics_from(n = stats::setNames(rep(1, 5), rownames(y)), mean = y, cov = V),
    class = "hmvn_error_statistics"
  )
  studies <- hmvn_statistics_from(mean = y, cov = V, known = TRUE)
  prior <- function(...) hmvn_prior(mean = distributional::dist_normal(0, 1), ...)
  fit <- function(prior) fit_hmvn(studies, pooling = c(mean = "partial"), prior = prior, seed = 1)
  # of a spread h that is known the average is Normal: prior variance 1 - h^2, that of a study
  # about the average h^2
  h <- 0.2
  fixed <- fit(prior(heterogeneity = h, between = "independent"))
  weight <- lapply(V, function(v) solve(v + diag(h^2, 2)))
  variance <- solve(Reduce(`+`, weight) + diag(2) / (1 - h^2))
  mean <- variance %*% Reduce(`+`, Map(`%*%`, weight, split(y, row(y))))
  expect_agrees(fixed, data.frame(
    mean = mean, sd = sqrt(diag(variance)), row.names = c("mu0[PD]", "mu0[AL]")
  ))
  # the spread and the correlation of restricted maximum likelihood are among what is plausible
  learned <- posterior::as_draws_rvars(fit(prior()))
  reml <- function(p) {
    total <- lapply(V, function(v) v + covariance_of(exp(p[1:2]), tanh(p[3])))
    weight <- lapply(total, solve)
    information <- Reduce(`+`, weight)
    mean <- solve(information, Reduce(`+`, Map(`%*%`, weight, split(y, row(y)))))
    fit <- sum(unlist(Map(function(t, i) -log_det(t) - mahalanobis(y[i, ], mean, t), total, 1:5)))
    (fit - log_det(information)) / 2
  }
  best <- maximum_of(reml, c(-2, -2, 0))$par
  position <- c(
    posterior::Pr(learned$tau < exp(best[1:2])),
    posterior::Pr(learned$Omega_between[2, 1, drop = TRUE] < tanh(best[3]))
  )
  expect_true(all(position > 0.05 & position < 0.95))
})

test_that("C-24: intervals of many small groups hold what they should, and beat raw means", {
  set.seed(22)
  G <- 300
  n <- 1 + rpois(G, 2)
  mu <- t(c(20, 5, 4) + c(5, 1.5, 1.2) * matrix(rnorm(3 * G), 3))
  sigma <- t(c(3, 1, 1) * exp(matrix(rnorm(3 * G, 0, 0.25), 3)))
  d <- do.call(rbind, lapply(seq_len(G), function(g) {
    cov <- equal_correlations(3, 0.4) * tcrossprod(sigma[g, ])
    data.frame(player = g, normal_rows(n[g], mu[g, ], cov))
  }))
  fit <- quietly(fit_hmvn(
    d, group = ~player, features = ~ X1 + X2 + X3, pooling = "partial", chains = 2,
    iter_warmup = 300, iter_sampling = 500, seed = 1
  ))
  # groups are independent, a group's three intervals are not
  expect_cover <- function(x, truth) {
    q <- quantile(x, c(0.05, 0.95))
    rate <- rowMeans(q[1, , ] < truth & truth < q[2, , ])
    expect_gt(mean(rate), 0.9 - z_bound(2) * sd(rate) / sqrt(G))
  }
  expect_cover(group_mean(fit), mu)
  expect_cover(group_sd(fit), sigma)
  raw <- rowsum(as.matrix(d[-1]), d$player) / n
  error <- function(x) sqrt(colMeans((x - mu)^2))
  expect_true(all(error(posterior::E(group_mean(fit))) < error(raw)))
})

test_that("C-25: correlations within and between schools, with missing cells, are the truth's", {
  set.seed(25)
  schools <- 50
  between <- covariance_of(c(1, 2, 1), c(0.7, 0.6, 0.8))
  within <- covariance_of(c(2, 3, 3), c(0.5, 0.6, -0.1))
  n <- sample(5:30, schools, TRUE)
  mu <- normal_rows(schools, c(10, 20, 30), between)
  d <- do.call(rbind, lapply(seq_len(schools), function(g) {
    data.frame(school = g, normal_rows(n[g], mu[g, ], within))
  }))
  for (v in 2:4) d[runif(nrow(d)) < 0.2, v] <- NA
  fit <- quietly(fit_hmvn(
    d, group = ~school, features = ~ X1 + X2 + X3,
    pooling = c(mean = "partial", sd = "complete", cor = "complete"), seed = 1
  ))
  expect_unremarkable(truth_z(group_cor(fit)[1, , , drop = TRUE], cov2cor(within)))
  expect_unremarkable(truth_z(between_cor(fit), cov2cor(between)))
  share <- diag(between) / diag(within + between)
  expect_unremarkable(truth_z(posterior::as_draws_rvars(fit, "icc")$icc, share))
  both <- within_between(fit)
  expect_equal(both$between, below(posterior::E(between_cor(fit))))
})

test_that("C-27: whether groups have one covariance matrix is what predicts rows better", {
  skip_if_not_installed("loo")
  # z of what own matrices gain over one for all, by leaving out each row and each of five folds
  gain <- function(data, group, features) {
    own <- quietly(fit_hmvn(data, group, features, seed = 1))
    one <- quietly(update(own, pooling = c(sd = "complete", cor = "complete")))
    folds <- rep_len(1:5, nrow(data))
    z <- function(own, one) {
      difference <- own$pointwise[, 1] - one$pointwise[, 1]
      sum(difference) / sd(difference) / sqrt(length(difference))
    }
    suppressWarnings(quietly(c(
      z(loo::loo(own), loo::loo(one)),
      z(loo::kfold(own, folds = folds), loo::kfold(one, folds = folds))
    )))
  }
  # Box's test of iris has a chi-square of 141 on 20 degrees of freedom
  expect_gt(min(gain(iris, ~Species, names(iris)[1:4])), z_bound(2))
  same <- with_fixed_seed(27, do.call(rbind, lapply(1:3, function(g) {
    data.frame(g = g, normal_rows(30, rnorm(3), equal_correlations(3, 0.5)))
  })))
  expect_lt(max(gain(same, ~g, ~ X1 + X2 + X3)), 0)
  own <- fit_hmvn(iris, ~Species, features = names(iris)[1:4], seed = 1)
  differences <- compare_groups(own, what = "cor")
  expect_identical(nrow(differences), 18L)
  by_hand <- group_cor(own)["virginica", 2, 1, drop = TRUE] -
    group_cor(own)["setosa", 2, 1, drop = TRUE]
  expect_equal(
    subset(differences, group == "virginica" & reference == "setosa")$mean[1],
    posterior::E(by_hand)
  )
})

# A correlation that is a function of a covariate is not in the model: covariates act on means. What
# is tested is what can be had: its average in classes of the covariate.
test_that("C-28: a correlation along a covariate is had by classes, not by covariates", {
  set.seed(805)
  x <- runif(500)
  z <- matrix(rnorm(1000), 500)
  r <- tanh(2 * x - 1)
  d <- data.frame(x, a = z[, 1], b = r * z[, 1] + sqrt(1 - r^2) * z[, 2])
  d$class <- cut(d$x, seq(0, 1, 0.2))
  fit <- fit_hmvn(d, group = ~class, features = ~ a + b, pooling = "partial", seed = 1)
  expect_unremarkable(truth_z(group_cor(fit)[, "a", "b", drop = TRUE], tapply(r, d$class, mean)))
  # as a covariate x leaves one correlation for all rows: here about 0, which is the average
  one <- fit_hmvn(d, group = NULL, features = ~ a + b, covariates = ~x, seed = 1)
  expect_unremarkable(truth_z(group_cor(one)[1, "a", "b", drop = TRUE], mean(r)))
})

test_that("C-29: ten features have names and the correlations of a plain computation", {
  set.seed(1)
  d <- data.frame(normal_rows(100, double(10), diag(10)))
  fit <- quietly(fit_hmvn(d, group = NULL, seed = 1))
  expect_identical(dimnames(group_cor(fit)), list("all", names(d), names(d)))
  expected <- covariance_posterior(as.matrix(d), fit$prior$frame$root)
  own <- group_cor(fit)["all", , , drop = TRUE]
  z <- posterior_z(own[lower.tri(own)], expected, function(s) below(cov2cor(s)))
  expect_unremarkable(z)
  expect_unremarkable(truth_z(own, diag(10)))
  expect_length(fit$warnings, 0)
})

test_that("C-29: many rows are their counts, means and covariances", {
  set.seed(2)
  d <- data.frame(g = sample(50L, 2e5, TRUE), matrix(rnorm(1e6), 2e5))
  fit <- quietly(fit_hmvn(d, group = ~g, seed = 1, chains = 2, iter_sampling = 500))
  expect_unremarkable(truth_z(group_mean(fit), 0))
  expect_unremarkable(truth_z(group_sd(fit), 1))
  expected <- covariance_posterior(as.matrix(d[d$g == 7, -1]), fit$prior$frame$root, d[-1])
  expect_unremarkable(posterior_z(group_cov(fit)["7", , , drop = TRUE], expected, as.vector))
})
