rows <- with_fixed_seed(11, data.frame(
  g = sample(c("a", "b", "c"), 200, TRUE), x = c(NA, NA, rnorm(198)), y = rexp(200),
  age = runif(200), w = sample(1:3, 200, TRUE)
))

test_that("groups are picked by label", {
  s <- hmvn_statistics(rows, ~g, ~ x + y)
  expect_same_to(
    s[c("a", "c")], hmvn_statistics(rows[rows$g != "b", ], ~g, ~ x + y), 1e-14
  )
  turned <- s[c("c", "a")]
  expect_identical(turned$labels, c("c", "a"))
  expect_identical(turned$keys$g, c("c", "a"))
  expect_same_to(turned[c("a", "c")], s[c("a", "c")], 1e-15)
  expect_silent(validate_statistics(turned, "turned", NULL))
  expect_same_to(s["b"] + s[c("a", "c")], s, 1e-15)
  with_covariates <- hmvn_statistics(rows, ~g, ~ x + y, covariates = ~age)
  expect_same_to(
    with_covariates["b"],
    hmvn_statistics(rows[rows$g == "b", ], ~g, ~ x + y, covariates = ~age), 1e-14
  )
})

test_that("a position is no label", {
  s <- hmvn_statistics(rows, ~g, ~x)
  for (i in list(1, TRUE, "z", c("a", "a"), character(), NA_character_)) {
    expect_error(s[i], class = "hmvn_error_group")
  }
  expect_error(s[], class = "hmvn_error_group")
  weighted <- hmvn_statistics(rows, ~g, ~x, weights = ~w)
  expect_error(weighted["a"], class = "hmvn_error_statistics")
})

test_that("plus is c()", {
  a <- hmvn_statistics(rows[1:100, ], ~g, ~ x + y)
  b <- hmvn_statistics(rows[101:200, ], ~g, ~ x + y)
  expect_identical(a + b, c(a, b))
  expect_same_to(a + b, hmvn_statistics(rows, ~g, ~ x + y), 1e-12)
  expect_error(a + 1, class = "hmvn_error_argument")
})

test_that("a group that is named twice is there once", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20)
  twice <- c("virginica", "setosa", "virginica")
  once <- c("virginica", "setosa")
  expect_identical(as_draws_df(fit, "mu", group = twice), as_draws_df(fit, "mu", group = once))
  expect_identical(group_cov(fit, twice, joint = TRUE), group_cov(fit, once, joint = TRUE))
  expect_identical(summary(fit, group = twice), summary(fit, group = once))
  expect_identical(compare_groups(fit, group = twice), compare_groups(fit, group = once))
  expect_error(compare_groups(fit, group = twice[c(1, 3)]), class = "hmvn_error_argument")
})
