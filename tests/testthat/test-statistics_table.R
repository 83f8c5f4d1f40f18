rows <- with_fixed_seed(10, {
  n <- 300
  d <- data.frame(
    g = sample(c("b", "a", "c"), n, TRUE), h = sample(2:3, n, TRUE), x = 10 + rnorm(n),
    y = rexp(n), age = runif(n, 20, 80), site = sample(c("N", "S", "W"), n, TRUE),
    visit = sample(1:3, n, TRUE), w = runif(n), yes = runif(n) < 0.5
  )
  d$x[1:50] <- NA
  d$y[31:80] <- NA
  d$age[100:104] <- NA
  d
})
rows$grade <- factor(rows$site, levels = c("W", "N", "S"))

returns <- function(s) {
  back <- as_hmvn_statistics(as.data.frame(s))
  expect_identical(design_content(back$design), design_content(s$design))
  s["design"] <- list(back$design)
  expect_equal(back, s, tolerance = 1e-15)
}

test_that("a table returns the statistics it was made of", {
  returns(hmvn_statistics(rows, ~g, ~ x + y))
  returns(hmvn_statistics(rows, ~ g + h, ~ y + x))
  returns(hmvn_statistics(rows, NULL, ~x))
  returns(quietly(hmvn_statistics(rows, ~h, ~ x + y, weights = ~w)))
  empty <- rows
  empty[empty$g == "b", c("x", "y")] <- NA
  returns(hmvn_statistics(empty, ~g, ~ x + y))
  returns(hmvn_statistics(transform(rows, g = factor(g, levels = c("c", "a", "b"))), ~g, ~x))
  means <- rbind(b = c(x = 1, y = 2), a = c(3, 4))
  returns(hmvn_statistics_from(c(b = 5, a = 6), means, cov = list(diag(2), 2 * diag(2))))
  returns(hmvn_statistics_from(mean = means, cov = list(diag(2), 2 * diag(2)), known = TRUE))
})

test_that("covariates return by formula and levels", {
  for (formula in list(
    ~age, ~ age * site, ~ factor(visit) + age, ~ yes * age, ~ grade, ~ age:site + age
  )) {
    returns(quietly(
      hmvn_statistics(rows, ~g, ~ x + y, weights = ~w, covariates = formula)
    ))
  }
  spaced <- rows
  names(spaced)[match(c("age", "site", "visit", "yes"), names(spaced))] <- c(
    "the age", "the site", "the visit", "is it"
  )
  for (formula in list(
    ~`the age`, ~ `the age` * `the site`, ~ factor(`the visit`) + `is it`, ~ `is it`:`the site`
  )) {
    returns(hmvn_statistics(spaced, ~g, ~ x + y, covariates = formula))
  }
  expect_error(
    as.data.frame(hmvn_statistics(rows, ~g, ~y, covariates = ~ poly(age, 2))),
    class = "hmvn_error_statistics"
  )
})

test_that("sites that share tables have the statistics of all rows", {
  sites <- split(rows, rows$site)
  shared <- lapply(sites, function(d) {
    file <- tempfile(fileext = ".csv")
    table <- as.data.frame(hmvn_statistics(d, ~g, ~ x + y, covariates = ~age))
    table$value <- sprintf("%.17g", table$value)
    utils::write.csv(table, file, row.names = FALSE)
    utils::read.csv(file)
  })
  pooled <- Reduce(`+`, lapply(shared, as_hmvn_statistics))
  expect_same_to(pooled, hmvn_statistics(rows, ~g, ~ x + y, covariates = ~age), 1e-12)
})

test_that("what is no such table is refused, and no formula of it is run", {
  table <- as.data.frame(hmvn_statistics(rows, ~g, ~y, covariates = ~age))
  refused <- function(table) {
    expect_error(as_hmvn_statistics(table), class = "hmvn_error_statistics")
  }
  refused(rows)
  refused(table[table$quantity != "rows", ])
  refused(table[is.na(table$pattern), ])
  refused(table[setdiff(names(table), "g")])
  refused(transform(table, value = ifelse(quantity == "n", -1, value)))
  # damaged: rows lost, twice, of other names, patterns or groups
  first <- function(quantity) which(table$quantity == quantity)[[1]]
  put <- function(row, column, value) {
    table[row, column] <- value
    table
  }
  cells <- c("n", "mean", "covariate mean", "scatter", "cross", "covariate scatter")
  for (quantity in cells) {
    row <- first(quantity)
    refused(table[-row, ])
    refused(table[c(seq_len(nrow(table)), row), ])
    refused(put(row, "quantity", "other"))
    refused(put(row, "pattern", NA))
    refused(put(row, "pattern", 0))
    refused(put(row, "pattern", 99))
    refused(put(row, "g", if (table$g[[row]] == "a") "b" else "a"))
    if (quantity != "n") refused(put(row, "feature", "z"))
  }
  refused(put(first("cross"), "feature2", "z"))
  refused(put(first("rows"), "quantity", "row"))
  expect_identical(
    as_hmvn_statistics(transform(table, quantity = factor(quantity)))$patterns,
    as_hmvn_statistics(table)$patterns
  )
  two <- as.data.frame(hmvn_statistics(rows, ~g, ~ x + y))
  row <- which(two$quantity == "scatter" & two$feature != two$feature2)[[1]]
  turned <- two[c(seq_len(nrow(two)), row), ]
  turned[nrow(turned), c("feature", "feature2")] <- two[row, c("feature2", "feature")]
  refused(turned)
  refused(two[-row, ])
  ran <- FALSE
  for (text in c("~ stop('run')", "stop('run')", "~ I(age)", "age ~ 1", "~ (")) {
    bad <- table
    bad$feature[bad$quantity == "formula"] <- text
    refused(bad)
  }
  expect_error(
    as.data.frame(hmvn_statistics(transform(rows, value = g), ~value, ~y)),
    class = "hmvn_error_statistics"
  )
})
