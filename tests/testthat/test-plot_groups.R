skip_if_not_installed("ggplot2")

layers_of <- function(picture) ggplot2::ggplot_build(picture)$data

test_that("matrices show the posterior means, in brackets where their interval holds zero", {
  fit <- fake_fit(G = 2, K = 3)
  picture <- plot(fit, "matrices", level = 0.8)
  found <- summary(fit, "Omega", prob = c(0.1, 0.9))
  tiles <- picture$data
  expect_identical(tiles$mean, found$mean)
  open <- found$q10 < 0 & found$q90 > 0
  expect_identical(startsWith(tiles$text, "("), open)
  expect_identical(length(layers_of(picture)), 2L)
  # without room for numbers
  large <- fake_fit(G = 4, K = 12, iter = 5)
  expect_identical(length(layers_of(plot(large, "matrices"))), 1L)
  expect_identical(nrow(plot(large, "matrices", group = "B")$data), 66L)
  expect_identical(nrow(plot(large, "matrices", features = c("x2", "x7"))$data), 4L)
})

test_that("a forest has every group's interval, the typical group and where it came from", {
  fit <- fake_fit(G = 3, K = 2, pooling = "partial")
  none <- fake_fit(G = 3, K = 2, iter = 50)
  picture <- plot(fit, "forest", variable = "sigma", unpooled = none, level = 0.8)
  layers <- layers_of(picture)
  expect_equal(layers[[1]]$xintercept,
    as.vector(posterior::E(as_draws_rvars(fit, "sigma0")$sigma0)))
  found <- summary(fit, "sigma", prob = c(0.1, 0.9))
  expect_identical(picture$data$mean, found$mean)
  expect_equal(picture$data$low, found$q10)
  expect_identical(layers[[2]]$x[order(layers[[2]]$xend)],
    summary(none, "sigma")$mean[order(found$mean)])
  expect_identical(length(layers_of(plot(none, "forest"))), 2L)
  pairs <- plot(fake_fit(K = 5), "forest", variable = "Omega", features = c("x4", "x1"))
  expect_identical(levels(pairs$data$of), "x1~x4")
  expect_error(plot(fit, "forest", variable = "tau"), class = "hmvn_error_argument")
  expect_error(plot(fit, "forest", variable = "beta"), class = "hmvn_error_variable")
  expect_error(plot(fit, "forest", unpooled = fake_fit(G = 2)), class = "hmvn_error_argument")
  expect_error(plot(fit, "forest", unpooled = 1), class = "hmvn_error_fit")
})

test_that("within and between are those of within_between()", {
  fit <- fake_fit(G = 12, K = 3, pooling = "partial")
  picture <- plot(fit, "within_between", level = 0.8)
  found <- within_between(fit, prob = 0.8)
  between <- subset(picture$data, kind == "between")
  expect_identical(between$mean, found$between)
  expect_identical(between$high, found$between_high)
  expect_error(plot(fake_fit(), "within_between"), class = "hmvn_error_no_meaning")
})

test_that("the prior is sampled, and beside the posterior", {
  fit <- short_fit(iris, ~Species, pooling = "partial", iter_sampling = 100)
  picture <- suppressWarnings(plot(fit, "prior", variable = c("h_cor", "mu0[Sepal.Width]")))
  expect_identical(levels(picture$data$of), c("h_cor", "mu0[Sepal.Width]"))
  rows <- split(picture$data$value, picture$data[c("of", "from")])
  expect_identical(rows[["h_cor.posterior"]], c(as.matrix(fit, variable = "h_cor")))
  # the prior of h is uniform; its draws are worth 50 independent ones or more
  expect_lt(abs(mean(rows[["h_cor.prior"]]) - 0.5), 4 * sqrt(1 / 12 / 50))
  expect_identical(length(levels(suppressWarnings(plot(fit, "prior"))$data$of)), 12L)
  own <- short_fit(iris, ~Species, iter_sampling = 20)
  # of so few draws it is warned
  own <- suppressWarnings(plot(own, "prior"))
  expect_identical(levels(own$data$of)[1], "mu[setosa,Sepal.Length]")
})

test_that("chains are shown by bayesplot", {
  skip_if_not_installed("bayesplot")
  fit <- fake_fit(pooling = "partial")
  trace <- plot(fit, "trace")
  expect_identical(levels(trace$data$parameter)[1], "lp__")
  expect_identical(levels(plot(fit, "rank", variable = "h_cor")$data$parameter), "h_cor")
  expect_s3_class(plot(fit, "energy"), "ggplot")
  direct <- fit
  direct$units$algorithm <- "exact"
  expect_error(plot(direct, "energy"), class = "hmvn_error_no_meaning")
})

test_that("differences are drawn with their intervals, the clearest of many pairs", {
  fit <- fake_fit(G = 5, K = 2)
  found <- compare_groups(fit, what = c("mean", "cor"))
  picture <- plot(found, quantity = "mean")
  expect_identical(levels(picture$data$panel), c("x1", "x2"))
  expect_identical(sort(picture$data$low), sort(found$q5[found$quantity == "mean"]))
  expect_identical(picture$data$clear, picture$data$low > 0 | picture$data$high < 0)
  expect_null(picture$labels$caption)
  some <- plot(found, n = 3)
  expect_identical(as.vector(table(some$data$panel)), rep(3L, 3))
  largest <- sort(abs(found$mean / found$sd)[found$quantity == "cor"], decreasing = TRUE)[1:3]
  shown <- subset(some$data, panel == "cor x1~x2")
  expect_identical(abs(shown$mean) / shown$sd, largest)
  expect_match(some$labels$caption, "3 of 10 pairs")
  expect_error(plot(found, quantity = "sd"), class = "hmvn_error_argument")
  expect_error(plot(compare_groups(fit, what = "mean", prob = 0.5)),
    class = "hmvn_error_argument")
})
