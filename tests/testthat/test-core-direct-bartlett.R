# The density in Bartlett's coordinates (D13), and the chains that move in them.

bartlett <- function(case, positions) {
  inspect_bartlett_(case$statistics$patterns, case$n_groups, case$core, positions)
}

bartlett_positions <- function(K, n, seed = 1) {
  set.seed(seed)
  matrix(rnorm(n * K * (K + 1) / 2), ncol = n)
}

# Cases of one group and of two that share a matrix, with every family of priors.
bartlett_cases <- function(K) {
  family <- rep_len(all_families$family, K)
  parameters <- all_families$parameters[rep_len(seq_along(all_families$family), K), , drop = FALSE]
  complete <- c(sd = "complete", cor = "complete")
  list(
    core_case(K, sizes = 2 * K + 1),
    core_case(K, sizes = K + 3, family = family, parameters = parameters, eta = 1),
    core_case(K, sizes = c(K + 1, K + 2), pooling = complete, eta = 4)
  )
}

test_that("the gradient is that of the density, for every number of features", {
  for (K in 1:12) {
    for (case in bartlett_cases(K)) {
      x <- bartlett_positions(K, 3)
      at <- bartlett(case, x)
      step <- 1e-5
      for (i in seq_len(nrow(x))) {
        move <- step * (seq_len(nrow(x)) == i)
        slope <- (bartlett(case, x + move)$value - bartlett(case, x - move)$value) / (2 * step)
        size <- pmax(1, apply(abs(at$gradient), 2, max))
        expect_lt(max(abs(slope - at$gradient[i, ]) / size), 1e-7)
      }
    }
  }
})

# log p(Sigma | data) of (D1) in plain R, up to a constant.
log_density_of_covariance <- function(case, Sigma) {
  model <- case$model
  rows <- split(case$data[paste0("y", seq_len(model$K))], case$data$g)
  S <- Reduce(`+`, lapply(rows, function(y) crossprod(scale(as.matrix(y), scale = FALSE))))
  eta <- if (model$K > 1) model$eta else 1
  log_determinant <- as.vector(determinant(Sigma)$modulus)
  sigma <- sqrt(diag(Sigma))
  scales <- vapply(seq_len(model$K), function(k) {
    r_families[[model$family[k]]]$d(sigma[k], model$parameters[k, ])
  }, double(1))
  means <- vapply(rows, function(y) {
    spread <- Sigma / nrow(y) + diag(model$scale^2, model$K)
    delta <- colMeans(y) - model$location
    -0.5 * as.vector(determinant(spread)$modulus) - 0.5 * sum(delta * solve(spread, delta))
  }, double(1))
  (eta - 1 - (nrow(case$data) - length(rows)) / 2) * log_determinant - 0.5 * sum(S * solve(Sigma)) +
    sum(scales - (2 * eta - 2 + model$K) * log(sigma)) + sum(means)
}

test_that("the density is that of the covariance matrix times the Jacobian, in plain R", {
  for (K in 1:4) {
    for (case in bartlett_cases(K)) {
      x <- bartlett_positions(K, 6, seed = 3)
      lower <- lower.tri(diag(K), diag = TRUE)
      covariance <- function(x) tcrossprod(unpack_factor(bartlett(case, cbind(x))$factor[, 1]))
      plain <- apply(x, 2, function(at) {
        jacobian <- vapply(seq_along(at), function(i) {
          move <- 1e-5 * (seq_along(at) == i)
          (covariance(at + move) - covariance(at - move))[lower] / 2e-5
        }, double(length(at)))
        log_density_of_covariance(case, covariance(at)) +
          as.vector(determinant(matrix(jacobian, length(at)))$modulus)
      })
      ours <- bartlett(case, x)$value
      expect_equal(ours - ours[1], plain - plain[1], tolerance = 1e-6)
    }
  }
})

test_that("coordinates are nearly standard normal where there are many rows", {
  case <- core_case(3, sizes = 4000, eta = 1)
  x <- bartlett_positions(3, 400, seed = 4) / 2
  departure <- bartlett(case, x)$value + colSums(x^2) / 2
  expect_lt(sd(departure), 0.1)
})

test_that("they do not apply where groups learn or cells are missing", {
  expect_null(bartlett(core_case(3, pooling = "partial"), matrix(0, 6, 1)))
  expect_null(bartlett(core_case(3, sizes = 30, missing = 0.2), matrix(0, 6, 1)))
})

test_that("the mode is at their origin, with more rows than features", {
  cases <- c(bartlett_cases(2), bartlett_cases(7), list(core_case(3, sizes = 400)))
  for (case in cases) {
    x <- matrix(0, case$model$K * (case$model$K + 1) / 2, 1)
    gradient <- unpack_factor(bartlett(case, x)$gradient[, 1])
    expect_lt(max(abs(gradient[lower.tri(gradient)])), 0.1)
  }
})

test_that("it is near there also where the scatter matrix is singular", {
  for (K in c(3, 7, 12)) {
    for (n in c(K - 1, K)) {
      for (location in c(-1, 0, 1.5)) { # of log sd, beside sds of about 1
        wide <- cbind(rep(location, K), 1, NA)
        case <- core_case(K, sizes = n, family = rep("lognormal", K), parameters = wide, seed = n)
        gradient <- bartlett(case, matrix(0, K * (K + 1) / 2, 1))$gradient
        expect_lt(max(abs(gradient)), 1)
      }
    }
  }
})

test_that("as many rows as features are sampled beside groups of other sizes", {
  set.seed(1203)
  sizes <- sample(c(2, 3, 12, 14), 4, TRUE)
  rows <- lapply(sizes, function(n) {
    mix <- diag(12) + 0.1 * matrix(rnorm(144), 12)
    matrix(rnorm(n * 12), n) %*% mix
  })
  data <- data.frame(g = rep(1:4, sizes), do.call(rbind, rows))
  prior <- hmvn_prior(sd = "lognormal", cor = dist_lkj(2), frame = "raw")
  fit <- short_fit(data, group = ~ g, prior = prior, chains = 1, iter_sampling = 300, seed = 1)
  expect_equal(sum(fit$units$divergent), 0)
  expect_equal(sum(fit$units$max_treedepth), 0)
})

test_that("turns and NUTS agree also with fewer rows than that", {
  set.seed(1)
  for (n in 1:3) { # of 6 features; from 4 rows on in Bartlett's coordinates
    data <- data.frame(matrix(rnorm(n * 6), n))
    fit <- function(algorithm) {
      short_fit(
        data, group = NULL, algorithm = algorithm, iter_sampling = 2000, seed = n,
        prior = hmvn_prior(mean = dist_normal(0, 2), sd = dist_exponential(1))
      )
    }
    turns <- fit("auto")
    expect_equal(turns$units$algorithm, "hmc")
    z <- differences(turns, fit("nuts"), c("mu", "sigma", "Omega"))
    expect_lt(max(z, na.rm = TRUE), z_bound(3 * length(z)))
  }
})

test_that("turns in them and NUTS agree for every number of features, in frames, and shared", {
  complete <- c(sd = "complete", cor = "complete")
  for (K in 2:12) {
    set.seed(K)
    sizes <- if (K %% 3 == 0) c(K + 2, K) else K + 4
    rows <- 0.7 * rnorm(sum(sizes)) + matrix(rnorm(sum(sizes) * K), ncol = K)
    data <- data.frame(g = rep(seq_along(sizes), sizes), rows)
    fit <- function(algorithm) {
      suppressMessages(fit_hmvn(
        data, group = ~ g, algorithm = algorithm, chains = 2, seed = K, iter_sampling = 2000,
        pooling = if (length(sizes) > 1) complete else "none",
        prior = hmvn_prior(frame = if (K %% 2) "pooled" else "raw")
      ))
    }
    turns <- fit("auto")
    expect_equal(turns$units$algorithm, "hmc")
    expect_equal(sum(turns$units$divergent), 0)
    nuts <- fit("nuts")
    z <- differences(nuts, turns, c("mu", "sigma", "Omega", "lp__"))
    expect_lt(max(z, na.rm = TRUE), z_bound(11 * length(z)))
  }
})
