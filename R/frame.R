# The frame of a prior: where the priors of standard deviations and correlations are stated, (F1) of
# vignette("model").

# internal -----------------------------------------------------------------

frame_choices <- c("raw", "pooled")

# The frame of a prior that leaves it unset: what is written out is on the raw features, and so is
# what groups have in common by itself, sds or correlations alone, for in a frame the features' own
# would differ by group. `pooling`: see resolve_pooling().
choose_frame <- function(prior, pooling, known) {
  if (!is.list(prior) || known) {
    return("raw") # what is no prior is said elsewhere
  }
  if (!is.null(prior$frame)) {
    return(prior$frame)
  }
  common <- vapply(c("sd", "cor"), function(block) {
    h <- prior$heterogeneity[[block]]
    pooling[[block]] == "complete" || (pooling[[block]] == "partial" && identical(h, 0))
  }, TRUE)
  written <- !is.null(prior$sd) || !is.null(prior$cor)
  if (written || common[["sd"]] != common[["cor"]]) "raw" else "pooled"
}

# The argument `frame` of hmvn_prior(): one of the choices, or a covariance matrix.
check_frame <- function(x, call) {
  if (is.null(x)) {
    return(NULL)
  }
  if (is.character(x) && length(x) == 1L && x %in% frame_choices) {
    return(x)
  }
  if (!is.matrix(x) || !is.numeric(x)) {
    found <- if (is.character(x)) deparse1(x) else describe_value(x)
    abort_prior("{.arg frame} must be {.val raw}, {.val pooled} or a covariance matrix.",
      "It is {found}.", "frame",
      call = call
    )
  }
  if (nrow(x) != ncol(x) || !all(is.finite(x)) || !isSymmetric(unname(x), tol = 1e-8)) {
    abort_prior("A {.arg frame} must be a symmetric matrix of finite numbers.",
      "It is {nrow(x)} x {ncol(x)} and {if (all(is.finite(x))) 'not symmetric' else 'not finite'}.",
      "frame",
      call = call
    )
  }
  x
}

# list(kind, covariance = P, root = C) for the features of the statistics; of the raw frame without
# the matrices. C = D R^(1/2) with D the sds of P and R its correlations, R^(1/2) symmetric: in
# other units or another order of the features C is that in the same units and order.
resolve_frame <- function(frame, statistics, call) {
  features <- statistics$features
  if (identical(frame, "raw")) {
    return(list(kind = "raw", covariance = NULL, root = NULL))
  }
  if (is.matrix(frame)) {
    kind <- "given"
    covariance <- match_frame(frame, features, call)
  } else {
    kind <- "pooled"
    covariance <- pooled_covariance(without_covariates(statistics))
  }
  sd <- sqrt(pmax(diag(covariance), 0))
  scale <- ifelse(sd > 0, sd, 1)
  eigen <- eigen(covariance / outer(scale, scale), symmetric = TRUE)
  if (!all(eigen$values > frame_tolerance * eigen$values[[1L]])) {
    abort_prior("A {.arg frame} must be positive definite.",
      paste(
        "Of its correlations the smallest eigenvalue is {format(min(eigen$values), digits = 3)},",
        "the largest {format(max(eigen$values), digits = 3)}."
      ),
      "frame",
      hint = if (kind == "pooled") {
        "Leave out a feature that others determine, or use {.code frame = \"raw\"}."
      },
      call = call
    )
  }
  root <- eigen$vectors %*% (sqrt(eigen$values) * t(eigen$vectors))
  root <- sd * (root + t(root)) / 2
  dimnames(covariance) <- dimnames(root) <- list(features, features)
  list(kind = kind, covariance = covariance, root = root)
}

# Below this share of the largest eigenvalue one is rounding error.
frame_tolerance <- 1e-14

# A given matrix in the order of the features.
match_frame <- function(frame, features, call) {
  names <- rownames(frame) %||% colnames(frame)
  if (nrow(frame) != length(features)) {
    size <- length(features)
    abort_prior("A {.arg frame} must have a row and a column for each feature.",
      "It is {nrow(frame)} x {ncol(frame)} for {size} feature{?s}.", "frame",
      call = call
    )
  }
  if (is.null(names)) {
    return(unname(frame))
  }
  agrees <- is.null(rownames(frame)) || is.null(colnames(frame)) ||
    identical(rownames(frame), colnames(frame))
  if (!agrees || !setequal(names, features) || anyDuplicated(names)) {
    abort_prior(
      "Names of the rows and columns of {.arg frame} must be the features, {.field {features}}.",
      "They are {.val {names}}.", "frame",
      call = call
    )
  }
  at <- match(features, names)
  unname(frame[at, at, drop = FALSE])
}

# The covariance matrix within groups that all groups would have in common, from the statistics: by
# EM where cells are missing. It is drawn towards its diagonal as far as the data bear it out, see
# diagonal_rows(): it exists with any number of rows, and with many it is the data's alone, however
# correlated features are; or not (`shrink`).
pooled_covariance <- function(statistics, shrink = TRUE) {
  k <- length(statistics$features)
  variance <- pooled_variances(statistics)
  # about the features' sds; powers of 2 change no digit
  unit <- 2^round(log2(sqrt(variance)))
  unit[!is.finite(unit) | unit == 0] <- 1
  patterns <- change_units(statistics$patterns, unit)
  variance <- variance / unit^2
  # as many rows as pairs of cells are observed
  observed <- sum(patterns$n * colMeans(patterns$observed)^2) / max(sum(patterns$n), 1)
  nu <- observed * max(sum(patterns$n) - length(unique(patterns$group)), 0)
  covariance <- diag(variance, k)
  steps <- if (all(patterns$observed)) 1L else 200L
  means <- group_means_start(patterns, length(statistics$labels), k)
  sets <- same_features(patterns)
  for (step in seq_len(steps)) {
    filled <- fill_scatter(patterns, sets, covariance, means)
    last <- covariance
    covariance <- if (shrink) {
      towards_diagonal(observed * filled$scatter, nu, variance)
    } else {
      # has an inverse where features are exactly collinear
      observed * filled$scatter / nu + diag(if (steps > 1L) 1e-12 * variance else 0, k)
    }
    means <- filled$means
    if (max(abs(covariance - last) / outer(sqrt(variance), sqrt(variance))) < em_tolerance) break
  }
  (covariance + t(covariance)) / 2 * outer(unit, unit)
}

# Patterns of features that are divided by `unit`.
change_units <- function(patterns, unit) {
  patterns$mean <- patterns$mean / unit
  patterns$scatter <- patterns$scatter / c(outer(unit, unit))
  patterns
}

# In units of the features' sds: a prior need not know more.
em_tolerance <- 1e-5

# The posterior mean of a covariance matrix with scatter matrix `scatter` of nu degrees of freedom
# under the prior inverse-Wishart whose mean is diagonal, (F2).
towards_diagonal <- function(scatter, nu, variance) {
  rows <- diagonal_rows(scatter, nu, variance)
  (scatter + rows * diag(variance, length(variance))) / (nu + rows)
}

# How many rows the diagonal is worth: where the marginal likelihood (F2) of the scatter matrix has
# its maximum. At least 1e-10, so that there is a frame where features are exactly collinear, which
# check_propriety() then says; at most 1e6.
diagonal_rows <- function(scatter, nu, variance) {
  k <- length(variance)
  if (k == 1L || nu == 0) {
    return(1e6)
  }
  sd <- sqrt(variance)
  roots <- pmax(eigen(scatter / outer(sd, sd), symmetric = TRUE, only.values = TRUE)$values, 0)
  log_gamma <- function(x) sum(lgamma((x + 1 - seq_len(k)) / 2))
  log_density <- function(log_rows) {
    rows <- exp(log_rows)
    freedom <- rows + k + 1
    log_gamma(freedom + nu) - log_gamma(freedom) +
      (freedom * k * log_rows - (freedom + nu) * sum(log(rows + roots))) / 2
  }
  grid <- log(10) * seq(-10, 6, by = 0.5)
  best <- which.max(vapply(grid, log_density, 0))
  around <- grid[pmin(pmax(best + c(-1, 1), 1), length(grid))]
  exp(stats::optimize(log_density, around, maximum = TRUE)$maximum)
}

# Of each feature, over the patterns that observe it; where nothing varies within groups, that of
# all cells.
pooled_variances <- function(statistics) {
  patterns <- statistics$patterns
  k <- length(statistics$features)
  squares <- vapply(seq_len(k), function(i) sum(patterns$scatter[i, i, ]), 0)
  freedom <- vapply(seq_len(k), function(i) {
    sum(pmax(patterns$n[patterns$observed[i, ]] - 1, 0))
  }, 0)
  within <- squares / pmax(freedom, 1)
  total <- pooled_moments(statistics)$sd^2
  unname(ifelse(within > 0 & freedom > 0, within, total))
}

group_means_start <- function(patterns, n_groups, k) {
  n <- rep(patterns$n, each = k) * patterns$observed
  by_group <- function(x) {
    out <- matrix(0, k, n_groups)
    out[, unique(patterns$group)] <- t(rowsum(t(x), patterns$group, reorder = FALSE))
    out
  }
  sums <- by_group(n * patterns$mean)
  n <- by_group(n)
  overall <- rowSums(sums) / pmax(rowSums(n), 1e-300)
  ifelse(n > 0, sums / n, overall)
}

# What patterns that observe the same features have in common: a list of `seen` (features), `at`
# (positions of the patterns), `n` and `scatter`, their sums.
same_features <- function(patterns) {
  k <- nrow(patterns$observed)
  key <- do.call(paste, lapply(seq_len(k), function(i) +patterns$observed[i, ]))
  lapply(unname(split(seq_along(key), key)), function(at) {
    list(
      seen = patterns$observed[, at[[1L]]], at = at, n = sum(patterns$n[at]),
      scatter = rowSums(patterns$scatter[, , at, drop = FALSE], dims = 2L)
    )
  })
}

# The E-step: every group's expected mean, and the expected scatter about it, summed over groups.
# `sets`: see same_features().
fill_scatter <- function(patterns, sets, covariance, means) {
  scatter <- 0 * covariance
  filled <- patterns$mean
  for (set in sets) {
    seen <- set$seen
    own <- set$scatter
    if (!all(seen)) {
      own[!seen, ] <- own[, !seen] <- 0
      slope <- covariance[!seen, seen, drop = FALSE] %*%
        solve(covariance[seen, seen, drop = FALSE])
      center <- means[, patterns$group[set$at], drop = FALSE]
      off <- filled[seen, set$at, drop = FALSE] - center[seen, , drop = FALSE]
      filled[!seen, set$at] <- center[!seen, , drop = FALSE] + slope %*% off
      cross <- slope %*% own[seen, seen, drop = FALSE]
      left <- covariance[!seen, !seen, drop = FALSE] -
        slope %*% covariance[seen, !seen, drop = FALSE]
      own[!seen, seen] <- cross
      own[seen, !seen] <- t(cross)
      own[!seen, !seen] <- cross %*% t(slope) + set$n * left
    }
    scatter <- scatter + own
  }
  groups <- unique(patterns$group)
  n <- rep(patterns$n, each = nrow(filled))
  sums <- rowsum(t(filled * n), patterns$group, reorder = FALSE)
  means[, groups] <- t(sums / c(rowsum(patterns$n, patterns$group, reorder = FALSE)))
  off <- filled - means[, patterns$group, drop = FALSE]
  list(means = means, scatter = scatter + tcrossprod(off * n, off))
}

frame_kind <- function(frame) if (is.matrix(frame)) "given" else frame

format_frame <- function(frame) {
  switch(frame$kind,
    raw = "the raw features",
    pooled = "the features whitened by their pooled covariance within groups",
    given = "the features whitened by a given covariance matrix"
  )
}
