set.seed(12)
d <- data.frame(g = rep(c("a", "b"), 20), x = rnorm(40), y = rnorm(40))
d$w <- rep(c(0, 1, 2, 3), 10)
weighted <- function(w) {
  d$w <- w
  hmvn_statistics(d, ~g, ~ x + y, ~w)
}

test_that("a row of weight 0 does not count, which is said", {
  expect_message(s <- weighted(d$w), "10 rows have weight 0", class = "hmvn_message_zero_weights")
  without <- hmvn_statistics(d[d$w > 0, ], ~g, ~ x + y, ~w)
  expect_identical(s, without)
  # a group of such rows only keeps its place
  s <- quietly(weighted(ifelse(d$g == "a", 0, 1)))
  expect_identical(group_n(s), c(a = 0, b = 20))
  fit <- short_fit(d, ~g, ~ x + y, weights = ~w)
  expect_identical(dim(log_lik(fit)), c(100L, 40L))
  expect_true(all(log_lik(fit)[, d$w == 0] == 0))
})

test_that("weights that are no counts are told how they are read, counts and scaled ones not", {
  w <- runif(40, 4, 6)
  said <- expect_message(weighted(w), class = "hmvn_message_weights")
  expect_equal(said$total, sum(w))
  expect_equal(said$worth, sum(w)^2 / sum(w^2))
  expect_silent(weighted(w / mean(w)))
  expect_silent(weighted(w * sum(w) / sum(w^2)))
  expect_silent(weighted(rep(2, 40)))
  said <- expect_message(weighted(1e-300 * w), class = "hmvn_message_weights") # squares vanish
  expect_equal(said$worth, sum(w)^2 / sum(w^2))
})

test_that("weights that sum to 1 are refused for what they are", {
  sum_to_1 <- transform(d, w = 1 / 40)
  expect_error(
    quietly(fit_hmvn(sum_to_1, ~g, ~ x + y, weights = ~w)), "sum to 1, so that 40 rows",
    class = "hmvn_error_weights"
  )
})
