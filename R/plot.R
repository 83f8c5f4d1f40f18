# Pictures of a fit. Each is a ggplot, to which themes, scales and labels can be added.

#' Pictures of a fit
#'
#' * `"ellipses"`: the rows of the fit and every group's ellipse, for pairs of features: thick that
#'   of the posterior means, thin those of single draws, whose spread is the uncertainty. With
#'   covariates they are the ellipses of rows with average covariates, while rows are shown as they
#'   are.
#' * `"correlations"`: every correlation by group, posterior mean with its interval; a dashed line
#'   is the typical group, where there is one.
#' * `"shrinkage"`: arrows from the mean of each group's rows to its posterior mean, under partial
#'   pooling of means; a dashed line is the typical group. With covariates both are at average
#'   covariates, rows by the posterior mean of the slopes.
#'
#' @param x An `hmvn_fit`.
#' @param type Which picture.
#' @param features Names of the features to show; `NULL`: the first four.
#' @param group Labels of the groups to show; `NULL` for all.
#' @param level Share of a group within its ellipse, or probability of the intervals.
#' @param ndraws Number of draws whose ellipses are shown, by default 30 or as many as there are.
#' @param variable For `pairs()`: elements or quantities to show, such as `"h_mean"`.
#' @param ... Not used; for `pairs()` passed on to [bayesplot::mcmc_pairs()].
#' @return A ggplot; `pairs()` a picture of \pkg{bayesplot}. Up to eight groups have the colours of
#'   Okabe and Ito, which colour-blind readers tell apart.
#' @section Errors: `hmvn_error_package` without \pkg{ggplot2} (\pkg{bayesplot} and
#'   \pkg{gridExtra} for `pairs()`);
#'   `hmvn_error_argument`, `hmvn_error_group`, `hmvn_error_keep`; `hmvn_error_rows` for ellipses
#'   over rows that were changed after the fit; `hmvn_error_no_meaning` for
#'   ellipses or correlations of one feature, and for shrinkage without partial pooling of means.
#' @examplesIf requireNamespace("ggplot2", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' plot(fit, features = c("Petal.Length", "Petal.Width"))
#' plot(fit, "correlations")
#' plot(fit, "shrinkage")
#' @export
plot.hmvn_fit <- function(x, type = c("ellipses", "correlations", "shrinkage"), ...,
                          features = NULL, group = NULL, level = 0.9,
                          ndraws = min(30, posterior::ndraws(x))) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  require_package("ggplot2", "{.fn plot}", call)
  type <- check_first_choice(type, "type", formals()$type, call)
  shown_of <- list(ellipses = c("mu", "Sigma"), correlations = "Omega", shrinkage = "mu")
  check_kept(x, shown_of[[type]], call)
  level <- check_number(level, "level", 0, 1, open = TRUE, call = call)
  known <- x$statistics$features
  for (one in features) check_choice(one, "features", known, call)
  shown <- match(features %||% utils::head(known, 4L), known)
  if (type != "shrinkage" && length(shown) < 2L) {
    abort_no_meaning(
      "plot", "Ellipses and correlations are of pairs of features.",
      "{.code plot(fit)} with two {.arg features}, or {.code pp_check(fit)} for one,", call
    )
  }
  groups <- unique(match_groups(x, group, call))
  switch(type,
    ellipses = plot_ellipses(x, shown, groups, list(level = level, ndraws = ndraws), call),
    correlations = plot_correlations(x, shown, groups, level),
    shrinkage = plot_shrinkage(x, shown, groups, call)
  )
}

#' @rdname plot.hmvn_fit
#' @importFrom graphics pairs
#' @export
pairs.hmvn_fit <- function(x, variable = NULL, ...) {
  check_fit(x)
  for (package in c("bayesplot", "gridExtra")) {
    require_package(package, "{.fn pairs}", rlang::current_env())
  }
  variable <- variable %||% utils::head(mean_names(x), n_features(x))
  bayesplot::mcmc_pairs(as.array.hmvn_fit(x, variable = variable), ...)
}

# internal -----------------------------------------------------------------

okabe_ito <- c(
  "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"
)

group_colours <- function(n) {
  if (n <= length(okabe_ito)) okabe_ito[seq_len(n)] else grDevices::hcl.colors(n, "viridis")
}

plain_theme <- function() {
  ggplot2::theme_bw(base_size = 11) + ggplot2::theme(
    panel.grid.minor = ggplot2::element_blank(), strip.placement = "outside",
    strip.background = ggplot2::element_blank(), legend.position = "top"
  )
}

# All pairs of positions, the first before the second
feature_pairs <- function(features) {
  at <- which(upper.tri(diag(length(features))), arr.ind = TRUE)
  cbind(features[at[, 1L]], features[at[, 2L]])
}

#' @importFrom rlang .data
plot_ellipses <- function(fit, features, groups, how, call) {
  names <- fit$statistics$features
  ndraws <- check_count(how$ndraws, "ndraws", min = 0, max = n_draws(fit), call = call)
  pairs <- feature_pairs(features)
  over <- function(make) {
    long <- do.call(rbind, lapply(seq_len(nrow(pairs)), function(i) {
      found <- make(pairs[i, ])
      if (is.null(found) || nrow(found) == 0L) {
        return(NULL)
      }
      cbind(found, across = names[pairs[i, 1L]], up = names[pairs[i, 2L]])
    }))
    for (side in c("across", "up")) long[[side]] <- factor(long[[side]], names)
    long
  }
  data <- if (!is.null(fit$data)) require_rows(fit, "A picture of the rows", call)
  chosen <- if (ndraws > 0) choose_draws(fit, ndraws, call)
  moments <- lapply(groups, group_moments, fit = fit, chosen = chosen)
  labels <- fit$statistics$labels[groups]
  points <- if (!is.null(data)) over(function(pair) pair_points(data, pair, labels))
  draws <- if (ndraws > 0) over(function(pair) drawn_ellipses(moments, pair, labels, how$level))
  means <- over(function(pair) mean_ellipses(moments, pair, labels, how$level))
  n <- length(groups)
  aes <- ggplot2::aes
  picture <- ggplot2::ggplot(means, aes(.data$x, .data$y, colour = .data$group))
  if (!is.null(points)) {
    picture <- picture + ggplot2::geom_point(data = points, size = 0.8, alpha = 0.35)
  }
  if (!is.null(draws)) {
    picture <- picture + ggplot2::geom_path(
      aes(group = interaction(.data$group, .data$draw)), draws, linewidth = 0.2, alpha = 0.3
    )
  }
  panels <- if (nrow(pairs) == 1L) {
    ggplot2::labs(x = names[pairs[1L, 1L]], y = names[pairs[1L, 2L]])
  } else {
    list(
      ggplot2::facet_grid(
        ggplot2::vars(.data$up), ggplot2::vars(.data$across), scales = "free", switch = "both"
      ),
      ggplot2::labs(x = NULL, y = NULL)
    )
  }
  many <- n > length(okabe_ito)
  picture + ggplot2::geom_path(linewidth = if (many) 0.4 else 0.9) + panels +
    ggplot2::scale_colour_manual(
      values = group_colours(n), name = paste(names(fit$statistics$keys), collapse = ":"),
      guide = if (n <= 20L) "legend" else "none"
    ) + plain_theme()
}

# The rows in which both features are observed, of the groups with these labels. `data`: of the fit
pair_points <- function(data, pair, labels) {
  cells <- data.frame(
    x = as.double(data$columns[[pair[[1L]]]]), y = as.double(data$columns[[pair[[2L]]]]),
    group = factor(data$labels[data$codes], labels)
  )
  cells[stats::complete.cases(cells), ]
}

# The points of an ellipse that holds `level` of Normal(mean, S), two features
ellipse_path <- function(mean, S, level) {
  angle <- seq(0, 2 * pi, length.out = 73)
  circle <- cbind(cos(angle), sin(angle)) * sqrt(stats::qchisq(level, 2))
  path <- circle %*% chol(S)
  data.frame(x = path[, 1L] + mean[[1L]], y = path[, 2L] + mean[[2L]])
}

# What a group's ellipses are made of: the posterior means `mean` [feature] and `S` [feature,
# feature], and `means` [draw, feature] and `covariances` [draw, feature, feature] of the draws
# `chosen`.
group_moments <- function(fit, group, chosen) {
  k <- n_features(fit)
  means <- draw_matrix(mean_draws(fit, group), seq_len(n_draws(fit)))
  covariances <- array(quantity(fit, "Sigma", group), c(n_draws(fit), k, k))
  list(
    mean = colMeans(means), S = colMeans(covariances), means = means[chosen, , drop = FALSE],
    covariances = covariances[chosen, , , drop = FALSE]
  )
}

# `moments`: see group_moments(), one a label.
mean_ellipses <- function(moments, pair, labels, level) {
  do.call(rbind, Map(function(own, label) {
    path <- ellipse_path(own$mean[pair], own$S[pair, pair], level)
    cbind(path, group = factor(label, labels))
  }, moments, labels))
}

drawn_ellipses <- function(moments, pair, labels, level) {
  do.call(rbind, Map(function(own, label) {
    do.call(rbind, lapply(seq_len(nrow(own$means)), function(i) {
      path <- ellipse_path(own$means[i, pair], own$covariances[i, pair, pair], level)
      cbind(path, group = factor(label, labels), draw = i)
    }))
  }, moments, labels))
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
    ggplot2::geom_point(colour = okabe_ito[[1L]], size = 2) +
    ggplot2::facet_wrap(ggplot2::vars(.data$pair)) +
    ggplot2::coord_cartesian(xlim = c(-1, 1)) +
    ggplot2::labs(x = "correlation", y = NULL) + plain_theme()
}

# "x ~ y", whichever of the two comes first among the features
pair_label <- function(found, names) {
  a <- match(found$feature, names)
  b <- match(found$feature2, names)
  paste(names[pmin(a, b)], names[pmax(a, b)], sep = " ~ ")
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
    ggplot2::facet_wrap(ggplot2::vars(.data$feature), scales = "free_x") +
    ggplot2::labs(x = NULL, y = NULL) + plain_theme()
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
