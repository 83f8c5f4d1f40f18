# Mean and covariance matrix of each species of iris, and a picture of them:
#   Rscript inst/examples/iris.R [picture.png]
library(hmvn)
source(system.file("examples", "plot_ellipses.R", package = "hmvn"))

fit <- fit_hmvn(iris, group = ~ Species, seed = 1)
print(fit)

cat("\nCovariance matrices (posterior means)\n")
Sigma <- posterior::E(group_cov(fit))
for (species in rownames(Sigma)) {
  cat("\n", species, "\n", sep = "")
  print(round(Sigma[species, , ], 3))
}

# For comparison: own means, but one covariance matrix for all
shared <- fit_hmvn(
  iris, group = ~ Species, pooling = c(sd = "complete", cor = "complete"), seed = 1
)

file <- c(commandArgs(trailingOnly = TRUE), "hmvn-iris.png")[1]
type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
png(file, width = 1200, height = 560, res = 130, type = type)
par(mfrow = c(1, 2), mar = c(4, 4, 1, 1))
plot_ellipses(fit, iris, "Species", c("Sepal.Length", "Sepal.Width"), shared = shared)
plot_ellipses(fit, iris, "Species", c("Petal.Length", "Petal.Width"), shared = shared)
invisible(dev.off())
cat("\nPicture: ", normalizePath(file), "\n", sep = "")
