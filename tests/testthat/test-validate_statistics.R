d <- data.frame(g = rep(c("a", "b"), each = 6), x = c(1:5, NA, 2, 4, 6, 9, 1, 3), y = (1:12)^2 %% 7)
s <- hmvn_statistics(d, ~g, ~ x + y)
other <- hmvn_statistics(transform(d, g = ifelse(g == "a", "c", g)), ~g, ~ x + y)

# Every entrance that takes statistics, with those that `change` makes of s.
expect_refused <- function(change, problem) {
  broken <- change(s)
  refused <- function(code, arg) {
    error <- expect_error(code, problem, class = "hmvn_error_statistics")
    expect_identical(error$argument, arg)
  }
  refused(fit_hmvn(broken), "data")
  refused(c(other, broken), "...")
  refused(update(fake_fit(features = c("x", "y"), iter = 4), data = broken), "data")
  refused(print(broken), "x")
}

test_that("statistics of the package are fine, whatever they are of", {
  fine <- function(s) expect_identical(validate_statistics(s, "data", NULL), s)
  fine(s)
  fine(c(s, other))
  fine(hmvn_statistics(data.frame(g = 1:2, x = c(NA, 1)), ~g, ~x))
  fine(hmvn_statistics(data.frame(g = 1:2, x = NA_real_), ~g, ~x))
  fine(hmvn_statistics(data.frame(g = 1, x = 7, y = 1e15 + 1:5), ~g, ~ x + y))
  fine(hmvn_statistics(transform(iris, w = 0.3), ~Species, names(iris)[1:4], ~w))
  fine(hmvn_statistics_from(c(a = 1, b = 3), cbind(x = 1:2), cov = list(NA_real_, 4)))
})

test_that("what was changed by hand is refused by every entrance", {
  patterns <- function(part, f) {
    function(s) {
      s$patterns[[part]] <- f(s$patterns[[part]])
      s
    }
  }
  part <- function(name, value) function(s) utils::modifyList(s, stats::setNames(list(value), name))
  expect_refused(function(s) structure(list(), class = "hmvn_statistics"), "parts")
  expect_refused(function(s) structure("a", class = "hmvn_statistics"), "no statistics")
  expect_refused(part("labels", "a"), "keys")
  expect_refused(part("labels", c("a", "a")), "labels")
  expect_refused(part("labels", c("a", NA)), "labels")
  expect_refused(part("labels", c("a", "b\xff")), "labels")
  expect_refused(part("keys", NULL), "parts")
  expect_refused(part("n_rows", "12"), "counts")
  expect_refused(part("weighted", NA), "weighted")
  expect_refused(part("patterns", 1), "patterns")
  expect_refused(patterns("group", function(x) replace(x, 1, 1000000L)), "not there")
  expect_refused(patterns("group", function(x) replace(x, 1, -5L)), "not there")
  expect_refused(patterns("group", function(x) replace(x, 1, NA)), "not there")
  expect_refused(patterns("group", rev), "order")
  expect_refused(patterns("group", as.double), "whole numbers")
  expect_refused(patterns("n", function(x) x[-1]), "`n` has another length")
  expect_refused(patterns("n", function(x) -x), "`n` is not positive.*of group \"a\"")
  expect_refused(patterns("observed", t), "observed")
  expect_refused(patterns("observed", function(x) x & FALSE), "observes nothing")
  expect_refused(patterns("mean", c), "mean")
  expect_refused(patterns("mean", function(x) replace(x, 1, Inf)), "mean")
  expect_refused(patterns("scatter", function(x) x[1, 1, , drop = FALSE]), "scatter")
  expect_refused(patterns("scatter", function(x) replace(x, 1, NA)), "scatter. is not finite")
  expect_refused(patterns("scatter", function(x) -x), "negative eigenvalue")
  expect_refused(patterns("scatter", function(x) replace(x, 2, 1)), "symmetric")
  expect_refused(patterns("scatter", function(x) replace(x, 2:3, 1e4)), "negative eigenvalue")
  expect_refused(patterns("scatter", function(x) x + 1), "nothing was observed")
})

test_that("covariates that were changed by hand are refused", {
  d$z <- c(3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8)
  d$x[2] <- NA
  s <- hmvn_statistics(d, ~g, ~ x + y, covariates = ~ poly(z, 2))
  expect_identical(validate_statistics(s, "data", NULL), s)
  refused <- function(part, value, problem) {
    broken <- s
    broken[part] <- list(value)
    expect_error(fit_hmvn(broken), problem, class = "hmvn_error_statistics")
  }
  pattern <- function(part, f, problem) {
    patterns <- s$patterns
    patterns[[part]] <- f(patterns[[part]])
    refused("patterns", patterns, problem)
  }
  refused("n_without_covariates", "1", "counts")
  refused("n_without_covariates", -1L, "counts")
  refused("n_without_covariates", 1, "counts")
  refused("covariates", c("a", "a"), "names of covariates")
  refused("covariates", NULL, "names of covariates")
  refused("covariates", character(), "design")
  refused("covariates", c("a", "b"), "covariate_center")
  refused("covariate_center", unname(s$covariate_center), "covariate_center")
  refused("covariate_center", s$covariate_center * NA, "covariate_center")
  refused("design", NULL, "design. has other parts")
  change <- function(part, value) utils::modifyList(s$design, stats::setNames(list(value), part))
  refused("design", change("terms", ~z), "no terms")
  refused("design", change("names", c("a", "b")), "other names")
  refused("design", change("variables", NA), "variables")
  refused("design", change("xlevels", list(z = 1)), "levels")
  refused("patterns", s$patterns[-8], "other parts")
  pattern("covariate_mean", t, "covariate_mean. has another shape")
  pattern("covariate_mean", function(x) replace(x, 1, NaN), "covariate_mean. is not finite.*\"a\"")
  pattern("covariate_scatter", c, "covariate_scatter. has another shape")
  pattern("covariate_scatter", function(x) replace(x, 1, Inf), "covariate_scatter. is not finite")
  pattern("covariate_scatter", function(x) replace(x, 2, 9), "covariate_scatter. is not symmetric")
  pattern("cross", function(x) aperm(x, c(2, 1, 3))[1, , , drop = FALSE], "cross. has another")
  pattern("cross", function(x) replace(x, 1, NA), "cross. is not finite")
  pattern("cross", function(x) x + 1, "cross. is not 0 where nothing")
  plain <- hmvn_statistics(d, ~g, ~ x + y)
  plain$covariate_center <- 1
  expect_error(fit_hmvn(plain), "covariate_center", class = "hmvn_error_statistics")
})

test_that("a broken fit is told from statistics that are broken", {
  fit <- fake_fit(iter = 4)
  fit$statistics$patterns$group[2] <- 9L
  expect_error(group_mean(fit), "not there", class = "hmvn_error_fit")
  # numbers are looked at where they are used
  fit <- short_fit(d, ~g)
  fit$statistics$patterns$scatter[1] <- -1
  expect_error(update(fit, chains = 1), "eigenvalue", class = "hmvn_error_statistics")
})

test_that("semidefinite is judged without regard to units", {
  fine <- function(m) !indefinite_(array(m, c(dim(m), 1)), nrow(m), 1e-6)
  set.seed(1)
  for (K in c(1, 2, 5, 30)) {
    gram <- crossprod(matrix(rnorm(K * (K + 3)), ncol = K))
    units <- 10^seq(-100, 100, length.out = K)
    expect_true(fine(gram))
    expect_true(fine(outer(units, units) * gram))
    low_rank <- tcrossprod(rnorm(K))
    expect_true(fine(low_rank))
    if (K > 1) expect_false(fine(low_rank - 1e-3 * diag(K)))
  }
  expect_true(fine(diag(c(0, 1))))
  expect_false(fine(matrix(c(0, 1, 1, 1), 2)))
})
