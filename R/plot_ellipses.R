# Ellipses of groups over their rows, for pairs of features.

# internal -----------------------------------------------------------------

#' @importFrom rlang .data
plot_ellipses <- function(fit, features, groups, how, call) {
  names <- fit$statistics$features
  few <- length(groups) <= length(okabe_ito)
  ndraws <- how$ndraws %||% if (few) min(30L, n_draws(fit)) else 0L
  ndraws <- check_count(ndraws, "ndraws", min = 0, max = n_draws(fit), call = call)
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
  crowded <- n > 20L # more than colours tell apart
  aes <- ggplot2::aes
  picture <- ggplot2::ggplot(means, aes(.data$x, .data$y, colour = .data$group))
  if (!is.null(points)) {
    rows <- list(data = points, size = 0.8, alpha = 0.35, colour = if (crowded) "grey50")
    picture <- picture + do.call(ggplot2::geom_point, Filter(Negate(is.null), rows))
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
  picture + plain_theme() + panels +
    ggplot2::geom_path(linewidth = if (few) 0.9 else 0.4, alpha = if (crowded) 0.6 else 1) +
    ggplot2::scale_colour_manual(
      values = if (crowded) rep(okabe_ito[[1L]], n) else group_colours(n),
      name = paste(names(fit$statistics$keys), collapse = ":"),
      guide = if (crowded) "none" else "legend"
    ) +
    ggplot2::labs(
      caption = if (crowded) paste(n, "groups, more than colours tell apart; some: group =")
    )
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
