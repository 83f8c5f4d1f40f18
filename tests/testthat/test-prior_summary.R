summary_of <- function(...) {
  prior_summary(short_fit(..., chains = 1, iter_warmup = 20, iter_sampling = 5))
}
data <- data.frame(
  g = rep(c("a", "b"), 10), x = rep(c(1, 2, 3, 4), 5), y = rep(c(10, -10, 5, 0, 5), 4)
)

test_that("every prior is listed with its constants, and which were defaults", {
  s <- summary_of(data, ~g,
    pooling = c(mean = "partial", sd = "partial", cor = "complete"),
    prior = hmvn_prior(
      sd = c(distributional::dist_gamma(2, 0.5), distributional::dist_student_t(3, 0, 2)),
      heterogeneity = list(sd = distributional::dist_beta(1, 3))
    )
  )
  expect_identical(s$block, c("mean", "mean", "sd", "sd", "cor", "between"))
  expect_identical(s$feature, c("x", "y", "x", "y", NA, NA))
  expect_identical(
    s$prior[3:6], c("Gamma(2, 0.5)", "half-Student t(3, 0, 2)", "LKJ(2)", "LKJ(2)")
  )
  expect_identical(s$prior[1], paste0("Normal(2.5, ", format(2.5 * sd(data$x), digits = 4), "^2)"))
  expect_identical(s$default, c(TRUE, TRUE, FALSE, FALSE, TRUE, TRUE))
  expect_identical(s$pooling, c("partial", "partial", "partial", "partial", "complete", NA))
  expect_identical(
    s$heterogeneity, rep(c("h ~ Beta(1, 1)", "h ~ Beta(1, 3)", "h = 0", NA), c(2, 2, 1, 1))
  )
  expect_identical(s$default_heterogeneity, c(TRUE, TRUE, FALSE, FALSE, FALSE, NA))
  expect_equal(attr(s, "prior")$mean$scale[["x"]], 2.5 * sd(data$x), tolerance = 1e-14)
  expect_snapshot(print(s))
})

test_that("correlations between groups' means are listed where there are any", {
  last <- function(...) {
    s <- summary_of(data, ~g, pooling = c(mean = "partial"), prior = hmvn_prior(...))
    s[nrow(s), c("block", "feature", "prior", "default", "pooling", "default_heterogeneity")]
  }
  row <- function(prior, default) {
    data.frame(
      block = "between", feature = NA_character_, prior = prior, default = default,
      pooling = NA_character_, default_heterogeneity = NA
    )
  }
  expect_equal(last(), row("LKJ(2)", TRUE), ignore_attr = TRUE)
  expect_equal(last(between = dist_lkj(4.5)), row("LKJ(4.5)", FALSE), ignore_attr = TRUE)
  expect_identical(last(between = "independent")$block, "cor")
})

test_that("one feature has no correlations; a fixed h is not rounded to 1", {
  s <- summary_of(data, ~g, ~x, pooling = "partial", prior = hmvn_prior(heterogeneity = 0.999999))
  expect_identical(s$block, c("mean", "sd"))
  expect_identical(s$heterogeneity, rep("h = 0.999999 (fixed)", 2))
  expect_false(any(s$default_heterogeneity))
  s <- summary_of(data, ~g)
  expect_identical(unique(s$heterogeneity), "h = 1")
  expect_error(prior_summary(fake_fit(), digits = 0), class = "hmvn_error_argument")
})
