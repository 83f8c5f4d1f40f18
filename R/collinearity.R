# The half of (M3) that is about correlations: do features that vary also vary jointly?

# internal -----------------------------------------------------------------

# As Sigma loses rank along a direction in which the rows do not vary, the density grows
# with the degrees of freedom beyond the rank; LKJ(eta) holds it back up to 2 eta.
# Returns a list of problems, see find_improper().
find_collinear <- function(statistics, eta, pooling, tolerance) {
  if (pooling[["cor"]] != "complete") {
    c(
      find_several_constant(statistics, eta),
      find_collinear_groups(statistics, eta, tolerance)
    )
  } else {
    find_collinear_pooled(statistics, eta, pooling, tolerance)
  }
}

# Features that are constant together have nothing but LKJ to keep their correlations from 1 and -1,
# whatever the prior of their sds. Judged where all rows of a group are complete.
find_several_constant <- function(statistics, eta) {
  patterns <- statistics$patterns
  K <- length(statistics$features)
  varies <- diagonals(drop_constants(patterns)) > 0
  n_constant <- colSums(!varies)
  alone <- !(duplicated(patterns$group) | duplicated(patterns$group, fromLast = TRUE))
  bad <- which(
    alone & colSums(patterns$observed) == K & n_constant > 1L &
      patterns$n - 1 >= 2 * eta + K - n_constant
  )
  lapply(bad, function(p) {
    list(
      kind = "collinear", group = statistics$labels[[patterns$group[[p]]]],
      features = statistics$features[!varies[, p]], n = patterns$n[[p]], eta = eta
    )
  })
}

find_collinear_groups <- function(statistics, eta, tolerance) {
  patterns <- statistics$patterns
  K <- length(statistics$features)
  complete <- colSums(patterns$observed) == K
  ranks <- scaled_ranks(drop_constants(patterns), K, tolerance)
  # complete rows of full rank clear the group, whatever is missing in its other rows; so
  # do too few rows
  cleared <- patterns$group[complete & ranks[, "rank"] == K]
  alone <- !(duplicated(patterns$group) | duplicated(patterns$group, fromLast = TRUE))
  full <- ranks[, "rank"] == ranks[, "varying"]
  fine <- complete & alone & (full | patterns$n - 1 - ranks[, "rank"] < 2 * eta)
  few <- which(group_n(statistics) - 2 < 2 * eta)
  left <- setdiff(patterns$group, c(cleared, patterns$group[fine], few))
  problems <- list()
  for (set in if (length(left) > 0L) sets_by_group(patterns, which(patterns$group %in% left))) {
    groups <- unique(patterns$group[set$rows])
    joint <- merge_moments_(
      patterns, set$rows, match(patterns$group[set$rows], groups), length(groups), set$features
    )
    size <- length(set$features)
    ranks <- scaled_ranks(drop_constants(joint), size, tolerance)
    bad <- which(is_degenerate(ranks, joint$n - 1 - ranks[, "rank"], eta + (K - size) / 2))
    bad <- bad[!as.character(groups[bad]) %in% names(problems)] # a group is named once
    found <- lapply(bad, function(p) {
      one <- list(n = joint$n[[p]], mean = joint$mean[, p], scatter = joint$scatter[, , p])
      label <- statistics$labels[[groups[[p]]]]
      collinear_problem(label, statistics$features[set$features], one, eta, tolerance)
    })
    problems <- c(problems, stats::setNames(found, groups[bad]))
  }
  unname(problems)
}

# The sets of features to try in each group of patterns `p`, all groups at once: a list of sets with
# the rows (patterns) that observe all of it in the groups where it is tried.
sets_by_group <- function(patterns, p) {
  K <- nrow(patterns$observed)
  p <- p[order(patterns$group[p], -patterns$n[p])]
  observed <- patterns$observed[, p, drop = FALSE]
  group <- patterns$group[p]
  largest <- sequence(rle(group)$lengths) <= 20L
  pattern <- do.call(paste, lapply(seq_len(K), function(k) +observed[k, ]))
  try_set <- function(features, groups) {
    if (length(features) < 2L) {
      return(NULL)
    }
    seen <- colSums(observed[features, , drop = FALSE]) == length(features)
    if (!is.null(groups)) seen <- seen & group %in% groups
    if (any(seen)) list(features = features, rows = p[seen])
  }
  own <- which(largest & colSums(observed) < K)
  own <- own[!duplicated(pattern[own])]
  pairs <- if (K > 2L && !all(observed)) utils::combn(K, 2L, simplify = FALSE)
  sets <- c(
    list(try_set(seq_len(K), NULL)),
    lapply(
      own, function(i) try_set(which(observed[, i]), group[largest & pattern == pattern[[i]]])
    ),
    lapply(pairs, try_set, groups = NULL)
  )
  Filter(Negate(is.null), sets)
}

find_collinear_pooled <- function(statistics, eta, pooling, tolerance) {
  patterns <- statistics$patterns
  features <- statistics$features
  K <- length(features)
  common_mean <- pooling[["mean"]] == "complete" && pooling[["sd"]] == "complete"
  for (set in feature_sets(patterns, seq_along(patterns$n))) {
    rows <- which(colSums(patterns$observed[set, , drop = FALSE]) == length(set))
    if (length(rows) == 0L) next
    if (common_mean) {
      joint <- merge_moments(patterns, rows, set)
      joint$scatter <- zero_constants(joint$scatter, joint$mean, joint$n)
    } else {
      joint <- pool_scatters(
        patterns, rows, set, own_sds = pooling[["sd"]] != "complete", tolerance
      )
    }
    rank <- scaled_ranks(joint$scatter, length(set), tolerance)
    beyond <- joint$beyond %||% ((joint$degrees %||% (joint$n - 1)) - rank[[1L, "rank"]])
    if (is_degenerate(rank, beyond, eta + (K - length(set)) / 2)) {
      return(list(collinear_problem(character(), features[set], joint, eta, tolerance)))
    }
  }
  list()
}

# The groups' scatters about their own means, added. Groups with sds of their own are added on
# the scale of their own correlations, and each pays for its own rank: its sds must fit too.
pool_scatters <- function(patterns, rows, set, own_sds, tolerance) {
  groups <- unique(patterns$group[rows])
  joint <- merge_moments_(patterns, rows, match(patterns$group[rows], groups), length(groups), set)
  scatter <- drop_constants(joint)
  beyond <- NULL
  if (own_sds) {
    scatter <- correlation_scaled(scatter)
    beyond <- sum(joint$n - 1 - scaled_ranks(scatter, length(set), tolerance)[, "rank"])
  }
  list(
    n = sum(joint$n), mean = rep(0, length(set)), scatter = rowSums(scatter, dims = 2L),
    degrees = sum(joint$n - 1), beyond = beyond
  )
}

# (M3) fails: features that vary do not vary jointly, and the degrees of freedom `beyond` the
# rank are too many for LKJ(eta).
is_degenerate <- function(ranks, beyond, eta) {
  ranks[, "rank"] < ranks[, "varying"] & beyond >= 2 * eta
}

# Of every scatter matrix [feature, feature, p] its rank on the scale of correlations, and how many
# features vary: a matrix [p, c("rank", "varying")].
scaled_ranks <- function(scatter, n_features, tolerance) {
  ranks <- scaled_ranks_(scatter, n_features, tolerance)
  colnames(ranks) <- c("rank", "varying")
  ranks
}

feature_sets <- function(patterns, p) {
  K <- nrow(patterns$observed)
  sets <- list(seq_len(K))
  if (all(patterns$observed[, p])) {
    return(sets)
  }
  largest <- p[order(-patterns$n[p])][seq_len(min(length(p), 20L))]
  own <- lapply(largest, function(q) which(patterns$observed[, q]))
  pairs <- if (K > 2L) utils::combn(K, 2L, simplify = FALSE)
  sets <- unique(c(sets, own, pairs))
  sets[lengths(sets) > 1L]
}

# Scatter with the rows and columns of constant features exactly 0: a constant feature is
# not a matter of correlations (its sd prior decides), and rounding must not make it one.
zero_constants <- function(scatter, mean, n) {
  constant <- sqrt(diag(scatter) / n) <= constant_tolerance * abs(mean)
  scatter[constant, ] <- 0
  scatter[, constant] <- 0
  scatter
}

drop_constants <- function(patterns) {
  K <- nrow(patterns$mean)
  diagonal <- diagonals(patterns$scatter)
  constant <- sqrt(diagonal / rep(patterns$n, each = K)) <= constant_tolerance * abs(patterns$mean)
  scatter <- patterns$scatter
  if (any(constant)) {
    scatter[rows_and_columns(constant, `|`)] <- 0
  }
  scatter
}

# Every slice [feature, feature, p] scaled to a correlation matrix
correlation_scaled <- function(scatter) {
  scale <- sqrt(diagonals(scatter))
  scale[scale == 0] <- 1
  scatter / rows_and_columns(scale, `*`)
}

# The diagonals of [feature, feature, p]: [feature, p]
diagonals <- function(scatter) {
  K <- dim(scatter)[[1L]]
  matrix(scatter, K * K)[(seq_len(K) - 1L) * K + seq_len(K), , drop = FALSE]
}

# f of the value of the row and that of the column, for every entry of [feature, feature, p];
# `values`: [feature, p]
rows_and_columns <- function(values, f) {
  K <- nrow(values)
  rows <- values[rep(seq_len(K), K), ]
  columns <- values[rep(seq_len(K), each = K), ]
  array(f(rows, columns), c(K, K, ncol(values)))
}

# `joint`: n, mean and scatter of the rows that observe `features`.
collinear_problem <- function(group, features, joint, eta, tolerance) {
  list(
    kind = "collinear", group = group, n = joint$n, eta = eta,
    features = smallest_collinear(joint$scatter, features, joint$mean, joint$n, tolerance)
  )
}

# Drops features as long as those left are still collinear, so that those named are the culprits.
smallest_collinear <- function(scatter, features, mean, n, tolerance) {
  scatter <- zero_constants(scatter, mean, n)
  left <- which(diag(scatter) > 0)
  for (k in left) {
    without <- setdiff(left, k)
    if (length(without) < 2L) break
    rank <- scaled_ranks(scatter[without, without], length(without), tolerance)
    if (rank[[1L, "rank"]] < rank[[1L, "varying"]]) left <- without
  }
  features[left]
}
