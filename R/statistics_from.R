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
#' @details Names are matched where given, else the order of `n` and of the features of
#'   `mean` holds. In a group with n = 1 covariances are not used and may be `NA`.
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
  mean <- group_rows(mean, labels, NULL, "mean", call)
  features <- colnames(mean)
  check_finite_rows(mean, "mean", call)
  if (is.null(cov) == is.null(sd)) {
    abort_from("Spreads must be given once: {.arg cov}, or {.arg sd} and {.arg cor}.",
      if (is.null(cov)) "None is given." else "Both {.arg cov} and {.arg sd} are given.",
      "cov", call = call
    )
  }
  scatter <- array(0, c(length(features), length(features), length(n)))
  if (is.null(sd)) {
    matrices <- group_matrices(cov, labels, features, "cov", call)
  } else {
    sd <- group_rows(sd, labels, features, "sd", call)
    matrices <- matrices_from_cor(cor, sd, labels, features, call)
  }
  for (g in which(n > 1)) {
    check_covariance(matrices[[g]], if (is.null(sd)) "cov" else "cor", labels[[g]], call)
    scatter[, , g] <- (n[[g]] - 1) * (matrices[[g]] + t(matrices[[g]])) / 2
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

abort_from <- function(must, problem, arg, group = NULL, call = NULL, .envir = parent.frame()) {
  abort_hmvn(
    c(must, x = problem), "statistics",
    argument = arg, group = group, call = call, .envir = .envir
  )
}

check_group_sizes <- function(n, call) {
  if (is.list(n) && !is.object(n) && all(lengths(n) == 1L)) n <- unlist(n)
  if (!is.numeric(n) || is.object(n) || length(n) == 0L || !all(is.finite(n)) || any(n < 1)) {
    found <- paste(format(n), collapse = ", ")
    abort_from("{.arg n} must be the number of rows of every group, at least 1.",
      "It is {found}.", "n", call = call
    )
  }
  labels <- names(n) %||% as.character(seq_along(n))
  if (any(is.na(labels) | !nzchar(labels)) || anyDuplicated(labels)) {
    abort_from("Names of {.arg n} must be unique labels of groups.",
      "They are {.val {labels}}.", "n", call = call
    )
  }
  stats::setNames(as.double(n), labels)
}

# A matrix [group, feature] with both names from what the user gave.
group_rows <- function(x, labels, features, arg, call) {
  if (is.data.frame(x)) x <- as.matrix(x)
  if (is.list(x)) {
    x <- do.call(rbind, lapply(pick_groups(x, labels, arg, call), unlist))
    rownames(x) <- labels
  }
  if (is.numeric(x) && is.null(dim(x)) && length(labels) == 1L) {
    x <- matrix(x, 1L, dimnames = list(labels, names(x)))
  }
  if (!is.numeric(x) || length(dim(x)) != 2L || nrow(x) != length(labels)) {
    found <- describe_shape(x)
    size <- length(labels)
    abort_from("{.arg {arg}} must be a matrix with one row a group ({size} here) or a list.",
      "It is {found}.", arg, call = call
    )
  }
  if (!is.null(rownames(x)) && !is_sequence_names(rownames(x))) {
    x <- x[match_names(rownames(x), labels, arg, "group", call), , drop = FALSE]
  }
  if (is.null(features)) {
    features <- colnames(x)
    if (is.null(features) || anyDuplicated(features) || any(!nzchar(features))) {
      found <- if (is.null(features)) "not there" else toString(features)
      abort_from("Columns of {.arg {arg}} must be named by the features, once each.",
        "The names are {found}.", arg, call = call
      )
    }
  }
  if (ncol(x) != length(features)) {
    found <- ncol(x)
    size <- length(features)
    abort_from("{.arg {arg}} must have one column a feature.",
      "It has {found} column{?s}, not {size}.", arg, call = call
    )
  }
  if (!is.null(colnames(x))) {
    x <- x[, match_names(colnames(x), features, arg, "feature", call), drop = FALSE]
  }
  dimnames(x) <- list(labels, features)
  x
}

# as.matrix(data.frame) makes row names up
is_sequence_names <- function(x) identical(x, as.character(seq_along(x)))

match_names <- function(given, wanted, arg, what, call) {
  if (!setequal(given, wanted) || anyDuplicated(given)) {
    abort_from("Names of {what}s in {.arg {arg}} must be those of the {what}s.",
      "They are {.val {given}}, not {.val {wanted}}.", arg, call = call
    )
  }
  match(wanted, given)
}

pick_groups <- function(x, labels, arg, call) {
  if (length(x) != length(labels)) {
    found <- length(x)
    size <- length(labels)
    abort_from("{.arg {arg}} must have one element a group.",
      "It has {found}, not {size}.", arg, call = call
    )
  }
  if (is.null(names(x))) x else x[match_names(names(x), labels, arg, "group", call)]
}

group_matrices <- function(x, labels, features, arg, call) {
  if (is.matrix(x) && length(labels) == 1L) {
    x <- list(x)
  } else if (is.array(x) && length(dim(x)) == 3L) {
    names <- dimnames(x)[[1L]]
    x <- lapply(seq_len(dim(x)[[1L]]), function(g) {
      array(x[g, , ], dim(x)[2:3], dimnames(x)[2:3])
    })
    names(x) <- names
  } else if (!is.list(x)) {
    found <- describe_shape(x)
    abort_from("{.arg {arg}} must be a list of matrices or an array [group, feature, feature].",
      "It is {found}.", arg, call = call
    )
  }
  x <- pick_groups(x, labels, arg, call)
  K <- length(features)
  Map(function(m, label) {
    if (!is.matrix(m) && K == 1L && length(m) == 1L) m <- matrix(m, 1L, 1L)
    if (!is.matrix(m) || !identical(dim(m), c(K, K))) {
      found <- describe_shape(m)
      abort_from("Every element of {.arg {arg}} must be a square matrix over the {K} feature{?s}.",
        "For group {.val {label}} it is {found}.", arg, label, call = call
      )
    }
    for (side in 1:2) {
      names <- dimnames(m)[[side]]
      if (!is.null(names)) {
        order <- match_names(names, features, arg, "feature", call)
        m <- if (side == 1L) m[order, , drop = FALSE] else m[, order, drop = FALSE]
      }
    }
    unname(m) + 0 # integers to doubles
  }, x, labels)
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

describe_shape <- function(x) {
  if (is.null(dim(x))) describe_value(x) else paste("of dimension", paste(dim(x), collapse = " x "))
}
