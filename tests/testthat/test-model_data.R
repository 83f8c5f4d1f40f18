d <- data.frame(g = c("b", "a", "b"), h = c(2L, 1L, 1L), x = c(1, 2, 3), y = 4:6)

test_that("formulas and strings name the same columns, which are not copied", {
  one <- model_data(d, ~g, ~ x + y)
  expect_identical(one, model_data(d, "g", c("x", "y")))
  expect_identical(one$codes, c(2L, 1L, 2L))
  expect_identical(one$labels, c("a", "b"))
  expect_identical(one$columns, list(d$x, d$y))
  expect_identical(one$keys, data.frame(g = c("a", "b")))
  expect_identical(one$n_obs, 3L)
  expect_null(one$weights)
})

test_that("several keys are the observed combinations, first key slowest", {
  two <- model_data(d, ~ g + h, "x")
  expect_identical(two$labels, c("a:1", "b:1", "b:2"))
  expect_identical(two$codes, c(3L, 1L, 2L))
  expect_identical(two$keys, data.frame(g = c("a", "b", "b"), h = c(1L, 1L, 2L)))
  expect_identical(two, model_data(d, ~ g:h, "x"))
  expect_identical(two, model_data(d, c("g", "h"), "x"))
})

test_that("tibbles and data.tables are data frames", {
  skip_if_not_installed("tibble")
  skip_if_not_installed("data.table")
  plain <- model_data(d, ~g, ~ x + y)
  expect_identical(model_data(tibble::as_tibble(d), ~g, ~ x + y), plain)
  expect_identical(model_data(data.table::as.data.table(d), ~g, ~ x + y), plain)
})

test_that("every type of group keeps its order and type", {
  labels_of <- function(g) model_data(data.frame(x = seq_along(g), g = g), "g", "x")
  f <- factor(c("lo", "hi", "lo"), levels = c("lo", "hi"), ordered = TRUE)
  expect_identical(labels_of(f)$labels, c("lo", "hi"))
  expect_identical(labels_of(f)$keys$g, f[1:2])
  expect_identical(labels_of(c(TRUE, FALSE))$labels, c("FALSE", "TRUE"))
  expect_identical(labels_of(c(TRUE, FALSE))$keys$g, c(FALSE, TRUE))
  expect_identical(labels_of(c(100000L, -2L))$labels, c("-2", "100000"))
  expect_identical(labels_of(c(.Machine$integer.max, -.Machine$integer.max))$codes, 2:1)
  expect_identical(labels_of(c(2^53, 1e5, -0))$labels, c("0", "100000", "9007199254740992"))
  expect_identical(labels_of(c(100001, 100002, 100001))$codes, c(1L, 2L, 1L))
})

test_that("codes agree with factor() for integers near and far apart", {
  set.seed(1)
  for (width in c(5, 1e3, 2e9)) {
    g <- as.integer(floor(runif(1000, -width / 2, width / 2)))
    result <- model_data(data.frame(g = g, x = 1), "g", "x")
    expect_identical(result$codes, as.integer(factor(g)))
    expect_identical(result$keys$g, sort(unique(g)))
  }
})

test_that("empty levels are dropped with a message", {
  f <- factor(c("a", "c"), levels = c("a", "b", "c"))
  expect_message(
    result <- model_data(data.frame(g = f, x = 1:2), "g", "x"), "b",
    class = "hmvn_message_empty_levels"
  )
  expect_identical(result$codes, 1:2)
  expect_identical(levels(result$keys$g), c("a", "c"))
})

test_that("features default to the numeric columns that are not group or weight", {
  wide <- cbind(d, w = c(1, 2, 3), when = as.Date("2020-01-01") + 0:2)
  expect_message(
    result <- model_data(wide, ~g, NULL, ~w), "h.*x.*y", class = "hmvn_message_features"
  )
  expect_identical(result$features, c("h", "x", "y"))
  expect_identical(result$weights, c(1, 2, 3))
})

test_that("odd names and labels work", {
  odd <- data.frame(1:4, c("a b", "a,b", "a[1]", "\U1F600{x}"), check.names = FALSE)
  names(odd) <- c("my {x}, [1]", "the group")
  result <- model_data(odd, ~`the group`, ~`my {x}, [1]`)
  expect_setequal(result$labels, odd[["the group"]])
  expect_identical(result$features, "my {x}, [1]")
  odd[[1]] <- c(1, 2, 3, Inf)
  expect_error(model_data(odd, ~`the group`, ~`my {x}, [1]`), "my {x}, [1]", fixed = TRUE)
})

test_that("missing cells are allowed, NaN and infinite ones are errors that say where", {
  cells <- function(x) model_data(data.frame(g = 1, x = x), "g", "x")
  expect_identical(cells(c(NA, 1))$columns[[1]], c(NA, 1))
  expect_identical(cells(c(NA, 1L))$columns[[1]], c(NA, 1L))
  for (value in c(NaN, Inf, -Inf)) {
    error <- expect_error(cells(c(1, NA, value, value)), "row 3", class = "hmvn_error_cells")
    expect_identical(error$column, "x")
    expect_equal(error$row, 3)
    expect_equal(error$count, 2)
  }
})

test_that("bad data, columns, groups and weights have classed errors naming the column", {
  bad <- function(class, ..., column = NULL) {
    error <- expect_error(quietly(model_data(...)), class = paste0("hmvn_error_", class))
    expect_s3_class(error, "hmvn_error")
    if (!is.null(column)) expect_identical(error$column, column)
  }
  bad("data", as.matrix(d[3:4]), ~g)
  bad("data", d[0, ], ~g)
  bad("column", d, ~gg, column = "gg")
  bad("column", d, ~g, ~ x + z, column = "z")
  bad("column", d, ~g, c("x", "x"), column = "x")
  bad("column", d, ~g, ~ x + g, column = "g")
  bad("column", d, ~ g + g, column = "g")
  bad("column", d, ~g, character())
  bad("column", d, ~g, 3)
  bad("column", d, y ~ g)
  bad("column", d, ~g, ~ log(x))
  bad("column", d, ~ factor(g), ~x)
  bad("column", d, ~g, ~ x:y)
  bad("column", d, ~g, ~ x - y)
  bad("column", d, ~2, ~x)
  bad("column", d, ~g, ~ . - z, column = "z")
  bad("column", d, ~g, ~ x - .)
  bad("column", d["g"], ~g)
  bad("column", stats::setNames(d, c("g", "x", "x", "y")), ~g, ~x, column = "x")
  with_column <- function(column) {
    d$z <- column
    d
  }
  for (column in list(
    letters[1:3], factor(1:3), Sys.Date() + 1:3, list(1, 2, 3), matrix(1:6, 3), c(TRUE, NA, FALSE)
  )) {
    bad("column", with_column(column), ~g, ~z, column = "z")
  }
  bad("group", with_column(c(1, 2.5, 3)), ~z, ~x, column = "z")
  bad("group", with_column(c(1, 2^60, 3)), ~z, ~x, column = "z")
  for (column in list(
    c("a", NA, "b"), c(1, NA, 2), c(1L, NA, 2L), factor(c("a", NA, "b")), c(TRUE, NA, FALSE)
  )) {
    bad("group", with_column(column), ~z, ~x, column = "z")
  }
  for (column in list(list(1, 2, 3), matrix(1:6, 3), as.POSIXlt(Sys.time()), c("a", "", "b"))) {
    bad("group", with_column(column), ~z, ~x, column = "z")
  }
  for (column in list(c(1, NA, 1), c(0, 0, 0), c(1, -1, 1), c(1, Inf, 1), letters[1:3])) {
    bad("weights", with_column(column), ~g, ~x, ~z, column = "z")
  }
  bad("column", d, ~g, ~x, ~x, column = "x")
  bad("column", d, ~g, ~x, ~ h + y)
})

test_that("integer64 columns are features and groups", {
  skip_if_not_installed("bit64")
  d$z <- bit64::as.integer64(1:3)
  expect_identical(model_data(d, ~g, ~z)$features, "z")
  expect_identical(model_data(d, ~z, ~x)$labels, c("1", "2", "3"))
  expect_identical(quietly(model_data(d, ~g))$features, c("h", "x", "y", "z"))
})

test_that("labels that collide are an error with the labels", {
  keys <- data.frame(a = c("p:q", "p"), b = c("r", "q:r"), x = 1:2)
  error <- expect_error(model_data(keys, ~ a + b, ~x), class = "hmvn_error_group")
  expect_identical(error$labels, "p:q:r")
})

test_that("bare column names end in an error with the form to write", {
  f <- function(data, group) capture_column_argument(rlang::enquo(group), data, "group")
  expect_error(f(d, g), "group = ~ g", class = "hmvn_error_column")
  x <- 1:3
  expect_error(f(d, x), "group = ~ x", class = "hmvn_error_column")
  expect_error(f(d, c(g, h)), "~ g \\+ h", class = "hmvn_error_column")
  expect_error(f(d, gg), "Did you mean", class = "hmvn_error_column")
  expect_error(f(d), "must be given", class = "hmvn_error_group")
  expect_error(f(d, stop("own error")), "own error")
  g <- "h"
  expect_identical(f(d, g), "h")
  expect_identical(all.vars(f(d, ~g)), "g")
})

test_that("whole numbers are coded in their order, by table or by hash", {
  coded <- function(x) code_groups(list(g = x), NULL)
  same <- function(x) {
    result <- coded(x)
    expect_identical(result$codes, match(x, sort(unique(x))))
    expect_identical(result$keys$g, sort(unique(x)))
  }
  x <- with_fixed_seed(1, sample(c(-7L, 0L, 3L, 900L), 50, TRUE))
  same(x)
  same(as.double(x))
  same(x * 1e7) # too wide for a table
  same(c(x, -.Machine$integer.max, .Machine$integer.max))
  same(c(2^53, -2^53, 5))
  same(5L)
  # codes already: the column itself, so that ten million rows are not copied
  codes <- rep(1:4, 100)
  expect_identical(rlang::obj_address(coded(codes)$codes), rlang::obj_address(codes))
  expect_identical(coded(I(codes))$codes, codes)
  two <- code_groups(list(a = x, b = rep(c(2, 1), 25)), NULL)
  expect_identical(two$codes, match(paste(x, rep(2:1, 25)), paste(two$keys$a, two$keys$b)))
  expect_false(is.unsorted(order(two$keys$a, two$keys$b)))
})

at_second <- function(x) as.POSIXct(x, origin = "1970-01-01", tz = "UTC")

test_that("columns of covariates are kept, and a change of one cell of any type is noticed", {
  d <- data.frame(
    g = "a", y = 1:4, n = c(1.5, 2, 3, 4), i = 4:1, l = c(TRUE, FALSE, NA, TRUE),
    t = c("u", "v", "u", NA), f = factor(c("p", "q", "q", "p")), s = at_second(1:4)
  )
  types <- c("n", "i", "l", "t", "f", "s")
  data <- sign_data(
    model_data(d, ~g, ~y, covariates = ~ n + i * l + t + f + as.numeric(s)), 1
  )
  expect_identical(data$covariate_columns, as.list(d[types]))
  expect_identical(kept_data_frame(data), d[c("g", "y", types)])
  expect_true(are_model_data(data))
  expect_identical(check_unchanged(data, "It", NULL), data)
  changed <- list(n = 1.25, i = 9L, l = FALSE, t = "z", f = "q", s = at_second(1.25))
  for (type in types) {
    other <- data
    other$covariate_columns[[type]][[1]] <- changed[[type]]
    expect_error(check_unchanged(other, "It", NULL), class = "hmvn_error_rows")
  }
  levels(data$covariate_columns$f) <- c("p", "r")
  expect_error(check_unchanged(data, "It", NULL), class = "hmvn_error_rows")
})
