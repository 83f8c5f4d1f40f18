# Pictures of quantities by group: correlation matrices, forests, correlations within and between.

# internal -----------------------------------------------------------------

# Every group's correlation matrix: the posterior mean as a colour and, where there is room, as a
# number, in brackets where its interval holds zero.
plot_matrices <- function(fit, features, groups, level) {
  names <- fit$statistics$features[features]
  labels <- fit$statistics$labels[groups]
  ends <- c(1 - level, 1 + level) / 2
  found <- summary.hmvn_fit(fit, "Omega", labels, prob = ends)
  quantiles <- quantile_names(ends)
  found <- found[found$feature %in% names & found$feature2 %in% names, ]
  open <- found[[quantiles[[1L]]]] < 0 & found[[quantiles[[2L]]]] > 0
  text <- fixed(found$mean, 2)
  long <- data.frame(
    mean = found$mean, text = ifelse(open, paste0("(", text, ")"), text),
    group = factor(found$group, labels), across = factor(found$feature, names),
    up = factor(found$feature2, rev(names))
  )
  aes <- ggplot2::aes
  picture <- ggplot2::ggplot(long, aes(.data$across, .data$up, fill = .data$mean)) +
    ggplot2::geom_tile(colour = "white") +
    ggplot2::scale_fill_gradient2(
      low = "#B35806", mid = "white", high = "#2166AC", limits = c(-1, 1), name = "correlation"
    ) +
    panels_by(long, "group") + ggplot2::coord_equal() +
    ggplot2::labs(x = NULL, y = NULL) + plain_theme() +
    ggplot2::theme(
      axis.text.x = ggplot2::element_text(angle = 45, hjust = 1),
      panel.grid = ggplot2::element_blank()
    )
  columns <- panel_columns(labels)
  if (length(names) * columns > 48) {
    none <- ggplot2::element_blank()
    said <- "features from left to right and from top to bottom, in their order"
    return(picture + ggplot2::labs(caption = said) +
      ggplot2::theme(axis.text.x = none, axis.text.y = none, axis.ticks = none))
  }
  if (columns > 3L) {
    short <- function(text) trim_names(text, max(6, 60 %/% columns))
    picture <- picture + ggplot2::scale_x_discrete(labels = short) +
      ggplot2::scale_y_discrete(labels = short)
  }
  if (length(names) * sqrt(length(labels)) > 16) {
    return(picture)
  }
  picture + ggplot2::geom_text(aes(label = .data$text), size = 2.6)
}

# Any quantity of groups with its interval; arrows come from the estimates of another fit. `how`:
# list(variable, level, unpooled).
plot_forest <- function(fit, features, groups, how, call) {
  variable <- check_choice(how$variable, "variable", c("mu", "sigma", "Omega", "beta"), call)
  known <- quantity_names(fit)
  check_variables(setdiff(variable, known), known, call)
  labels <- fit$statistics$labels[groups]
  long <- forest_rows(fit, variable, features, labels, how$level)
  long$group <- factor(long$group, rev(labels))
  panels <- unique(long$of)
  long$of <- factor(long$of, panels)
  aes <- ggplot2::aes
  picture <- ggplot2::ggplot(long, aes(.data$mean, .data$group))
  typical <- quantities[[variable]]$typical
  if (typical %in% known) {
    population <- forest_rows(fit, typical, features, NULL, how$level)
    population$of <- factor(population$of, panels)
    picture <- picture + ggplot2::geom_vline(
      aes(xintercept = .data$mean), population, linetype = "dashed", colour = okabe_ito[[2L]]
    )
  }
  if (!is.null(how$unpooled)) {
    from <- unpooled_rows(how, variable, features, labels, call)
    at <- match(paste(long$group, long$of), paste(from$group, from$of))
    long$from <- from$mean[at]
    picture <- picture + ggplot2::geom_segment(
      aes(x = .data$from, xend = .data$mean, yend = .data$group), long, colour = "grey40",
      arrow = ggplot2::arrow(length = ggplot2::unit(0.08, "inches")), na.rm = TRUE
    ) + ggplot2::geom_point(aes(x = .data$from), long, shape = 1, colour = "grey40", na.rm = TRUE)
  }
  picture +
    ggplot2::geom_linerange(
      aes(xmin = .data$low, xmax = .data$high), colour = okabe_ito[[1L]], alpha = 0.6,
      linewidth = 1.2
    ) +
    ggplot2::geom_point(
      colour = okabe_ito[[1L]], size = if (length(labels) > many_groups) 1.2 else 1.8
    ) +
    ggplot2::labs(x = NULL, y = NULL) + plain_theme() + panels_of_groups(long, "of", "free_x")
}

# A data frame group, of, mean, low, high of the features that are shown.
forest_rows <- function(fit, variable, features, labels, level) {
  ends <- c(1 - level, 1 + level) / 2
  found <- summary.hmvn_fit(fit, variable, labels, prob = ends)
  quantiles <- quantile_names(ends)
  names <- fit$statistics$features[features]
  here <- found$feature %in% names & (is.na(found$feature2) | found$feature2 %in% names)
  found <- found[here, ]
  data.frame(
    group = found$group, of = compared_names(found, 40), mean = found$mean,
    low = found[[quantiles[[1L]]]], high = found[[quantiles[[2L]]]]
  )
}

unpooled_rows <- function(how, variable, features, labels, call) {
  other <- how$unpooled
  check_fit(other, call)
  absent <- setdiff(labels, other$statistics$labels)
  if (length(absent) > 0L) {
    abort_argument(
      "unpooled", "a fit of the same groups, such as update(fit, pooling = \"none\")", other, call
    )
  }
  forest_rows(other, variable, features, labels, how$level)
}

# Correlations within groups, between their means, and in total, of every pair.
plot_within_between <- function(fit, features, level) {
  found <- within_between(fit, prob = level)
  names <- fit$statistics$features[features]
  found <- found[found$feature %in% names & found$feature2 %in% names, ]
  kinds <- c("within", "between", "total")
  pair <- pair_label(found, fit$statistics$features)
  long <- do.call(rbind, lapply(kinds, function(kind) {
    data.frame(
      pair = factor(pair, rev(unique(pair))), kind = factor(kind, kinds), mean = found[[kind]],
      low = found[[paste0(kind, "_low")]], high = found[[paste0(kind, "_high")]]
    )
  }))
  apart <- ggplot2::position_dodge(width = 0.6)
  aes <- ggplot2::aes
  ggplot2::ggplot(long, aes(.data$mean, .data$pair, colour = .data$kind, shape = .data$kind)) +
    ggplot2::geom_vline(xintercept = 0, colour = "grey60") +
    ggplot2::geom_linerange(
      aes(xmin = .data$low, xmax = .data$high), position = apart, linewidth = 0.8
    ) +
    ggplot2::geom_point(position = apart, size = 2) +
    ggplot2::scale_colour_manual(values = okabe_ito[c(1, 2, 7)], name = NULL) +
    ggplot2::scale_shape_discrete(name = NULL) +
    ggplot2::coord_cartesian(xlim = c(-1, 1)) +
    ggplot2::labs(x = "correlation", y = NULL) + plain_theme()
}
