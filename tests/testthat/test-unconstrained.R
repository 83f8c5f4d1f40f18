# Log densities on the unconstrained scale: normalised, and the draws' positions are theirs.

small_fit <- function(..., data = iris, group = quote(~Species)) {
  suppressMessages(suppressWarnings(rlang::inject(fit_hmvn(
    data, group = !!rlang::eval_tidy(group), ..., chains = 1, iter_warmup = 100,
    iter_sampling = 50, seed = 1
  ))))
}

iris_with_gaps <- function() {
  set.seed(3)
  data <- iris[, c(1, 2, 3, 5)]
  for (k in 1:2) data[sample(150, 20), k] <- NA
  data
}

variants <- list(
  none = list(), partial = list(pooling = "partial"), complete = list(pooling = "complete"),
  means = list(pooling = c(mean = "partial", sd = "complete")),
  cors = list(pooling = c(mean = "complete", cor = "partial")),
  fixed = list(
    pooling = "partial", prior = hmvn_prior(heterogeneity = c(mean = 0.5, sd = 0.3, cor = 0.2))
  ),
  frame = list(pooling = "partial", prior = hmvn_prior(frame = "pooled")),
  framed_sds = list(pooling = c(sd = "complete"), prior = hmvn_prior(frame = "pooled")),
  gaps = list(data = iris_with_gaps(), pooling = c(mean = "partial", cor = "complete")),
  one = list(features = "Sepal.Width", pooling = "partial"),
  slopes = list(
    features = c("Sepal.Length", "Sepal.Width"), covariates = ~ Petal.Width, pooling = "partial"
  )
)

test_that("draws come back from their positions", {
  for (name in names(variants)) {
    fit <- do.call(small_fit, variants[[name]])
    upars <- unconstrain_pars(fit)
    expect_identical(nrow(upars), 50L)
    expect_true(all(is.finite(upars)), label = name)
    back <- constrain_pars(fit, upars, seed = 1)
    own <- as_draws_rvars(fit)
    expect_setequal(names(back), names(own))
    # means and slopes are drawn anew, and with them densities
    for (part in setdiff(names(own), c("mu", "mu0", "beta", "beta0", "lp__", "lprior"))) {
      expect_equal(
        unname(posterior::draws_of(back[[part]])), unname(posterior::draws_of(own[[part]])),
        tolerance = 1e-8, label = paste(name, part)
      )
    }
  }
})

test_that("means are drawn from their law given the rest", {
  fit <- small_fit()
  upars <- unconstrain_pars(fit, "setosa")[rep(1, 4000), ]
  mu <- posterior::draws_of(constrain_pars(fit, upars, "setosa", seed = 2)$mu)[, 1, ]
  Sigma <- posterior::draws_of(group_cov(fit))[1, 1, , ]
  prior <- fit$prior$mean
  P <- solve(Sigma) * 50 + diag(1 / prior$scale^2)
  b <- solve(Sigma, 50 * colMeans(iris[1:50, 1:4])) + prior$location / prior$scale^2
  expect_normal(mu, solve(P, b), solve(P))
})

# The density of the rows given covariance matrices and what is shared, coefficients and their
# population integrated out, from the joint normal law of all cells.
plain_log_density <- function(fit, draws) {
  data <- kept_data_frame(fit$data)
  features <- fit$statistics$features
  Y <- as.matrix(data[features])
  g <- match(as.character(data[[names(fit$statistics$keys)]]), fit$statistics$labels)
  X <- as.matrix(data[intersect("Petal.Width", fit$statistics$covariates)])
  X <- sweep(X, 2, colMeans(X))
  Z <- cbind(1, X)
  K <- length(features)
  at <- which(!is.na(Y), arr.ind = TRUE)
  prior <- fit$prior
  location <- rbind(prior$mean$location, prior$slope$location)
  scale <- rbind(prior$mean$scale, prior$slope$scale)
  level <- fit$coefficients
  h <- array(1, dim(level))
  if (!is.null(draws$h_mean)) h[1, ] <- draws$h_mean
  if (!is.null(draws$h_slope)) h[-1, ] <- draws$h_slope
  h[level == "complete"] <- 0
  R <- draws$Omega_between
  if (is.null(R)) R <- diag(K)
  own <- same <- matrix(0, nrow(at), nrow(at))
  for (j in seq_len(ncol(Z))) {
    z <- Z[at[, 1], j]
    k <- at[, 2]
    tau <- (scale[j, ] * h[j, ])[k]
    r <- if (j == 1) R else diag(K)
    own <- own + outer(z * tau, z * tau) * r[k, k]
    common <- (scale[j, ] * sqrt(1 - h[j, ]^2))[k]
    same <- same + outer(z * common, z * common) * outer(k, k, `==`)
  }
  own <- own * outer(g[at[, 1]], g[at[, 1]], `==`)
  rows <- outer(at[, 1], at[, 1], `==`)
  within <- matrix(0, nrow(at), nrow(at))
  for (group in seq_along(fit$statistics$labels)) {
    mine <- which(g[at[, 1]] == group)
    Sigma <- matrix(draws$Sigma[group, , ], K)
    within[mine, mine] <- Sigma[at[mine, 2], at[mine, 2]] * rows[mine, mine]
  }
  center <- rowSums(Z[at[, 1], , drop = FALSE] * t(location)[at[, 2], , drop = FALSE])
  root <- chol(own + same + within)
  e <- backsolve(root, Y[at] - center, transpose = TRUE)
  -sum(e^2) / 2 - sum(log(diag(root))) - length(e) / 2 * log(2 * pi)
}

test_that("rows add to the log density what they add to a joint normal law", {
  # every tenth row, as the plain law is of all cells
  for (name in names(variants)) {
    how <- variants[[name]]
    how$data <- (if (is.null(how$data)) iris else how$data)[seq(1, 150, 5), ]
    fit <- do.call(small_fit, how)
    units <- sampling_units(fit)
    with_rows <- log_prob(fit, unconstrain_pars(fit))
    without <- Reduce(`+`, lapply(units, function(unit) {
      none <- pick_patterns(core_patterns(unit$statistics), integer())
      unit_log_density_(unit_density_of_(unit$density, none), positions_of_unit(unit, fit))
    }))
    own <- as_draws_rvars(fit)
    for (s in c(1, 20, 50)) {
      draw <- lapply(own, function(x) {
        values <- posterior::draws_of(x)
        array(values[slice.index(values, 1) == s], dim(x), dimnames(x))
      })
      expect_equal(
        with_rows[[s]] - without[[s]], plain_log_density(fit, draw), tolerance = 1e-9, label = name
      )
    }
  }
})

test_that("the density of one sd is the prior's and the rows', with all constants", {
  # K = 1: the marginal likelihood is an integral over one sd.
  y <- iris$Sepal.Width[1:12]
  fit <- suppressMessages(fit_hmvn(
    data.frame(y = y, g = "a"), group = ~g, features = "y",
    prior = hmvn_prior(mean = distributional::dist_normal(3, 1),
      sd = distributional::dist_exponential(2)), chains = 1, iter_sampling = 1000, seed = 1
  ))
  at_sigma <- function(s) {
    root <- chol(diag(s^2, 12) + 1)
    exp(-sum(backsolve(root, y - 3, transpose = TRUE)^2) / 2 - sum(log(diag(root))) -
      6 * log(2 * pi)) * dexp(s, 2)
  }
  of_sigma <- function(sigma) vapply(sigma, at_sigma, 0)
  wanted <- log(integrate(of_sigma, 0, 10, rel.tol = 1e-10)$value)
  over_line <- integrate(function(x) exp(log_prob(fit, matrix(x)) - wanted), -12, 12,
    rel.tol = 1e-8)
  expect_equal(over_line$value, 1, tolerance = 1e-6)
})

test_that("points that are none are refused", {
  fit <- small_fit()
  expect_error(log_prob(fit, 1:3), class = "hmvn_error_argument")
  expect_error(log_prob(fit, matrix(NA_real_, 1, 30)), class = "hmvn_error_argument")
  expect_error(unconstrain_pars(fit, "none"), class = "hmvn_error_group")
  partial <- small_fit(pooling = "partial")
  expect_error(unconstrain_pars(partial, "setosa"), class = "hmvn_error_group")
  expect_error(
    unconstrain_pars(update(fit, keep = "mu")), class = "hmvn_error_keep"
  )
  one <- log_prob(fit, unconstrain_pars(fit)[1, ])
  expect_identical(one, log_prob(fit, unconstrain_pars(fit)[1, , drop = FALSE]))
  expect_equal(
    one, sum(vapply(fit$statistics$labels, function(group) {
      log_prob(fit, unconstrain_pars(fit, group)[1, ], group)
    }, 0))
  )
})

test_that("random variables are no positions, whole or broken", {
  fit <- short_fit(iris, ~Species)
  broken <- posterior::rvar(1:4)
  attr(broken, "draws") <- NULL
  for (upars in list(posterior::rvar(1:4), broken)) {
    expect_error(log_prob(fit, upars), class = "hmvn_error_argument")
  }
})
