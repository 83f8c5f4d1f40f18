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
