# A picture of group covariances over the data, in base graphics.

# For two features: the rows of each group, the 90 % ellipse of its posterior mean and covariance,
# and, thin, the ellipses of single posterior draws, whose spread is the uncertainty. An ellipse
# holds 90 % of a group's rows where they are Normal. `group`: the name of a column of `data`.
# `shared`: another fit, dashed in black, for comparison.
plot_ellipses <- function(fit, data, group, features, n_draws = 25, shared = NULL, main = NULL) {
  mu <- posterior::draws_of(group_mean(fit)[, features]) # [draw, group, feature]
  Sigma <- posterior::draws_of(group_cov(fit)[, features, features])
  average <- group_ellipses(colMeans(mu), colMeans(Sigma))
  labels <- names(average)
  colours <- hcl.colors(length(labels), "Dark 3")
  dashed <- if (!is.null(shared)) {
    group_ellipses(
      posterior::E(group_mean(shared)[, features]),
      posterior::E(group_cov(shared)[, features, features])
    )
  }

  shown <- rbind(as.matrix(data[, features]), do.call(rbind, c(average, dashed)))
  plot(shown, type = "n", las = 1, xlab = features[1], ylab = features[2], main = main)
  of_row <- match(as.character(data[[group]]), labels)
  points(data[, features], pch = 16, cex = 0.6, col = adjustcolor(colours[of_row], 0.4))
  for (draw in round(seq(1, nrow(mu), length.out = n_draws))) {
    ellipses <- group_ellipses(mu[draw, , ], Sigma[draw, , , ])
    Map(lines, ellipses, col = adjustcolor(colours, 0.3), lwd = 0.5)
  }
  Map(lines, average, col = colours, lwd = 2.5)
  Map(lines, dashed, lty = 2)
  legend("topleft", labels, col = colours, lwd = 2.5, bty = "n", cex = 0.8)
}

# Means [group, feature] and covariances [group, feature, feature] -> a list of ellipses by group.
group_ellipses <- function(mu, Sigma) {
  lapply(setNames(nm = rownames(mu)), function(g) ellipse(mu[g, ], Sigma[g, , ]))
}

# The contour that holds `level` of a bivariate Normal distribution, [point, dimension].
ellipse <- function(mean, cov, level = 0.9, points = 100) {
  angle <- seq(0, 2 * pi, length.out = points)
  circle <- cbind(cos(angle), sin(angle))
  sweep(sqrt(qchisq(level, df = 2)) * circle %*% chol(cov), 2, mean, `+`)
}
