n <- 400
d <- with_fixed_seed(7, data.frame(
  g = sample(c("a", "b", "c"), n, TRUE), y1 = rnorm(n, 50), y2 = rnorm(n), y3 = rexp(n),
  x = rnorm(n) + 1e6, f = factor(sample(c("u", "v", "w"), n, TRUE)), w = runif(n, 0.2, 3)
))
d$y2 <- d$y2 + 2 * (d$x - 1e6)
d$y1[1:90] <- NA
d$y2[61:150] <- NA
d$y3[81:100] <- NA
features <- c("y1", "y2", "y3")
of <- function(data, covariates = ~ x * f, ...) {
  quietly(hmvn_statistics(data, ~g, features, ..., covariates = covariates))
}

# Relative to the root of the product of the diagonal entries
expect_close <- function(found, expected, size) {
  expect_lt(max(abs(found - expected) / size), 1e-10)
}

test_that("every pattern has the joint moments of its rows, at an offset of 1e6", {
  x <- model.matrix(~ x * f, d)[, -1]
  y <- as.matrix(d[features])
  for (weighted in c(FALSE, TRUE)) {
    s <- if (weighted) of(d, weights = ~w) else of(d)
    w <- if (weighted) d$w else rep(1, n)
    p <- s$patterns
    expect_identical(dim(p$covariate_mean), c(5L, length(p$n)))
    expect_identical(dim(p$cross), c(5L, 3L, length(p$n)))
    for (i in seq_along(p$n)) {
      rows <- d$g == s$labels[[p$group[[i]]]] & colSums(!is.na(t(y)) == p$observed[, i]) == 3
      seen <- p$observed[, i]
      both <- cbind(x, y[, seen, drop = FALSE])[rows, , drop = FALSE]
      mean <- colSums(w[rows] * both) / sum(w[rows])
      apart <- both - rep(mean, each = nrow(both))
      scatter <- crossprod(apart, w[rows] * apart)
      size <- tcrossprod(sqrt(pmax(diag(scatter), 1e-300)))
      at <- 5 + seq_len(sum(seen))
      expect_equal(p$n[[i]], sum(w[rows]), tolerance = 1e-13)
      expect_close(p$covariate_mean[, i], mean[1:5], pmax(abs(mean[1:5]), 1))
      expect_close(p$mean[seen, i], mean[at], pmax(abs(mean[at]), 1))
      expect_close(p$covariate_scatter[, , i], scatter[1:5, 1:5], size[1:5, 1:5])
      expect_close(p$cross[, seen, i], scatter[1:5, at], size[1:5, at])
      expect_close(p$scatter[seen, seen, i], scatter[at, at], size[at, at])
      expect_true(all(p$cross[, !seen, i] == 0))
    }
    used <- rowSums(!is.na(y)) > 0
    centre <- colSums((w * x)[used, ]) / sum(w[used])
    expect_equal(s$covariate_center, centre, tolerance = 1e-14)
  }
})

test_that("patterns and what features are in them are those without covariates", {
  plain <- hmvn_statistics(d, ~g, features)
  s <- of(d)
  same <- c("group", "n", "observed")
  expect_identical(s$patterns[same], plain$patterns[same])
  expect_equal(s$patterns$mean, plain$patterns$mean, tolerance = 1e-13)
  expect_equal(s$patterns$scatter, plain$patterns$scatter, tolerance = 1e-12)
  counts <- c("n_rows", "n_empty", "n_missing", "features", "labels", "keys")
  expect_identical(unclass(s)[counts], unclass(plain)[counts])
})

test_that("with more than 64 features and covariates patterns keep their order", {
  wide <- with_fixed_seed(2, as.data.frame(matrix(rnorm(40 * 66), 40)))
  wide[cbind(1:6, c(66, 2, 65, 1, 64, 33))] <- NA
  wide$g <- "a"
  wide$x <- 1:40
  plain <- hmvn_statistics(wide, ~g, names(wide)[1:66])
  s <- hmvn_statistics(wide, ~g, names(wide)[1:66], covariates = ~x)
  expect_identical(s$patterns$observed, plain$patterns$observed)
  halves <- c(
    hmvn_statistics(wide[1:20, ], ~g, names(wide)[1:66], covariates = ~x),
    hmvn_statistics(wide[21:40, ], ~g, names(wide)[1:66], covariates = ~x)
  )
  expect_equal(halves, s, tolerance = 1e-12)
})

test_that("c() of halves is the whole, in any order of features", {
  d$x <- d$x - 1e6
  d$x[5:7] <- NA
  whole <- of(d)
  halves <- c(of(d[1:150, ]), of(d[151:n, ]))
  expect_equal(halves, whole, tolerance = 1e-12)
  expect_identical(halves$n_without_covariates, whole$n_without_covariates)
  other <- hmvn_statistics(d[151:n, ], ~g, rev(features), covariates = ~ x * f)
  expect_equal(c(of(d[1:150, ]), other), whole, tolerance = 1e-12)
  by_group <- c(of(d[d$g != "b", ]), of(d[d$g == "b", ]))
  expect_equal(by_group, whole, tolerance = 1e-12)
})

test_that("joining and splitting undo each other", {
  s <- of(d)
  expect_identical(split_covariates(join_covariates(s$patterns), 3), s$patterns)
  plain <- hmvn_statistics(d, ~g, features)$patterns
  expect_identical(split_covariates(join_covariates(plain), 3), plain)
})

test_that("statistics whose covariates differ are not combined", {
  refused <- function(a, b, text) {
    error <- expect_error(c(a, b), text, class = "hmvn_error_covariates")
    expect_identical(error$argument, "...")
  }
  refused(of(d), hmvn_statistics(d, ~g, features), "Not all of them have")
  refused(hmvn_statistics(d, ~g, features), of(d), "Not all of them have")
  refused(of(d), of(d, ~ x + f), "x:fv")
  # the same names of other columns
  d$z <- exp(d$y3)
  d$z[is.na(d$z)] <- 1
  refused(of(d[1:200, ], ~ poly(z, 2)), of(d[201:n, ], ~ poly(z, 2)), "other levels or knots")
  text <- transform(d, f = as.character(f))
  refused(of(text[text$f != "u", ], ~f), of(text[text$f != "v", ], ~f), "other levels or knots")
  refused(of(text[text$f != "u", ], ~f), of(text[text$f != "w", ], ~f), "fv|fw")
})
