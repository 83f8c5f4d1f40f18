# What an hmvn_statistics object must be, whoever made it: C++ reads its arrays as they stand.

# internal -----------------------------------------------------------------

# Every entrance that takes statistics from the user calls this. `arg`: the argument they came in.
validate_statistics <- function(statistics, arg, call) {
  fine <- function(ok, problem, group = NULL) {
    if (isTRUE(ok)) {
      return(invisible())
    }
    abort_hmvn(
      c(
        "Statistics must be as {.fn hmvn_statistics} makes them.",
        x = "In these {problem}.",
        i = "Make them anew by {.fn hmvn_statistics} or {.fn hmvn_statistics_from}."
      ),
      "statistics", argument = arg, group = group, call = call
    )
  }
  validate_statistics_shape(statistics, fine)
  validate_moments(statistics, fine)
  statistics
}

statistics_parts <- c(
  "labels", "keys", "features", "patterns", "n_rows", "n_empty", "n_missing", "weighted",
  "n_without_covariates", "covariates", "covariate_center", "design", "known"
)

# Types, names and sizes: what it takes to index them. `fine(ok, problem)` stops unless ok.
validate_statistics_shape <- function(s, fine) {
  fine(inherits(s, "hmvn_statistics") && is.list(s), "there are no statistics")
  fine(identical(names(s), statistics_parts), "parts have other names")
  fine(are_names(s$labels), "labels of groups are not unique names")
  fine(are_names(s$features), "names of features are not unique names")
  fine(is.data.frame(s$keys) && is.list(s$keys), "`keys` are no data frame")
  keys_fit <- all(lengths(s$keys) == length(s$labels)) && length(s$keys) > 0L
  fine(keys_fit && are_names(names(s$keys)), "`keys` do not fit the groups")
  counts <- unclass(s)[c("n_rows", "n_empty", "n_missing", "n_without_covariates")]
  whole <- vapply(counts, function(n) is_plain_number(n) && n >= 0, TRUE)
  fine(all(whole), "counts of rows and cells are no numbers")
  fine(is.logical(s$weighted) && length(s$weighted) == 1L && !is.na(s$weighted),
    "`weighted` is not TRUE or FALSE")
  validate_covariates(s, fine)
  validate_patterns(s$patterns, length(s$labels), length(s$features), fine)
  if (length(s$covariates) > 0L) validate_covariate_patterns(s, fine)
  fine(
    is.logical(s$known) && length(s$known) == 1L && !is.na(s$known), "`known` is not TRUE or FALSE"
  )
  if (s$known) validate_known(s, fine)
}

validate_covariates <- function(s, fine) {
  fine(is.integer(s$n_without_covariates), "counts of rows and cells are no numbers")
  if (length(s$covariates) == 0L) {
    fine(identical(s$covariates, character()), "names of covariates are not unique names")
    fine(is.null(s$design), "there is a design of covariates, but no covariate")
    fine(identical(s$covariate_center, double()), "`covariate_center` has another length")
    parts <- c("group", "n", "observed", "mean", "scatter")
    fine(
      is.list(s$patterns) && identical(names(s$patterns), parts), "`patterns` has other parts"
    )
    return(invisible())
  }
  fine(are_names(s$covariates), "names of covariates are not unique names")
  center <- s$covariate_center
  fine(
    is.double(center) && identical(names(center), s$covariates) && all(is.finite(center)),
    "`covariate_center` are not finite numbers, one for each covariate"
  )
  validate_design(s$design, s$covariates, fine)
  parts <- c(
    "group", "n", "observed", "mean", "scatter", "covariate_mean", "covariate_scatter", "cross"
  )
  fine(is.list(s$patterns) && identical(names(s$patterns), parts), "`patterns` has other parts")
}

# Estimates with known covariance matrices: one a group, with a variance wherever it has a feature.
validate_known <- function(s, fine) {
  patterns <- s$patterns
  once <- !anyDuplicated(patterns$group) && all(patterns$n == 1) && length(s$covariates) == 0L
  fine(once, "estimates with known covariances are not one a group")
  positive <- vapply(seq_along(patterns$n), function(p) {
    seen <- patterns$observed[, p]
    is_positive_definite(patterns$scatter[seen, seen, p])
  }, TRUE)
  fine(all(positive), "a known covariance matrix is not positive definite")
}

is_positive_definite <- function(m) {
  m <- as.matrix(m)
  if (!all(is.finite(m)) || any(diag(m) <= 0)) {
    return(FALSE)
  }
  # 1 / diag(m), as of cov2cor(), may overflow
  scale <- sqrt(diag(m))
  min(eigen(t(m / scale) / scale, TRUE, TRUE)$values) > 1e-12
}

validate_design <- function(design, covariates, fine) {
  parts <- c("terms", "xlevels", "contrasts", "names", "variables")
  fine(is.list(design) && identical(names(design), parts), "`design` has other parts")
  fine(inherits(design$terms, "terms"), "`design` has no terms")
  fine(identical(design$names, covariates), "`design` has other names")
  fine(are_names(design$variables), "`design` does not name its variables")
  fine(
    is.null(design$xlevels) || all(vapply(design$xlevels, is.character, TRUE)),
    "levels in `design` are no texts"
  )
}

validate_covariate_patterns <- function(s, fine) {
  p <- s$patterns
  size <- c(length(s$covariates), length(s$features), length(p$n))
  shaped <- function(x, of) is.double(x) && !is.object(x) && identical(dim(x), as.integer(of))
  fine(shaped(p$covariate_mean, size[c(1L, 3L)]), "`covariate_mean` has another shape")
  fine(shaped(p$covariate_scatter, size[c(1L, 1L, 3L)]), "`covariate_scatter` has another shape")
  fine(shaped(p$cross, size), "`cross` has another shape")
}

# Its parts are those that validate_covariates() names.
validate_patterns <- function(patterns, n_groups, n_features, fine) {
  group <- patterns$group
  # they are read as integers, in order
  fine(is.integer(group) && !is.object(group), "groups of patterns are not whole numbers")
  inside <- length(group) == 0L || isTRUE(min(group) >= 1L && max(group) <= n_groups)
  fine(inside, "patterns belong to groups that are not there")
  fine(!is.unsorted(group), "patterns are not in the order of their groups")
  P <- length(group)
  shaped <- function(x, type, size) type(x) && !is.object(x) && identical(dim(x), as.integer(size))
  K <- n_features
  fine(is.double(patterns$n) && length(patterns$n) == P, "`n` has another length")
  fine(shaped(patterns$observed, is.logical, c(K, P)), "`observed` has another shape")
  fine(shaped(patterns$mean, is.double, c(K, P)), "`mean` has another shape")
  fine(shaped(patterns$scatter, is.double, c(K, K, P)), "`scatter` has another shape")
}

# The numbers themselves
validate_moments <- function(s, fine) {
  p <- s$patterns
  K <- length(s$features)
  if (length(p$n) == 0L) {
    return(invisible())
  }
  all_fine <- fine_in_patterns(s, fine)
  all_fine(is.finite(p$n) & p$n > 0, "`n` is not positive and finite")
  all_fine(!is.na(colSums(p$observed)) & colSums(p$observed) > 0, "a pattern observes nothing")
  all_fine(is.finite(max_of_columns(abs(p$mean))), "`mean` is not finite")
  scatter <- matrix(p$scatter, K * K)
  largest <- max_of_columns(abs(scatter))
  all_fine(is.finite(largest), "`scatter` is not finite")
  mirrored <- matrix(aperm(p$scatter, c(2L, 1L, 3L)), K * K)
  asymmetry <- max_of_columns(abs(scatter - mirrored))
  all_fine(asymmetry <= 1e-8 * largest, "`scatter` is not symmetric")
  unseen <- !p$observed
  all_fine(colSums(unseen & p$mean != 0) == 0, "`mean` is not 0 where nothing was observed")
  of_rows <- unseen[rep(seq_len(K), K), , drop = FALSE]
  of_columns <- unseen[rep(seq_len(K), each = K), , drop = FALSE]
  all_fine(
    colSums((of_rows | of_columns) & scatter != 0) == 0,
    "`scatter` is not 0 where nothing was observed"
  )
  all_fine(!indefinite_(p$scatter, K, 1e-6), "`scatter` has a negative eigenvalue")
  if (length(s$covariates) > 0L) validate_covariate_moments(s, fine)
}

validate_covariate_moments <- function(s, fine) {
  p <- s$patterns
  all_fine <- fine_in_patterns(s, fine)
  all_fine(is.finite(max_of_columns(abs(p$covariate_mean))), "`covariate_mean` is not finite")
  scatter <- matrix(p$covariate_scatter, length(s$covariates)^2)
  largest <- max_of_columns(abs(scatter))
  all_fine(is.finite(largest), "`covariate_scatter` is not finite")
  mirrored <- matrix(aperm(p$covariate_scatter, c(2L, 1L, 3L)), nrow(scatter))
  asymmetry <- max_of_columns(abs(scatter - mirrored))
  all_fine(asymmetry <= 1e-8 * largest, "`covariate_scatter` is not symmetric")
  cross <- matrix(p$cross, length(s$covariates) * length(s$features))
  all_fine(is.finite(max_of_columns(abs(cross))), "`cross` is not finite")
  unseen <- !p$observed[rep(seq_along(s$features), each = length(s$covariates)), , drop = FALSE]
  all_fine(colSums(unseen & cross != 0) == 0, "`cross` is not 0 where nothing was observed")
}

# A check of all patterns at once, which names the group of the first that is not fine.
fine_in_patterns <- function(s, fine) {
  function(ok, problem) {
    bad <- which(!ok)
    if (length(bad) == 0L) {
      return(invisible())
    }
    label <- s$labels[[s$patterns$group[[bad[[1L]]]]]]
    fine(FALSE, paste0(problem, ", of group ", encodeString(label, quote = "\"")), label)
  }
}

# The largest number of each of a matrix's columns, which may be very many
max_of_columns <- function(x) Reduce(pmax, lapply(seq_len(nrow(x)), function(i) x[i, ]))
