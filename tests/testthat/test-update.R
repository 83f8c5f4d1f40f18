# A seed counts as given only if it is written.
quick_fit <- function(...) {
  suppressWarnings(quietly(fit_hmvn(..., chains = 1, iter_warmup = 50, iter_sampling = 20)))
}
again <- function(...) suppressWarnings(quietly(update(...)))

set.seed(1)
d <- data.frame(
  g = rep(c("a", "b"), 15), h = rep(c("u", "v", "w"), each = 10), x = rnorm(30),
  y = rnorm(30, 3, 2), w = rep(1:3, 10)
)

test_that("an unchanged fit is repeated: its draws with a seed that was given, new ones without", {
  fit <- quick_fit(d, ~g, ~ x + y, pooling = c(mean = "partial"), seed = 7)
  expect_identical(again(fit)$draws, fit$draws)
  expect_identical(again(fit)$specification, fit$specification)
  free <- quick_fit(d, ~g, ~ x + y)
  expect_false(identical(again(free)$draws, free$draws))
  set.seed(3)
  one <- again(free)
  set.seed(3)
  expect_identical(again(free)$draws, one$draws)
})

test_that("new data: as if the model had been written again; only unset priors follow the data", {
  prior <- hmvn_prior(mean = distributional::dist_normal(1, 5))
  # no object of the first call is left when the second is made
  fit <- local({
    columns <- c("x", "y")
    pooled <- c(sd = "complete")
    quick_fit(d, ~g, columns, pooled, prior, seed = 2)
  })
  other <- transform(d, x = 10 * x, z = 1)
  result <- again(fit, other)
  expect_identical(
    result$draws, quick_fit(other, ~g, ~ x + y, c(sd = "complete"), prior, seed = 2)$draws
  )
  expect_equal(result$prior$sd$parameters[["x", 1]], fit$prior$sd$parameters[["x", 1]] / 10)
  expect_identical(result$prior$mean, fit$prior$mean)
  expect_identical(result$prior$default, fit$prior$default)
})

test_that("features left to their default stay those of the fit", {
  fit <- quick_fit(d[c("g", "x", "y")], ~g)
  expect_identical(again(fit, transform(d, z = 1))$statistics$features, c("x", "y"))
  expect_error(update(fit, d[c("g", "x")]), "y", class = "hmvn_error_column")
})

test_that("any argument can be changed, and the rest stays", {
  fit <- quick_fit(d, ~ g + h, ~ x + y, weights = ~w, pooling = "partial", seed = 5)
  base <- function(...) {
    said <- list(
      data = d, group = ~ g + h, features = ~ x + y, weights = ~w, pooling = "partial", seed = 5
    )
    all <- utils::modifyList(c(said, chains = 1, iter_warmup = 50, iter_sampling = 20), list(...))
    suppressWarnings(quietly(rlang::inject(fit_hmvn(!!!all))))
  }
  same <- function(changed, fresh) {
    expect_identical(changed$draws, fresh$draws)
    expect_identical(changed$statistics, fresh$statistics)
    expect_identical(changed$specification, fresh$specification)
  }
  same(again(fit, pooling = c(cor = "none")), base(pooling = c(cor = "none")))
  same(
    again(fit, prior = hmvn_prior(cor = dist_lkj(7))), base(prior = hmvn_prior(cor = dist_lkj(7)))
  )
  same(again(fit, iter_sampling = 30, chains = 2), base(iter_sampling = 30, chains = 2))
  same(
    again(fit, pooling = "none", algorithm = "direct"), base(pooling = "none", algorithm = "direct")
  )
  same(again(fit, prior_only = TRUE, adapt_delta = 0.9), base(prior_only = TRUE, adapt_delta = 0.9))
  # columns the fit has read need no data
  same(again(fit, features = ~y), base(features = ~y))
  same(again(fit, group = "h"), base(group = "h"))
  unweighted <- again(fit, weights = NULL)
  expect_false(unweighted$statistics$weighted)
  expect_null(unweighted$specification$weights)
  expect_true(again(fit, d[1:20, ])$statistics$weighted)
})

test_that("a heterogeneity fixed at an end does not overwrite the pooling that was asked for", {
  fit <- quick_fit(d, ~g, ~ x + y, "partial", hmvn_prior(heterogeneity = 1))
  expect_identical(unname(fit$pooling), rep("none", 3))
  expect_identical(unname(again(fit, prior = hmvn_prior())$pooling), rep("partial", 3))
})

test_that("statistics take the place of data, their features in the order of the fit", {
  fit <- quick_fit(d, ~g, ~ x + y, seed = 4)
  swapped <- hmvn_statistics(d, ~g, ~ y + x)
  expect_identical(again(fit, swapped)$draws, fit$draws)
  missing <- transform(d, x = replace(x, 1:4, NA), y = replace(y, 6:7, NA))
  expect_identical(
    again(fit, hmvn_statistics(missing, ~g, ~ y + x))$statistics,
    hmvn_statistics(missing, ~g, ~ x + y)
  )
  expect_error(update(fit, hmvn_statistics(d, ~g, ~ x + w)), class = "hmvn_error_column")
  expect_error(update(fit, swapped, group = ~h), class = "hmvn_error_argument")
  # and rows that of statistics
  from <- quick_fit(swapped, seed = 4)
  expect_identical(again(from, d)$statistics, hmvn_statistics(d, ~g, ~ y + x))
  weighted <- quick_fit(hmvn_statistics(d, ~g, ~ x + y, ~w))
  expect_error(update(weighted, d), class = "hmvn_error_weights")
  expect_true(again(weighted, d, weights = ~w)$statistics$weighted)
  expect_false(again(weighted, d, weights = NULL)$statistics$weighted)
})

test_that("without rows everything but the columns can be changed", {
  kept <- quick_fit(d, ~g, ~ x + y, weights = ~w, seed = 4)
  fit <- quick_fit(d, ~g, ~ x + y, weights = ~w, seed = 4, keep_data = FALSE)
  expect_null(fit$data)
  expect_identical(again(fit, pooling = "complete")$draws, again(kept, pooling = "complete")$draws)
  for (lacking in list(fit, quick_fit(hmvn_statistics(d, ~g, ~ x + y)))) {
    expect_error(update(lacking, group = ~h), "group", class = "hmvn_error_rows")
    expect_error(update(lacking, features = ~x), "features", class = "hmvn_error_rows")
    expect_error(update(lacking, keep_data = TRUE), "keep_data", class = "hmvn_error_rows")
  }
  expect_identical(again(fit, d, keep_data = TRUE)$data, kept$data)
  # the name of the weights outlives the rows and an update without them
  expect_true(again(again(fit, pooling = "complete"), d)$statistics$weighted)
})

test_that("evaluate = FALSE gives the call, and the call of the result is that", {
  fit <- suppressWarnings(
    fit_hmvn(d, ~g, ~ x + y, weights = ~w, chains = 1, iter_warmup = 50, iter_sampling = 20)
  )
  wanted <- as.call(c(quote(fit_hmvn), alist(
    data = d2, group = ~g, features = ~ x + y, chains = 2, iter_warmup = 50, iter_sampling = 20,
    weights = NULL
  )))
  changed <- update(fit, d2, chains = 2, weights = NULL, evaluate = FALSE)
  expect_identical(changed[sort(names(changed))], wanted[sort(names(wanted))])
  expect_identical(changed[[1]], quote(fit_hmvn))
  expect_identical(again(fit, chains = 2)$call$chains, 2)
})

test_that("what is no argument, has no name, or names no column is refused", {
  fit <- quick_fit(d, ~g, ~ x + y)
  expect_error(update(fit, pool = "none"), "pooling", class = "hmvn_error_argument")
  expect_error(update(fit, d, "none"), "by name", class = "hmvn_error_argument")
  expect_error(update(fit, evaluate = NA), "evaluate", class = "hmvn_error_argument")
  expect_error(update(fit, group = h), class = "hmvn_error_column")
  expect_error(update(fit, features = ~z), "has read", class = "hmvn_error_column")
  expect_error(update(fit, NULL), class = "hmvn_error_data")
  expect_error(update(fit, chains = 0), class = "hmvn_error_argument")
  expect_error(update(fit, algorithm = "gibbs"), "algorithm", class = "hmvn_error_argument")
  expect_error(update(fit, thin = 1000), "thin", class = "hmvn_error_argument")
})

test_that("covariates are said again: new data, other features, other covariates", {
  d$site <- rep(c("n", "s", "s"), 10)
  half <- function(x) x / 2
  data <- model_data(d, ~g, ~ x + y, ~w, ~ half(h == "u") * site)
  fit <- fake_fit_of(compute_statistics(data), hmvn_prior(), "none", list(iter_sampling = 4))
  fit$specification$weights <- "w"
  fit$data <- sign_data(data, 1)
  input <- function(fit, data, ...) {
    updated_input(fit, if (!is.null(data)) list(data), rlang::enquos(...), fit$control, NULL)
  }
  rm(half)
  other <- transform(d[5:30, ], x = 2 * x)
  result <- input(fit, other)
  half <- function(x) x / 2
  fresh <- compute_statistics(model_data(other, ~g, ~ x + y, ~w, ~ half(h == "u") * site))
  expect_identical(result$statistics$patterns, fresh$patterns)
  expect_identical(result$statistics$design$names, fresh$design$names)
  expect_identical(input(fit, NULL)$statistics, fit$statistics)
  # the columns it has read are enough
  expect_identical(
    input(fit, NULL, features = ~x)$statistics$patterns,
    compute_statistics(model_data(d, ~g, ~x, ~w, ~ half(h == "u") * site))$patterns
  )
  expect_identical(input(fit, NULL, covariates = ~site)$statistics$covariates, "sites")
  expect_identical(input(fit, NULL, covariates = NULL)$statistics$covariates, character())
  error <- expect_error(input(fit, NULL, covariates = ~z), class = "hmvn_error_column")
  expect_identical(error$argument, "covariates")
  # statistics of the same covariates, features in another order
  turned <- hmvn_statistics(d, ~g, ~ y + x, ~w, ~ half(h == "u") * site)
  expect_equal(input(fit, turned)$statistics$patterns, fit$statistics$patterns, tolerance = 1e-12)
  expect_error(
    input(fit, hmvn_statistics(d, ~g, ~ x + y, ~w)), class = "hmvn_error_covariates"
  )
})
