# What pooling did to a fit, in few numbers: for print().

# internal -----------------------------------------------------------------

# Per block and feature the posterior mean of 1 - h^2 (and tau); the range of shrinkage weights over
# groups. A data frame block, feature, pooling, tau, shrinkage_low, shrinkage_high (NA unless draws
# of Sigma were kept); no rows without partial pooling.
pooling_summary <- function(fit) {
  features <- fit$statistics$features
  has <- quantity_names(fit)
  mean_of <- function(name) {
    if (name %in% has) colMeans(matrix(packed_quantity(fit, name), n_draws(fit))) else numeric()
  }
  rows_of <- function(block) {
    name <- paste0("pooling_", block)
    pooling <- mean_of(name)
    layout <- packed_layout(fit, name)[seq_along(pooling), ]
    nothing <- rep(NA_real_, length(pooling))
    covariate <- fit$statistics$covariates[layout$covariate]
    feature <- features[layout$feature]
    data.frame(
      block = rep(block, length(pooling)),
      feature = if (block == "slope") paste(covariate, feature, sep = "~") else feature,
      pooling = pooling, tau = nothing, shrinkage_low = nothing, shrinkage_high = nothing
    )
  }
  means <- rows_of("mean")
  if (nrow(means) > 0) {
    means$tau <- mean_of("tau")
    if (is_stored(fit, "chol")) {
      weights <- shrinkage_weights(fit)[, means$feature, drop = FALSE]
      means$shrinkage_low <- apply(weights, 2, min)
      means$shrinkage_high <- apply(weights, 2, max)
    }
  }
  rbind(means, if (n_covariates(fit)) rows_of("slope"), rows_of("sd"), rows_of("cor"))
}

# Posterior mean of the shrinkage weights, [group, feature]. Of very many groups from every so many
# draws only, so that print() need not be waited for: the two digits it shows do not need more than
# 1e7 terms.
shrinkage_weights <- function(fit) {
  every <- ceiling(n_draws(fit) * n_groups(fit) * n_features(fit) / 1e7)
  tau <- matrix(tau_draws(fit), n_draws(fit))
  counts <- observed_counts(fit$statistics)
  weights <- lapply(group_chunks(fit), function(chunk) {
    found <- stored_of(fit, "chol", chunk)
    n <- counts[chunk, , drop = FALSE]
    mean_shrinkage_(found$values, found$at, n, tau, min(every, n_draws(fit)))
  })
  weights <- do.call(rbind, weights)
  dimnames(weights) <- dimnames(counts)
  weights
}
