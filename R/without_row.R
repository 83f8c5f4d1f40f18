# Leaving out one row of a fit: its statistics go down by the row's, (M2').

# internal -----------------------------------------------------------------

# The statistics of a unit without row `i` of `rows` (all of the fit's). `statistics`: the unit's;
# `group`: the row's, among those of the unit.
statistics_without_row <- function(statistics, rows, i, group) {
  joint <- join_covariates(statistics$patterns)
  y <- rows$values[, i]
  x <- rows$covariates[, i] + statistics$covariate_center
  joint <- subtract_row(joint, c(y, x), group, rows$weights[i] %||% 1)
  statistics$patterns <- split_covariates(joint, length(y))
  statistics
}

# Patterns without one row of weight `w`, whose cells are `z`, NA where missing.
subtract_row <- function(patterns, z, group, w) {
  own <- colSums(patterns$observed != !is.na(z)) == 0 & patterns$group == group
  p <- which(own)
  stopifnot(length(p) == 1L)
  n <- patterns$n[[p]]
  left <- n - w
  if (left <= 1e-9 * n) {
    return(pick_patterns(patterns, -p))
  }
  deviation <- z - patterns$mean[, p]
  deviation[is.na(z)] <- 0
  scatter <- patterns$scatter[, , p] - w * n / left * tcrossprod(deviation)
  # one row has none, whatever rounding left
  patterns$scatter[, , p] <- if (left == 1) 0 else scatter
  patterns$mean[, p] <- patterns$mean[, p] - w / left * deviation
  patterns$n[[p]] <- left
  patterns
}
