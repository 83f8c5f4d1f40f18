direct_case <- function(K = 3, sizes = c(30, 45), ...) core_case(K, sizes = sizes, ...)

direct_fit <- function(case, ..., algorithm = "direct") {
  model <- case$model
  families <- list(
    exponential = function(p) distributional::dist_exponential(p[1]),
    normal = function(p) {
      distributional::dist_truncated(distributional::dist_normal(p[1], p[2]), 0, Inf)
    },
    student_t = function(p) {
      distributional::dist_truncated(distributional::dist_student_t(p[1], p[2], p[3]), 0, Inf)
    },
    gamma = function(p) distributional::dist_gamma(p[1], p[2]),
    lognormal = function(p) distributional::dist_lognormal(p[1], p[2])
  )
  sd <- lapply(seq_len(model$K), function(k) families[[model$family[k]]](model$parameters[k, ]))
  suppressWarnings(suppressMessages(fit_hmvn(
    case$data, group = ~ g, pooling = model$pooling, algorithm = algorithm, seed = 1, ...,
    prior = hmvn_prior(
      mean = distributional::dist_normal(0, 1), sd = do.call(c, sd), cor = dist_lkj(model$eta)
    )
  )))
}

# Two hills in log(sigma), and a prior that pulls sds up against the data
odd_families <- list(
  family = c("normal", "student_t", "lognormal", "gamma"),
  parameters = rbind(c(3, 0.5, NA), c(4, 2, 0.3), c(1, 0.1, NA), c(30, 5, NA))
)

test_that("lp__ of direct draws is the log joint density written out in plain R", {
  for (pooling in list("none", c(sd = "complete", cor = "complete"))) {
    for (sizes in list(c(80, 90), c(12, 13))) {
      case <- direct_case(pooling = pooling, sizes = sizes)
      fit <- direct_fit(case, chains = 1, iter_sampling = 3)
      expect_true(
        all(fit$units$algorithm %in% if (min(sizes) > 20) "exact" else c("direct", "exact"))
      )
      one <- function(array, i, rows) {
        matrix(array[i, 1, ], nrow = rows)[, rep_len(seq_len(length(array[i, 1, ]) / rows), 2)]
      }
      for (i in 1:3) {
        draw <- list(
          mean = one(fit$draws$mean, i, 3), chol = one(fit$draws$chol, i, 6), mean0 = rep(0, 3),
          scale0 = rep(1, 3), chol_cor0 = c(1, 0, 1, 0, 0, 1), h_mean = rep(1, 3), h_sd = rep(1, 3),
          h_cor = 1
        )
        plain <- as_r_draw(draw, case)
        expect_equal(fit$draws$lprior[i, 1, 1], r_log_prior(case$model, plain), tolerance = 1e-9)
        expect_equal(
          fit$draws$lp[i, 1, 1] - fit$draws$lprior[i, 1, 1], r_log_likelihood(plain, case$data),
          tolerance = 1e-9
        )
      }
    }
  }
})

# log w of (D5) in plain R, for a case whose groups share one covariance matrix or of which there is
# one.
log_weight <- function(case, direct, Sigma) {
  model <- case$model
  eta <- if (model$K > 1) model$eta else 1
  rows <- split(case$data[paste0("y", seq_len(model$K))], case$data$g)
  S <- Reduce(`+`, lapply(rows, function(y) crossprod(scale(as.matrix(y), scale = FALSE))))
  precision <- solve(Sigma)
  sigma <- sqrt(diag(Sigma))
  psi <- vapply(seq_len(model$K), function(k) {
    r_families[[model$family[k]]]$d(
      sigma[k], model$parameters[k, ]
    ) - (2 * eta - 2 + model$K) * log(sigma[k])
  }, double(1))
  means <- vapply(rows, function(y) {
    spread <- Sigma / nrow(y) + diag(model$scale^2, model$K)
    delta <- colMeans(y) - model$location
    -0.5 * determinant(spread)$modulus - 0.5 * sum(delta * solve(spread, delta))
  }, double(1))
  as.vector(
    direct$extra_df / 2 * determinant(Sigma)$modulus - 0.5 * sum(
      (S - direct$Psi) * precision
    ) + sum(psi) + sum(means)
  )
}

shifted <- function(case, by) {
  features <- paste0("y", seq_len(case$model$K))
  case$data[features] <- case$data[features] + by
  case$statistics <- compute_statistics(model_data(case$data, "g", features))
  case
}

test_that("target over proposal never exceeds its bound, near the contact and far from it", {
  shared <- c(sd = "complete", cor = "complete")
  cases <- list(
    direct_case(1, sizes = 12), direct_case(2, sizes = 200),
    do.call(direct_case, c(list(5, sizes = 40), all_families)),
    do.call(direct_case, c(list(4, sizes = 40), odd_families)),
    direct_case(3, sizes = c(5, 20, 8), pooling = shared, eta = 0.6),
    # means far from their prior; sds so large that the means' prior weighs
    shifted(direct_case(3, sizes = 20), 5),
    shifted(direct_case(2, sizes = c(6, 12), pooling = shared), c(-8, 3)),
    direct_case(3, sizes = 15, parameters = cbind(rep(0.05, 3), NA, NA)),
    direct_case(10, sizes = 50)
  )
  set.seed(2)
  for (case in cases) {
    K <- case$model$K
    direct <- inspect_direct_(case$statistics$patterns, case$n_groups, case$core, 100L)
    contact <- direct$Psi / direct$df
    root <- t(chol(contact))
    # what plain R cannot invert is left out
    above <- function(Sigma) {
      if (rcond(Sigma) > 1e-14) log_weight(case, direct, Sigma) - direct$log_bound else NaN
    }
    random <- vapply(1:400, function(i) {
      size <- 10^runif(1, -3, 1)
      A <- diag(K) + size * matrix(rnorm(K^2), K)
      D <- diag(exp(sample(c(0, size, 3), 1) * rnorm(K)), K)
      above(D %*% root %*% tcrossprod(A) %*% t(root) %*% D)
    }, double(1))
    expect_lt(max(random[is.finite(random)]), 1e-6)
    expect_gt(sum(is.finite(random)), 300)
    # the largest weight a search from the contact finds
    of <- function(x) {
      A <- diag(exp(x[seq_len(K)]), K)
      A[lower.tri(A)] <- x[-seq_len(K)]
      above(root %*% tcrossprod(A) %*% t(root))
    }
    found <- optim(
      rep(0, K * (K + 1) / 2), of, method = "BFGS", control = list(fnscale = -1, maxit = 200)
    )
    expect_lt(found$value, 1e-6)
  }
  # Nothing is given away where means are at their prior and densities concave in log(sigma)
  exact <- direct_case(3, sizes = 40)
  exact$data[paste0("y", 1:3)] <- scale(exact$data[paste0("y", 1:3)], scale = FALSE)
  exact <- shifted(exact, 0)
  direct <- inspect_direct_(exact$statistics$patterns, 1L, exact$core, 100L)
  contact <- direct$Psi / direct$df
  expect_equal(log_weight(exact, direct, contact), direct$log_bound, tolerance = 1e-8)
  # and as many degrees of freedom are added as (D6) allows, less some for rounding
  sigma <- sqrt(diag(contact))
  alpha <- exact$model$parameters[, 1] * sigma + 2 * exact$model$eta - 2 + 3 # exponential priors
  root <- diag(sqrt(alpha) / sigma)
  most <- min(eigen(root %*% contact %*% root, symmetric = TRUE)$values)
  expect_lt(direct$extra_df, (1 - 1e-6) * most)
  expect_gt(direct$extra_df, 0.99 * most)
})

test_that("the means' factor is what plain R finds, between its bounds", {
  shared <- c(sd = "complete", cor = "complete")
  set.seed(3)
  for (K in c(1, 2, 5, 9)) {
    case <- shifted(direct_case(K, sizes = c(5, 40) + K, pooling = shared), 2)
    rows <- split(case$data[paste0("y", seq_len(K))], case$data$g)
    D <- diag(case$model$scale^2, K)
    contact <- crossprod(matrix(rnorm(K * (K + 3)), ncol = K)) / K
    near <- t(chol(contact))
    # at the contact, about it and far from it
    factors <- lapply(c(0, rep(c(0.01, 0.3, 2), each = 10)), function(size) {
      diag(exp(size * rnorm(K)), K) %*% near %*% t(chol(crossprod(diag(K) + size * rnorm(K^2))))
    })
    in_r <- vapply(factors, function(A) {
      sum(vapply(rows, function(y) {
        spread <- tcrossprod(A) / nrow(y) + D
        delta <- colMeans(y) - case$model$location
        -0.5 * as.vector(determinant(spread)$modulus) - 0.5 * sum(delta * solve(spread, delta))
      }, 0))
    }, 0)
    packed <- vapply(factors, function(A) t(A)[upper.tri(A, diag = TRUE)], double(K * (K + 1) / 2))
    found <- inspect_mean_factor_(
      case$statistics$patterns, 2L, case$core, contact, matrix(packed, ncol = length(factors))
    )
    expect_equal(found[2, ], in_r, tolerance = 1e-9)
    slack <- 1e-9 * abs(in_r)
    expect_true(all(found[1, ] <= in_r + slack), label = paste("lower bounds,", K))
    expect_true(all(found[3, ] >= in_r - slack), label = paste("upper bounds,", K))
    # of the upper one the quadratic form touches at the contact
    determinants <- vapply(rows, function(y) {
      0.5 * as.vector(determinant(diag(K) + solve(D, contact) / nrow(y))$modulus)
    }, 0)
    expect_equal(found[3, 1], in_r[[1]] + sum(determinants), tolerance = 1e-9)
  }
})

test_that("direct sampling and NUTS draw from one distribution, every family and both ways", {
  cases <- list(
    exact = do.call(direct_case, c(list(5, sizes = c(60, 90), eta = 0.8), all_families)),
    exact = direct_case(1),
    exact = direct_case(
      3, sizes = c(100, 120), pooling = c(sd = "complete", cor = "complete"), eta = 4
    ),
    # two hills in log(sigma) near the data
    exact = direct_case(
      2, sizes = c(40, 50), family = c("normal", "student_t"),
      parameters = rbind(c(1, 0.5, NA), c(4, 1, 0.5))
    ),
    # means off their prior; a prior of the means that is narrower than their standard errors
    exact = shifted(
      direct_case(2, sizes = c(60, 80), parameters = cbind(rep(0.3, 2), NA, NA)), c(2, -2)
    ),
    either = direct_case(2, sizes = c(60, 80), parameters = cbind(rep(0.05, 2), NA, NA)),
    direct = direct_case(5, sizes = c(18, 20)),
    direct = shifted(direct_case(3, sizes = c(11, 12)), 3)
  )
  for (i in seq_along(cases)) {
    case <- cases[[i]]
    fit <- direct_fit(case, iter_sampling = 4000)
    if (names(cases)[i] != "either") expect_true(all(fit$units$algorithm == names(cases)[i]))
    nuts <- direct_fit(case, algorithm = "nuts", iter_sampling = 2000, cores = 2)
    expect_same_posterior(fit, nuts, paste("case", i))
  }
})

test_that("exact draws are independent and differ", {
  fit <- direct_fit(direct_case(3, sizes = c(50, 60)), iter_sampling = 2000, chains = 2)
  lp <- fit$draws$lp[, , 1]
  expect_equal(anyDuplicated(as.vector(lp)), 0)
  z <- unlist(
    lapply(1:2, function(chain) acf(lp[, chain], plot = FALSE, lag.max = 5)$acf[-1])
  ) * sqrt(2000)
  expect_lt(max(abs(z)), z_bound(10))
})

test_that("auto chooses by what applies and by trial acceptance, the same for all chains", {
  chosen <- function(...) short_fit(..., iter_warmup = 50, iter_sampling = 20)$units$algorithm
  expect_equal(chosen(iris, ~ Species), rep("exact", 3))
  expect_equal(chosen(iris, ~ Species, pooling = c(mean = "partial")), "hmc")
  expect_equal(chosen(iris, ~ Species, pooling = "partial", algorithm = "nuts"), "nuts")
  expect_equal(chosen(iris, ~ Species, pooling = "complete"), "hmc")
  expect_equal(chosen(iris, ~ Species, algorithm = "nuts"), rep("nuts", 3))
  expect_equal(
    chosen(iris, ~ Species, prior = hmvn_prior(sd = distributional::dist_lognormal(0, 1))),
    rep("exact", 3)
  )
  holes <- iris
  holes[3, 2] <- NA
  expect_equal(chosen(holes, ~ Species), c("hmc", "exact", "exact"))
  few <- iris[c(1:16, 51:58, 101:150), ]
  expect_equal(chosen(few, ~ Species), c("direct", "hmc", "exact"))
})

test_that("auto goes by what would be kept, and by how many steps are accepted", {
  chosen <- character()
  for (K in c(4, 9, 12)) {
    for (n in c(3, 5, 8, 12, 20, 60) * K) {
      case <- direct_case(K, sizes = n, seed = n)
      trial <- inspect_direct_(case$statistics$patterns, 1L, case$core, 10000L)
      least <- if (K > 10) 0.25 else 0.1
      # 500 to 1,000 trials decide: whatever lies within four of their standard errors is left out
      if (!is.null(trial) && any(abs(c(trial$exact - least, trial$steps - 0.6)) < 0.09)) next
      expected <- if (is.null(trial)) {
        "hmc"
      } else if (trial$exact > least) {
        "exact"
      } else if (trial$steps > 0.6) {
        "direct"
      } else {
        "hmc"
      }
      fit <- direct_fit(case, algorithm = "auto", chains = 1, iter_warmup = 50, iter_sampling = 10)
      expect_equal(fit$units$algorithm, expected)
      chosen <- c(chosen, expected)
    }
  }
  expect_setequal(chosen, c("exact", "direct", "hmc"))
})

test_that("what is not kept is not stored, and changes nothing else", {
  case <- direct_case()
  run <- function(keep_mean = TRUE, keep_chol = TRUE) {
    control <- list(
      algorithm = algorithm, iter_warmup = 20, warmup_by_data = FALSE, iter_sampling = 40, thin = 1,
      seed = 1, chains = 2, cores = 1, max_treedepth = 8, adapt_delta = 0.8,
      adapt_delta_scarce = 0.8, init = 2, prior_only = FALSE, keep_mean = keep_mean,
      keep_chol = keep_chol, keep_state = FALSE
    )
    problem <- list(
      patterns = case$statistics$patterns, n_groups = case$n_groups, model = case$core,
      control = control, n_units = case$n_groups
    )
    finish_draws(draw_share(problem, whole_share(problem), from_nothing(), NULL), problem)$draws
  }
  for (algorithm in c("auto", "nuts")) {
    all <- run()
    none <- run(keep_mean = FALSE, keep_chol = FALSE)
    expect_null(none$mean)
    expect_null(none$chol)
    expect_identical(none$lp, all$lp)
    expect_identical(run(keep_mean = FALSE)$chol, all$chol)
  }
})

test_that("asking for direct sampling where it does not apply is a classed error", {
  expect_error(
    fit_hmvn(
      iris, group = ~ Species, features = ~ Petal.Width, pooling = "partial", algorithm = "direct"
    ),
    "direct sampling needs", class = "hmvn_error_sampling"
  )
})
