# Statistics less a row are the statistics of the other rows.

test_that("statistics go down by a row, with gaps, covariates and weights", {
  set.seed(1)
  data <- data.frame(
    g = rep(c("a", "b"), c(5, 7)), x = rnorm(12), y = rnorm(12, 100), z = rnorm(12), w = rep(1:3, 4)
  )
  data$y[c(2, 9)] <- NA
  data$x[c(9, 10)] <- NA
  fit <- suppressWarnings(short_fit(
    data, ~g, ~ x + y, weights = ~w, covariates = ~z, iter_sampling = 20, iter_warmup = 20
  ))
  rows <- rows_to_say(fit, NULL, "")
  for (i in setdiff(1:12, 9)) {
    found <- statistics_without_row(fit$statistics, rows, i, rows$group[i])$patterns
    own <- model_data(data[-i, ], "g", c("x", "y"), "w", covariates = "z")
    wanted <- compute_statistics(own)$patterns
    expect_equal(found, wanted, tolerance = 1e-10, label = paste("row", i))
  }
})
