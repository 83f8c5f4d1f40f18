rows <- with_fixed_seed(7, {
  n <- 600
  d <- data.frame(
    g = sample(c("a", "b"), n, TRUE), x = 1e6 + rnorm(n), y = rexp(n), age = runif(n, 20, 80),
    year = sample(2001:2020, n, TRUE), site = sample(c("N", "S", "W"), n, TRUE),
    visit = sample(1:4, n, TRUE), w = runif(n) + 0.5
  )
  d$x[1:100] <- NA
  d$y[51:150] <- NA
  d$age[120:160] <- NA
  d$site[30:70] <- NA
  d
})

formulas <- list(
  ~age, ~ age * year, ~ site, ~ site:age, ~ age + site:age, ~ as.factor(visit) + year:site,
  ~ (age + site + factor(visit))^2
)

for (engine in engines) {
  test_that(paste(engine, "makes the columns of the model matrix that R makes"), {
    tbl <- engine_table(engine, rows)
    for (formula in formulas) {
      expect_same_to(
        of_engine(tbl, ~g, ~ x + y, covariates = formula),
        hmvn_statistics(rows, ~g, ~ x + y, covariates = formula), 1e-10
      )
    }
    ours <- of_engine(tbl, ~g, ~x, weights = ~w, covariates = ~ age * site)
    theirs <- hmvn_statistics(rows, ~g, ~x, weights = ~w, covariates = ~ age * site)
    expect_same_to(quietly(ours), quietly(theirs), 1e-10)
    expect_gt(ours$n_without_covariates, 0)
    expect_gt(ours$n_empty, 0)
    expect_s3_class(c(ours, theirs), "hmvn_statistics")
  })

  test_that(paste(engine, "takes columns whose names need backticks"), {
    d <- rows
    names(d)[match(c("x", "age", "site", "visit"), names(d))] <- c(
      "the x", "the age", "the site", "the visit"
    )
    tbl <- engine_table(engine, d)
    for (formula in list(
      ~`the age`, ~ `the age` * year, ~`the site`, ~ `the age` + `the site`:`the age`,
      ~ `the site` * factor(`the visit`)
    )) {
      expect_same_to(
        of_engine(tbl, ~g, ~ `the x` + y, covariates = formula),
        hmvn_statistics(d, ~g, ~ `the x` + y, covariates = formula), 1e-10
      )
    }
  })

  test_that(paste(engine, "follows the contrasts that R's options say"), {
    tbl <- engine_table(engine, rows)
    with_options(list(contrasts = c("contr.sum", "contr.poly")), {
      expect_same_to(
        of_engine(tbl, ~g, ~x, covariates = ~ age * site),
        hmvn_statistics(rows, ~g, ~x, covariates = ~ age * site), 1e-10
      )
    })
  })

  test_that(paste(engine, "predicts new rows by the covariates of the table"), {
    tbl <- engine_table(engine, rows)
    fit <- suppressWarnings(quietly(fit_hmvn(
      tbl, ~g, ~y, covariates = ~ age + site, chains = 1, iter_warmup = 50, iter_sampling = 20,
      seed = 1
    )))
    new <- data.frame(g = "a", age = 50, site = c("N", "W"))
    expect_identical(dim(posterior_epred(fit, new)), c(20L, 2L, 1L))
    expect_error(posterior_epred(fit, transform(new, site = "Z")), class = "hmvn_error_covariates")
  })

  test_that(paste(engine, "refuses covariates that it cannot make"), {
    tbl <- engine_table(engine, transform(rows, one = "A"))
    refused <- function(covariates, class = "hmvn_error_covariates", data = tbl) {
      expect_error(of_engine(data, ~g, ~ x + y, covariates = covariates), class = class)
    }
    refused(~ log(age))
    refused(~ poly(age, 2))
    refused(~ visit + factor(visit))
    refused(~one)
    refused(~ age - 1, "hmvn_error_column")
    refused(~g, "hmvn_error_column")
    refused(~x, "hmvn_error_column")
    refused(~ages, "hmvn_error_column")
    refused(~age, data = dplyr::mutate(tbl, age = NULL, age = x - x + NA_real_))
  })
}

test_that("PostgreSQL: truth values are covariates", {
  d <- transform(rows, yes = site == "N")
  tbl <- engine_table("PostgreSQL", d)
  for (formula in list(~yes, ~ yes * age, ~ yes * site)) {
    ours <- of_engine(tbl, ~g, ~y, covariates = formula)
    expect_same_to(ours, hmvn_statistics(d, ~g, ~y, covariates = formula), 1e-10)
  }
})
