set.seed(3)
lognormal <- distributional::dist_lognormal(0, 1)
explicit <- function(sd = distributional::dist_exponential(1), eta = 2) {
  hmvn_prior(distributional::dist_normal(0, 1), sd, dist_lkj(eta))
}
check <- function(data, pooling = pool(), prior = explicit(), ...) {
  s <- hmvn_statistics(
    data, "g", setdiff(names(data), c("g", "w")), weights = if ("w" %in% names(data)) "w"
  )
  check_propriety(s, resolve_prior(prior, s, "raw"), pooling, ...)
}
expect_proper <- function(...) expect_null(check(...))
expect_improper <- function(..., group = NULL, features = NULL) {
  error <- expect_error(check(...), class = "hmvn_error_improper")
  if (!is.null(group)) expect_identical(error$group, group)
  if (!is.null(features)) expect_identical(error$features, features)
}
rows <- function(n, g = "a") data.frame(g = rep(g, n), x = rnorm(n), y = rnorm(n), z = rnorm(n))

test_that("ordinary data, small groups and extreme scales are proper", {
  expect_proper(rbind(rows(20), rows(1, "b"), rows(2, "c"), rows(3, "d")))
  far <- rows(100)
  far$x <- far$x + 1e8
  far$y <- far$y * 1e-8
  far$z <- far$z * 1e8
  expect_proper(far)
  near <- rows(100)
  near$y <- near$x + rnorm(100) * sqrt(2e-6) # correlation 0.999999
  expect_proper(near)
  near$x <- 1e8 + near$x
  expect_proper(near)
})

test_that("a constant feature is improper where the sd prior is positive at 0", {
  d <- rbind(rows(10), rows(5, "b"))
  d$y[d$g == "b"] <- 0.1
  expect_improper(d, group = "b", features = "y")
  expect_improper(d, pool(sd = "partial"), group = "b", features = "y")
  expect_proper(d, pool(sd = "complete"))
  expect_proper(d, prior = explicit(lognormal))
  for (sd in list(distributional::dist_normal(0, 1), distributional::dist_student_t(3, 0, 1))) {
    expect_improper(d, prior = explicit(sd), group = "b", features = "y")
  }
  # Gamma(alpha) needs n - 1 < alpha, here 4
  expect_improper(d, prior = explicit(distributional::dist_gamma(4, 1)), features = "y")
  expect_proper(d, prior = explicit(distributional::dist_gamma(4.1, 1)))
  # constant at a large offset
  d$y[d$g == "b"] <- 1e8 + 0.1
  expect_improper(d, group = "b", features = "y")
})

test_that("a constant in all groups is improper under complete pooling too", {
  d <- rbind(rows(3), rows(3, "b"))
  d$y <- ifelse(d$g == "a", 1, 2)
  expect_improper(d, pool(sd = "complete"), features = "y")
  # about a common mean it varies
  expect_proper(d, pool(mean = "complete", sd = "complete"))
  d$y <- 1
  expect_improper(d, pool(mean = "complete", sd = "complete"), features = "y")
  # one row a group says nothing about a common sd, unless the mean is common
  single <- data.frame(g = c("a", "b"), x = c(1, 1))
  expect_proper(single, pool(sd = "complete"))
  expect_improper(single, pool(mean = "complete", sd = "complete"))
})

test_that("weights count as repeated rows", {
  one <- data.frame(g = "a", x = 1, w = 1)
  expect_proper(one)
  expect_improper(transform(one, w = 2), features = "x")
})

test_that("collinear features are improper once rows outweigh eta", {
  # K = 3, rank 2: improper from n - 1 - 2 >= 2 eta
  d <- rows(7)
  d$z <- 2 * d$x - 3 * d$y + 1
  expect_improper(d, features = c("x", "y", "z"), group = "a")
  expect_proper(d[1:6, ])
  expect_proper(d, prior = explicit(eta = 2.1))
  expect_improper(d, prior = explicit(lognormal))
  expect_improper(d, pool(cor = "partial", mean = "partial"))
  # the features named are those concerned
  pair <- rows(20)
  pair$z <- -5 * pair$x
  expect_improper(pair, features = c("x", "z"))
  pair$z <- 1e8 + 1e-3 * pair$x
  expect_improper(pair, features = c("x", "z"), tolerance = 1e-8)
})

test_that("complete pooling of correlations is judged on all groups together", {
  d <- rbind(rows(20), rows(20, "b"))
  d$z[d$g == "a"] <- d$x[d$g == "a"]
  expect_improper(d, group = "a", features = c("x", "z"))
  expect_proper(d, pool(cor = "complete"))
  expect_proper(d, pool(sd = "complete", cor = "complete"))
  d$z <- ifelse(d$g == "a", 1, 2) * d$x
  # own sds can follow both slopes, common ones cannot
  expect_improper(d, pool(cor = "complete"), features = c("x", "z"))
  expect_proper(d, pool(sd = "complete", cor = "complete"))
  d$z <- d$x + (d$g == "a")
  expect_improper(d, pool(sd = "complete", cor = "complete"), features = c("x", "z"))
  expect_proper(d, pool("complete", "complete", "complete"))
})

test_that("pairs of rows with a common correlation are proper with own sds", {
  # every group's two rows are collinear, but each group's sds have to fit
  d <- data.frame(g = rep(letters[1:8], each = 2), x = rep(0:1, 8), y = c(rbind(0, 1:8)))
  expect_proper(d, pool(cor = "complete"))
})

test_that("missing cells: judged on the rows that observe the features", {
  d <- rows(60)
  d$z[1:20] <- NA
  expect_proper(d)
  d$z[21:60] <- d$x[21:60]
  expect_improper(d, features = c("x", "z"))
  d$y[21:60] <- NA # now no row is complete
  expect_improper(d, features = c("x", "z"))
  constant <- rows(10)
  constant$y <- c(rep(2, 5), rep(NA, 5))
  expect_improper(constant, features = "y")
  constant$y <- NA_real_
  expect_proper(constant)
})

test_that("no data at all is proper", {
  d <- rows(3)
  d[2:4] <- NA_real_
  expect_proper(d)
})

test_that("100,000 small groups are judged with as many calls as 100", {
  calls <- lapply(c(100, 1e5), function(G) {
    d <- data.frame(
      g = rep(seq_len(G), each = 3), x = rnorm(3 * G), y = rnorm(3 * G), z = rnorm(3 * G)
    )
    s <- hmvn_statistics(d, "g", c("x", "y", "z"))
    prior <- resolve_prior(NULL, s, "raw")
    count_calls(
      c("feature_scatter", "scaled_ranks", "merge_moments_", "drop_constants"),
      expect_null(check_propriety(s, prior, pool()))
    )
  })
  expect_identical(calls[[2]], calls[[1]])
  expect_gt(sum(calls[[1]]), 0)
})

test_that("several constant features are improper under any prior of sds once rows outweigh eta", {
  # K = 3, two constant: LKJ's marginal is LKJ(eta + 1/2), so proper for n - 1 < 2 eta + 1
  d <- transform(rows(6), y = 1, z = 2)
  expect_improper(d, prior = explicit(lognormal), group = "a", features = c("y", "z"))
  expect_proper(d[1:5, ], prior = explicit(lognormal))
  expect_proper(d, prior = explicit(lognormal, eta = 2.1))
})

test_that("every group and every kind is named, each group once", {
  d <- rbind(rows(20), rows(9, "b"), rows(9, "c"), rows(20, "d"), rows(20, "e"))
  d$y[d$g %in% c("b", "c")] <- 3
  d$x[d$g == "c"] <- 4
  d$z[d$g == "d"] <- d$x[d$g == "d"] * 2
  error <- expect_error(check(d), class = "hmvn_error_improper")
  expect_identical(error$group, c("c", "b", "d"))
  expect_identical(error$features, c("x", "y", "z"))
  expect_identical(error$kind, c("constant", "collinear"))
})
