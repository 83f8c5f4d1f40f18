# Can slopes be told apart, and from the groups' means? (M3) where there are covariates.

# internal -----------------------------------------------------------------

# Stops where covariates are collinear within groups, all of them together: what does not vary
# within groups is part of the groups' means. In single groups they may be: slopes have proper
# priors. The tolerance is that of features (check_propriety()).
check_design <- function(statistics, call = NULL, tolerance = 1e-10) {
  patterns <- covariate_patterns(statistics$patterns)
  names <- statistics$covariates
  if (length(names) == 0L || length(patterns$n) == 0L) {
    return(invisible(NULL))
  }
  groups <- unique(statistics$patterns$group)
  own <- merge_moments_(
    patterns, seq_along(patterns$n), match(statistics$patterns$group, groups), length(groups),
    seq_along(names)
  )
  pooled <- rowSums(drop_constants(own), dims = 2L)
  if (scaled_ranks(pooled, length(names), tolerance)[, "rank"] < length(names)) {
    abort_design(collinear_columns(pooled, names, tolerance), call)
  }
}

# Those that do not vary; where all vary, the fewest that are collinear.
collinear_columns <- function(scatter, names, tolerance) {
  constant <- diag(scatter) <= 0
  if (any(constant)) {
    return(names[constant])
  }
  # scatters are centred, so that there is no mean to compare them with
  smallest_collinear(scatter, names, rep(0, length(names)), 1, tolerance)
}

abort_design <- function(columns, call) {
  abort_hmvn(
    c(
      "Covariates must vary within groups, and must not be collinear there.",
      x = paste(
        "Within groups, all of them together, {.field {columns}} {cli::qty(length(columns))}",
        "{?does not vary/are collinear or do not vary}."
      ),
      i = "Leave out one of them, or the term it belongs to: groups have means of their own."
    ),
    "covariates", column = columns, call = call
  )
}
