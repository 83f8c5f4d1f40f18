spread <- function(draws, prob) {
  names(prob) <- names(prob) %||% quantile_names(prob)
  spread_of_columns(as.matrix(draws), prob)[1, ]
}

test_that("quantiles are R's, in whatever order they are asked for", {
  prob <- c(0.95, 0, 0.5, 0.05, 0.5, 1, 1 / 3, 0.951)
  for (n in c(1, 2, 3, 10, 101, 4000)) {
    for (draws in with_fixed_seed(n, list(
      rnorm(n), rcauchy(n), round(rnorm(n)), rep(2, n), sort(rnorm(n)), -seq_len(n)
    ))) {
      found <- spread(draws, prob)
      expect_equal(unname(found[-c(1, 2, 11)]), quantile(draws, prob, names = FALSE),
        tolerance = 1e-14)
      expect_lt(abs(found[[1]] - mean(draws)), 1e-14 * (1 + max(abs(draws))))
      if (n > 1) expect_equal(found[[2]], sd(draws), tolerance = 1e-13)
      expect_identical(found[["p_positive"]], mean(draws > 0))
    }
  }
})

test_that("draws may be infinite, and what is no number is said to be none", {
  found <- spread(c(-Inf, 1:8, Inf), c(a = 0.5, b = 1))
  expect_identical(found[["a"]], 4.5)
  expect_identical(found[["b"]], Inf)
  expect_identical(found[["p_positive"]], 0.9)
  expect_true(all(is.na(spread(c(1:50, NaN, 1:50), c(a = 0.5)))))
})

test_that("columns are less others, with shares within their own widths", {
  draws <- with_fixed_seed(1, matrix(rnorm(900), 300))
  less <- with_fixed_seed(2, matrix(rnorm(900), 300))
  found <- spread_of_columns(draws, c(q50 = 0.5), less, c(0.5, NA, 2))
  expect_identical(dimnames(found), list(NULL, c("mean", "sd", "q50", "p_positive", "p_rope")))
  by_hand <- apply(draws - less, 2, function(x) c(mean(x), sd(x), median(x), mean(x > 0)))
  expect_equal(found[, 1:4], t(by_hand), ignore_attr = TRUE, tolerance = 1e-14)
  within <- colMeans(abs(draws - less) < rep(c(0.5, NA, 2), each = 300))
  expect_identical(unname(found[, "p_rope"]), within)
  expect_identical(spread_of_columns(draws, c(q50 = 0.5), less, c(0.5, NA, 2), 2L), found)
  expect_error(spread_of_columns(draws, c(q50 = 0.5), less[, 1:2]), "unequal sizes")
})
