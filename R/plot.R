# Pictures of a fit. Each is a ggplot, to which themes, scales and labels can be added.

#' Pictures of a fit
#'
#' * `"ellipses"`: the rows of the fit and every group's ellipse, for pairs of features: thick that
#'   of the posterior means, thin those of single draws, whose spread is the uncertainty. With
#'   covariates they are the ellipses of rows with average covariates, while rows are shown as they
#'   are.
#' * `"correlations"`: every correlation by group, posterior mean with its interval; a dashed line
#'   is the typical group, where there is one.
#' * `"matrices"`: every group's correlation matrix, as colours and, where there is room, as
#'   numbers: posterior means, in brackets where their interval holds zero.
#' * `"forest"`: means, or another `variable` of groups, with intervals; a dashed line is the
#'   typical group, and from the estimates of another fit (`unpooled`) arrows lead to these.
#' * `"within_between"`: correlations within groups, between their means and in total, see
#'   [within_between()].
#' * `"prior"`: densities before the data (sampled from the prior) and after, by default of what
#'   groups share.
#' * `"trace"`, `"rank"`, `"energy"`: how the chains mixed, by \pkg{bayesplot}.
#' * `"shrinkage"`: arrows from the mean of each group's rows to its posterior mean, under partial
#'   pooling of means; a dashed line is the typical group. With covariates both are at average
#'   covariates, rows by the posterior mean of the slopes.
#'
#' @param x An `hmvn_fit`.
#' @param type Which picture.
#' @param features Names of the features to show; `NULL`: the first four (twelve
#'   of matrices). Not for `"prior"`, `"trace"`, `"rank"` and `"energy"`. What is given to a picture
#'   that does not read it is refused.
#' @param group Labels of the groups to show; `NULL` for all. For `"ellipses"`, `"correlations"`,
#'   `"matrices"`, `"forest"` and `"shrinkage"`.
#' @param level Share of a group within its ellipse, for `"ellipses"`, or probability of the
#'   intervals, for `"correlations"`, `"matrices"`, `"forest"` and `"within_between"`.
#' @param ndraws For `"ellipses"`: number of draws whose ellipses are shown; `NULL`: 30 or as many
#'   as there are, none of more than eight groups, whose ellipses would hide each other.
#' @param variable For `"forest"`: `"mu"`, `"sigma"`, `"Omega"` or `"beta"`. For `"prior"`,
#'   `"trace"`, `"rank"` and `pairs()`: elements or quantities of the draws to show, such as
#'   `"h_mean"`.
#' @param unpooled For `"forest"`: a fit of the same groups, such as `update(fit, pooling =
#'   "none")`.
#' @param ... Not used; for `pairs()` passed on to [bayesplot::mcmc_pairs()].
#' @return A ggplot; `pairs()` a picture of \pkg{bayesplot}. Up to eight groups have the colours of
#'   Okabe and Ito, which colour-blind readers tell apart.
#' @section Errors: `hmvn_error_package` without \pkg{ggplot2} (\pkg{bayesplot} and
#'   \pkg{gridExtra} for `pairs()`);
#'   `hmvn_error_argument`, `hmvn_error_group`, `hmvn_error_keep`; `hmvn_error_rows` for ellipses
#'   over rows that were changed after the fit; `hmvn_error_no_meaning` for
#'   ellipses or correlations of one feature, for shrinkage without partial pooling of means, for
#'   correlations between groups that are not learned, and for energies of independent draws;
#'   `hmvn_error_variable`.
#' @seealso [pp_check()][pp_check.hmvn_fit] for data beside draws, [compare_groups()] for a picture
#'   of differences.
#' @examplesIf requireNamespace("ggplot2", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' plot(fit, features = c("Petal.Length", "Petal.Width"))
#' plot(fit, "correlations")
#' plot(fit, "shrinkage")
#' plot(fit, "forest", variable = "sigma", unpooled = update(fit, pooling = "none"))
#' @export
plot.hmvn_fit <- function(x, type = c("ellipses", "correlations", "matrices", "forest",
                                       "shrinkage", "within_between", "prior", "trace", "rank",
                                       "energy"), ...,
                          features = NULL, group = NULL, level = 0.9,
                          ndraws = NULL, variable = NULL,
                          unpooled = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  require_package("ggplot2", "{.fn plot}", call)
  type <- check_first_choice(type, "type", formals()$type, call)
  given <- list(
    features = features, group = group, level = if (!missing(level)) level, ndraws = ndraws,
    variable = variable, unpooled = unpooled
  )
  check_read_by_picture(given, type, call)
  if (type %in% c("trace", "rank", "energy")) {
    return(plot_chains(x, type, variable, call))
  }
  if (type == "prior") {
    return(plot_prior(x, variable, call))
  }
  how <- list(
    level = check_number(level, "level", 0, 1, open = TRUE, call = call), ndraws = ndraws,
    variable = variable %||% "mu", unpooled = unpooled
  )
  check_kept(x, drawn_quantities(type, how$variable), call)
  shown <- feature_positions(x, features, call)
  if (is.null(features)) shown <- utils::head(shown, if (type == "matrices") 12L else 4L)
  if (type %in% c("ellipses", "correlations", "matrices") && length(shown) < 2L) {
    abort_no_meaning(
      "plot", "Ellipses and correlations are of pairs of features.",
      "{.code plot(fit)} with two {.arg features}, or {.code pp_check(fit)} for one,", call
    )
  }
  groups <- match_groups(x, group, call)
  switch(type,
    ellipses = plot_ellipses(x, shown, groups, how, call),
    correlations = plot_correlations(x, shown, groups, how$level),
    matrices = plot_matrices(x, shown, groups, how$level),
    forest = plot_forest(x, shown, groups, how, call),
    shrinkage = plot_shrinkage(x, shown, groups, call),
    within_between = plot_within_between(x, shown, how$level)
  )
}

#' @rdname plot.hmvn_fit
#' @importFrom graphics pairs
#' @export
pairs.hmvn_fit <- function(x, variable = NULL, ...) {
  check_fit(x)
  variable <- variable %||% utils::head(mean_names(x), n_features(x))
  draws <- as.array.hmvn_fit(x, variable = variable)
  if (dim(draws)[[3L]] < 2L) {
    abort_argument("variable", "of two parameters or more", variable, rlang::current_env())
  }
  for (package in c("bayesplot", "gridExtra")) {
    require_package(package, "{.fn pairs}", rlang::current_env())
  }
  bayesplot::mcmc_pairs(draws, ...)
}

# internal -----------------------------------------------------------------

# The quantities of groups that a picture shows.
drawn_quantities <- function(type, variable) {
  switch(type,
    ellipses = c("mu", "Sigma"),
    correlations = ,
    matrices = "Omega",
    forest = variable,
    shrinkage = "mu",
    within_between = "Sigma"
  )
}

# The arguments that a picture reads.
picture_arguments <- function(type) {
  switch(type,
    ellipses = c("features", "group", "level", "ndraws"),
    correlations = ,
    matrices = c("features", "group", "level"),
    forest = c("features", "group", "level", "variable", "unpooled"),
    shrinkage = c("features", "group"),
    within_between = c("features", "level"),
    prior = ,
    trace = ,
    rank = "variable",
    energy = character()
  )
}

# `given`: a list by argument, NULL where one was left out.
check_read_by_picture <- function(given, type, call) {
  given <- Filter(Negate(is.null), given)
  for (arg in setdiff(names(given), picture_arguments(type))) {
    must <- paste0("left out for type \"", type, "\", which does not read it")
    abort_argument(arg, must, given[[arg]], call)
  }
}

plot_correlations <- function(fit, features, groups, level) {
  names <- fit$statistics$features
  labels <- fit$statistics$labels
  prob <- c(1 - level, 1 + level) / 2
  found <- summary.hmvn_fit(fit, "Omega", labels[groups], prob = prob)
  here <- found$feature %in% names[features] & found$feature2 %in% names[features]
  pairs <- feature_pairs(sort(features))
  known <- paste(names[pairs[, 1L]], names[pairs[, 2L]], sep = " ~ ")
  # a key column may be named like another quantile
  ends <- quantile_names(prob)
  long <- data.frame(
    mean = found$mean, low = found[[ends[[1L]]]], high = found[[ends[[2L]]]],
    group = factor(found$group, rev(labels[groups])), pair = factor(pair_label(found, names), known)
  )[here, ]
  many <- length(groups) > many_groups
  aes <- ggplot2::aes
  picture <- ggplot2::ggplot(long, aes(.data$mean, .data$group)) +
    ggplot2::geom_vline(xintercept = 0, colour = "grey60")
  if ("Omega0" %in% quantity_names(fit)) {
    typical <- summary.hmvn_fit(fit, "Omega0")
    typical$pair <- factor(pair_label(typical, names), known)
    picture <- picture + ggplot2::geom_vline(
      aes(xintercept = .data$mean), typical[typical$pair %in% long$pair, ], linetype = "dashed",
      colour = okabe_ito[[2L]]
    )
  }
  picture +
    ggplot2::geom_linerange(
      aes(xmin = .data$low, xmax = .data$high), colour = okabe_ito[[1L]], linewidth = 0.8
    ) +
    ggplot2::geom_point(colour = okabe_ito[[1L]], size = if (many) 1.2 else 2) +
    ggplot2::coord_cartesian(xlim = c(-1, 1)) +
    (if (many && nrow(pairs) > 4L) ggplot2::scale_x_continuous(breaks = c(-1, 0, 1))) +
    ggplot2::labs(x = "correlation", y = NULL) + plain_theme() + panels_of_groups(long, "pair")
}

plot_shrinkage <- function(fit, features, groups, call) {
  check_typical_mean(fit, "plot", call)
  names <- fit$statistics$features
  labels <- fit$statistics$labels
  raw <- raw_means(fit)[groups, features, drop = FALSE]
  pooled <- coef.hmvn_fit(fit)[groups, features, drop = FALSE]
  long <- data.frame(
    raw = c(raw), pooled = c(pooled), group = factor(labels[groups], rev(labels[groups])),
    feature = factor(rep(names[features], each = length(groups)), names)
  )
  long <- long[!is.na(long$raw), ]
  typical <- data.frame(
    value = fixef.hmvn_fit(fit)[features], feature = factor(names[features], names)
  )
  aes <- ggplot2::aes
  ggplot2::ggplot(long, aes(.data$pooled, .data$group)) +
    ggplot2::geom_vline(
      aes(xintercept = .data$value), typical, linetype = "dashed", colour = okabe_ito[[2L]]
    ) +
    ggplot2::geom_segment(
      aes(x = .data$raw, xend = .data$pooled, yend = .data$group), colour = "grey50"
    ) +
    ggplot2::geom_point(
      aes(x = .data$raw, shape = "mean of its rows"), colour = "grey40", size = 2
    ) +
    ggplot2::geom_point(aes(shape = "posterior mean"), colour = okabe_ito[[1L]], size = 2) +
    ggplot2::scale_shape_manual(
      values = c("mean of its rows" = 1, "posterior mean" = 19), name = NULL
    ) +
    ggplot2::labs(x = NULL, y = NULL) + plain_theme() +
    panels_of_groups(long, "feature", "free_x")
}

# The mean of the rows of every group, less what their covariates say, [group, feature]; NA where
# nothing was observed
raw_means <- function(fit) {
  statistics <- fit$statistics
  p <- statistics$patterns
  if (n_covariates(fit) > 0L) {
    x <- p$covariate_mean - statistics$covariate_center
    p$mean <- p$mean - t(covariate_effects(fit, list(group = p$group, covariates = x)))
  }
  sums <- matrix(0, length(statistics$labels), length(statistics$features))
  found <- rowsum(t(p$mean * p$observed) * p$n, p$group)
  sums[as.integer(rownames(found)), ] <- found
  n <- observed_counts(statistics)
  ifelse(n > 0, sums / n, NA)
}
