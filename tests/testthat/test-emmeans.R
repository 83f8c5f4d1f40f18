# Marginal means against the draws of groups' means and slopes.

skip_if_not_installed("emmeans")

breaks <- function() {
  set.seed(1)
  data <- warpbreaks
  data$y <- rnorm(54) + 2 * (data$wool == "B")
  data$n <- rnorm(54, 3)
  data
}

draws_of_grid <- function(grid) {
  unname(as.matrix(emmeans::as.mcmc.emmGrid(grid)))
}

test_that("without covariates they are the groups' means", {
  fit <- short_fit(iris, ~Species, iter_sampling = 200)
  grid <- emmeans::emmeans(fit, ~ Species | feature)
  mu <- posterior::draws_of(group_mean(fit))
  expect_equal(draws_of_grid(grid), unname(matrix(mu, 400)))
  found <- as.data.frame(grid)
  expect_equal(found$emmean, c(unname(apply(mu, 2:3, median))))
  expect_identical(as.character(found$Species), rep(levels(iris$Species), 4))
  expect_identical(as.character(found$feature), rep(names(iris)[1:4], each = 3))
  contrast <- as.data.frame(graphics::pairs(grid))
  expect_equal(contrast$estimate[1], median(mu[, 1, 1] - mu[, 2, 1]))
})

test_that("several keys and covariates: averages over groups, at the covariates asked for", {
  fit <- short_fit(
    breaks(), ~ wool + tension, ~ breaks + y, covariates = ~n, pooling = "partial",
    iter_sampling = 200
  )
  mu <- posterior::draws_of(group_mean(fit))
  beta <- posterior::draws_of(group_slope(fit))
  of_a <- startsWith(fit$statistics$labels, "A:")
  average <- function(x, k) unname(cbind(rowMeans(x[, of_a, k]), rowMeans(x[, !of_a, k])))
  at_mean <- emmeans::emmeans(fit, ~ wool | feature)
  expect_equal(draws_of_grid(at_mean), cbind(average(mu, 1), average(mu, 2)))
  moved <- emmeans::emmeans(fit, ~ wool | feature, at = list(n = 5))
  shift <- 5 - mean(breaks()$n)
  values <- mu + shift * array(beta, dim(mu))
  expect_equal(draws_of_grid(moved), cbind(average(values, 1), average(values, 2)))
  trends <- emmeans::emtrends(fit, ~ wool | feature, var = "n")
  slopes <- array(beta, dim(mu))
  expect_equal(draws_of_grid(trends), cbind(average(slopes, 1), average(slopes, 2)))
})

test_that("a group that is not there is not estimable, and the others are as they were", {
  data <- breaks()
  fit <- short_fit(
    data[!(data$wool == "A" & data$tension == "L"), ], ~ wool + tension, ~ breaks + y,
    iter_sampling = 100
  )
  found <- as.data.frame(emmeans::emmeans(fit, ~ wool * tension | feature))
  lacking <- found$wool == "A" & found$tension == "L"
  expect_true(all(is.na(found$emmean[lacking])))
  expect_false(anyNA(found$emmean[!lacking]))
  mu <- posterior::draws_of(group_mean(fit))
  labels <- paste(found$wool, found$tension, sep = ":")
  wanted <- apply(mu, 2:3, median)[cbind(
    match(labels, fit$statistics$labels), match(found$feature, c("breaks", "y"))
  )]
  expect_equal(found$emmean[!lacking], wanted[!lacking])
})

test_that("a fit without rows has no grid", {
  fit <- short_fit(hmvn_statistics(iris, ~Species), iter_sampling = 50)
  expect_error(recover_data.hmvn_fit(fit), class = "hmvn_error_rows")
})
