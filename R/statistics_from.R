#' Statistics from published numbers
#'
#' Builds what [hmvn_statistics()] returns from the sample sizes, means and covariance
#' (or correlation and standard deviation) of each group, as a paper reports them.
#'
#' @param n Number of rows a group, at least 1; its names are the groups' labels. (Unnamed:
#'   `"1"`, `"2"`, ...)
#' @param mean Means: a matrix or data frame \[group, feature\], or a list of one vector a
#'   group; its column names (or the vectors' names) are the features. With one group a
#'   vector will do.
#' @param cov Covariance matrices with divisor n - 1: a list of one matrix a group, or an
#'   array \[group, feature, feature\]. With one group a matrix will do.
#' @param cor,sd In place of `cov`: correlation matrices in the same forms (not needed
#'   with one feature) and standard deviations (divisor n - 1) in the form of `mean`.
#' @details Names are matched where given, also those of the rows, the list's elements and the
#'   vectors in them: groups by the names of `n`, features by those of `mean`. What has no names
#'   is in the order of `n` and of the features of `mean`. (Automatic row names of a data frame are
#'   none.) In a group with n = 1 covariances are not used and may be `NA`.
#' @return An object of class `hmvn_statistics`.
#' @section Errors: Class `hmvn_error_statistics`, naming the argument and the group.
#' @examples
#' hmvn_statistics_from(
#'   n = c(a = 20, b = 12),
#'   mean = rbind(a = c(x = 1, y = 2), b = c(x = 0, y = 5)),
#'   sd = rbind(a = c(x = 1, y = 1), b = c(x = 2, y = 1)),
#'   cor = list(a = matrix(c(1, 0.5, 0.5, 1), 2), b = diag(2))
#' )
#' @export
hmvn_statistics_from <- function(n, mean, cov = NULL, cor = NULL, sd = NULL) {
  call <- rlang::current_env()
  n <- check_group_sizes(n, call)
  labels <- names(n)
  check_spreads_once(cov, cor, sd, call)
  check_group_counts(list(mean = mean, cov = cov, cor = cor, sd = sd), labels, call)
  mean <- group_rows(mean, labels, NULL, "mean", call)
  features <- colnames(mean)
  check_finite_rows(mean, "mean", call)
  scatter <- array(0, c(length(features), length(features), length(n)))
  if (is.null(sd)) {
    matrices <- group_matrices(cov, labels, features, "cov", call)
  } else {
    sd <- group_rows(sd, labels, features, "sd", call)
    matrices <- matrices_from_cor(cor, sd, labels, features, call)
  }
  arg <- if (is.null(sd)) "cov" else "cor"
  for (g in which(n > 1)) {
    check_covariance(matrices[[g]], arg, labels[[g]], call)
    # halves first, since a sum may overflow
    scatter[, , g] <- (n[[g]] - 1) * (matrices[[g]] / 2 + t(matrices[[g]]) / 2)
    check_scatter(scatter[, , g], arg, labels[[g]], call)
  }
  keys <- structure(list(group = labels), row.names = seq_along(labels), class = "data.frame")
  new_statistics(
    list(labels = labels, keys = keys), features,
    list(
      group = seq_along(labels), n = unname(n),
      observed = matrix(TRUE, length(features), length(n)), mean = unname(t(mean)),
      scatter = scatter
    ),
    list(n_rows = sum(n), n_empty = 0, n_missing = 0),
    weighted = FALSE
  )
}

# internal -----------------------------------------------------------------

check_spreads_once <- function(cov, cor, sd, call) {
  given <- c("cov", "cor", "sd")[!c(is.null(cov), is.null(cor), is.null(sd))]
  fine <- identical(given, "cov") || ("sd" %in% given && !"cov" %in% given)
  if (!fine) {
    abort_from("Spreads must be given once: {.arg cov}, or {.arg sd} and {.arg cor}.",
      if (length(given)) "Given: {.arg {given}}." else "None is given.", "cov",
      call = call
    )
  }
}

check_group_sizes <- function(n, call) {
  if (is.list(n) && !is.object(n) && all(lengths(n) == 1L)) n <- unlist(n)
  if (!is.numeric(n) || is.object(n) || length(n) == 0L || !all(is.finite(n)) || any(n < 1)) {
    found <- if (is.numeric(n)) toString(format(n), 200L) else describe_value(n)
    abort_from("{.arg n} must be the number of rows of every group, at least 1.",
      "It is {found}.", "n", call = call
    )
  }
  labels <- names(n) %||% as.character(seq_along(n))
  if (!are_names(labels)) {
    shown <- printable(labels)
    abort_from("Names of {.arg n} must be unique labels of groups.",
      "They are {.val {shown}}.", "n", call = call
    )
  }
  stats::setNames(as.double(n), labels)
}

matrices_from_cor <- function(cor, sd, labels, features, call) {
  if (is.null(cor)) {
    if (length(features) > 1L) {
      abort_from("{.arg cor} must be given with {.arg sd}.", "It is not.", "cor", call = call)
    }
    cor <- rep(list(diag(1)), length(labels))
  }
  matrices <- group_matrices(cor, labels, features, "cor", call)
  for (g in seq_along(labels)) {
    if (all(is.finite(matrices[[g]])) && any(abs(diag(matrices[[g]]) - 1) > 1e-8)) {
      abort_from("A correlation matrix must have ones on its diagonal.",
        "That of group {.val {labels[[g]]}} has not.", "cor", labels[[g]], call = call
      )
    }
    if (any(sd[g, ] < 0, na.rm = TRUE)) {
      abort_from("Standard deviations must not be negative.",
        "One of group {.val {labels[[g]]}} is.", "sd", labels[[g]], call = call
      )
    }
    matrices[[g]] <- matrices[[g]] * tcrossprod(sd[g, ])
  }
  matrices
}

check_scatter <- function(scatter, arg, label, call) {
  if (!all(is.finite(scatter))) {
    abort_from("{.arg {arg}} times {.arg n} must be finite.",
      "That of group {.val {label}} is not: use a larger unit.", arg, label, call = call
    )
  }
}

check_finite_rows <- function(x, arg, call) {
  bad <- rowSums(!is.finite(x)) > 0
  if (any(bad)) {
    group <- rownames(x)[bad][[1L]]
    abort_from("{.arg {arg}} must hold finite numbers.", "Group {.val {group}} has others.",
      arg, group, call = call
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
