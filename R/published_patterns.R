# Published means and covariance matrices as if rows had been counted: by pattern of observed cells.

# internal -----------------------------------------------------------------

published_patterns <- function(published, n, call) {
  K <- ncol(published$mean)
  parts <- unlist(lapply(seq_along(n), function(g) {
    there <- unname(which(!is.na(published$mean[g, ])))
    sets <- if (n[[g]] == 1) list(there) else seen_together(published, g, there, call)
    lapply(sets, function(k) list(group = g, features = k))
  }), recursive = FALSE)
  inform_of_other_rows(parts, published, call)
  mean <- matrix(0, K, length(parts))
  observed <- matrix(FALSE, K, length(parts))
  scatter <- array(0, c(K, K, length(parts)))
  for (p in seq_along(parts)) {
    g <- parts[[p]]$group
    k <- parts[[p]]$features
    observed[k, p] <- TRUE
    mean[k, p] <- published$mean[g, k]
    if (n[[g]] > 1) {
      own <- published$cov[[g]][k, k, drop = FALSE]
      scatter[k, k, p] <- published_scatter(own, n[[g]], published$arg, names(n)[[g]], call)
    }
  }
  group <- vapply(parts, `[[`, 0L, "group")
  list(group = group, n = unname(n)[group], observed = observed, mean = mean, scatter = scatter)
}

# Sets of the features `there` of a group whose correlations are all known, as if each had been
# measured on other rows. Stops where sets overlap.
seen_together <- function(published, g, there, call) {
  known <- !is.na(published$cov[[g]][there, there, drop = FALSE])
  diag(known) <- TRUE
  first <- apply(known, 1L, function(row) match(TRUE, row))
  apart <- which(known != outer(first, first, `==`), arr.ind = TRUE)
  if (length(apart) == 0L) {
    return(unname(split(there, first)))
  }
  label <- rownames(published$mean)[[g]]
  features <- colnames(published$mean)[there]
  pair <- which(!known, arr.ind = TRUE)
  of <- features[pair[1L, 2:1]]
  abort_from(
    paste(
      "Where single correlations are not known, features must fall into sets: all correlations",
      "known within each, none between."
    ),
    paste(
      "In group {.val {label}} that of {.field {of[1]}} and {.field {of[2]}} is not, although both",
      "are part of the same set through others."
    ),
    published$arg, label, call = call
  )
}

inform_of_other_rows <- function(parts, published, call) {
  group <- vapply(parts, `[[`, 0L, "group")
  if (published$arg == "sd" || !anyDuplicated(group)) {
    return(invisible())
  }
  labels <- rownames(published$mean)[unique(group[duplicated(group)])]
  inform_hmvn(
    c(
      paste(
        "Features of {cli::qty(length(labels))}group{?s} {.val {labels}} whose correlation is not",
        "known are read as of different rows."
      ),
      i = "These correlations keep what the prior and other groups say of them."
    ),
    "no_cor"
  )
}

published_scatter <- function(cov, n, arg, label, call) {
  check_covariance(cov, arg, label, call)
  # halves first, since a sum may overflow
  scatter <- (n - 1) * (cov / 2 + t(cov) / 2)
  check_scatter(scatter, arg, label, call)
  scatter
}

check_scatter <- function(scatter, arg, label, call) {
  if (!all(is.finite(scatter))) {
    abort_from("{.arg {arg}} times {.arg n} must be finite.",
      "That of group {.val {label}} is not: use a larger unit.", arg, label, call = call
    )
  }
}

# Symmetric and without a negative eigenvalue, to the rounding of published numbers
# (1e-6 of the largest correlation-scaled eigenvalue is far below any rounding seen).
check_covariance <- function(m, arg, label, call) {
  problem <- if (!all(is.finite(m))) {
    "contains NA or infinite numbers"
  } else if (any(abs(m - t(m)) > 1e-8 * max(abs(m)))) {
    "is not symmetric"
  } else if (any(diag(m) < 0)) {
    "has a negative variance"
  } else {
    scale <- sqrt(diag(m))
    scale[scale == 0] <- 1
    values <- eigen(t(m / scale) / scale, symmetric = TRUE, only.values = TRUE)$values
    if (min(values) < -1e-6) "has a negative eigenvalue"
  }
  if (!is.null(problem)) {
    abort_from("{.arg {arg}} must give covariance matrices.",
      "That of group {.val {label}} {problem}.", arg, label, call = call
    )
  }
}
