# How the draws of quantities are computed from the stored ones. Covariances are stored as packed
# Cholesky factors and built here when asked for.

# internal -----------------------------------------------------------------

# Every function below gives [iteration, chain, ...]; see quantity_row() for packed and full.

values_as_stored <- function(part) {
  list(packed = function(fit, groups) fit$draws[[part]])
}

# What C++ derives from the factors; `kind`: its name there.
values_of_factors <- function(kind) {
  list(
    packed = function(fit, groups) derive_draws(fit, kind, groups, packed = TRUE),
    full = function(fit, groups) derive_draws(fit, kind, groups, packed = FALSE)
  )
}

derive_draws <- function(fit, kind, groups, packed) {
  found <- stored_of(fit, "chol", groups)
  derive_quantity_(found$values, n_features(fit), found$at, kind, packed)
}

mean_draws <- function(fit, groups) part_draws(fit, "mean", groups)

slope_draws <- function(fit, groups) part_draws(fit, "slope", groups)

# The sd between groups' slopes
tau_slope_draws <- function(fit, groups = NULL) {
  sweep(fit$draws$h_slope, 3, c(t(fit$prior$slope$scale)), `*`)
}

# Omega0, or Sigma0 = sigma0 Omega0 sigma0
values_of_population <- function(kind) {
  list(full = function(fit, groups) population_matrix(fit, kind))
}

population_matrix <- function(fit, kind) {
  k <- n_features(fit)
  size <- c(n_kept(fit), k, k)
  values <- if (k == 1) 1 else derive_quantity_(fit$draws$chol_cor0, k, 1L, "Omega", FALSE)
  values <- array(values, size)
  if (kind == "Omega") {
    return(values)
  }
  scale_matrix(values, fit$draws$scale0)
}

# Partial correlations, -P_ij / sqrt(P_ii P_jj) of the precision matrix P
partial_draws <- function(fit, groups) {
  k <- n_features(fit)
  values <- derive_draws(fit, "precision", groups, packed = FALSE)
  size <- dim(values)
  dim(values) <- c(prod(size[1:3]), k, k)
  for (i in seq_len(k)) {
    for (j in seq_len(i - 1L)) {
      values[, i, j] <- -values[, i, j] / sqrt(values[, i, i] * values[, j, j])
      values[, j, i] <- values[, i, j]
    }
  }
  for (i in seq_len(k)) values[, i, i] <- 1
  array(values, size)
}

# 1 - h^2: 0 no pooling, 1 complete
values_of_pooling <- function(part) {
  list(packed = function(fit, groups) 1 - fit$draws[[part]]^2)
}

# The sd between group means
tau_draws <- function(fit, groups = NULL) {
  sweep(fit$draws$h_mean, 3, fit$prior$mean$scale, `*`)
}

# R_b of (B1), or Sigma_b = diag(tau) R_b diag(tau)
values_of_between <- function(kind) {
  list(full = function(fit, groups) between_matrix(fit, kind))
}

between_matrix <- function(fit, kind) {
  k <- n_features(fit)
  own <- between_features(model_of(fit))
  values <- array(NA_real_, c(n_kept(fit), k, k))
  some <- derive_quantity_(fit$draws$chol_between, length(own), 1L, "Omega", FALSE)
  values[, , own, own] <- some
  if (kind == "Omega") {
    return(values)
  }
  scale_matrix(values, tau_draws(fit))
}

# diag(scale) M diag(scale) of every draw: `values` [iteration, chain, feature, feature], `scale`
# [iteration, chain, feature].
scale_matrix <- function(values, scale) {
  k <- dim(scale)[[3L]]
  rows <- array(scale[, , rep(seq_len(k), k)], dim(values))
  columns <- array(scale[, , rep(seq_len(k), each = k)], dim(values))
  values * rows * columns
}

# The share of the variance between groups, tau^2 / (tau^2 + sigma^2), sigma^2 the groups' average
# by rows observed.
icc_draws <- function(fit, groups = NULL) {
  n <- observed_counts(fit$statistics)
  share <- sweep(n, 2, pmax(colSums(n), 1e-300), `/`)
  within <- average_draws(fit, "sigma", share, function(sigma) sigma^2)
  between <- tau_draws(fit)^2
  between / (between + array(within, dim(between)))
}

# The groups' average of `f` of what C++ derives from factors, [draw, packed entry]. `share`:
# weights [group, entry].
average_draws <- function(fit, kind, share, f = identity) {
  size <- ncol(share)
  average <- matrix(0, n_draws(fit), size)
  for (chunk in group_chunks(fit)) {
    values <- f(matrix(derive_draws(fit, kind, chunk, packed = TRUE), n_draws(fit)))
    for (i in seq_len(size)) {
      own <- i + (seq_along(chunk) - 1L) * size
      average[, i] <- average[, i] + values[, own, drop = FALSE] %*% share[chunk, i]
    }
  }
  average
}

# The share of the population in a group's mean: (sigma^2/n) / (sigma^2/n + tau^2) with n the
# group's observations of that feature (vignette("model")); 1 where a group has none.
shrinkage_draws <- function(fit, groups) {
  k <- n_features(fit)
  sigma <- derive_draws(fit, "sigma", groups, packed = TRUE)
  n <- t(observed_counts(fit$statistics)[groups, , drop = FALSE])
  n <- array(rep(n, each = n_draws(fit)), dim(sigma))
  tau <- tau_draws(fit)[, , rep(seq_len(k), length(groups)), drop = FALSE]
  1 / (1 + n * (tau / sigma)^2)
}

# Packed values as an array of a dimension an index.
unpack_values <- function(values, row, fit, groups) {
  k <- n_features(fit)
  size <- dim(values)[1:2]
  switch(row$index,
    gf = {
      by_group <- rep(seq_len(k), each = length(groups)) + (seq_along(groups) - 1L) * k
      array(values[, , by_group], c(size, length(groups), k))
    },
    cf = aperm(array(values, c(size, k, n_covariates(fit))), c(1, 2, 4, 3)),
    gcf = {
      sizes <- c(size, k, n_covariates(fit), length(groups))
      aperm(array(values, sizes), c(1, 2, 5, 4, 3))
    },
    values
  )
}

# A full symmetric matrix, [iteration, chain, feature, feature], as the entries of a layout.
pack_values <- function(values, layout, k) {
  dim(values) <- c(dim(values)[1:2], k * k)
  values[, , layout$feature + k * (layout$feature2 - 1L), drop = FALSE]
}

# [iteration, chain, ...] to a random variable that knows its chains
as_rvar <- function(values) {
  size <- dim(values)
  labels <- dimnames(values)
  dimnames(values) <- NULL
  dim(values) <- c(size[1] * size[2], size[-(1:2)])
  if (!is.null(labels)) dimnames(values) <- c(list(NULL), labels[-(1:2)])
  posterior::rvar(values, nchains = size[2])
}

label_array <- function(values, labels) {
  dimnames(values) <- c(list(NULL, NULL), labels)
  values
}
