# Statistics from which the effect of covariates is taken: what is left tells of the covariance
# matrices within groups, wherever these are looked at before or without sampling.

# internal -----------------------------------------------------------------

# Statistics without covariates: of the rows' residuals about estimated slopes, each group's own
# (drawn towards those of all rows), or those of all rows (`common`). What slopes take from the
# scatter of residuals is given back, so that scatter / (n - 1) is about their covariance matrix.
without_covariates <- function(statistics, common = FALSE) {
  size <- length(statistics$covariates)
  patterns <- statistics$patterns
  if (size == 0L) {
    return(statistics)
  }
  left <- adjust_patterns_(
    core_patterns(statistics), length(statistics$labels), length(statistics$features), size, common
  )
  n <- if (common) sum(patterns$n) else rowsum(patterns$n, patterns$group)[
    as.character(patterns$group), 1L
  ]
  freedom <- pmax(n - 1, 0)
  taken <- size * if (common) 1 else n / (n + size + 1)
  factor <- ifelse(freedom > taken, freedom / (freedom - taken), 1)
  factor <- rep_len(factor, length(patterns$n))
  own <- c("covariate_mean", "covariate_scatter", "cross")
  patterns <- patterns[setdiff(names(patterns), own)]
  patterns$mean[] <- left$mean
  patterns$scatter[] <- left$scatter * rep(factor, each = length(statistics$features)^2)
  statistics$patterns <- patterns
  statistics$covariates <- character()
  statistics
}

# Statistics in which the scatter of complete groups is that of residuals about their own least
# squares, with the rank of the covariates taken from the rows: what (M3) judges where slopes are a
# group's own. Groups with missing cells stay as they are.
own_residuals <- function(statistics, tolerance) {
  patterns <- statistics$patterns
  size <- length(statistics$covariates)
  if (size == 0L) {
    return(statistics)
  }
  single <- !(duplicated(patterns$group) | duplicated(patterns$group, fromLast = TRUE))
  k <- length(statistics$features)
  for (p in which(single & colSums(patterns$observed) == k)) {
    x <- matrix(patterns$covariate_scatter[, , p], size)
    scale <- sqrt(diag(x))
    scale[scale == 0] <- 1
    eigen <- eigen(x / outer(scale, scale), symmetric = TRUE)
    kept <- eigen$values > tolerance * max(eigen$values, 0)
    root <- eigen$vectors[, kept, drop = FALSE] / scale
    root <- sweep(root, 2L, sqrt(eigen$values[kept]), "/")
    explained <- crossprod(crossprod(root, matrix(patterns$cross[, , p], size)))
    left <- matrix(patterns$scatter[, , p], k) - explained
    # what is left of a share below the tolerance is rounding
    rounding <- diag(left) <= tolerance * diag(matrix(patterns$scatter[, , p], k))
    left[rounding, ] <- left[, rounding] <- 0
    patterns$scatter[, , p] <- left
    patterns$n[[p]] <- patterns$n[[p]] - sum(kept)
  }
  statistics$patterns <- patterns
  statistics
}
