# Problems for the tests of the core, built through the package's own front, and the model in plain
# R.

source(system.file("validation", "model_in_r.R", package = "hmvn"), local = TRUE)

# Rows of `sizes` observations in each group, drawn from the model in plain R, with the resolved
# model.
core_case <- function(K, sizes = c(2, 5, 20), pooling = "none", missing = 0, seed = 1,
                      family = rep("exponential", K), parameters = cbind(rep(1, K), NA, NA),
                      eta = 2,
                      heterogeneity = list(
                        mean = c(NA, 1, 1), sd = c(NA, 1, 1), cor = c(NA, 1, 1),
                        slope = c(NA, 1, 1)
                      ), between_eta = NULL, C = 0, levels = list()) {
  pooling <- resolve_pooling(pooling)
  model <- r_model(
    K, pooling, family = family, parameters = parameters, eta = eta, heterogeneity = heterogeneity,
    between_eta = between_eta, C = C, slope_location = matrix(seq_len(C * K) / 10, C, K),
    slope_scale = matrix(1 + seq_len(C * K) / 20, C, K), levels = levels
  )
  set.seed(seed)
  truth <- r_prior_draw(model, length(sizes))
  data <- r_data(truth, sizes, missing)
  statistics <- core_statistics(data)
  core <- list(
    coefficient_pooling = unname(c(model$levels$mean, t(model$levels$slope))),
    pooling = unname(pooling[c("sd", "cor")]),
    heterogeneity = do.call(rbind, c(heterogeneity, list(slope = c(NA, 1, 1)))[pooling_blocks]),
    location = c(model$location, t(model$slope_location)),
    scale = c(model$scale, t(model$slope_scale)), family = family,
    parameters = matrix(as.double(parameters), K), eta = eta,
    between_eta = between_eta, known = FALSE
  )
  list(
    model = model, truth = truth, data = data, statistics = statistics, core = core,
    n_groups = length(sizes)
  )
}

# Of the features y1, ... with the covariates x1, ..., in the form of the core: covariates about
# their means.
core_statistics <- function(data) {
  features <- grep("^y", names(data), value = TRUE)
  covariates <- grep("^x", names(data), value = TRUE)
  statistics <- compute_statistics(
    model_data(data, "g", features, covariates = if (length(covariates)) covariates)
  )
  statistics$patterns <- core_patterns(statistics)
  statistics
}

# Every family of (P2), with parameters.
all_families <- list(
  family = c("exponential", "normal", "student_t", "gamma", "lognormal"),
  parameters = rbind(c(1, NA, NA), c(0, 1, NA), c(3, 0, 1), c(2, 2, NA), c(-0.3, 0.6, NA))
)

core_layout <- function(case) inspect_layout_(case$n_groups, case$core)

random_positions <- function(case, n, radius = 2) {
  matrix(rnorm(core_layout(case)$dimension * n, sd = radius / 2), ncol = n)
}

all_poolings <- function(levels) {
  grid <- expand.grid(mean = levels, sd = levels, cor = levels, stringsAsFactors = FALSE)
  lapply(seq_len(nrow(grid)), function(i) unlist(grid[i, ]))
}

# One draw of inspect_draws_() in the form of the model in plain R.
as_r_draw <- function(draw, case) {
  group <- function(g) {
    factor <- unpack_factor(draw$chol[, g])
    sigma <- sqrt(rowSums(factor^2))
    list(
      mu = draw$mean[, g], sigma = sigma, L = factor / sigma, beta = slopes(draw$slope[, g])
    )
  }
  slopes <- function(x) if (length(x)) matrix(x, ncol = nrow(draw$mean), byrow = TRUE)
  list(
    groups = lapply(seq_len(case$n_groups), group),
    population = list(
      mu = draw$mean0, sigma = draw$scale0, L = unpack_factor(draw$chol_cor0),
      beta = slopes(draw$slope0)
    ),
    h = list(
      mean = draw$h_mean, sd = draw$h_sd, cor = draw$h_cor, slope = slopes(draw$h_slope)
    ),
    L_between = if (length(draw$between)) draw$between
  )
}

# log_likelihood and log_prior of `n` draws against the model in plain R, in the frame if the case
# has one.
expect_density_in_r <- function(case, n, tolerance = 1e-8) {
  set.seed(1)
  draws <- inspect_draws_(
    case$statistics$patterns, case$n_groups, case$core, random_positions(case, n, 1), 1
  )
  frame <- case$core$frame
  for (draw in draws) {
    plain <- as_r_draw(draw, case)
    expect_equal(draw$log_likelihood, r_log_likelihood(plain, case$data), tolerance = 1e-9)
    framed <- if (is.null(frame)) plain else r_change_frame(plain, solve(frame))
    expect_equal(draw$log_prior, r_log_prior(case$model, framed), tolerance = tolerance)
  }
}

# Independent draws, one a row, of a normal law: their first and second moments.
expect_normal <- function(draws, mean, covariance) {
  n <- nrow(draws)
  z <- (colMeans(draws) - mean) / sqrt(diag(covariance) / n)
  expect_lt(max(abs(z)), z_bound(length(z)))
  spread <- crossprod(sweep(draws, 2, mean)) / n
  error <- sqrt((covariance^2 + outer(diag(covariance), diag(covariance))) / n)
  lower <- lower.tri(covariance, diag = TRUE)
  expect_lt(max(abs(spread - covariance)[lower] / error[lower]), z_bound(sum(lower)))
}

# Trajectories do not run on after they have turned. On a standard normal target a leapfrog step
# turns by `angle`; a trajectory goes on doubling for half a period, so that it ends within a whole
# one and a step. (Without the checks across sub-trees it was seen to run about 80 steps.)
expect_no_detours <- function(fit) {
  expect_identical(fit$units$algorithm, "nuts")
  angle <- acos(1 - fit$sampler$stepsize^2 / 2)
  expect_lt(mean(fit$sampler$n_leapfrog * angle), mean(2 * pi + angle))
}

# |z| below which m comparisons are jointly unremarkable.
z_bound <- function(m) qnorm(1 - 0.0005 / m)

# |z| of the differences of posterior means between two fits, from their Monte Carlo errors.
differences <- function(one, other, variables) {
  table <- function(fit) {
    posterior::summarise_draws(
      as_draws_array(fit, variable = variables), mean = mean, error = posterior::mcse_mean
    )
  }
  a <- table(one)
  b <- table(other)
  abs(a$mean - b$mean) / sqrt(a$error^2 + b$error^2)
}

# Relative to the largest component, as a step of the sampler sees it.
gradient_error <- function(result) {
  worst <- function(i) {
    max(abs(result$gradient[, i] - result$difference[, i])) / max(1, abs(result$gradient[, i]))
  }
  vapply(seq_along(result$log_density), worst, double(1))
}

expect_right_gradient <- function(case, n) {
  set.seed(42)
  result <- inspect_density_(
    case$statistics$patterns, case$n_groups, case$core, random_positions(case, n)
  )
  fine <- is.finite(result$log_density)
  expect_gt(mean(fine), 0.99)
  expect_lt(max(gradient_error(result)[fine]), 1e-8)
}
