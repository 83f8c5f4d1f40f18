# A fit that is extended is the longer fit, to the last bit.


holes <- iris_with_holes()
many <- many_small_groups()

extend_cases <- list(
  exact = list(data = iris, group = ~Species),
  direct = list(data = iris, group = ~Species, algorithm = "direct"),
  nuts = list(data = holes, group = ~Species, algorithm = "nuts"),
  partial = list(data = holes, group = ~Species, pooling = "partial"),
  partial_nuts = list(data = iris, group = ~Species, pooling = "partial", algorithm = "nuts"),
  complete = list(data = iris, group = ~Species, pooling = "complete"),
  many = list(data = many, group = ~g),
  covariates = list(
    data = iris, group = ~Species, features = ~ Sepal.Length + Sepal.Width,
    covariates = ~Petal.Length, pooling = "partial"
  )
)

test_that("every algorithm goes on as if it had not been stopped, thinned or not", {
  for (case in extend_cases) {
    for (thin in c(1, 4)) {
      fit <- function(n) rlang::inject(short_fit(!!!case, thin = thin, iter_sampling = n))
      extended <- suppressWarnings(extend(fit(50), iter_sampling = 75))
      expect_same_outcome(extended, fit(75))
    }
  }
})

test_that("through a file, with other cores, in two steps, and without the draws of groups", {
  fit <- function(n, ...) short_fit(holes, ~Species, pooling = "partial", iter_sampling = n, ...)
  path <- tempfile(fileext = ".rds")
  saveRDS(fit(30), path)
  two <- suppressWarnings(extend(extend(readRDS(path), iter_sampling = 41), iter_sampling = 60,
    cores = 2))
  expect_same_outcome(two, fit(60))
  expect_equal(two$control$cores, 2)
  few <- fit(30, keep = character())
  expect_same_outcome(
    suppressWarnings(extend(few, iter_sampling = 60)), fit(60, keep = character())
  )
})

test_that("the fit says what was done: call, specification, time; update() says it again", {
  fit <- short_fit(iris, ~Species, pooling = "partial", seed = 4)
  longer <- suppressWarnings(extend(fit, iter_sampling = 80))
  expect_equal(longer$call$iter_sampling, 80)
  expect_gt(longer$time$total, fit$time$total)
  expect_true(all(longer$time$sampling > fit$time$sampling))
  expect_equal(longer$time$warmup, fit$time$warmup)
  expect_identical(suppressMessages(suppressWarnings(update(longer)))$draws, longer$draws)
})

test_that("diagnostics are redone: what more draws heal is no longer said", {
  short <- suppressMessages(suppressWarnings(fit_hmvn(
    iris, ~Species, pooling = "partial", chains = 2, iter_sampling = 60, seed = 1
  )))
  expect_true(all(c("rhat", "ess") %in% names(short$warnings)))
  expect_no_warning(longer <- extend(short, iter_sampling = 1000))
  expect_identical(longer$warnings, character())
})

test_that("what cannot be gone on with is refused", {
  fit <- short_fit(iris, ~Species)
  expect_error(extend(fit, iter_sampling = 50), "all of them", class = "hmvn_error_argument")
  expect_error(extend(fit, iter_sampling = 0.5), class = "hmvn_error_argument")
  expect_error(extend(fit, 60, iter_warmup = 5), class = "hmvn_error_argument")
  expect_error(extend(short_fit(iris, ~Species, keep_state = FALSE), 60),
    class = "hmvn_error_state")
  other <- fit
  other$states$maker[["version"]] <- "99.0"
  expect_error(extend(other, 60), "hmvn 99.0", class = "hmvn_error_state")
  broken <- fit
  broken$states$ends[[2]] <- utils::head(broken$states$ends[[2]], -3)
  expect_error(extend(broken, 60), class = "hmvn_error_state")
  broken$states$ends[[2]] <- raw()
  expect_error(extend(broken, 60), class = "hmvn_error_state")
  broken$states$ends <- broken$states$ends[-1]
  expect_error(extend(broken, 60), class = "hmvn_error_fit")
})
