d <- with_fixed_seed(3, data.frame(
  g = rep(c("a", "b", "c"), each = 12), y = rnorm(36), x = rnorm(36) + 1e4, z = rnorm(36),
  level = rep(c(2, 5, 1), each = 12), f = rep(c("u", "v", "w"), 12)
))
statistics_of <- function(covariates, data = d) {
  hmvn_statistics(data, ~g, ~y, covariates = covariates)
}
refused <- function(s, columns) {
  error <- expect_error(check_design(s), class = "hmvn_error_covariates")
  expect_identical(error$column, columns)
}

test_that("designs of full rank pass, in any units and at any offset", {
  for (formula in list(~x, ~ x * f, ~ poly(z, 3) + f, ~ I(1e-9 * x) + I(1e9 * z))) {
    expect_null(check_design(statistics_of(formula)))
  }
  expect_null(check_design(hmvn_statistics(d, ~g, ~y)))
  # correlated, but not collinear
  d$near <- d$z + 1e-3 * seq_len(36)
  expect_null(check_design(statistics_of(~ z + near, d)))
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
  expect_null(check_design(statistics_of(~ x + z + f, d)))
  # fewer rows than columns
  expect_null(check_design(statistics_of(~ x + level:z, d[c(1:14, 25:26), ])))
})

test_that("missing features leave the covariates of their rows", {
  d$y2 <- replace(d$y, 1:30, NA)
  s <- hmvn_statistics(d, ~g, ~ y + y2, covariates = ~ x + z)
  expect_null(check_design(s))
})

test_that("fit_hmvn() refuses such designs", {
  expect_error(
    fit_hmvn(d, ~g, ~y, covariates = ~level), "level", class = "hmvn_error_covariates"
  )
})
