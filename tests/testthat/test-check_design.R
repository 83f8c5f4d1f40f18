d <- with_fixed_seed(3, data.frame(
  g = rep(c("a", "b", "c"), each = 12), y = rnorm(36), x = rnorm(36) + 1e4, z = rnorm(36),
  level = rep(c(2, 5, 1), each = 12), f = rep(c("u", "v", "w"), 12)
))
statistics_of <- function(covariates, data = d) {
  hmvn_statistics(data, ~g, ~y, covariates = covariates)
}
levels_of <- function(s, mean = "none", slope = "none") {
  coefficient_pooling(list(mean = mean, slope = slope), s$features, s$covariates, NULL)
}
passes <- function(s, ...) expect_null(check_design(s, levels_of(s, ...)))
refused <- function(s, columns, ...) {
  error <- expect_error(check_design(s, levels_of(s, ...)), class = "hmvn_error_covariates")
  expect_identical(error$column, columns)
}

test_that("designs of full rank pass, in any units and at any offset", {
  for (formula in list(~x, ~ x * f, ~ poly(z, 3) + f, ~ I(1e-9 * x) + I(1e9 * z))) {
    passes(statistics_of(formula))
  }
  passes(hmvn_statistics(d, ~g, ~y))
  # correlated, but not collinear
  d$near <- d$z + 1e-3 * seq_len(36)
  passes(statistics_of(~ z + near, d))
})

test_that("what does not vary within groups is named", {
  refused(statistics_of(~ level + x), "level")
  refused(statistics_of(~ I(level + 1e8) + x), "I(level + 1e+08)")
  refused(statistics_of(~ x + I(0 * x)), "I(0 * x)")
})

test_that("collinear columns are named, and no others", {
  refused(statistics_of(~ z + x + I(3 * x)), c("x", "I(3 * x)"))
  # collinear within groups only: the difference is the group's level
  d$shifted <- d$z + d$level
  refused(statistics_of(~ x + z + shifted, d), c("z", "shifted"))
  d$sum <- d$x + d$z
  refused(statistics_of(~ f + x + z + sum, d), c("x", "z", "sum"))
})

test_that("single groups may have fewer: what they do not tell of a slope its prior does", {
  d$z[d$g == "b"] <- 4
  d$f[d$g == "c"] <- "u"
  passes(statistics_of(~ x + z + f, d))
  # fewer rows than columns
  passes(statistics_of(~ x + level:z, d[c(1:14, 25:26), ]))
})

test_that("missing features leave the covariates of their rows", {
  d$y2 <- replace(d$y, 1:30, NA)
  s <- hmvn_statistics(d, ~g, ~ y + y2, covariates = ~ x + z)
  passes(s)
})

test_that("what varies between groups only has slopes where means and slopes are pooled", {
  s <- statistics_of(~ x + level)
  passes(s, mean = "partial", slope = "complete")
  passes(s, mean = "complete", slope = "partial")
  passes(s, mean = "partial", slope = c(level = "complete", "none"))
  refused(s, "level", mean = "partial", slope = c(level = "none", "complete"))
  refused(s, "level", mean = "none", slope = "complete")
  # as many columns as there are groups less one
  passes(statistics_of(~ level + I(level^2)), mean = "partial", slope = "complete")
  cubic <- statistics_of(~ level + I(level^2) + I(level^3))
  refused(cubic, cubic$covariates, mean = "partial", slope = "complete")
  refused(
    statistics_of(~ x + I(0 * x)), "I(0 * x)", mean = "partial", slope = "complete"
  )
})

test_that("the slope of a group-level covariate is that of the mixed model", {
  skip_if_not_installed("nlme")
  set.seed(4)
  z <- rnorm(30)
  effect <- matrix(rnorm(60), 30) %*% chol(matrix(c(1, 0.5, 0.5, 1), 2))
  group <- rep(seq_len(30), each = 6)
  rows <- data.frame(g = group, x = rnorm(180), z = z[group])
  rows$a <- 1 + 0.5 * rows$x + 2 * rows$z + effect[group, 1] + rnorm(180)
  rows$b <- -rows$z + effect[group, 2] + rnorm(180)
  fit <- quietly(fit_hmvn(
    rows, ~g, ~ a + b, covariates = ~ x + z, seed = 1,
    pooling = c(mean = "partial", sd = "complete", cor = "complete", slope = "complete")
  ))
  slopes <- posterior::as_draws_rvars(fit)$beta0
  for (y in c("a", "b")) {
    of <- stats::reformulate(c("x", "z"), y)
    mixed <- summary(nlme::lme(of, rows, random = ~ 1 | g))$tTable[c("x", "z"), ]
    # the prior of slopes is wide, the correlation of the features adds little
    off <- posterior::E(slopes[, y, drop = TRUE]) - mixed[, "Value"]
    expect_lt(max(abs(off / mixed[, "Std.Error"])), 0.25)
    wide <- posterior::sd(slopes[, y, drop = TRUE]) / mixed[, "Std.Error"]
    expect_lt(max(abs(log(wide))), log(1.25))
  }
})

test_that("fit_hmvn() refuses such designs", {
  expect_error(
    fit_hmvn(d, ~g, ~y, covariates = ~level), "level", class = "hmvn_error_covariates"
  )
})
