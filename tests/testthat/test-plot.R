skip_if_not_installed("ggplot2")

layers_of <- function(picture) ggplot2::ggplot_build(picture)$data

test_that("ellipses hold their share of the group, over the rows of the fit", {
  fit <- short_fit(iris, ~Species, iter_sampling = 50)
  two <- c("Petal.Length", "Petal.Width")
  layers <- layers_of(plot(fit, features = two, ndraws = 5, level = 0.5))
  expect_identical(nrow(layers[[1]]), 150L)
  expect_setequal(layers[[1]]$x, iris$Petal.Length)
  expect_identical(length(unique(layers[[2]]$group)), 15L)
  # each point of an ellipse lies at the distance that holds half of the group
  third <- layers[[3]][layers[[3]]$colour == okabe_ito[[3]], c("x", "y")]
  mean <- posterior::E(group_mean(fit))["virginica", two]
  S <- posterior::E(group_cov(fit))["virginica", two, two]
  expect_equal(mahalanobis(third, mean, S), rep(qchisq(0.5, 2), 73), ignore_attr = TRUE)
  # a draw's ellipse is that of the draw
  first <- layers[[2]][layers[[2]]$group == 1, c("x", "y")]
  mu <- posterior::draws_of(group_mean(fit))[1, 1, 3:4]
  Sigma <- posterior::draws_of(group_cov(fit))[1, 1, 3:4, 3:4]
  expect_equal(mahalanobis(first, mu, Sigma), rep(qchisq(0.5, 2), 73), ignore_attr = TRUE)
})

test_that("every pair of features has its panel; groups and draws can be left out", {
  fit <- short_fit(iris, ~Species, iter_sampling = 50)
  picture <- plot(fit, group = c("virginica", "setosa"), ndraws = 0)
  layers <- layers_of(picture)
  expect_identical(length(layers), 2L)
  expect_identical(nrow(layers[[1]]), 600L)
  expect_identical(length(unique(layers[[2]]$PANEL)), 6L)
  # without rows there are no points
  expect_identical(length(layers_of(plot(fake_fit()))), 2L)
  many <- fake_fit(G = 30, labels = paste0("g", 1:30))
  # more than colours tell apart
  expect_identical(length(unique(layers_of(plot(many, ndraws = 0))[[1]]$group)), 30L)
  expect_identical(length(unique(layers_of(plot(many, ndraws = 0))[[1]]$colour)), 1L)
  expect_match(plot(many)$labels$caption, "30 groups")
  some <- plot(many, group = paste0("g", 1:20), ndraws = 0)
  expect_identical(length(unique(layers_of(some)[[1]]$colour)), 20L)
})

test_that("names of many groups do not overlap", {
  names_of <- function(picture) {
    page <- ggplot2::ggplot_build(picture)
    list(
      written = length(page$layout$panel_scales_y[[1]]$get_breaks()),
      rows = max(page$layout$layout$ROW),
      points = picture$theme$axis.text.y$size, caption = picture$labels$caption
    )
  }
  few <- names_of(plot(fake_fit(G = 6, K = 3), "correlations"))
  expect_identical(few, list(written = 6L, rows = 1L, points = 8.8, caption = NULL))
  for (G in c(30, 60, 200)) {
    many <- fake_fit(G = G, K = 4, iter = 10, labels = paste0("g", 1:G))
    found <- names_of(plot(many, "correlations"))
    # a page of seven inches has some 430 points
    expect_lte(found$written * found$rows * found$points, 440)
    expect_gte(found$points, 4)
    expect_identical(is.null(found$caption), G <= 60)
  }
})

test_that("correlations are those of the summary, and the typical group's", {
  fit <- fake_fit(G = 3, K = 3, pooling = "partial")
  layers <- layers_of(plot(fit, "correlations", features = c("x3", "x1"), level = 0.8))
  found <- summary(fit, "Omega", prob = c(0.1, 0.9))
  found <- found[found$feature == "x3" & found$feature2 == "x1" |
    found$feature == "x1" & found$feature2 == "x3", ]
  expect_equal(layers[[2]]$xintercept,
    as.vector(posterior::E(as_draws_rvars(fit, "Omega0")$Omega0[1, 3])))
  expect_equal(sort(layers[[3]]$xmin), sort(found$q10))
  expect_equal(sort(layers[[3]]$xmax), sort(found$q90))
  # the first group on top
  expect_equal(layers[[4]]$x[order(-as.numeric(layers[[4]]$y))], found$mean)
  expect_identical(length(layers_of(plot(fake_fit(), "correlations"))), 3L)
  odd <- fake_fit(G = 3, K = 3, pooling = "partial", key = "q5")
  expect_identical(
    layers_of(plot(odd, "correlations", features = c("x3", "x1"), level = 0.8)), layers
  )
  # sds pooled in a frame come with correlations of the population, which are no typical group's
  framed <- short_fit(
    iris, ~Species, pooling = c(sd = "partial"), prior = hmvn_prior(frame = "pooled"),
    chains = 1, iter_sampling = 5
  )
  expect_identical(length(layers_of(plot(framed, "correlations"))), 3L)
})

test_that("shrinkage goes from the mean of the rows to the posterior mean", {
  d <- airquality
  d$Ozone[d$Month == 6] <- NA
  fit <- short_fit(d, ~Month, ~ Ozone + Wind, pooling = "partial")
  layers <- layers_of(plot(fit, "shrinkage", features = "Ozone"))
  raw <- tapply(d$Ozone, d$Month, mean, na.rm = TRUE)[c("5", "7", "8", "9")]
  expect_equal(layers[[2]]$x, as.vector(raw))
  expect_equal(layers[[2]]$xend, unname(coef(fit)[c("5", "7", "8", "9"), "Ozone"]))
  expect_equal(layers[[1]]$xintercept, unname(fixef.hmvn_fit(fit)["Ozone"]))
  expect_error(plot(fake_fit(), "shrinkage"), class = "hmvn_error_no_meaning")
})

test_that("with covariates shrinkage starts from what rows say of a mean at their average", {
  d <- regression_data()
  fit <- regression_fit(d, pooling = "partial")
  effects <- apply(means_by_hand(fit, d), 2:3, mean) - coef(fit)[d$g, ]
  by_hand <- tapply(d$y - effects[, 2], d$g, mean, na.rm = TRUE)
  found <- subset(plot(fit, "shrinkage")$data, feature == "y")
  expect_equal(found$raw, c(by_hand[as.character(found$group)]), ignore_attr = TRUE)
})

test_that("arguments that a picture does not read are refused", {
  skip_if_not_installed("bayesplot")
  fit <- short_fit(iris, ~Species, pooling = "partial", iter_sampling = 20)
  given <- list(
    features = c("Sepal.Length", "Sepal.Width"), group = c("setosa", "virginica"), level = 0.9999,
    ndraws = 3, variable = "sigma", unpooled = short_fit(iris, ~Species)
  )
  read <- list(
    ellipses = c("features", "group", "level", "ndraws"),
    correlations = c("features", "group", "level"),
    matrices = c("features", "group", "level"),
    forest = c("features", "group", "level", "variable", "unpooled"),
    shrinkage = c("features", "group"),
    within_between = c("features", "level"),
    prior = "variable", trace = "variable", rank = "variable", energy = character()
  )
  expect_identical(names(read), eval(formals(plot.hmvn_fit)$type))
  for (type in names(read)) {
    plain <- suppressWarnings(quietly(plot(fit, type)))
    for (arg in names(given)) {
      draw <- function() {
        suppressWarnings(quietly(do.call(plot, c(list(fit, type), given[arg]))))
      }
      if (arg %in% read[[type]]) {
        # what is read changes the picture
        expect_false(identical(draw()$data, plain$data) && identical(
          ggplot2::ggplot_build(draw())$data, ggplot2::ggplot_build(plain)$data
        ), label = paste(type, arg))
      } else {
        error <- expect_error(draw(), class = "hmvn_error_argument", label = paste(type, arg))
        expect_identical(error$argument, arg)
      }
    }
  }
})

test_that("what cannot be drawn is refused", {
  fit <- fake_fit()
  expect_error(plot(fit, features = "z"), class = "hmvn_error_argument")
  expect_error(plot(fit, features = "x1"), class = "hmvn_error_no_meaning")
  expect_error(plot(fit, group = "Z"), class = "hmvn_error_group")
  expect_error(plot(fit, levels = 0.5), class = "hmvn_error_argument")
  expect_error(plot(without(fit, "chol")), class = "hmvn_error_keep")
  expect_error(plot(without(fit, "chol"), "correlations"), class = "hmvn_error_keep")
  changed <- short_fit(iris, ~Species, iter_sampling = 5)
  changed$data$codes[1] <- 2L
  expect_error(plot(changed), class = "hmvn_error_rows")
})

test_that("a picture needs the draws that it shows, and as many as there are", {
  fit <- fake_fit(G = 3, pooling = "partial", iter = 5, chains = 1)
  ellipses <- layers_of(plot(fit))
  expect_identical(length(unique(ellipses[[1]]$group)), 15L)
  expect_identical(
    layers_of(plot(without(fit, "mean"), "correlations")), layers_of(plot(fit, "correlations"))
  )
  expect_identical(
    layers_of(plot(without(fit, "chol"), "shrinkage")), layers_of(plot(fit, "shrinkage"))
  )
  twice <- plot(fit, group = c("B", "A", "B"))
  expect_identical(layers_of(twice), layers_of(plot(fit, group = c("B", "A"))))
  calls <- count_calls("derive_quantity_", plot(fake_fit(G = 3, K = 4)))
  expect_identical(unname(calls), 3L)
})

test_that("pairs() shows draws", {
  skip_if_not_installed("bayesplot")
  skip_if_not_installed("gridExtra")
  expect_s3_class(pairs(fake_fit(), variable = c("mu[A,x1]", "lp__")), "bayesplot_grid")
  expect_s3_class(pairs(fake_fit()), "bayesplot_grid")
})
