#' Group means, standard deviations, correlations and covariances
#'
#' The posterior of each group's parameters as random-variable arrays ([posterior::rvar]), with the
#' labels of groups and features as they are in the data.
#'
#' @param fit An `hmvn_fit`.
#' @param group Labels of the groups to return; `NULL` for all, at their end those that could not be
#'   estimated (`not_estimable` of [fit_hmvn()]), which are `NA`. A number is a label, too: month 5
#'   is `group_cor(fit, 5)`, while `group_cor(fit)[5, , ]` is the fifth group.
#' @param joint If `TRUE`, one covariance matrix for one observation of *every* group stacked:
#'   block-diagonal, groups one after another, and within a group its features (the order of the
#'   group means row after row: group A's features, then B's, ...).
#' @return `group_mean()` and `group_sd()`: an rvar array \[group, feature\]. `group_cor()` and
#'   `group_cov()`: \[group, feature, feature\]. Of one group that is asked for by name the index of
#'   the group is left out: `group_cov(fit, "A")` is a matrix, `group_mean(fit, "A")` a vector. And
#'   `group_cov()` with `joint = TRUE` \[group x feature, group x
#'   feature\], its dimnames `"group:feature"`. Under complete pooling every group has the same
#'   values. Standard deviations and means are in the units of the features; with covariates means
#'   are those of a row with average covariates. `group_slope()`: \[group, covariate, feature\], in
#'   units of the feature per unit of the covariate.
#' @section Errors: `hmvn_error_group` if there is no such group. `hmvn_error_size` if the joint
#'   matrix would take more than 1 GB. `hmvn_error_keep` if the draws were not kept (`keep` of
#'   [fit_hmvn()]). `hmvn_error_no_meaning` for slopes of a fit without covariates.
#'   `hmvn_error_fit` if `fit` is none.
#' @seealso [compare_groups()] for differences of groups, [partial_cor()] and [precision()],
#'   [summary()][summary.hmvn_fit] for a data frame, [as_table()] for a table to print.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' group_mean(fit)
#' group_cor(fit, "setosa")
#' # any function of them is a random variable again
#' sds <- group_sd(fit)
#' sds["virginica", ] / sds["setosa", ]
#' E(group_cov(fit, "setosa"))
#' @name group_mean
#' @importFrom rlang %||%
NULL

#' @rdname group_mean
#' @export
group_mean <- function(fit, group = NULL) group_rvar(fit, "mu", group)

#' @rdname group_mean
#' @export
group_sd <- function(fit, group = NULL) group_rvar(fit, "sigma", group)

#' @rdname group_mean
#' @export
group_cor <- function(fit, group = NULL) group_rvar(fit, "Omega", group)

#' @rdname group_mean
#' @export
group_cov <- function(fit, group = NULL, joint = FALSE) {
  call <- rlang::current_env()
  check_fit(fit, call)
  if (!check_flag(joint, "joint", call)) {
    return(group_rvar(fit, "Sigma", group, call))
  }
  check_kept(fit, "Sigma", call)
  groups <- match_groups(fit, group, call)
  size <- length(groups) * n_features(fit)
  check_size(8 * n_draws(fit) * size^2, "The joint covariance matrix", call = call)
  with_memory_errors(stack_covariances(quantity(fit, "Sigma", groups)), "Draws", call)
}

#' @rdname group_mean
#' @export
group_slope <- function(fit, group = NULL) {
  call <- rlang::current_env()
  check_fit(fit, call)
  check_has_covariates(fit, "group_slope", call)
  group_rvar(fit, "beta", group, call)
}

# internal -----------------------------------------------------------------

check_has_covariates <- function(fit, generic, call) {
  if (n_covariates(fit) == 0L) {
    abort_no_meaning(
      generic, "The fit has no covariates.", "{.code fit_hmvn(covariates = )}", call
    )
  }
}

group_rvar <- function(fit, name, group, call = rlang::caller_env()) {
  check_fit(fit, call)
  check_kept(fit, name, call)
  groups <- match_groups(fit, group, call)
  left_out <- if (is.null(group)) names(fit$not_estimable)
  with_memory_errors(
    {
      values <- quantity(fit, name, groups)
      as_rvar(if (length(group) == 1L) {
        without_group_index(values)
      } else {
        with_missing_groups(values, left_out)
      })
    },
    "Draws", call
  )
}

# [iteration, chain, group, ...] of one group
without_group_index <- function(values) {
  array(values, dim(values)[-3L], dimnames(values)[-3L])
}

# [iteration, chain, group, ...] with NA for groups that are not there, after the others.
with_missing_groups <- function(values, labels) {
  if (length(labels) == 0L) {
    return(values)
  }
  size <- dim(values)
  names <- dimnames(values)
  names[[3L]] <- c(names[[3L]], labels)
  n <- size[[3L]]
  size[[3L]] <- n + length(labels)
  out <- array(NA_real_, size, names)
  first <- rep(seq_len(size[[3L]]) <= n, each = prod(size[1:2]))
  out[rep(first, length.out = length(out))] <- values
  out
}

# [iteration, chain, group, feature, feature] to one block-diagonal random matrix
stack_covariances <- function(values) {
  g <- dim(values)[3]
  k <- dim(values)[4]
  joint <- array(0, c(dim(values)[1:2], g * k, g * k))
  for (i in seq_len(g)) {
    own <- (i - 1) * k + seq_len(k)
    joint[, , own, own] <- values[, , i, , ]
  }
  labels <- dimnames(values)
  names <- paste(rep(labels[[3]], each = k), rep(labels[[4]], g), sep = ":")
  as_rvar(label_array(joint, list(names, names)))
}
