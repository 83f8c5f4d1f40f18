# (M3e): where priors are stated in a frame.

rows <- with_fixed_seed(7, {
  x <- rnorm(60)
  data.frame(g = rep(c("a", "b", "c"), each = 20), x, y = 0.7 * x + rnorm(60), z = rnorm(60))
})

# Group a has its first n rows, in which x is constant, or all features `of`.
with_constant <- function(n, of = "x") {
  data <- rows[c(seq_len(n), 21:60), ]
  data[seq_len(n), of] <- rows[rep(1, n), of]
  data
}

problems <- function(data, frame = "pooled", features = ~ x + y, sd = NULL, pooling = "none") {
  s <- hmvn_statistics(data, ~g, features)
  model <- specify_model(s, hmvn_prior(sd = sd, frame = frame), pooling, NULL)
  find_improper(s, model$prior, model$pooling)
}

test_that("in a frame a constant feature is a null direction, which LKJ holds in a few rows", {
  # K = 2, rank 1: n - 2 < 2 eta = 4
  for (n in 2:5) expect_length(problems(with_constant(n)), 0)
  for (n in 6:8) {
    found <- problems(with_constant(n))
    expect_identical(found[[1]][c("kind", "group", "features")],
                     list(kind = "constant", group = "a", features = "x"))
  }
  for (n in c(2, 5)) expect_length(problems(with_constant(n), "raw"), 1)
  expect_length(problems(with_constant(5), pooling = "partial"), 0)
  expect_length(problems(with_constant(6), pooling = "partial"), 1)
  expect_length(problems(with_constant(4), features = ~ x + y + z), 0)
})

test_that("a prior that vanishes at 0 is no help where the direction is not an axis", {
  expect_length(problems(with_constant(6), "raw", sd = "lognormal"), 0)
  expect_length(problems(with_constant(5), sd = "lognormal"), 0)
  found <- problems(with_constant(6), sd = "lognormal")
  expect_identical(found[[1]][c("kind", "group", "features")],
                   list(kind = "collinear", group = "a", features = "x"))
})

test_that("where it is an axis, and where nothing varies, sds decide as ever", {
  units <- diag(c(2, 5))
  dimnames(units) <- rep(list(c("x", "y")), 2)
  expect_length(problems(with_constant(2), units), 1)
  expect_length(problems(with_constant(2, c("x", "y"))), 2)
  expect_length(problems(with_constant(2), features = ~x), 1)
})

test_that("where cells are missing a constant feature is judged on the raw features", {
  data <- with_constant(4)
  data$y[1] <- NA
  expect_length(problems(data), 1)
})

test_that("the mass near singular matrices goes to 0 as (M3) has it", {
  # One group, two features of which one is constant, so that the scatter matrix is w w' in the
  # frame. By the formulas alone: the mass where 1 - |r| is about d, sds integrated out on a grid
  # that is finer than the ridge at small d, means left out.
  mass <- function(d, n, w, eta = 2) {
    r <- 1 - d
    size <- seq(-6, 3, by = 0.1)
    ratio <- seq(-5, 5, by = 0.1 * sqrt(d))
    log_s1 <- outer(size, ratio / 2, `+`)
    log_s2 <- outer(size, ratio / 2, `-`)
    x <- w[1] * exp(-log_s1)
    y <- w[2] * exp(-log_s2)
    trace <- (x^2 - 2 * r * x * y + y^2) / (1 - r^2)
    log_f <- -(n - 1) * (log_s1 + log_s2) - trace / 2 - exp(log_s1) - exp(log_s2) + log_s1 + log_s2
    sum(exp(log_f)) * sqrt(d) * (1 - r^2)^(eta - 1 - (n - 1) / 2) * d
  }
  decay <- function(n) log(mass(1e-3, n, c(1, 0.6)) / mass(1e-4, n, c(1, 0.6))) / log(10)
  # like d^(eta - (n - 1 - rank) / 2), rank 1
  for (n in 3:7) expect_lt(abs(decay(n) - (2 - (n - 2) / 2)), 0.1)
})
