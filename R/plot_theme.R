# What pictures have in common: colours, a theme, pairs of features.

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

# "x ~ y", whichever of the two comes first among the features
pair_label <- function(found, names) {
  a <- match(found$feature, names)
  b <- match(found$feature2, names)
  paste(names[pmin(a, b)], names[pmax(a, b)], sep = " ~ ")
}

# A panel for each value of the column `name` of `data`, whose names find room above it: cut after
# "~", and without their middle where that is not enough.
panels_by <- function(data, name, scales = "fixed", columns = panel_columns(data[[name]])) {
  ggplot2::facet_wrap(
    ggplot2::vars(.data[[name]]), scales = scales, ncol = columns,
    labeller = ggplot2::as_labeller(function(text) fit_panel(text, max(6, 84 %/% columns)))
  )
}

many_groups <- 24L

# The same with the column `group` from top to bottom, so that its names do not overlap on a page
# seven inches high: many groups have panels beside rather than below each other, and smaller names;
# where that does not do, some are left out, which the picture says.
panels_of_groups <- function(data, name, scales = "fixed") {
  groups <- length(unique(data$group))
  panels <- length(unique(data[[name]]))
  columns <- if (groups > many_groups) min(panels, 6L) else panel_columns(data[[name]])
  room <- 430 / groups / ceiling(panels / columns) # points a name
  every <- if (room < 4) ceiling(4 / room) else 1
  list(
    panels_by(data, name, scales, columns),
    # from the top, which comes last
    ggplot2::scale_y_discrete(breaks = function(labels) {
      labels[(length(labels) - seq_along(labels)) %% every == 0]
    }),
    if (every > 1) ggplot2::labs(caption = paste0("one name of ", every, " is written")),
    ggplot2::theme(axis.text.y = ggplot2::element_text(size = min(8.8, room * every)))
  )
}

panel_columns <- function(values) ggplot2::wrap_dims(length(unique(values)))[[2L]]

fit_panel <- function(text, width) {
  long <- which(text_width(text) > width)
  lines <- strsplit(text[long], " ~ ", fixed = TRUE)
  in_two <- lengths(lines) == 2L
  text[long[!in_two]] <- trim_names(text[long[!in_two]], width)
  halves <- trim_names(unlist(lines[in_two]), width - 2)
  text[long[in_two]] <- paste0(halves[c(TRUE, FALSE)], " ~\n", halves[c(FALSE, TRUE)])
  text
}
