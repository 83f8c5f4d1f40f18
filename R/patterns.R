# Patterns of statistics, merged and put in order, without and with covariates, (M2) and (M2') of
# vignette("model"). The pass over the rows and merging know features only: to them covariates are
# features that come last and are always observed.

# internal -----------------------------------------------------------------

# Merges what has the same group and observes the same features, and puts the result in
# the order all statistics have: group, fewer missing first, then lexicographic.
merge_patterns <- function(patterns) {
  if (length(patterns$group) == 0L) {
    return(patterns)
  }
  features <- seq_len(nrow(patterns$observed))
  n_missing <- colSums(!patterns$observed)
  # the C++ side compares bits with the last feature the most significant, 64 at a time
  words <- (features - 1L) %/% 64L
  significance <- features[order(words, -features)]
  bits <- lapply(significance, function(k) !patterns$observed[k, ])
  order <- do.call(order, c(list(patterns$group, n_missing), bits))
  group <- patterns$group[order]
  observed <- patterns$observed[, order, drop = FALSE]
  before <- seq_len(max(length(order) - 1L, 0L))
  same <- group[before] == group[before + 1L] &
    colSums(observed[, before, drop = FALSE] != observed[, before + 1L, drop = FALSE]) == 0
  first <- c(rep(TRUE, min(length(order), 1L)), !same)
  merged <- merge_moments_(patterns, order, cumsum(first), sum(first), features)
  list(
    group = group[first], n = merged$n, observed = observed[, first, drop = FALSE],
    mean = merged$mean, scatter = merged$scatter
  )
}

# n, mean and scatter over `features` of patterns `p` taken together; all of them must
# observe these features (or none of them, where mean and scatter are 0).
merge_moments <- function(patterns, p, features) {
  merged <- merge_moments_(patterns, p, rep(1L, length(p)), 1L, features)
  list(n = merged$n, mean = drop(merged$mean), scatter = matrix(merged$scatter, length(features)))
}

# Some of the patterns, by position.
pick_patterns <- function(patterns, at) {
  lapply(patterns, function(part) {
    switch(as.character(length(dim(part))),
      "2" = part[, at, drop = FALSE], "3" = part[, , at, drop = FALSE], part[at]
    )
  })
}

# Joint patterns, features first, as (M2').
split_covariates <- function(patterns, n_features) {
  size <- nrow(patterns$mean)
  if (size == n_features) {
    return(patterns)
  }
  y <- seq_len(n_features)
  x <- n_features + seq_len(size - n_features)
  list(
    group = patterns$group, n = patterns$n, observed = patterns$observed[y, , drop = FALSE],
    mean = patterns$mean[y, , drop = FALSE], scatter = patterns$scatter[y, y, , drop = FALSE],
    covariate_mean = patterns$mean[x, , drop = FALSE],
    covariate_scatter = patterns$scatter[x, x, , drop = FALSE],
    cross = patterns$scatter[x, y, , drop = FALSE]
  )
}

join_covariates <- function(patterns) {
  if (is.null(patterns$covariate_mean)) {
    return(patterns)
  }
  K <- nrow(patterns$mean)
  C <- nrow(patterns$covariate_mean)
  y <- seq_len(K)
  x <- K + seq_len(C)
  scatter <- array(0, c(K + C, K + C, length(patterns$n)))
  scatter[y, y, ] <- patterns$scatter
  scatter[x, x, ] <- patterns$covariate_scatter
  scatter[x, y, ] <- patterns$cross
  scatter[y, x, ] <- aperm(patterns$cross, c(2L, 1L, 3L))
  list(
    group = patterns$group, n = patterns$n,
    observed = rbind(patterns$observed, matrix(TRUE, C, length(patterns$n))),
    mean = rbind(patterns$mean, patterns$covariate_mean), scatter = scatter
  )
}

# Only the covariates of patterns, in the form of features.
covariate_patterns <- function(patterns) {
  list(n = patterns$n, mean = patterns$covariate_mean, scatter = patterns$covariate_scatter)
}

# Patterns with their features in the order `k`.
reorder_features <- function(patterns, k) {
  patterns$observed <- patterns$observed[k, , drop = FALSE]
  patterns$mean <- patterns$mean[k, , drop = FALSE]
  patterns$scatter <- patterns$scatter[k, k, , drop = FALSE]
  if (!is.null(patterns$cross)) patterns$cross <- patterns$cross[, k, , drop = FALSE]
  patterns
}

# Statistics, made by new_statistics(), with the covariates that their patterns have.
add_covariates <- function(statistics, design, n_without) {
  if (is.null(design)) {
    return(statistics)
  }
  patterns <- covariate_patterns(statistics$patterns)
  statistics$n_without_covariates <- as.integer(n_without)
  statistics$covariates <- design$names
  center <- if (length(patterns$n) == 0L) {
    double(length(design$names)) # of no rows
  } else {
    merge_moments(patterns, seq_along(patterns$n), seq_along(design$names))$mean
  }
  statistics$covariate_center <- stats::setNames(as.double(center), design$names)
  statistics$design <- design
  statistics
}

# The patterns in the form of the core: covariates about their centres.
core_patterns <- function(statistics) {
  patterns <- statistics$patterns
  if (length(statistics$covariates)) {
    patterns$covariate_mean <- patterns$covariate_mean - statistics$covariate_center
  }
  patterns
}
