# Rows with covariates, a number and a category: every pattern of missing cells; row 5 lacks a
# covariate, row 8 has nothing observed.
regression_data <- function(n = 48) {
  d <- with_fixed_seed(3, data.frame(
    g = rep(c("a", "b", "c"), length.out = n), age = round(rnorm(n, 40, 10)),
    site = factor(rep(c("u", "v", "w", "v"), length.out = n)), x = rnorm(n), y = rnorm(n)
  ))
  d$x <- d$x + 0.3 * d$age * (1 + (d$g == "b"))
  d$y <- d$y + d$x / 2 - 4 * (d$site == "w")
  d$x[c(3, 11, 20)] <- NA
  d$y[c(4, 12, 26)] <- NA
  d[8, c("x", "y")] <- NA
  d$age[5] <- NA
  d
}

regression_fit <- function(data = regression_data(), ..., covariates = ~ age + site) {
  short_fit(data, ~g, ~ x + y, covariates = covariates, ...)
}

slope_poolings <- list(
  "none", "partial", c(mean = "none", sd = "partial", cor = "complete", slope = "complete"),
  "complete"
)

# The means of rows by (M1'), [draw, row, feature]; NA where a covariate is.
means_by_hand <- function(fit, data, formula = ~ age + site) {
  mu <- posterior::draws_of(group_mean(fit))
  beta <- posterior::draws_of(group_slope(fit))
  data$site <- factor(data$site, c("u", "v", "w"))
  frame <- stats::model.frame(formula, data, na.action = stats::na.pass)
  x <- stats::model.matrix(formula, frame)[, -1, drop = FALSE]
  x <- sweep(x, 2, fit$statistics$covariate_center)
  group <- match(data$g, fit$statistics$labels)
  out <- array(0, c(nrow(mu), nrow(data), dim(mu)[3]))
  for (i in seq_len(nrow(data))) {
    for (k in seq_len(dim(mu)[3])) {
      slopes <- matrix(beta[, group[i], , k], nrow(mu))
      out[, i, k] <- mu[, group[i], k] + slopes %*% x[i, ]
    }
  }
  out
}

# The log density of a row's observed cells by textbook formulas, at one draw.
density_by_hand <- function(y, mean, Sigma) {
  seen <- which(!is.na(y))
  S <- Sigma[seen, seen, drop = FALSE]
  d <- y[seen] - mean[seen]
  -0.5 * (length(seen) * log(2 * pi) + log(det(S)) + sum(d * solve(S, d)))
}

# Their observed cells' log density, [draw, row].
densities_by_hand <- function(fit, data, ...) {
  means <- means_by_hand(fit, data, ...)
  Sigma <- posterior::draws_of(group_cov(fit))
  group <- match(data$g, fit$statistics$labels)
  K <- dim(means)[3]
  y <- t(as.matrix(data[fit$statistics$features]))
  vapply(seq_len(nrow(data)), function(i) {
    vapply(seq_len(nrow(means)), function(s) {
      density_by_hand(y[, i], means[s, i, ], matrix(Sigma[s, group[i], , ], K))
    }, 0)
  }, double(nrow(means)))
}
