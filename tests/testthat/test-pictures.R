# What pictures look like, on one set of packages: another version of ggplot2 draws the same layers
# otherwise. What the layers hold is tested on every set, in test-plot.R and its like. Fits are made
# up or sampled directly, so that no chain decides what is drawn; for the same reason pictures that
# sample by themselves ("prior") are not here.

pictures <- list(
  ellipses = function() plot(fake_fit(G = 3, K = 3, iter = 10), ndraws = 3),
  ellipses_of_many = function() plot(fake_fit(G = 12, iter = 10)),
  ellipses_over_rows = function() {
    fit <- short_fit(iris, ~Species, ~ Petal.Length + Petal.Width, algorithm = "direct")
    plot(fit, ndraws = 2)
  },
  correlations = function() plot(fake_fit(G = 5, K = 3, pooling = "partial"), "correlations"),
  matrices = function() plot(fake_fit(G = 2, K = 4), "matrices"),
  matrices_of_many = function() plot(fake_fit(G = 4, K = 12, iter = 10), "matrices"),
  forest = function() {
    fit <- fake_fit(G = 4, K = 2, pooling = "partial")
    plot(fit, "forest", unpooled = fake_fit(G = 4, K = 2, iter = 20))
  },
  shrinkage = function() plot(fake_fit(G = 4, K = 2, pooling = "partial"), "shrinkage"),
  within_between = function() {
    plot(fake_fit(G = 12, K = 3, pooling = "partial"), "within_between")
  },
  trace = function() plot(fake_fit(iter = 20), "trace", variable = c("mu", "lp__")),
  rank = function() plot(fake_fit(iter = 100), "rank", variable = "sigma"),
  comparison = function() plot(compare_groups(fake_fit(G = 3, K = 2), what = c("mean", "cor"))),
  comparison_of_many = function() {
    plot(compare_groups(fake_fit(G = 6, K = 2), what = "sd"), n = 5)
  }
)

pinned <- c(ggplot2 = "3.4.1", bayesplot = "1.10.0", vdiffr = "1.0.5")

for (name in names(pictures)) {
  test_that(paste(name, "look as they did"), {
    # said before anything is skipped: else the picture would be deleted as one that no test has
    announce_snapshot_file(name = paste0(gsub("_", "-", name), ".svg"))
    for (package in names(pinned)) {
      skip_if_not_installed(package)
      skip_if_not(
        utils::packageVersion(package) == pinned[[package]],
        paste("pictures are pinned for", package, pinned[[package]])
      )
    }
    vdiffr::expect_doppelganger(name, pictures[[name]]())
  })
}
