# Made as haven makes them, which need not be installed.
labelled <- function(x, ..., class = character()) {
  structure(x, ..., class = c(class, "haven_labelled", "vctrs_vctr", typeof(x)))
}
d <- data.frame(g = c("a", "b", "a", "b", "a"), x = c(1, 2, 4, 8, 5))
with_z <- function(z) {
  d$z <- z
  d
}
read <- function(...) quietly(model_data(...))

test_that("wrapped numbers are features, by name and by default, and weights", {
  z <- c(2, 3, 5, 7, 1)
  for (wrapped in list(
    labelled(z, labels = c(low = 2)), labelled(as.integer(z)), matrix(z), I(matrix(z)),
    stats::ts(z, start = 1990)
  )) {
    for (result in list(read(with_z(wrapped), ~g, ~z), read(with_z(wrapped), ~g, ~ . - x))) {
      expect_identical(result$features, "z")
      expect_equal(result$columns, list(z))
      expect_null(attributes(result$columns[[1]]))
    }
    expect_identical(read(with_z(wrapped), ~g, ~x, ~z)$weights, z)
  }
  scaled <- read(with_z(scale(z)), ~g, ~z)
  expect_equal(scaled$columns[[1]], (z - mean(z)) / sd(z))
  expect_error(read(with_z(stats::ts(matrix(1:10, 5))), ~g, ~z), class = "hmvn_error_column")
})

test_that("values that SPSS calls missing are missing", {
  spss <- "haven_labelled_spss"
  z <- c(2, 99, 5, -1, NA)
  expect_identical(unwrap_numbers(labelled(z, na_values = 99, class = spss)), c(2, NA, 5, -1, NA))
  expect_identical(
    unwrap_numbers(labelled(z, na_range = c(-Inf, 0), class = spss)), c(2, 99, 5, NA, NA)
  )
  expect_error(
    read(with_z(labelled(c(1, 1, 2, 9, 2), na_values = 9, class = spss)), ~z, ~x),
    class = "hmvn_error_group"
  )
})

test_that("groups are read by labels, dates, whole numbers of any width", {
  labels <- function(z) read(with_z(z), ~z, ~x)$labels
  expect_identical(labels(labelled(c(2, 1, 3, 1, 2), labels = c(no = 1, yes = 2))),
    c("no", "yes", "3")
  )
  expect_identical(labels(labelled(c("f", "m", "f", "m", "x"), labels = c(Woman = "f"))),
    c("Woman", "m", "x")
  )
  # of two values with one label neither is lost
  expect_identical(labels(labelled(c(1, 2, 1, 2, 3), labels = c(a = 1, a = 2, b = 3))),
    c("1", "2", "b")
  )
  days <- as.Date("2020-01-31") + c(1, 0, 1, 0, 0)
  expect_identical(labels(days), c("2020-01-31", "2020-02-01"))
  for (numbers in list(matrix(c(3, 1, 1, 3, 3)), I(matrix(c(3, 1, 1, 3, 3))))) {
    expect_identical(labels(numbers), c("1", "3"))
  }
  skip_if_not_installed("bit64")
  big <- bit64::as.integer64(c("-5", "4294967295", "2147483648", "-4294967297", "9007199254740992"))
  expect_identical(from_integer64(big), c(-5, 2^32 - 1, 2^31, -2^32 - 1, 2^53))
  expect_error(labels(bit64::as.integer64(c(1, NA, 1, 2, 3))), class = "hmvn_error_group")
})

test_that("one group of all rows needs no column, and update() and predict() know it", {
  for (group in list(NULL, ~1)) {
    result <- read(d, group, ~x)
    expect_identical(result$labels, "all")
    expect_identical(unique(result$codes), 1L)
  }
  fit <- short_fit(iris, NULL, ~ Sepal.Length + Petal.Length)
  expect_identical(short_fit(iris, ~1, ~ Sepal.Length + Petal.Length)$draws, fit$draws)
  expect_match(capture.output(fit)[[2]], "1 group (all rows)", fixed = TRUE)
  fewer <- suppressWarnings(update(fit, data = iris[1:50, ]))
  expect_identical(fewer$statistics$labels, "all")
  expect_identical(fewer$statistics$n_rows, 50)
  expect_identical(nrow(log_lik(fit, newdata = iris[1:3, ])), 100L)
  expect_error(fit_hmvn(iris), "NULL", class = "hmvn_error_group")
})

test_that("groups of a grouped table are used where none are named, and said", {
  # as group_by() of dplyr leaves it: an attribute with a row a group, the last column its rows
  groups <- unique(mtcars[c("cyl", "gear")])
  groups$.rows <- seq_len(nrow(groups))
  grouped <- structure(
    mtcars, groups = groups, class = c("grouped_df", "tbl_df", "tbl", "data.frame")
  )
  expect_message(s <- hmvn_statistics(grouped, features = "mpg"), class = "hmvn_message_grouped")
  expect_identical(s, hmvn_statistics(mtcars, ~ cyl + gear, "mpg"))
  expect_identical(hmvn_statistics(grouped, ~am, "mpg"), hmvn_statistics(mtcars, ~am, "mpg"))
})

test_that("columns that are hardly features are named where features were not", {
  n <- 30
  wide <- data.frame(
    g = rep(1:3, 10), x = rnorm(n), patient_id = sample(n), nr = seq_len(n), year = 2001:2003,
    freq = 0.5, weight = rnorm(n, 70), paid = 1:2, count = rpois(n, 3)
  )
  warning <- expect_warning(
    quietly(hmvn_statistics(wide, ~g)), class = "hmvn_warning_suspect_features"
  )
  expect_identical(warning$features, c("patient_id", "nr", "year", "freq"))
  expect_match(conditionMessage(warning), "~ . - patient_id - nr - year - freq", fixed = TRUE)
  expect_no_warning(quietly(hmvn_statistics(wide, ~g, ~ . - patient_id - nr - year - freq)))
  expect_no_warning(hmvn_statistics(wide, ~g, ~ x + year))
  for (data in list(iris, mtcars, airquality, faithful)) {
    expect_no_warning(quietly(hmvn_statistics(data, NULL)))
  }
})

test_that("integers of 64 bits are numbers as far as doubles hold them", {
  # as package bit64 has them: the bits of a double
  integer64 <- function(...) structure(readBin(as.raw(c(...)), "double", 3), class = "integer64")
  bytes <- function(low) c(low, rep(0, 7))
  x <- integer64(bytes(5), rep(255, 8), c(rep(0, 7), 128)) # 5, -1, NA
  expect_identical(unwrap_numbers(x), c(5, -1, NA))
  data <- data.frame(g = 1, y = c(1, 2, 4))
  data$x <- x
  expect_identical(quietly(hmvn_statistics(data, ~g, ~ x + y))$n_missing, 1)
  data$x <- integer64(bytes(1), bytes(2), c(rep(255, 7), 127)) # the last 2^63 - 1
  expect_error(hmvn_statistics(data, ~g, ~ x + y), "2\\^53", class = "hmvn_error_column")
})
