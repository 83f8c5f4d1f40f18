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
