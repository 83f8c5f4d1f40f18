set.seed(20)
d <- data.frame(
  g = sample(c("a", "b", "c"), 300, TRUE), x = rnorm(300), y = rexp(300), z = rpois(300, 3)
)
stat <- function(data, ...) hmvn_statistics(data, "g", c("x", "y", "z"), ...)

# Drops what a comparison of halves and wholes should not see.
expect_same_statistics <- function(a, b, tolerance = 1e-12) {
  expect_equal(a, b, tolerance = tolerance)
}

test_that("complete data: one pattern a group, equal to the definition", {
  s <- stat(d)
  expect_s3_class(s, "hmvn_statistics")
  expect_identical(s$patterns$group, 1:3)
  expect_true(all(s$patterns$observed))
  for (g in 1:3) {
    hand <- moments_by_hand(d[d$g == s$labels[[g]], c("x", "y", "z")])
    expect_equal(s$patterns$n[[g]], hand$n)
    expect_equal(s$patterns$mean[, g], hand$mean, tolerance = 1e-13)
    expect_equal(s$patterns$scatter[, , g], hand$scatter, tolerance = 1e-13)
  }
  expect_identical(c(s$n_rows, s$n_empty, s$n_missing), c(300, 0, 0))
  expect_false(s$weighted)
})

test_that("missing cells: patterns in an order that row order cannot change", {
  m <- d
  m$x[1:60] <- NA
  m$z[41:100] <- NA
  m$y[55:60] <- NA
  s <- stat(m)
  expect_same_statistics(stat(m[300:1, ]), s)
  expect_identical(c(s$n_rows, s$n_empty, s$n_missing), c(294, 6, 108))
  expect_false(is.unsorted(s$patterns$group))
  for (p in seq_along(s$patterns$n)) {
    observed <- s$patterns$observed[, p]
    rows <- m$g == s$labels[[s$patterns$group[[p]]]] &
      colSums(!is.na(t(m[c("x", "y", "z")])) == observed) == 3
    hand <- moments_by_hand(m[rows, c("x", "y", "z")[observed]])
    expect_equal(s$patterns$n[[p]], hand$n)
    expect_equal(s$patterns$mean[observed, p], hand$mean, tolerance = 1e-12)
    expect_equal(
      unname(s$patterns$scatter[observed, observed, p]), hand$scatter, tolerance = 1e-12,
      ignore_attr = TRUE
    )
    expect_true(all(s$patterns$mean[!observed, p] == 0))
    expect_true(all(s$patterns$scatter[!observed, , p] == 0))
  }
  # complete first, then fewer missing
  n_missing <- colSums(!s$patterns$observed)
  expect_identical(order(s$patterns$group, n_missing), seq_along(n_missing))
  halves <- c(stat(m[1:150, ]), stat(m[151:300, ]))
  expect_same_statistics(halves, s)
})

test_that("more than 64 features keep their patterns, and c() has the same order", {
  wide <- as.data.frame(matrix(rnorm(40 * 70), 40))
  wide[1:3, 2] <- NA
  wide[c(1, 5, 7), 65] <- NA
  wide[c(3, 7, 9), 70] <- NA
  wide$g <- rep(c("a", "b"), each = 20)
  s <- quietly(hmvn_statistics(wide, ~g))
  # rows 1, 2, 3, 5, 7 and 9 each miss another set
  expect_identical(s$patterns$n, c(14, 1, 1, 1, 1, 1, 1, 20))
  halves <- c(
    quietly(hmvn_statistics(wide[1:9, ], ~g)), quietly(hmvn_statistics(wide[10:40, ], ~g))
  )
  expect_same_statistics(halves, s)
})

test_that("a group without observed cells keeps its place and has no pattern", {
  m <- d
  m[m$g == "b", c("x", "y", "z")] <- NA
  s <- stat(m)
  expect_identical(s$labels, c("a", "b", "c"))
  expect_identical(s$patterns$group, c(1L, 3L))
  expect_identical(unname(group_n(s)[["b"]]), 0)
})

test_that("an offset of 1e8 with unit sd keeps 8 digits", {
  # values exact in binary, so that shifting them by 1e8 loses nothing
  grid <- round(rnorm(5000) * 2^20) / 2^20
  other <- round(rnorm(5000) * 2^20) / 2^20
  low <- hmvn_statistics(data.frame(g = 1, a = grid, b = other), ~g, ~ a + b)
  high <- hmvn_statistics(data.frame(g = 1, a = grid + 1e8, b = other - 1e8), ~g, ~ a + b)
  expect_equal(high$patterns$scatter, low$patterns$scatter, tolerance = 1e-8)
  expect_equal(high$patterns$mean - c(1e8, -1e8), low$patterns$mean, tolerance = 1e-6)
  moments <- pooled_moments(c(high, high))
  expect_equal(moments$sd[["a"]], sd(rep(grid, 2)), tolerance = 1e-8)
})

test_that("a constant has scatter exactly 0 and an outlying first row costs no digits", {
  expect_identical(
    c(hmvn_statistics(data.frame(g = 1, x = rep(0.1, 1e5)), ~g, ~x)$patterns$scatter), 0
  )
  x <- c(1e12, rnorm(1000))
  s <- hmvn_statistics(data.frame(g = 1, x = x), ~g, ~x)
  expect_equal(c(s$patterns$scatter), sum((x - mean(x))^2), tolerance = 1e-12)
})

# Moments in long double, as exact as this machine has them, in two passes.
exact_moments <- function(x, w = rep(1, nrow(x))) {
  mean <- vapply(seq_len(ncol(x)), function(k) sum(w * x[, k]) / sum(w), 0)
  mean <- mean + vapply(seq_len(ncol(x)), function(k) sum(w * (x[, k] - mean[k])) / sum(w), 0)
  apart <- x - rep(mean, each = nrow(x))
  list(
    mean = mean, scatter = crossprod(apart, w * apart),
    size = sqrt(diag(crossprod(apart, w * apart)))
  )
}

# Errors of a scatter relative to its diagonal, of a mean to its size and the spread about it.
expect_digits <- function(x, w = NULL) {
  data <- data.frame(g = 1, a = x[, 1], b = x[, 2])
  data$w <- w
  s <- hmvn_statistics(data, ~g, ~ a + b, weights = if (!is.null(w)) ~w)
  exact <- exact_moments(x, w %||% rep(1, nrow(x)))
  error <- abs(s$patterns$scatter[, , 1] - exact$scatter) / tcrossprod(exact$size)
  # sums of n terms: n roundings if all went one way, their root as they do fall
  expect_lt(max(error), 20 * sqrt(nrow(x)) * .Machine$double.eps)
  error <- abs(
    c(s$patterns$mean) - exact$mean
  ) / (abs(exact$mean) + exact$size / sqrt(s$patterns$n))
  expect_lt(max(error), 20 * sqrt(nrow(x)) * .Machine$double.eps)
}

test_that("one pass keeps the digits of two, whatever the order of the rows", {
  n <- 3e4
  noise <- with_fixed_seed(3, cbind(rnorm(n), rnorm(n)))
  expect_digits(noise + 1e8)
  expect_digits(rbind(1e9, noise)) # an outlying first row
  expect_digits(rbind(noise, 1e9))
  expect_digits(noise + 1e5 * seq_len(n)) # a trend
  expect_digits(noise + 1e8 * rep(0:1, each = n / 2)) # a step
  expect_digits(noise[order(noise[, 1]), ])
  expect_digits(cbind(noise[, 1] * 1e-8 + 1, noise[, 2] * 1e8))
})

test_that("rows that outweigh all others cost no digits, wherever they stand", {
  noise <- with_fixed_seed(4, cbind(rnorm(1000), rnorm(1000))) + 1e6
  for (heavy in c(1, 2, 3, 500, 1000)) {
    w <- rep(1, 1000)
    w[heavy] <- 1e10
    expect_digits(noise, w)
  }
  expect_digits(noise, 10^seq(-8, 8, length.out = 1000))
})

test_that("blocks of rows merge to the whole, on any number of threads", {
  n <- 3e5
  data <- with_fixed_seed(5, data.frame(
    g = sample.int(3, n, TRUE), x = rnorm(n) + 1e6, y = rexp(n), z = 0.1, i = rpois(n, 4)
  ))
  whole <- hmvn_statistics(data, ~g, ~ x + y + z)
  expect_identical(hmvn_statistics(data, ~g, ~ x + y + z, cores = 2), whole)
  for (g in 1:3) {
    exact <- exact_moments(as.matrix(data[data$g == g, c("x", "y")]))
    expect_equal(whole$patterns$scatter[1:2, 1:2, g], unname(exact$scatter), tolerance = 1e-12)
    expect_equal(whole$patterns$mean[1:2, g], unname(exact$mean), tolerance = 1e-15)
  }
  expect_true(all(whole$patterns$scatter[3, , ] == 0))
  expect_true(all(whole$patterns$mean[3, ] == 0.1))
  # the pass for columns that are not all real, or not all observed, is another
  mixed <- hmvn_statistics(data, ~g, ~ x + y + i)
  expect_equal(
    mixed$patterns$scatter[1:2, 1:2, ], whole$patterns$scatter[1:2, 1:2, ], tolerance = 1e-12
  )
  data$i[1:10] <- NA
  expect_identical(
    hmvn_statistics(data, ~g, ~ x + y + i, cores = 2), hmvn_statistics(data, ~g, ~ x + y + i)
  )
  for (K in 1:10) {
    wide <- data[rep(c("x", "y"), 5)[seq_len(K)]]
    names(wide) <- paste0("f", seq_len(K))
    s <- hmvn_statistics(cbind(g = data$g, wide), ~g, names(wide))
    expect_equal(s$patterns$mean[1, ], whole$patterns$mean[1, ], tolerance = 1e-15)
    expect_equal(
      s$patterns$scatter[K, 1, ], whole$patterns$scatter[2 - K %% 2, 1, ], tolerance = 1e-12
    )
  }
})

test_that("scales from 1e-8 to 1e8 keep their digits", {
  for (scale in c(1e-8, 1e8)) {
    s <- hmvn_statistics(data.frame(g = 1, x = d$x * scale), ~g, ~x)
    expect_equal(c(s$patterns$scatter) / scale^2, sum((d$x - mean(d$x))^2), tolerance = 1e-12)
  }
  expect_error(
    hmvn_statistics(data.frame(g = 1, x = c(1e200, 1)), ~g, ~x), class = "hmvn_error_cells"
  )
})

test_that("weights equal repeated rows, and need not be whole", {
  d$w <- sample(1:4, 300, TRUE)
  m <- d
  m$x[1:50] <- NA
  weighted <- stat(m, weights = ~w)
  repeated <- stat(m[rep(1:300, m$w), ])
  expect_same_statistics(weighted$patterns, repeated$patterns)
  expect_true(weighted$weighted)
  expect_identical(weighted$n_rows, 300)
  d$w <- 0.5
  expect_equal(stat(d, weights = "w")$patterns$n, stat(d)$patterns$n / 2)
})

test_that("results do not depend on threads, and many blocks equal one", {
  big <- d[rep(1:300, 1000), ]
  one <- stat(big)
  expect_identical(stat(big, cores = 2), one)
  expect_equal(one$patterns$scatter, 1000 * stat(d)$patterns$scatter, tolerance = 1e-10)
})

test_that("halves combine to the whole: any groups, any order of features", {
  whole <- stat(d)
  expect_same_statistics(c(stat(d[1:100, ]), stat(d[101:300, ])), whole)
  by_group <- c(stat(d[d$g != "b", ]), stat(d[d$g == "b", ]))
  expect_same_statistics(by_group, whole)
  other <- hmvn_statistics(d[101:300, ], "g", c("z", "x", "y"))
  expect_same_statistics(c(stat(d[1:100, ]), other), whole)
  d$g <- factor(d$g, levels = c("c", "a", "b"))
  expect_same_statistics(c(stat(d[1:100, ]), stat(d[101:300, ])), stat(d))
  expect_same_statistics(c(whole), whole)
})

test_that("studies of different features combine to their union, the lacking ones unobserved", {
  parts <- list(transform(d[1:100, ], z = NULL), transform(d[101:200, ], x = NULL), d[201:300, ])
  each <- lapply(parts, function(d) hmvn_statistics(d, "g", setdiff(names(d), c("g", "w"))))
  whole <- d
  whole$z[1:100] <- NA
  whole$x[101:200] <- NA
  expect_message(
    both <- do.call(c, each), "z and x", class = "hmvn_message_lacking_features"
  )
  expect_same_statistics(both, hmvn_statistics(whole, "g", both$features))
  expect_identical(both$features, c("x", "y", "z"))
  expect_silent(c(each[[3]], each[[3]]))
})

test_that("what does not fit together is not combined", {
  a <- stat(d)
  expect_error(
    c(a, hmvn_statistics(transform(d, h = g), ~h, ~ x + y + z)), class = "hmvn_error_group"
  )
  for (other in list(1, quote(x), quote(x + y), mean)) {
    expect_error(
      do.call(c, list(a, other), quote = TRUE), "One argument is", class = "hmvn_error_argument"
    )
  }
})

test_that("pooled moments are those of all observed cells", {
  m <- d
  m$x[1:100] <- NA
  moments <- pooled_moments(stat(m))
  expect_equal(moments$mean, colMeans(m[2:4], na.rm = TRUE))
  expect_equal(moments$sd, vapply(m[2:4], sd, 0, na.rm = TRUE))
  expect_equal(moments$n, c(x = 200, y = 300, z = 300))
  m$x <- NA_real_
  expect_identical(pooled_moments(stat(m))$mean[["x"]], NA_real_)
})

test_that("printing shows sizes and groups", {
  m <- d
  m$x[1:5] <- NA
  text <- capture.output(print(stat(m), n_groups = 2))
  expect_match(text[[1]], "3 groups, 3 features, 300 rows")
  expect_match(text[[2]], "5 missing cells")
  expect_match(text[[length(text)]], "1 more group")
})

test_that("observations are counted by feature over patterns", {
  s <- fake_statistics(c("A", "B", "C"), c("x", "y"), "g", 1)
  s$patterns <- list(
    group = c(1L, 1L, 3L), n = c(4, 2.5, 7),
    observed = cbind(c(TRUE, TRUE), c(TRUE, FALSE), c(FALSE, TRUE))
  )
  expect_equal(unname(observed_counts(s)), rbind(c(6.5, 4), c(0, 0), c(0, 7)))
})
