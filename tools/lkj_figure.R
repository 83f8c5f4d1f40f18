# Draws the figure of ?dist_lkj: the prior of one correlation for several numbers of features.
# Usage, in a checkout: Rscript tools/lkj_figure.R

density_of <- function(r, eta, k) {
  a <- eta + (k - 2) / 2
  stats::dbeta((r + 1) / 2, a, a) / 2
}

# Without anti-aliasing it needs few colours and little room; a page shows it scaled down
grDevices::png(
  "man/figures/lkj-correlations.png", 1500, 600, res = 200, type = "cairo", antialias = "none"
)
graphics::par(mfrow = c(1, 3), mar = c(3.2, 3.2, 2, 0.6), mgp = c(2, 0.6, 0))
r <- seq(-1, 1, length.out = 401)
features <- c(2, 5, 10, 20)
colours <- c("#0072B2", "#D55E00", "#009E73", "#CC79A7")
for (eta in c(1, 2, 4)) {
  values <- vapply(features, function(k) density_of(r, eta, k), double(length(r)))
  graphics::matplot(
    r, values, type = "l", lty = 1:4, lwd = 1.6, col = colours, ylim = c(0, 2.6),
    xlab = "one correlation", ylab = "prior density", main = paste("eta =", eta)
  )
  if (eta == 1) {
    graphics::legend("topleft", paste("K =", features), lty = 1:4, col = colours, bty = "n")
  }
}
invisible(grDevices::dev.off())
