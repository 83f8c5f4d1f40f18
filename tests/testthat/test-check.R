test_that("numbers, counts, flags and choices pass in their type", {
  expect_identical(check_number(1L, "x"), 1)
  expect_identical(check_count(3, "x"), 3L)
  expect_identical(check_count(2^53, "x", max = 2^53), 2^53)
  expect_identical(check_flag(TRUE, "x"), TRUE)
  expect_identical(check_choice("a", "x", c("a", "b")), "a")
})

test_that("bad arguments are errors that name the argument and what was found", {
  bad_counts <- list(0.5, -1, NA, NA_real_, Inf, "1", 1:2, NULL, TRUE, factor(1))
  for (x in bad_counts) {
    expect_error(check_count(x, "chains", min = 1), "chains", class = "hmvn_error_argument")
  }
  expect_error(check_count(0, "chains", min = 1), "at least 1.*It is 0")
  expect_error(check_number(1, "adapt_delta", 0, 1, open = TRUE), "strictly between 0 and 1")
  expect_error(check_flag(NA, "progress"), "TRUE or FALSE", class = "hmvn_error_argument")
  expect_error(
    check_choice("parial", "pooling", c("none", "partial")), "partial",
    class = "hmvn_error_argument"
  )
})

test_that("misspelt arguments get a suggestion and are not evaluated", {
  f <- function(x, ..., chains = 1, iter_warmup = 1) {
    check_no_dots(..., known = c("x", "chains", "iter_warmup"))
  }
  expect_null(f(1, chains = 2))
  error <- expect_error(f(1, chain = stop("evaluated")), "chains", class = "hmvn_error_argument")
  expect_identical(error$argument, "chain")
  expect_error(f(1, warmup_iter_zzzzz = 1), "iter_warmup")
  expect_error(f(1, 2), "by name", class = "hmvn_error_argument")
})

test_that("suggestions are near or absent", {
  expect_identical(suggest_name("Specis", c("Species", "Width")), "Species")
  expect_identical(suggest_name("qqqq", c("Species", "Width")), character())
  expect_identical(suggest_name("a", character()), character())
})

test_that("an argument left at all its choices is the first; else it must be one of them", {
  choose <- function(type = c("one", "two")) check_first_choice(type, "type", formals()$type)
  expect_identical(choose(), "one")
  expect_identical(choose("two"), "two")
  for (type in list("three", 1i, Sys.Date(), character(), c("two", "one"), NULL)) {
    expect_error(choose(type), class = "hmvn_error_argument")
  }
  fit <- fake_fit()
  expect_error(predict(fit, data.frame(x1 = 1), type = 1), class = "hmvn_error_argument")
  expect_error(residuals(fit, type = "deviance"), class = "hmvn_error_argument")
  expect_error(plot(fit, type = "density"), class = "hmvn_error_argument")
  expect_error(kfold.hmvn_fit(fit, by = "column"), class = "hmvn_error_argument")
})
