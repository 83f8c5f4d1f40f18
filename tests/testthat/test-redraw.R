test_that("draws are chosen evenly over all of them", {
  fit <- fake_fit(iter = 10, chains = 2)
  expect_identical(choose_draws(fit, NULL), 1:20)
  expect_identical(choose_draws(fit, 20), 1:20)
  expect_identical(choose_draws(fit, 2), c(1L, 20L))
  few <- choose_draws(fit, 7)
  expect_length(unique(few), 7)
  expect_lte(diff(range(diff(few))), 1)
  for (bad in list(0, 21, 1.5, "2", NA)) expect_error(
    choose_draws(fit, bad), class = "hmvn_error_argument"
  )
  values <- fit$draws$mean
  # [draw, index], chain after chain
  expect_identical(draw_matrix(values, 1:20)[13, ], values[3, 2, ])
  expect_identical(draw_matrix(values, c(1L, 20L)), rbind(values[1, 1, ], values[10, 2, ]))
  expect_null(draw_matrix(NULL, 1:20))
})

test_that("a given seed leaves R's random numbers alone, NULL takes one number of them", {
  set.seed(1)
  before <- .Random.seed
  expect_identical(choose_seed(3), 3)
  expect_identical(.Random.seed, before)
  one <- choose_seed(NULL)
  expect_false(identical(.Random.seed, before))
  set.seed(1)
  expect_identical(choose_seed(NULL), one)
  for (bad in list(-1, 0.5, "a", c(1, 2))) expect_error(
    choose_seed(bad), class = "hmvn_error_argument"
  )
})

test_that("what needs rows says why there are none", {
  fit <- fake_fit()
  expect_error(
    require_rows(fit, "This"), "This needs the rows.*statistics", class = "hmvn_error_rows"
  )
  fit$control$keep_data <- FALSE
  expect_error(require_rows(fit, "This"), "keep_data = FALSE", class = "hmvn_error_rows")
  fit$data <- sign_data(model_data(data.frame(g = 1:3, x = 4:6), "g", "x"), 1)
  expect_identical(require_rows(fit, "This"), fit$data)
  fit$data$columns[[1]][2] <- 7L
  expect_error(require_rows(fit, "This"), "This needs the rows that", class = "hmvn_error_rows")
})

test_that("rows whose parts contradict each other are not put together", {
  d <- data.frame(g = c("A", "B", "A"), x = c(1, NA, 3), y = 1:3, w = c(1, 1, 2))
  fit <- short_fit(
    d, ~g, ~ x + y, weights = ~w, prior = hmvn_prior(sd = distributional::dist_lognormal(0, 1)),
    chains = 1, iter_sampling = 5
  )
  expect_identical(model.frame(fit)$w, d$w)
  cells <- posterior_impute(fit, seed = 1)
  refused <- function(...) {
    fit$data <- utils::modifyList(fit$data, list(...))
    cells$data <- fit$data
    expect_error(model.frame(fit), "contradict each other", class = "hmvn_error_fit")
    expect_error(completed(cells), class = "hmvn_error_argument")
  }
  refused(weight_column = "x")
  refused(weight_column = NULL)
  refused(weight_column = c("w", "v"))
  refused(weight_column = factor("w"))
  refused(weights = NULL)
  refused(keys = data.frame(y = c("A", "B")))
  refused(codes = c(1L, 3L, 1L))
  refused(codes = c(1L, NA, 1L))
  refused(codes = c(1L, 0L, 1L))
})

test_that("of a fit to statistics or to a table, functions of rows take others or say what to do", {
  data <- iris[c(1:20, 51:70), ]
  data$Species <- as.character(data$Species)
  data$Sepal.Length[3] <- NA
  features <- ~ Sepal.Length + Sepal.Width
  whole <- short_fit(data, ~Species, features)
  fits <- list(short_fit(hmvn_statistics(data, ~Species, features)))
  packages <- c("DBI", "RSQLite", "dplyr", "dbplyr")
  if (all(vapply(packages, requireNamespace, TRUE, quietly = TRUE))) {
    con <- DBI::dbConnect(RSQLite::SQLite(), ":memory:")
    on.exit(DBI::dbDisconnect(con))
    DBI::dbWriteTable(con, "flowers", data)
    fits <- c(fits, list(short_fit(dplyr::tbl(con, "flowers"), ~Species, features)))
  }
  own_rows <- list(
    loo::loo, loo::waic, loo::kfold, log_lik, bayesplot::pp_check, predict, posterior_predict,
    posterior_epred, predictive_error, posterior_impute, fitted, residuals, simulate,
    generics::augment, model.frame, function(fit) update(fit, features = ~Sepal.Width)
  )
  new <- data[1:4, ]
  for (fit in fits) {
    for (of_rows in own_rows) {
      error <- expect_error(of_rows(fit), class = "hmvn_error_rows")
      expect_match(conditionMessage(error), "update(fit, data = ", fixed = TRUE)
    }
    expect_identical(short_fit(fit$statistics)$draws, fit$draws)
    # sums of another order differ in their last digits, which chains make larger: the same draws
    whole$draws <- fit$draws
    for (of_others in list(
      function(fit) log_lik(fit, newdata = new), function(fit) predict(fit, new, seed = 1),
      function(fit) posterior_predict(fit, newdata = new, seed = 1),
      function(fit) predict(fit, new, type = "distance")
    )) {
      expect_equal(of_others(fit), of_others(whole), tolerance = 1e-12)
    }
    refit <- quietly(suppressWarnings(update(fit, data = data)))
    expect_identical(dim(log_lik(refit)), c(100L, nrow(data)))
  }
})
