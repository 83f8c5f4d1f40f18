# The frame of a prior: where the priors of standard deviations and correlations are stated, (F1) of
# vignette("model").

# internal -----------------------------------------------------------------

frame_choices <- c("raw", "pooled")

# The argument `frame` of hmvn_prior(): one of the choices, or a covariance matrix.
check_frame <- function(x, call) {
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
# the matrices.
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
  eigen <- eigen(covariance, symmetric = TRUE)
  if (!all(eigen$values > frame_tolerance * eigen$values[[1L]])) {
    abort_prior("A {.arg frame} must be positive definite.",
      paste(
        "The smallest of its eigenvalues is {format(min(eigen$values), digits = 3)}, the largest",
        "{format(max(eigen$values), digits = 3)}."
      ),
      "frame",
      hint = if (kind == "pooled") {
        "Leave out a feature that others determine, or use {.code frame = \"raw\"}."
      },
      call = call
    )
  }
  root <- eigen$vectors %*% (sqrt(eigen$values) * t(eigen$vectors))
  root <- (root + t(root)) / 2
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
# EM where cells are missing. With nu degrees of freedom (rows less groups) a share exp(-nu / K) is
# that of its diagonal: it exists with any number of rows, and with many it is the data's alone,
# however correlated features are.
pooled_covariance <- function(statistics) {
  patterns <- statistics$patterns
  k <- length(statistics$features)
  variance <- pooled_variances(statistics)
  nu <- max(sum(patterns$n) - length(unique(patterns$group)), 0)
  share <- exp(-nu / k)
  covariance <- diag(variance, k)
  steps <- if (all(patterns$observed)) 1L else 200L
  means <- group_means_start(patterns, length(statistics$labels), k)
  for (step in seq_len(steps)) {
    filled <- fill_scatter(patterns, covariance, means)
    last <- covariance
    own <- filled$scatter / max(nu, 1)
    covariance <- (1 - share) * own + share * diag(variance, k)
    means <- filled$means
    if (max(abs(covariance - last) / sqrt(outer(variance, variance))) < 1e-8) break
  }
  (covariance + t(covariance)) / 2
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
  sums <- n <- matrix(0, k, n_groups)
  for (p in seq_along(patterns$n)) {
    g <- patterns$group[[p]]
    seen <- patterns$observed[, p]
    sums[seen, g] <- sums[seen, g] + patterns$n[[p]] * patterns$mean[seen, p]
    n[seen, g] <- n[seen, g] + patterns$n[[p]]
  }
  overall <- rowSums(sums) / pmax(rowSums(n), 1e-300)
  ifelse(n > 0, sums / n, overall)
}

# The E-step: every group's expected mean, and the expected scatter about it, summed over groups.
fill_scatter <- function(patterns, covariance, means) {
  k <- nrow(covariance)
  n <- numeric(ncol(means))
  sums <- 0 * means
  scatter <- matrix(0, k, k)
  filled <- lapply(seq_along(patterns$n), function(p) {
    seen <- patterns$observed[, p]
    weight <- patterns$n[[p]]
    own <- matrix(patterns$scatter[, , p], k)
    mean <- patterns$mean[, p]
    if (!all(seen)) {
      own[!seen, ] <- own[, !seen] <- 0
      slope <- covariance[!seen, seen, drop = FALSE] %*%
        solve(covariance[seen, seen, drop = FALSE])
      center <- means[, patterns$group[[p]]]
      mean[!seen] <- center[!seen] + slope %*% (mean[seen] - center[seen])
      cross <- slope %*% own[seen, seen, drop = FALSE]
      left <- covariance[!seen, !seen, drop = FALSE] -
        slope %*% covariance[seen, !seen, drop = FALSE]
      own[!seen, seen] <- cross
      own[seen, !seen] <- t(cross)
      own[!seen, !seen] <- cross %*% t(slope) + weight * left
    }
    list(n = weight, mean = mean, scatter = own)
  })
  for (p in seq_along(filled)) {
    g <- patterns$group[[p]]
    n[[g]] <- n[[g]] + filled[[p]]$n
    sums[, g] <- sums[, g] + filled[[p]]$n * filled[[p]]$mean
  }
  has_rows <- n > 0
  means[, has_rows] <- sweep(sums[, has_rows, drop = FALSE], 2, n[has_rows], "/")
  for (p in seq_along(filled)) {
    off <- filled[[p]]$mean - means[, patterns$group[[p]]]
    scatter <- scatter + filled[[p]]$scatter + filled[[p]]$n * tcrossprod(off)
  }
  list(means = means, scatter = scatter)
}

frame_kind <- function(frame) if (is.matrix(frame)) "given" else frame

format_frame <- function(frame) {
  switch(frame$kind,
    raw = "the raw features",
    pooled = "the features whitened by their pooled covariance within groups",
    given = "the features whitened by a given covariance matrix"
  )
}
