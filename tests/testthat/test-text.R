broken <- "b\xff\xfe"
Encoding(broken) <- "UTF-8"
bytes <- `Encoding<-`("a\xe9", "bytes")
latin <- `Encoding<-`("\xe4", "latin1")

test_that("text is valid or is shown with its bytes written out", {
  fine <- c(TRUE, TRUE, FALSE, FALSE, TRUE)
  expect_identical(is_valid_text(c("a", latin, broken, bytes, NA)), fine)
  expect_false(are_names(c("a", broken)))
  expect_false(are_names(c("a", "a")))
  expect_false(are_names(c("a", "")))
  expect_false(are_names(NULL))
  expect_true(are_names(c("a", latin)))
  expect_true(all(validUTF8(printable(c(broken, bytes, "a", NA)))))
  expect_length(printable(c("a", NA)), 1)
  expect_length(few(1:1000), 22)
  expect_identical(few(1:5), 1:5)
})

test_that("labels and names that cannot be read are refused where they come in", {
  d <- data.frame(g = c("a", "b", "a", "b"), x = c(1, 3, 2, 5), y = c(2, 7, 1, 1))
  for (bad in c(broken, bytes)) {
    error <- expect_error(
      fit_hmvn(transform(d, g = ifelse(g == "a", bad, g)), ~g, ~ x + y), class = "hmvn_error_group"
    )
    expect_true(all(validUTF8(c(conditionMessage(error), error$labels))))
    expect_error(fit_hmvn(stats::setNames(d, c("g", "x", bad)), ~g), class = "hmvn_error_column")
    expect_error(fit_hmvn(d, bad), class = "hmvn_error_column")
    expect_error(fit_hmvn(d, ~g, ~ x + y, bad), class = "hmvn_error_pooling")
    expect_error(fit_hmvn(d, ~g, algorithm = bad), class = "hmvn_error_argument")
    expect_error(fit_hmvn(d, ~g, keep = bad), class = "hmvn_error_argument")
    fit <- fake_fit(iter = 4)
    expect_error(summary(fit, bad), class = "hmvn_error_argument")
    expect_error(group_mean(fit, bad), class = "hmvn_error_group")
    expect_error(as_draws_df(fit, bad, regex = TRUE), class = "hmvn_error_argument")
  }
})

test_that("other columns may be called anything", {
  d <- data.frame(g = c("a", "b", "a", "b"), x = c(1, 3, 2, 5), y = c(2, 7, 1, 1), z = "t")
  names(d)[4] <- NA
  expect_s3_class(short_fit(d, ~g, ~ x + y), "hmvn_fit")
  expect_error(fit_hmvn(d, ~g, ~xx), "xx", class = "hmvn_error_column")
  names(d)[4] <- broken
  expect_s3_class(short_fit(d, ~g), "hmvn_fit")
  expect_error(fit_hmvn(d, ~g, ~xx), "xx", class = "hmvn_error_column")
})

test_that("one label in two encodings is one group, found by either", {
  d <- data.frame(g = c(latin, "\u00e4", latin, "b", "b"), x = c(1, 2, 4, 3, 5))
  fit <- short_fit(d, ~g)
  expect_identical(fit$statistics$labels, c("b", "\u00e4"))
  expect_length(group_mean(fit, latin), 1)
})

test_that("names that are not there are no invalid text", {
  expect_identical(is_valid_text(NULL), logical())
  nothing <- structure(list(), class = "data.frame", row.names = integer())
  expect_error(fit_hmvn(nothing, ~g), class = "hmvn_error_data")
})
