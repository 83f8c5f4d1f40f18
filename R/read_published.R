# What can be published of groups' spreads, in one form: covariances, correlations with or without
# sds, sds alone.

# internal -----------------------------------------------------------------

# What was published in one form: list(mean [group, feature], NA where a group lacks a feature;
# `cov`, a list of one matrix a group; `given`, the same with a row a feature of all numbers that
# were given of its spread; `arg`, what they came from). With `arg` "sd" only the diagonal of `cov`
# is known.
read_published <- function(given, labels, call) {
  mean <- group_rows(given$mean, labels, NULL, "mean", call)
  features <- colnames(mean)
  check_finite_rows(mean, "mean", call)
  if (is.null(given$sd)) {
    cov <- group_matrices(given$cov, labels, features, "cov", call)
    return(list(mean = mean, cov = cov, given = cov, arg = "cov"))
  }
  sd <- group_rows(given$sd, labels, features, "sd", call)
  check_sds(sd, call)
  if (!is.null(given$cor)) {
    cor <- group_matrices(given$cor, labels, features, "cor", call)
    check_correlations(cor, labels, call)
    given <- lapply(seq_along(labels), function(g) cbind(off_diagonal(cor[[g]]), sd[g, ]))
    return(list(mean = mean, cov = scale_correlations(cor, sd), given = given, arg = "cor"))
  }
  if (length(features) > 1L) {
    inform_hmvn(
      c(
        "Standard deviations without correlations are read as of features on different rows.",
        i = "Correlations keep their prior; give {.arg cor} where it is known."
      ),
      "no_cor"
    )
  }
  known <- lapply(seq_along(labels), function(g) {
    m <- matrix(NA_real_, length(features), length(features))
    diag(m) <- sd[g, ]^2
    m
  })
  list(mean = mean, cov = known, given = known, arg = "sd")
}

# Correlations alone, of features standardised within their group; a feature without correlations
# is one that the group lacks.
read_correlations <- function(cor, labels, call) {
  features <- check_feature_names(names_in_matrices(cor), "cor", call)
  cor <- group_matrices(cor, labels, features, "cor", call)
  check_correlations(cor, labels, call)
  given <- lapply(cor, off_diagonal)
  lacking <- unlist(lapply(given, function(m) length(features) > 1L & rowSums(!is.na(m)) == 0))
  mean <- matrix(0, length(labels), length(features), dimnames = list(labels, features))
  mean[matrix(lacking, length(labels), byrow = TRUE)] <- NA
  inform_hmvn(
    c(
      "Correlations alone are read as those of features with mean 0 and sd 1 in every group.",
      i = "Means and standard deviations of a fit to them are no results."
    ),
    "standardised"
  )
  list(mean = mean, cov = scale_correlations(cor, mean + 1), given = given, arg = "cor")
}

# The names of the features that the first matrix has on either side.
names_in_matrices <- function(x) {
  if (is.array(x) && length(dim(x)) == 3L) {
    return(dimnames(x)[[2L]] %||% dimnames(x)[[3L]])
  }
  first <- if (is.list(x) && length(x) > 0L) x[[1L]] else x
  rownames(first) %||% colnames(first)
}

check_sds <- function(sd, call) {
  bad <- which(rowSums(sd < 0, na.rm = TRUE) > 0)
  if (length(bad) > 0L) {
    label <- rownames(sd)[[bad[[1L]]]]
    abort_from("Standard deviations must not be negative.",
      "One of group {.val {label}} is.", "sd", label, call = call
    )
  }
}

# The diagonal may be NA where nothing is known of the feature's correlations.
check_correlations <- function(cor, labels, call) {
  ones <- vapply(cor, function(m) {
    needed <- rowSums(!is.na(off_diagonal(m))) > 0 | !is.na(diag(m))
    isTRUE(all(abs(diag(m)[needed] - 1) <= 1e-8))
  }, TRUE)
  if (!all(ones)) {
    label <- labels[[which(!ones)[[1L]]]]
    abort_from("A correlation matrix must have ones on its diagonal.",
      "That of group {.val {label}} has not.", "cor", label, call = call
    )
  }
}

off_diagonal <- function(m) {
  diag(m) <- NA
  m
}

scale_correlations <- function(cor, sd) {
  lapply(seq_along(cor), function(g) {
    scaled <- cor[[g]] * tcrossprod(sd[g, ])
    # where the diagonal of a lacking feature is 1 its sd is NA
    diag(scaled) <- sd[g, ]^2
    scaled
  })
}

check_finite_rows <- function(x, arg, call) {
  bad <- rowSums(is.nan(x) | is.infinite(x)) > 0
  if (any(bad)) {
    group <- rownames(x)[bad][[1L]]
    abort_from("{.arg {arg}} must hold finite numbers, or NA where a group lacks a feature.",
      "Group {.val {group}} has others.", arg, group, call = call
    )
  }
}
