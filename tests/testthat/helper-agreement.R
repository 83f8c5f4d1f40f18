# Posteriors and maxima in plain R, from a log density written down in the test.

# Mean and sd of each parameter, with their Monte Carlo errors: importance sampling from a t
# distribution about the mode. Parameters are in their own units, so that there are no Jacobians.
importance_posterior <- function(log_density, start, n = 10000, df = 6) {
  mode <- maximum_of(log_density, start)
  k <- length(start)
  z <- matrix(rnorm(n * k), n) / sqrt(rchisq(n, df) / df)
  x <- sweep(z %*% chol(solve(mode$hessian)), 2, mode$par, `+`)
  log_weight <- apply(x, 1, log_density) + (df + k) / 2 * log1p(rowSums(z^2) / df)
  weight <- exp(log_weight - max(log_weight))
  weight <- weight / sum(weight)
  mean <- colSums(weight * x)
  square <- sweep(x, 2, mean)^2
  variance <- colSums(weight * square)
  data.frame(
    mean = mean, sd = sqrt(variance), mcse_mean = sqrt(colSums(weight^2 * square)),
    mcse_sd = sqrt(colSums(weight^2 * sweep(square, 2, variance)^2) / variance) / 2,
    row.names = names(start)
  )
}

maximum_of <- function(log_density, start) {
  found <- optim(
    start, function(x) -log_density(x), method = "BFGS", hessian = TRUE,
    control = list(maxit = 1000, reltol = 1e-14)
  )
  stopifnot(found$convergence == 0)
  found
}

# z of posterior means and sds of a fit's variables against `expected`, named by its rows; where it
# lacks the columns mcse_mean and mcse_sd its numbers are exact.
agreement_z <- function(fit, expected) {
  draws <- posterior::as_draws_array(fit)
  ours <- vapply(rownames(expected), function(name) {
    x <- posterior::extract_variable_matrix(draws, name)
    c(mean(x), sd(x), posterior::mcse_mean(x), posterior::mcse_sd(x))
  }, double(4))
  error <- function(name) expected[[name]] %||% 0
  c(
    (ours[1, ] - expected$mean) / sqrt(ours[3, ]^2 + error("mcse_mean")^2),
    (ours[2, ] - expected$sd) / sqrt(ours[4, ]^2 + error("mcse_sd")^2)
  )
}

expect_agrees <- function(fit, expected) {
  z <- agreement_z(fit, expected)
  expect_lt(max(abs(z)), z_bound(length(z)), label = names(which.max(abs(z))))
}

log_det <- function(x) as.vector(determinant(x)$modulus)

# A covariance matrix from sds and the correlations below the diagonal; NULL where there is none.
covariance_of <- function(sd, cor) {
  R <- diag(length(sd))
  R[lower.tri(R)] <- cor
  R[upper.tri(R)] <- t(R)[upper.tri(R)]
  positive <- all(sd > 0) && all(eigen(R, TRUE, TRUE)$values > 0)
  if (positive) R * tcrossprod(sd)
}

# Log density of Exponential(1) sds and an LKJ(2) correlation matrix, up to a constant.
log_covariance_prior <- function(Sigma) {
  -sum(sqrt(diag(Sigma))) + log_det(cov2cor(Sigma))
}
