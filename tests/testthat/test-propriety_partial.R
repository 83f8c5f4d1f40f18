# (M3c) against quadrature on one feature, and at the bounds that it gives in closed form.

beta <- distributional::dist_beta
judge <- function(n, h, pooling = pool(sd = "partial"), varying = 1, sd = NULL) {
  y <- c(lapply(n, function(n) rep(1, n)), rep(list(c(-1, 0, 1, 2, 5)), varying))
  d <- data.frame(g = rep(seq_along(y), lengths(y)), y = unlist(y))
  s <- hmvn_statistics(d, "g", "y")
  prior <- hmvn_prior(
    distributional::dist_normal(0, 1), sd %||% distributional::dist_exponential(1),
    heterogeneity = h
  )
  problems <- find_improper(s, resolve_prior(prior, s, "raw"), pooling)
  unlist(lapply(problems, `[[`, "group"))
}
expect_held <- function(...) expect_null(judge(...))

# The log of the integral over scores above `lowest`, one degenerate group of n rows (the mean
# integrated out) and one in which five rows vary; rho: the correlation of their scores, 1 - h^2.
log_integral <- function(lowest, n, rho) {
  log_sigma <- function(u) {
    ifelse(u < -5, pnorm(u, log.p = TRUE), log(-pnorm(u, lower.tail = FALSE, log.p = TRUE)))
  }
  u <- seq(lowest, 8, by = 0.05)
  v <- seq(-8, 8, by = 0.05)
  density <- outer(u, v, function(u, v) {
    -(u^2 + v^2 - 2 * rho * u * v) / (2 * (1 - rho^2)) - (n - 1) * log_sigma(u) -
      4 * log_sigma(v) - 2 * exp(-2 * log_sigma(v))
  })
  max(density) + log(sum(exp(density - max(density))))
}

test_that("the condition for one group agrees with quadrature", {
  # growth m = n - 1 and one group that varies: proper for 1 - rho^2 < 1/m
  for (n in c(3, 6)) {
    bound <- sqrt(1 - 1 / (n - 1))
    for (rho in bound * c(0.9, 1.05)) {
      grows <- log_integral(-36, n, rho) - log_integral(-18, n, rho) > 1
      expect_identical(grows, rho < bound)
      expect_identical(is.null(judge(n, sqrt(1 - rho))), !grows)
    }
  }
})

test_that("the bound on a fixed heterogeneity is sharp, and h near 1 or 0 is judged alike", {
  at <- function(rho, ...) judge(h = sqrt(1 - rho), ...)
  # m = 8, five groups that vary: 1 - 5 rho^2 / (1 + 4 rho) = 1/8
  bound <- uniroot(function(rho) 1 - 5 * rho^2 / (1 + 4 * rho) - 1 / 8, c(0, 1), tol = 1e-9)$root
  expect_identical(at(bound - 1e-6, 9, varying = 5), "1")
  expect_null(at(bound + 1e-6, 9, varying = 5))
  # two groups of growth 1 and three that vary: rho = 1/4
  expect_identical(at(0.25 - 1e-6, c(2, 2), varying = 3), c("1", "2"))
  expect_null(at(0.25 + 1e-6, c(2, 2), varying = 3))
  # nothing holds it where no group varies
  expect_identical(judge(2, 0.1, varying = 0), "1")
  # with pooled means two groups of the same constant count a row more
  partial <- pool("partial", "partial")
  expect_identical(at(0.26, c(2, 2), varying = 3, pooling = partial), c("1", "2"))
  expect_null(at(0.26, 2, varying = 3, pooling = partial))
})

test_that("a learned heterogeneity holds two equal rows, if its prior leaves 1 fast enough", {
  expect_held(2, beta(1, 2.1))
  expect_identical(judge(2, beta(1, 2)), "1")
  expect_identical(judge(2, NULL), "1")
  expect_identical(judge(c(2, 2), beta(1, 9), varying = 9), c("1", "2"))
  # more rows: h above a bound is improper, whatever its prior
  expect_identical(judge(3, beta(1, 99)), "1")
})

test_that("groups that are proper alone can be improper together", {
  sd <- distributional::dist_gamma(1.5, 1)
  expect_null(judge(c(2, 2), NULL, pool(), varying = 0, sd = sd))
  # for small h they are one group of two degrees of freedom
  expect_identical(judge(c(2, 2), NULL, varying = 0, sd = sd), c("1", "2"))
  expect_null(judge(2, NULL, varying = 0, sd = sd))
})

test_that("what is not known is refused", {
  y <- c(1, 1, 0, 2, 3, 5)
  d <- data.frame(g = rep(c("a", "b"), c(2, 4)), y = y, x = c(1, 2, 4, 1, 2, 8))
  judge_data <- function(d, frame = "raw") {
    s <- hmvn_statistics(d, "g", c("x", "y"))
    prior <- hmvn_prior(
      distributional::dist_normal(0, 1), distributional::dist_exponential(1),
      heterogeneity = 0.2
    )
    length(find_improper(s, resolve_prior(prior, s, frame), pool(sd = "partial")))
  }
  expect_identical(judge_data(d), 0L)
  # not so in a frame, (M3e): two rows of a null direction that is no axis
  expect_identical(judge_data(d, frame = "pooled"), 0L)
  expect_identical(judge_data(transform(d, x = replace(x, 6, NA))), 1L)
  expect_gt(judge_data(transform(d, x = y)), 0)
})
