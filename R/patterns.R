# Patterns of statistics (M2), merged and put in order.

# internal -----------------------------------------------------------------

# Merges what has the same group and observes the same features, and puts the result in
# the order all statistics have: group, fewer missing first, then lexicographic.
merge_patterns <- function(patterns) {
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
