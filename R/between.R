# How the groups' means vary together, beside how observations do within groups.

#' Covariance and correlation between groups
#'
#' Where means are partially pooled, the groups' means scatter about those of the typical group with
#' the covariance matrix `Sigma_between`, which is diag(tau) `Omega_between` diag(tau): equation
#' (B1) of `vignette("model")`. `within_between()` puts it beside the covariance matrix of
#' observations within groups, for every pair of features: what multilevel models call the within
#' and the between correlation. A pair may be positively correlated within groups and negatively
#' between them.
#'
#' @param fit An `hmvn_fit` whose means are partially pooled, with at least two features and not
#'   `hmvn_prior(between = "independent")`.
#' @param prob The probability of the intervals of `within_between()`, from quantiles.
#' @return `between_cov()` and `between_cor()`: an rvar matrix \[feature, feature\] of draws
#'   ([posterior::rvar]), in the products of the features' units or without units; of the features
#'   whose means are partially pooled.
#'   `within_between()`: a data frame of class `hmvn_within_between`, a row for each pair of
#'   features: `feature`, `feature2`, and of each of `within`, `between` and `total` the posterior
#'   mean (the column of that name) and the ends of its interval (`within_low`, `within_high`, ...).
#'   Within is the correlation in the groups' average covariance matrix, weighted by their rows;
#'   total that in the sum of this and `Sigma_between`: of two observations of two groups drawn at
#'   random. It prints itself.
#' @section Few groups: `Omega_between` is learned from as many means as there are groups. With
#'   fewer than about ten it is nearly its prior, and with one it is; `within_between()` says so
#'   when it is printed.
#' @section Errors: `hmvn_error_no_meaning` if the model has no covariance between groups;
#'   `hmvn_error_keep` if draws of the covariance matrices were not kept (`within_between()`);
#'   `hmvn_error_argument` for `prob`; `hmvn_error_fit`.
#' @seealso [summary()][summary.hmvn_fit] for `icc`, the share of each feature's variance that lies
#'   between groups; [group_cov()] for each group's own covariance matrix.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' between_cor(fit)
#' within_between(fit)
#' @export
between_cov <- function(fit) between_rvar(fit, "Sigma_between", rlang::current_env())

#' @rdname between_cov
#' @export
between_cor <- function(fit) between_rvar(fit, "Omega_between", rlang::current_env())

#' @rdname between_cov
#' @export
within_between <- function(fit, prob = 0.9) {
  call <- rlang::current_env()
  check_between_fit(fit, "within_between", call)
  check_kept(fit, "Sigma", call)
  prob <- check_number(prob, "prob", min = 0, max = 1, open = TRUE, call = call)
  between <- quantity(fit, "Sigma_between")
  within <- within_draws(fit)
  parts <- list(within = within, between = between, total = within + between)
  pairs <- as.matrix(packed_layout(fit, "Omega_between")[c("feature", "feature2")])
  features <- fit$statistics$features
  columns <- lapply(names(parts), function(name) {
    pair_intervals(parts[[name]], pairs, name, prob)
  })
  structure(
    data.frame(
      feature = features[pairs[, 2]], feature2 = features[pairs[, 1]], do.call(cbind, columns)
    ),
    prob = prob, n_groups = n_groups(fit), class = c("hmvn_within_between", "data.frame")
  )
}

#' @export
print.hmvn_within_between <- function(x, digits = 2, ...) {
  check_count(digits, "digits", max = 20, call = rlang::current_env())
  numbers <- outer(c("within", "between", "total"), c("", "_low", "_high"), paste0)
  if (!has_result_columns(x, c("feature", "feature2"), c(numbers))) {
    print(as.data.frame(x), ...)
    return(invisible(x))
  }
  number <- function(values) formatC(values, digits = digits, format = "f")
  cell <- function(name) {
    paste0(
      number(x[[name]]), " (", number(x[[paste0(name, "_low")]]), ", ",
      number(x[[paste0(name, "_high")]]), ")"
    )
  }
  features <- unique(c(x$feature, x$feature2))
  pair <- trim_pairs(features, match(x$feature, features), match(x$feature2, features), 20)
  cat_wrapped(
    "Correlations within groups, between the groups' means, and in total, with ",
    number_text(100 * attr(x, "prob"), 3), " % intervals"
  )
  columns <- lapply(c(within = "within", between = "between", total = "total"), function(name) {
    text <- c(name, cell(name))
    pad(text, max(text_width(text)), "left")
  })
  pair <- c("", pair)
  pair <- pad(pair, max(text_width(pair)), "right")
  cat(do.call(paste, c(list(pair), unname(columns))), sep = "\n")
  groups <- attr(x, "n_groups")
  if (isTRUE(groups < few_groups)) {
    cat_wrapped(
      "Of ", count_of(groups, "group"), " little is learned about correlations between groups: ",
      "they are nearly their prior."
    )
  }
  invisible(x)
}

# internal -----------------------------------------------------------------

# From here up correlations between groups are learned.
few_groups <- 10L

between_rvar <- function(fit, name, call) {
  generic <- c(Sigma_between = "between_cov", Omega_between = "between_cor")[[name]]
  check_between_fit(fit, generic, call)
  own <- between_features(model_of(fit))
  as_rvar(quantity(fit, name)[, , own, own, drop = FALSE])
}

check_between_fit <- function(fit, what, call) {
  check_fit(fit, call)
  if (is_stored(fit, "chol_between")) {
    return(invisible())
  }
  why <- if (n_features(fit) == 1L) {
    "One feature has no correlations."
  } else if (sum(fit$coefficients["mean", ] == "partial") < 2L) {
    "It takes two features whose means are partially pooled."
  } else {
    "Its prior has the means independent between groups."
  }
  abort_no_meaning(
    what, why, "{.code pooling = c(mean = \"partial\")} with the default {.arg between}", call
  )
}

# The groups' average covariance matrix, weighted by their rows: [iteration, chain, feature,
# feature].
within_draws <- function(fit) {
  patterns <- fit$statistics$patterns
  n <- numeric(n_groups(fit))
  rows <- rowsum(patterns$n, patterns$group)
  n[as.integer(rownames(rows))] <- rows
  k <- n_features(fit)
  size <- k * (k + 1) / 2
  within <- average_draws(fit, "Sigma", matrix(n / sum(n), length(n), size))
  packed <- matrix(0L, k, k)
  packed[upper.tri(packed, diag = TRUE)] <- seq_len(size)
  packed <- pmax(packed, t(packed))
  array(within[, packed], c(n_kept(fit), k, k))
}

# Of a covariance matrix by draw: mean and interval of the correlation of every pair, a data frame.
pair_intervals <- function(covariance, pairs, name, prob) {
  n_draws <- prod(dim(covariance)[1:2])
  values <- vapply(seq_len(nrow(pairs)), function(p) {
    i <- pairs[[p, 1L]]
    j <- pairs[[p, 2L]]
    c(covariance[, , i, j] / sqrt(covariance[, , i, i] * covariance[, , j, j]))
  }, double(n_draws))
  dim(values) <- c(n_draws, nrow(pairs))
  tails <- (1 + c(-1, 1) * prob) / 2
  ends <- apply(values, 2L, stats::quantile, probs = tails, names = FALSE)
  found <- data.frame(colMeans(values), ends[1L, ], ends[2L, ])
  names(found) <- paste0(name, c("", "_low", "_high"))
  found
}
