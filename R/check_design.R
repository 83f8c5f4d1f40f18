# Can slopes be told apart, and from the groups' means? (M3) where there are covariates.

# internal -----------------------------------------------------------------

# Stops where covariates are collinear within groups, all of them together: what does not vary
# within groups is part of the groups' means. In single groups they may be: slopes have proper
# priors. What varies between groups only has slopes where these and all means are pooled; then
# covariates must not be collinear over all rows. `coefficients`: their pooling, see
# coefficient_pooling(). The tolerance is that of features (check_propriety()).
check_design <- function(statistics, coefficients, call = NULL, tolerance = 1e-10) {
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
  if (scaled_ranks(pooled, length(names), tolerance)[, "rank"] == length(names)) {
    return(invisible(NULL))
  }
  columns <- collinear_columns(pooled, names, tolerance)
  # of fewer columns than there are some may be collinear over all rows, some within groups only
  if (any(coefficients[c("mean", columns), ] == "none")) {
    abort_design(columns, "within", call)
  }
  all_rows <- merge_moments(patterns, seq_along(patterns$n), seq_along(names))
  scatter <- zero_constants(all_rows$scatter, all_rows$mean, all_rows$n)
  if (scaled_ranks(scatter, length(names), tolerance)[, "rank"] < length(names)) {
    abort_design(collinear_columns(scatter, names, tolerance), "over", call)
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

# `where`: "within" groups, or "over" all rows.
abort_design <- function(columns, where, call) {
  within <- where == "within"
  place <- if (within) "Within groups, all of them together," else "Over all rows"
  abort_hmvn(
    c(
      if (within) {
        "Covariates must vary within groups, and must not be collinear there."
      } else {
        "Covariates must vary, and must not be collinear."
      },
      x = paste(
        place, "{.field {columns}} {cli::qty(length(columns))}",
        "{?does not vary/are collinear or do not vary}."
      ),
      i = if (within) {
        "Leave out one of them, or the term it belongs to: groups have means of their own."
      } else {
        "Leave out one of them, or the term it belongs to."
      },
      i = if (within) paste(
        "What varies between groups only has a slope where means are pooled, and slopes:",
        "{.code pooling = c(mean = \"partial\", slope = \"complete\")}."
      )
    ),
    "covariates", column = columns, call = call
  )
}
