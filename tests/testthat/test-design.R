cars <- transform(
  mtcars, gear = factor(gear), site = rep(c("u", "v", "w", "v"), 8), fast = qsec < 18,
  size = factor(carb > 2, labels = c("small", "large"), ordered = TRUE)
)
of_cars <- function(covariates, data = cars, ...) {
  hmvn_statistics(data, ~am, ~ mpg + hp, ..., covariates = covariates)
}
formulas <- list(
  ~wt, ~ gear + site, ~ wt * site, ~ poly(disp, 2) + splines::ns(qsec, 3), ~ log(wt) + I(disp^2),
  ~ size * fast, ~ scale(wt) + site:disp, ~ (wt + disp + fast)^2, ~ cut(wt, c(0, 3, 9)),
  ~ C(gear, contr.sum) + factor(carb > 2)
)

test_that("columns are those of model.matrix(), in its order, by its names", {
  for (formula in formulas) {
    s <- of_cars(formula)
    x <- model.matrix(formula, cars)[, -1, drop = FALSE]
    expect_identical(s$covariates, colnames(x))
    expect_equal(s$covariate_center, colMeans(x), tolerance = 1e-14)
    expect_equal(covariate_matrix(s$design, cars), x, ignore_attr = TRUE, tolerance = 1e-14)
    expect_equal(colnames(covariate_matrix(s$design, cars)), colnames(x))
    for (p in 1:2) {
      own <- x[cars$am == s$keys$am[[p]], , drop = FALSE]
      hand <- moments_by_hand(own)
      expect_equal(s$patterns$covariate_mean[, p], hand$mean, tolerance = 1e-13)
      expect_equal(
        matrix(s$patterns$covariate_scatter[, , p], ncol(x)), hand$scatter, tolerance = 1e-12
      )
    }
  }
})

test_that("new rows get the columns of the fit, not those of their own knots and levels", {
  for (formula in formulas) {
    s <- of_cars(formula)
    x <- model.matrix(formula, cars)[, -1, drop = FALSE]
    few <- c(2, 5)
    expect_equal(
      covariate_matrix(s$design, cars[few, ]), x[few, , drop = FALSE], ignore_attr = TRUE,
      tolerance = 1e-12
    )
  }
})

test_that("slopes from the statistics are those of lm(), with weights too", {
  slopes <- function(s) {
    within <- rowSums(s$patterns$covariate_scatter, dims = 2)
    solve(within, rowSums(s$patterns$cross, dims = 2))
  }
  for (formula in list(~ wt * site, ~ wt + splines::ns(qsec, 3) + gear, ~ poly(disp, 2) * fast)) {
    full <- update(formula, cbind(mpg, hp) ~ factor(am) + .)
    ours <- slopes(of_cars(formula))
    expect_equal(ours, coef(lm(full, cars))[-(1:2), ], ignore_attr = TRUE, tolerance = 1e-8)
    ours <- slopes(of_cars(formula, weights = ~drat))
    theirs <- coef(lm(full, cars, weights = drat))[-(1:2), ]
    expect_equal(ours, theirs, ignore_attr = TRUE, tolerance = 1e-8)
  }
  ours <- slopes(hmvn_statistics(
    iris, ~Species, ~ Sepal.Length + Sepal.Width, covariates = ~ Petal.Length * log(Petal.Width)
  ))
  theirs <- lm(
    cbind(Sepal.Length, Sepal.Width) ~ Species + Petal.Length * log(Petal.Width), iris
  )
  expect_equal(ours, coef(theirs)[-(1:3), ], ignore_attr = TRUE, tolerance = 1e-8)
})

test_that("rows without a covariate are left out and counted; empty rows stay empty rows", {
  cars$wt[1:3] <- NA
  cars$site[3:4] <- NA
  cars[4:6, c("mpg", "hp")] <- NA
  cars$mpg[7:9] <- NA
  s <- of_cars(~ poly(wt, 2) * site, cars)
  expect_identical(s$n_without_covariates, 3L) # rows 1 to 3
  expect_identical(s$n_empty, 3)
  expect_identical(s$n_rows, 26)
  expect_identical(s$n_missing, 3)
  part <- of_cars(~ poly(wt, 2) * site, cars[-(1:6), ])
  expect_identical(s$patterns, part$patterns)
  expect_identical(s$covariate_center, part$covariate_center)
  # all of a group's rows: it keeps its place
  cars$wt[cars$am == 1] <- NA
  s <- of_cars(~wt, cars)
  expect_identical(s$labels, c("0", "1"))
  expect_identical(unique(s$patterns$group), 1L)
  expect_match(capture.output(print(s)), "rows with a missing covariate, not used", all = FALSE)
  cars$wt <- NA_real_
  expect_error(of_cars(~wt, cars), "Of 32 rows", class = "hmvn_error_covariates")
})

test_that("rows left out are told by fit_hmvn()", {
  expect_message(
    say_what_is_missing(of_cars(~wt, replace(cars, "wt", c(NA, NA, cars$wt[-(1:2)]))), "none"),
    "2 rows have a missing covariate", class = "hmvn_message_incomplete_covariates"
  )
})

test_that("levels that no row used has are dropped with a message", {
  cars$mpg[cars$gear == "5"] <- cars$hp[cars$gear == "5"] <- NA
  expect_message(s <- of_cars(~gear, cars), "gear.*5", class = "hmvn_message_empty_levels")
  expect_identical(s$covariates, "gear4")
  contrasts(cars$gear) <- contr.sum(3)
  expect_message(of_cars(~gear, cars), "contrasts", class = "hmvn_message_empty_levels")
})

test_that("contrasts are remembered, whatever R's options are later", {
  s <- with_options(list(contrasts = c("contr.sum", "contr.poly")), of_cars(~ gear * site))
  x <- model.matrix(
    ~ gear * site, cars, contrasts.arg = list(gear = "contr.sum", site = "contr.sum")
  )
  expect_identical(s$covariates, colnames(x)[-1])
  expect_equal(covariate_matrix(s$design, cars), x[, -1], ignore_attr = TRUE)
})

test_that("a term that changes with the rows at hand is refused", {
  for (formula in list(~ I(wt - mean(wt)), ~ rank(wt), ~ cut(wt, 3), ~ rnorm(length(wt)))) {
    error <- expect_error(of_cars(formula), "whatever", class = "hmvn_error_covariates")
    expect_identical(error$argument, "covariates")
  }
  expect_error(of_cars(~ I(wt * sd(wt)), cars[1:2, ]), "whatever", class = "hmvn_error_covariates")
  expect_error(
    of_cars(~ outer(wt, seq_along(wt))), "whatever", class = "hmvn_error_covariates"
  )
  error <- expect_error(of_cars(~ disp + rank(wt)), class = "hmvn_error_covariates")
  expect_identical(error$column, "rank(wt)")
})

test_that("new data: missing cells are NA rows; unknown levels, types and columns are errors", {
  design <- of_cars(~ wt * site + poly(disp, 2))$design
  new <- cars[1:4, ]
  new$wt[2] <- NA
  new$site[3] <- NA
  x <- covariate_matrix(design, new)
  whole <- covariate_matrix(design, cars)
  expect_identical(x[c(1, 4), ], whole[c(1, 4), ])
  expect_true(all(is.na(x[2:3, ])))
  expect_identical(dim(covariate_matrix(design, new[0, ])), c(0L, ncol(whole)))
  new$wt <- NA
  expect_true(all(is.na(covariate_matrix(design, new))))
  refused <- function(change, class, text) {
    expect_error(covariate_matrix(design, change(cars[1:4, ])), text, class = class)
  }
  error <- refused(function(d) transform(d, site = "z"), "hmvn_error_covariates", "z")
  expect_identical(error$argument, "newdata")
  expect_identical(error$levels, "z")
  refused(function(d) d[names(d) != "disp"], "hmvn_error_column", "disp")
  refused(function(d) transform(d, wt = "heavy"), "hmvn_error_covariates", "numeric")
  refused(function(d) transform(d, wt = Inf), "hmvn_error_cells", "finite")
  # a factor is what text was
  expect_identical(covariate_matrix(design, transform(cars, site = factor(site))), whole)
  # and text what a factor was, ordered or not, but no number
  for (ordered in c(FALSE, TRUE)) {
    of_factor <- of_cars(~site, transform(cars, site = factor(site, ordered = ordered)))$design
    ours <- covariate_matrix(of_factor, transform(cars, site = factor(site, ordered = ordered)))
    expect_identical(covariate_matrix(of_factor, cars), ours)
    expect_error(
      covariate_matrix(of_factor, transform(cars, site = 1)), class = "hmvn_error_covariates"
    )
  }
})

test_that("NA may be a level, and is no level of what was cut", {
  cars$site[1:3] <- NA
  cars$site <- addNA(cars$site)
  s <- of_cars(~site, cars)
  expect_identical(s$covariates, c("sitev", "sitew", "siteNA"))
  expect_identical(s$n_without_covariates, 0L)
  expect_identical(covariate_matrix(s$design, cars[3:4, ])[, "siteNA"], c(1, 0))
  design <- of_cars(~ cut(wt, c(0, 3, 9)))$design
  expect_error(
    covariate_matrix(design, transform(cars[1:2, ], wt = 10)), "NA in 2 rows",
    class = "hmvn_error_cells"
  )
})

test_that("tibbles and data.tables are data frames", {
  skip_if_not_installed("tibble")
  skip_if_not_installed("data.table")
  plain <- of_cars(~ wt * site + gear)
  expect_equal(of_cars(~ wt * site + gear, tibble::as_tibble(cars)), plain)
  table <- data.table::as.data.table(cars)
  expect_equal(of_cars(~ wt * site + gear, table), plain)
  expect_identical(covariate_matrix(plain$design, table), covariate_matrix(plain$design, cars))
})

test_that("a column of the data is one, though base R has a constant of its name", {
  cars$pi <- cars$wt
  s <- of_cars(~pi, cars)
  expect_identical(s$covariates, "pi")
  expect_error(covariate_matrix(s$design, mtcars), "pi", class = "hmvn_error_column")
})
