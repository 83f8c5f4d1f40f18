# Can slopes be told apart, and from the groups' means? (M3) where there are covariates.

# internal -----------------------------------------------------------------

# Stops where covariates are collinear within groups, all of them together: what does not vary
# within groups is part of the groups' means. `by_group`: slopes are each group's own, so that they
# must not be collinear in any group with rows. The tolerance is that of features
# (check_propriety()).
check_design <- function(statistics, by_group = FALSE, call = NULL, tolerance = 1e-10) {
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
  own$scatter <- drop_constants(own)
  pooled <- rowSums(own$scatter, dims = 2L)
  if (scaled_ranks(pooled, length(names), tolerance)[, "rank"] < length(names)) {
    abort_design(character(), collinear_columns(pooled, names, tolerance), call)
  }
  if (by_group) check_design_groups(own$scatter, statistics$labels[groups], names, call, tolerance)
}

check_design_groups <- function(scatter, labels, names, call, tolerance) {
  bad <- which(scaled_ranks(scatter, length(names), tolerance)[, "rank"] < length(names))
  if (length(bad) == 0L) {
    return(invisible(NULL))
  }
  columns <- lapply(bad, function(g) {
    collinear_columns(matrix(scatter[, , g], length(names)), names, tolerance)
  })
  abort_design(labels[bad], unique(unlist(columns)), call)
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

abort_design <- function(groups, columns, call) {
  shown <- few(groups)
  where <- if (length(groups) == 0L) {
    "Within groups, all of them together,"
  } else {
    "In {cli::qty(length(groups))}group{?s} {.val {shown}},"
  }
  problem <- paste(
    "{.field {columns}} {cli::qty(length(columns))}",
    "{?does not vary/are collinear or do not vary}."
  )
  abort_hmvn(
    c(
      "Covariates must vary within groups, and must not be collinear there.",
      x = paste(where, problem),
      i = if (length(groups) == 0L) {
        "Leave out one of them, or the term it belongs to: groups have means of their own."
      } else {
        "Leave out one of them, or let groups share their slopes, for example by
          {.code pooling = c(slope = \"partial\")}."
      }
    ),
    "covariates", column = columns, group = groups, call = call
  )
}
