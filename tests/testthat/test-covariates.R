d <- data.frame(
  g = rep(c("a", "b"), each = 10), y = with_fixed_seed(1, rnorm(20)), age = c(1:15, 9, 3, 7, 2, 8),
  site = rep(c("u", "v", "w", "v"), 5), w = 1:20
)
columns_of <- function(covariates, data = d, ...) {
  hmvn_statistics(data, ~g, ~y, covariates = covariates, ...)$covariates
}
expect_form <- function(covariates, text) {
  error <- expect_error(columns_of(covariates), text, class = "hmvn_error_column")
  expect_identical(error$argument, "covariates")
}

test_that("no covariates: NULL, ~ 1", {
  without <- hmvn_statistics(d, ~g, ~y)
  expect_identical(hmvn_statistics(d, ~g, ~y, covariates = ~1), without)
  expect_identical(without$covariates, character())
  expect_identical(without$covariate_center, double())
  expect_identical(without$n_without_covariates, 0L)
  expect_true("design" %in% names(without))
  expect_null(without$design)
  expect_named(without$patterns, c("group", "n", "observed", "mean", "scatter"))
})

test_that("names of columns do what their formula does", {
  named <- hmvn_statistics(d, ~g, ~y, covariates = c("age", "site"))
  formula <- hmvn_statistics(d, ~g, ~y, covariates = ~ age + site)
  expect_identical(named$patterns, formula$patterns)
  expect_identical(named$covariates, c("age", "sitev", "sitew"))
  odd <- stats::setNames(d, c("g", "y", "the {age}", "site", "w"))
  expect_identical(columns_of("the {age}", odd), "`the {age}`")
})

test_that("covariates do not become features by default", {
  expect_message(
    s <- hmvn_statistics(d, ~g, weights = ~w, covariates = ~age), class = "hmvn_message_features"
  )
  expect_identical(s$features, "y")
})

test_that("forms that are not taken are refused with a reason", {
  expect_form(y ~ age, "left-hand side")
  expect_form(~., "names no column")
  expect_form(~ age - 1, "Every group has a mean of its own")
  expect_form(~ 0 + age, "Every group has a mean of its own")
  expect_form(~ age + offset(w), "offset")
  expect_form(~pi, "names no column")
  expect_form(~ag, "no column ag")
  expect_form(~ log(ag), "no column ag")
  expect_form(character(), "names no column")
  expect_error(
    hmvn_statistics(d, ~g, ~y, covariates = age), "covariates = ~ age", class = "hmvn_error_column"
  )
})

test_that("a column has one role", {
  refused <- function(covariates, ...) {
    error <- expect_error(
      hmvn_statistics(d, ~g, ..., covariates = covariates), "in both", class = "hmvn_error_column"
    )
    expect_identical(error$argument, "covariates")
  }
  refused(~g, ~y)
  refused(~ age * log(y), ~y)
  refused(~w, ~y, ~w)
  expect_error(columns_of(~ age + g), "has no slope", class = "hmvn_error_column")
})

test_that("columns must be plain, and their cells finite", {
  d$z <- as.list(1:20)
  expect_error(columns_of(~z, d), "plain columns", class = "hmvn_error_column")
  d$z <- structure(as.double(1:20), class = "integer64")
  expect_error(columns_of(~ log(z), d), "integer64", class = "hmvn_error_column")
  d$z <- matrix(1:40, 20)
  expect_error(columns_of(~z, d), "plain columns", class = "hmvn_error_column")
  for (bad in c(NaN, Inf, -Inf)) {
    d$z <- replace(1:20, 3, bad)
    error <- expect_error(columns_of(~z, d), "finite", class = "hmvn_error_cells")
    expect_identical(error$column, "z")
    expect_identical(error$row, 3)
  }
  d$z <- 0:19
  error <- expect_error(columns_of(~ log(z), d), "-Inf", class = "hmvn_error_cells")
  expect_identical(error$column, "log(z)")
  d$z <- replace(1:20, 3, 1e200)
  expect_error(columns_of(~z, d), "z.*too large", class = "hmvn_error_cells")
})

test_that("a design finds its functions and holds nothing else of where it was written", {
  written <- function() {
    ballast <- rnorm(1e6) # 8 MB
    half <- function(x) x / 2
    environment(half) <- globalenv()
    ns <- splines::ns
    hmvn_statistics(d, ~g, ~y, covariates = ~ half(age) + ns(age, 3) + I(sin(pi * age)))
  }
  s <- written()
  expect_setequal(ls(environment(s$design$terms)), c("half", "ns"))
  expect_lt(length(serialize(s, NULL)), 1e6)
  s <- unserialize(serialize(s, NULL))
  expect_equal(covariate_matrix(s$design, d[3:5, ])[, 1], d$age[3:5] / 2)
  plain <- hmvn_statistics(d, ~g, ~y, covariates = ~ poly(age, 2) + log(age))
  expect_identical(ls(environment(plain$design$terms)), character())
})

test_that("values of other objects are written by !!", {
  k <- c(4, 9)
  s <- hmvn_statistics(d, ~g, ~y, covariates = ~ splines::ns(age, knots = !!k))
  x <- model.matrix(~ splines::ns(age, knots = k), d)[, -1]
  expect_equal(covariate_matrix(s$design, d), x, ignore_attr = TRUE, tolerance = 1e-14)
  expect_form(~ splines::ns(age, knots = k), "no column k")
})

test_that("functions that fail, or do not give a cell for each row, are refused", {
  refused <- function(covariates, text) {
    error <- expect_error(columns_of(covariates), text, class = "hmvn_error_covariates")
    expect_identical(error$argument, "covariates")
  }
  refused(~ no_such_function(age), "no_such_function")
  refused(~ mean(age), "1 cell for 20 rows")
  refused(~ as.Date(age, origin = "1970-01-01"), "Date")
  d$site <- "u"
  expect_error(columns_of(~site, d), "two or more", class = "hmvn_error_covariates")
})

test_that("names of the model matrix's columns are unique", {
  d$sitev <- d$age
  expect_error(
    columns_of(~ site + sitev, d), "called sitev", class = "hmvn_error_covariates"
  )
})

test_that("a fit has its covariates from rows or from statistics, and not from both", {
  rows <- short_fit(d, ~g, ~y, covariates = ~age)
  statistics <- short_fit(hmvn_statistics(d, ~g, ~y, covariates = ~age))
  expect_identical(rows$draws, statistics$draws)
  expect_identical(dimnames(group_slope(rows)), list(c("a", "b"), "age", "y"))
  expect_error(
    fit_hmvn(hmvn_statistics(d, ~g, ~y), covariates = ~age), class = "hmvn_error_argument"
  )
})
