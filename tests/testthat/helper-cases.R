# What the tests of test-cases.R have in common: data, and posteriors in plain R.

normal_rows <- function(n, mean, cov) {
  sweep(matrix(rnorm(n * length(mean)), n) %*% chol(cov), 2, mean, `+`)
}

equal_correlations <- function(K, r) {
  R <- matrix(r, K, K)
  diag(R) <- 1
  R
}

# Draws of the covariance matrix of one group of complete rows, [element, draw], and their weights:
# importance sampling from the inverse-Wishart distribution that the likelihood has, means
# integrated out. Priors are the defaults, those of means scaled with `all`, the rows of all groups;
# of sds and correlations in the frame with this `root`.
covariance_posterior <- function(rows, root, all = rows, w = rep(1, nrow(rows)),
                                 w_all = rep(1, nrow(all)), draws = 5000) {
  K <- ncol(rows)
  n <- sum(w)
  own <- stats::cov.wt(rows, w / n, method = "ML")
  total <- stats::cov.wt(all, w_all / sum(w_all), method = "ML")
  scale <- sqrt(diag(total$cov) * sum(w_all) / (sum(w_all) - 1))
  precision <- stats::rWishart(draws, n - 1, solve(own$cov * n))
  Sigma <- apply(precision, 3, solve)
  inverse <- solve(root)
  log_weight <- apply(Sigma, 2, function(s) {
    s <- matrix(s, K)
    framed <- inverse %*% s %*% t(inverse)
    sd <- sqrt(diag(framed))
    root <- chol(s / n + diag((2.5 * scale)^2, K))
    z <- backsolve(root, own$center - total$center, transpose = TRUE)
    # from (mean, Sigma) to sds and correlations the volume changes by prod(sd)^K
    (K + 1) / 2 * log_det(s) - K * sum(log(sd)) - sum(sd) + log_det(cov2cor(framed)) -
      sum(log(diag(root))) - sum(z^2) / 2
  })
  weight <- exp(log_weight - max(log_weight))
  list(Sigma = Sigma, weight = weight / sum(weight), K = K)
}

# z of the posterior means of `x`, random variables, against those of `of(Sigma)` in plain R.
posterior_z <- function(x, posterior, of) {
  values <- apply(posterior$Sigma, 2, function(s) of(matrix(s, posterior$K)))
  values <- matrix(values, ncol = length(posterior$weight))
  mean <- as.vector(values %*% posterior$weight)
  error <- sqrt(as.vector((values - mean)^2 %*% posterior$weight^2))
  (as.vector(posterior::E(x)) - mean) / sqrt(as.vector(posterior::mcse_mean(x))^2 + error^2)
}

# z of a truth that rows were drawn with; the posterior sd is its sampling error.
truth_z <- function(x, truth) {
  as.vector((posterior::E(x) - truth) / posterior::sd(x))[as.vector(posterior::sd(x)) > 1e-12]
}

expect_unremarkable <- function(z) {
  expect_true(length(z) > 0)
  expect_lt(max(abs(z)), z_bound(length(z)))
}

below <- function(x) x[lower.tri(x)]

# The likelihood of a correlation rho of two standardised features, n rows of which correlate by r,
# with their sds integrated out over Exponential(1) priors; up to a factor.
marginal_likelihood <- function(rho, n, r) {
  sd <- seq(0.5, 1.7, length.out = 61)
  det <- 1 - rho^2
  log_density <- outer(sd, sd, function(a, b) {
    square <- (1 / a^2 + 1 / b^2 - 2 * rho * r / (a * b)) / det
    -(n - 1) * (log(a * b) + log(det) / 2 + square / 2) - a - b
  })
  sum(exp(log_density + n))
}
