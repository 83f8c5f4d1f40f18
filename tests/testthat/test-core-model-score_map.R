families <- list(
  exponential = list(c(2, NA, NA), function(x) pexp(x, 2), function(x) dexp(x, 2)),
  normal = list(c(0, 2, NA), function(x) 2 * pnorm(x / 2) - 1, function(x) dnorm(x / 2)),
  student_t = list(c(3, 0, 2), function(x) 2 * pt(x / 2, 3) - 1, function(x) dt(x / 2, 3)),
  gamma = list(c(0.5, 2, NA), function(x) pgamma(x, 0.5, 2), function(x) dgamma(x, 0.5, 2)),
  lognormal = list(c(1, 2, NA), function(x) plnorm(x, 1, 2), function(x) dlnorm(x, 1, 2))
)

test_that("(S2): a scale's score map is the quantile function", {
  u <- seq(-4, 4, by = 0.137)
  for (name in names(families)) {
    x <- exp(inspect_map_(name, families[[name]][[1]], u)[, 1])
    expect_equal(families[[name]][[2]](x), pnorm(u), tolerance = 1e-12, info = name)
    density <- families[[name]][[3]](x) # of the half-normal and half-t: 2 f(x / 2) / 2
    slope <- dnorm(u) / (density * x)
    expect_equal(
      inspect_map_(name, families[[name]][[1]], u)[, 2], slope, tolerance = 1e-9, info = name
    )
  }
})

test_that("(S3): a partial correlation's score map is the beta quantile function", {
  u <- seq(-4, 4, by = 0.137)
  for (b in c(0.3, 1, 2.5, 40)) {
    w <- inspect_map_("beta", b, u)[, 1]
    # in the lower tail, where (c + 1)/2 keeps its digits
    expect_equal(pbeta(plogis(-2 * abs(w)), b, b), pnorm(-abs(u)), tolerance = 1e-11, info = b)
    expect_equal(sign(w), sign(u))
  }
})

test_that("score maps round-trip, also far in both tails and across the end of the table", {
  u <- c(-35, -12, -10.001, -10, -9.999, -3, -0.01, 0, 0.5, 6, 9.999, 10, 10.001, 20, 35)
  cases <- c(
    lapply(families, `[[`, 1),
    list(beta = c(0.6, NA, NA), beta = c(2, NA, NA), beta = c(30, NA, NA))
  )
  for (i in seq_along(cases)) {
    back <- inspect_map_(names(cases)[i], cases[[i]], u)
    expect_equal(back[, 3], u, tolerance = 1e-11, info = names(cases)[i])
    expect_true(all(back[, 2] > 0), info = names(cases)[i])
  }
})

test_that("the map of a truncated normal far from 0 is that of the normal", {
  u <- seq(-3, 3, by = 0.5)
  expect_equal(exp(inspect_map_("normal", c(50, 1, NA), u)[, 1]), 50 + u, tolerance = 1e-12)
})

test_that("a score that is not a number gives no quantity", {
  expect_true(all(is.nan(inspect_map_("exponential", c(1, NA, NA), NaN)[, 1])))
})
