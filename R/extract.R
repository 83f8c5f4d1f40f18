# Posterior quantities of a fit as arrays and random variables. Covariances are stored as packed Cholesky factors and built here when asked for.

#' Group means, standard deviations, correlations and covariances
#'
#' The posterior of each group's parameters as random-variable arrays
#' ([posterior::rvar]), with the labels of groups and features as they are in the data.
#'
#' @param fit An `hmvn_fit`.
#' @param group Labels of the groups to return; `NULL` for all.
#' @param joint If `TRUE`, one covariance matrix for one observation of *every* group stacked: block-diagonal, groups one after
#'   another, and within a group its features (the order of the group means raveled by rows: group A's features, then B's, ...).
#' @return `group_mean()` and `group_sd()`: an rvar array \[group, feature\]. `group_cor()` and `group_cov()`: \[group, feature,
#'   feature\]; with `joint = TRUE` \[group x feature, group x feature\], its dimnames `"group:feature"`. Under complete pooling every group has the same values.
#'   Standard deviations and means are in the units of the features.
#' @section Errors: `hmvn_error_group` if there is no such group. `hmvn_error_size` if the joint matrix would take more than 1 GB.
#'   `hmvn_error_keep` if the draws were not kept (`keep` of [fit_hmvn()]).
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
  if (!joint) return(group_rvar(fit, "Sigma", group))
  check_fit(fit)
  check_kept(fit, "Sigma")
  groups <- match_groups(fit, group)
  size <- length(groups) * n_features(fit)
  check_size(8 * n_draws(fit) * size^2, "The joint covariance matrix")
  stack_covariances(quantity(fit, "Sigma", groups))
}

# internal -----------------------------------------------------------------

max_bytes <- 2^30

group_rvar <- function(fit, variable, group, call = rlang::caller_env()) {
  check_fit(fit, call)
  check_kept(fit, variable, call)
  as_rvar(quantity(fit, variable, match_groups(fit, group, call)))
}

# One quantity as an array [iteration, chain, its own dimensions], whose dimnames are the user's own labels. `groups`: positions; NULL for all.
quantity <- function(fit, variable, groups = NULL) {
  groups <- groups %||% seq_along(fit$statistics$labels)
  draws <- fit$draws
  switch(
    variable,
    mu = group_array(fit, mean_draws(fit, groups), groups),
    sigma = , Omega = , Sigma = , precision = derived_array(fit, variable, groups),
    mu0 = feature_array(fit, draws$mean0),
    sigma0 = feature_array(fit, draws$scale0),
    Omega0 = label_array(population_matrix(fit, "Omega"), list(fit$statistics$features, fit$statistics$features)),
    Sigma0 = label_array(population_matrix(fit, "Sigma"), list(fit$statistics$features, fit$statistics$features)),
    tau = feature_array(fit, tau_draws(fit)),
    h_mean = feature_array(fit, draws$h_mean),
    h_sd = feature_array(fit, draws$h_sd),
    h_cor = draws$h_cor,
    pooling_mean = feature_array(fit, 1 - draws$h_mean^2),
    pooling_sd = feature_array(fit, 1 - draws$h_sd^2),
    pooling_cor = 1 - draws$h_cor^2,
    shrinkage = group_array(fit, shrinkage_draws(fit, groups), groups),
    lp__ = draws$lp,
    lprior = draws$lprior
  )
}

# What every quantity is indexed by: "g" a group, "f" a feature, "ff" two features.
quantity_index <- c(
  mu = "gf", sigma = "gf", Omega = "gff", Sigma = "gff", mu0 = "f", sigma0 = "f", Omega0 = "ff", Sigma0 = "ff",
  tau = "f", h_mean = "f", h_sd = "f", h_cor = "",
  pooling_mean = "f", pooling_sd = "f", pooling_cor = "", shrinkage = "gf",
  lp__ = "", lprior = ""
)

index_of <- function(fit, variable) quantity_index[[variable]]

# The quantities a fit has: a data frame quantity, index, in_draws.
quantity_table <- function(fit) {
  d <- fit$draws
  several <- n_features(fit) > 1
  sigma <- !is.null(d$chol)
  has <- c(
    mu = !is.null(d$mean), sigma = sigma, Omega = sigma, Sigma = sigma,
    mu0 = !is.null(d$mean0), sigma0 = !is.null(d$scale0), Omega0 = !is.null(d$chol_cor0),
    Sigma0 = !is.null(d$scale0) && (!several || !is.null(d$chol_cor0)),
    tau = !is.null(d$h_mean), h_mean = !is.null(d$h_mean), h_sd = !is.null(d$h_sd), h_cor = !is.null(d$h_cor),
    pooling_mean = !is.null(d$h_mean), pooling_sd = !is.null(d$h_sd), pooling_cor = !is.null(d$h_cor),
    shrinkage = !is.null(d$h_mean) && sigma,
    lp__ = TRUE, lprior = !is.null(d$lprior)
  )
  quantity <- names(has)[has]
  # What is derived for summary() only is left out of the draws: 1 - h^2 is h again.
  data.frame(
    quantity = quantity, index = unname(quantity_index[quantity]),
    in_draws = !startsWith(quantity, "pooling_") & quantity != "shrinkage"
  )
}

n_features <- function(fit) length(fit$statistics$features)
n_groups <- function(fit) length(fit$statistics$labels)
n_draws <- function(fit) prod(dim(fit$draws$lp)[1:2])

# Under complete pooling one set of values is stored for all groups.
shares_chol <- function(fit) all(fit$pooling[c("sd", if (n_features(fit) > 1) "cor")] == "complete")
chol_groups <- function(fit, groups) if (shares_chol(fit)) rep(1L, length(groups)) else as.integer(groups)
mean_groups <- function(fit, groups) if (fit$pooling[["mean"]] == "complete") rep(1L, length(groups)) else as.integer(groups)

# [iteration, chain, entry], group after group
mean_draws <- function(fit, groups) {
  k <- n_features(fit)
  index <- rep((mean_groups(fit, groups) - 1L) * k, each = k) + seq_len(k)
  kept_draws(fit, "mu")[, , index, drop = FALSE]
}

# The lower triangles of a derived quantity, [iteration, chain, entry], group after group.
packed_draws <- function(fit, variable, groups) {
  derive_quantity_(kept_draws(fit, "Sigma"), n_features(fit), chol_groups(fit, groups), variable, TRUE)
}

derived_array <- function(fit, variable, groups) {
  values <- derive_quantity_(kept_draws(fit, "Sigma"), n_features(fit), chol_groups(fit, groups), variable, FALSE)
  features <- rep(list(fit$statistics$features), length(dim(values)) - 3L)
  label_array(values, c(list(fit$statistics$labels[groups]), features))
}

# sigma0 Omega0 sigma0 as [iteration, chain, feature, feature]
population_matrix <- function(fit, kind) {
  k <- n_features(fit)
  size <- c(dim(fit$draws$lp)[1:2], k, k)
  values <- if (k == 1) {
    rep(1, prod(size))
  } else {
    derive_quantity_(fit$draws$chol_cor0, k, 1L, "Omega", FALSE)
  }
  values <- array(values, size)
  if (kind == "Omega") return(values)
  scale <- fit$draws$scale0
  rows <- rep(seq_len(k), k)
  columns <- rep(seq_len(k), each = k)
  values * array(scale[, , rows], size) * array(scale[, , columns], size)
}

# The sd between group means, [iteration, chain, feature]
tau_draws <- function(fit) sweep(fit$draws$h_mean, 3, fit$prior$mean$scale, `*`)

# The share of the population in a group's mean: (sigma^2/n) / (sigma^2/n + tau^2) with n the group's observations of that feature (vignette("model"));
# 1 where a group has none. [iteration, chain, entry], group after group
shrinkage_draws <- function(fit, groups) {
  k <- n_features(fit)
  sigma <- packed_draws(fit, "sigma", groups)
  n <- array(rep(t(observed_counts(fit$statistics)[groups, , drop = FALSE]), each = n_draws(fit)), dim(sigma))
  tau <- tau_draws(fit)[, , rep(seq_len(k), length(groups)), drop = FALSE]
  1 / (1 + n * (tau / sigma)^2)
}

# The (weighted) number of observations of every feature in every group: [group, feature]
observed_counts <- function(statistics) {
  p <- statistics$patterns
  counts <- matrix(0, length(statistics$labels), length(statistics$features), dimnames = list(statistics$labels, statistics$features))
  if (length(p$group) == 0) return(counts)
  sums <- rowsum(t(p$observed) * p$n, p$group)
  counts[as.integer(rownames(sums)), ] <- sums
  counts
}

feature_array <- function(fit, values) label_array(values, list(fit$statistics$features))

# [iteration, chain, group after group] to [iteration, chain, group, feature]
group_array <- function(fit, values, groups) {
  k <- n_features(fit)
  by_group <- rep(seq_len(k), each = length(groups)) + (seq_along(groups) - 1L) * k
  values <- values[, , by_group, drop = FALSE]
  dim(values) <- c(dim(values)[1:2], length(groups), k)
  label_array(values, list(fit$statistics$labels[groups], fit$statistics$features))
}

label_array <- function(values, labels) {
  dimnames(values) <- c(list(NULL, NULL), labels)
  values
}

# [iteration, chain, ...] to a random variable that knows its chains
as_rvar <- function(values) {
  size <- dim(values)
  labels <- dimnames(values)
  dimnames(values) <- NULL
  dim(values) <- c(size[1] * size[2], size[-(1:2)])
  if (!is.null(labels)) dimnames(values) <- c(list(NULL), labels[-(1:2)])
  posterior::rvar(values, nchains = size[2])
}

stack_covariances <- function(values) {
  g <- dim(values)[3]
  k <- dim(values)[4]
  joint <- array(0, c(dim(values)[1:2], g * k, g * k))
  for (i in seq_len(g)) {
    block <- (i - 1) * k + seq_len(k)
    joint[, , block, block] <- values[, , i, , ]
  }
  names <- paste(rep(dimnames(values)[[3]], each = k), rep(dimnames(values)[[4]], g), sep = ":")
  as_rvar(label_array(joint, list(names, names)))
}

# Groups in blocks whose draws take about 64 MB, so that what goes through all groups needs bounded memory.
group_blocks <- function(fit, groups = seq_len(n_groups(fit))) {
  k <- n_features(fit)
  each <- max(1, floor(2^26 / (8 * n_draws(fit) * k * (k + 5) / 2)))
  if (length(groups) <= each) return(list(groups))
  unname(split(groups, (seq_along(groups) - 1) %/% each))
}

match_groups <- function(fit, group, call = rlang::caller_env()) {
  labels <- fit$statistics$labels
  if (is.null(group)) return(seq_along(labels))
  found <- match(as.character(group), labels)
  if (anyNA(found)) {
    missing <- as.character(group)[is.na(found)]
    abort_hmvn(
      c("{.arg group} must name groups of the fit.", x = "There is no group {.val {missing}}.", i = "The groups are {.val {labels}}."),
      "group", group = missing, call = call
    )
  }
  found
}

check_fit <- function(fit, call = rlang::caller_env()) {
  if (!inherits(fit, "hmvn_fit")) {
    abort_hmvn(c("{.arg fit} must be what {.fn fit_hmvn} returns.", x = "It is {.obj_type_friendly {fit}}."), "fit", call = call)
  }
}

check_size <- function(bytes, what, hint = "Ask for fewer groups with {.arg group}, or fit with a larger {.arg thin}.", call = rlang::caller_env()) {
  if (bytes <= max_bytes) return(invisible())
  size <- format(bytes / 2^30, digits = 2)
  abort_hmvn(c("{what} must fit into 1 GB.", x = "It would take {size} GB.", i = hint), "size", bytes = bytes, call = call)
}
