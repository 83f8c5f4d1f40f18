printed <- function(fit, ...) capture.output(print(fit, ...))

test_that("print() shows the model, its size and the estimates", {
  expect_snapshot(print(fake_fit(G = 2, K = 2)))
  expect_snapshot(print(fake_fit(G = 3, K = 3, pooling = "partial")))
  expect_snapshot(
    print(fake_fit(G = 2, K = 2, pooling = c(mean = "none", sd = "complete", cor = "complete")))
  )
  expect_snapshot(print(fake_fit(G = 1, K = 1)))
})

test_that("sds that are pooled in a frame are shown by group where correlations differ", {
  table <- function(frame, ..., title = "Sds") {
    fit <- short_fit(
      iris, ~Species, pooling = c(...), prior = hmvn_prior(frame = frame), chains = 1,
      iter_sampling = 5
    )
    Filter(function(table) table$title == title, shown_tables(fit))[[1]]
  }
  expect_false(table("pooled", sd = "complete")$common)
  expect_identical(table("pooled", sd = "complete")$typical, "sigma0")
  expect_true(table("raw", sd = "complete")$common)
  expect_true(table("pooled", sd = "complete", cor = "complete")$common)
  expect_false(table("pooled", cor = "complete", title = "Correlations")$common)
  expect_true(table("pooled", mean = "complete", title = "Means")$common)
})

test_that("problems come first", {
  fit <- fake_fit()
  fit$warnings <- c(divergences = "12 of 4,000 (0.3%) transitions ended with a divergence.")
  expect_snapshot(print(fit))
})

test_that("a screen is enough, however much there is", {
  labels <- c(
    "one label that is much too long to be printed in full", "\U1F600 \u65E5\u672C\u8A9E",
    "{brace}", paste0("g", 4:300)
  )
  fit <- fake_fit(G = 300, K = 12, pooling = "partial", labels = labels, iter = 5)
  fit$warnings <- c(
    divergences = "1 of 4,000 (<0.1%) transitions ended with a divergence.",
    ess = "5 of 11 (45.5%) quantities have a bulk or tail ESS below 100 a chain."
  )
  lines <- printed(fit)
  expect_lte(length(lines), 24)
  expect_lte(max(cli::ansi_nchar(lines, "width")), 80)
  expect_match(lines, "and 298 more groups", all = FALSE, fixed = TRUE)
  expect_match(lines, "one label... in full", all = FALSE, fixed = TRUE)
})

test_that("small fits stay within 24 lines under every pooling", {
  blocks <- c("none", "partial", "complete")
  all <- expand.grid(mean = blocks, sd = blocks, cor = blocks, stringsAsFactors = FALSE)
  for (i in seq_len(nrow(all))) {
    fit <- fake_fit(G = 3, K = 3, pooling = unlist(all[i, ]), iter = 5)
    lines <- printed(fit, lines = 24)
    expect_lte(length(lines), 24)
    expect_lte(max(nchar(lines), nchar(printed(fit))), 80)
  }
})

test_that("all of up to a dozen groups are shown, and all correlations that fit", {
  fit <- fake_fit(G = 12, K = 2, iter = 5)
  for (label in LETTERS[1:12]) expect_match(printed(fit), paste0("^", label, " "), all = FALSE)
  expect_match(printed(fake_fit(G = 13, K = 2, iter = 5)), "more groups", all = FALSE)
  # in blocks where groups are too many for columns
  blocks <- printed(fake_fit(G = 7, K = 4, iter = 5))
  for (pair in c("x1~x2", "x2~x4", "x3~x4")) expect_match(blocks, pair, all = FALSE)
  expect_false(any(grepl("and [0-9]+ more", blocks)))
  # groups as columns
  turned <- printed(fake_fit(G = 3, K = 5, iter = 5))
  expect_match(turned, "^Correlations +A +B +C$", all = FALSE)
  expect_match(turned, "^x4~x5 ", all = FALSE)
  expect_match(printed(fake_fit(G = 3, K = 7, iter = 5)), "^  and 6 more$", all = FALSE)
})

test_that("the sampler's line says how groups were drawn", {
  line <- function(algorithm) {
    fit <- fake_fit(G = 3)
    fit$units$algorithm <- algorithm
    sub("Sampler: ", "", grep("^Sampler", printed(fit), value = TRUE))
  }
  expect_equal(
    line(rep("exact", 3)), "exact independent draws, 4 chains x 100 draws, no warm-up, 0.3 s"
  )
  expect_equal(
    line(rep("direct", 3)), "independence steps, 4 chains x 100 draws, no warm-up, 0.3 s"
  )
  expect_equal(
    line(c("exact", "direct", "exact")),
    "exact (2 groups), steps (1), 4 chains x 100 draws, no warm-up, 0.3 s"
  )
  expect_equal(
    line(c("exact", "nuts", "exact")), "exact (2 groups), NUTS (1), 4 chains x 100 draws, 0.3 s"
  )
  fit <- fake_fit(G = 3)
  fit$units$iter_warmup[1, ] <- 300L
  expect_match(printed(fit), "4 chains x 100 draws after 300 to 1,000 warm-up, 0.3 s", all = FALSE)
})

test_that("numbers show what the posterior knows", {
  expect_equal(with_error(
    c(1.23456, -0.001, 123456.7, 123456.7, 1e-9, 3, NaN), c(0.0567, 0.5, 12.3, 4321, 2e-10, 0, NaN)
  ),
               c(
                 "1.235 (0.057)", "0.00 (0.50)", "123457 (12)", "123457 (4321)", "1e-09 (2e-10)",
                 "3.000 (0.000)", "NaN (NaN)"
               ))
})

test_that("names that are too long lose their middle, each on its own, and stay different", {
  # 16 and 20 are the widths of columns and rows: what fits exactly stays whole
  features <- c(strrep("x", 16), strrep("y", 40))
  labels <- c(strrep("a", 20), strrep("b", 50))
  fit <- fake_fit(K = 2, iter = 5, labels = labels, features = features)
  lines <- with_options(list(width = 60), printed(fit))
  expect_match(lines, paste0("  ", features[1], "($| )"), all = FALSE)
  expect_match(lines, paste0("^", labels[1], " "), all = FALSE)
  expect_match(lines, "yyyyyyy...yyyyyy", all = FALSE, fixed = TRUE)
  expect_snapshot(with_options(list(width = 60), print(fit)))

  alike <- paste0("measurement of the ", c("left", "right", "other"), " arm")
  fit <- fake_fit(K = 3, iter = 5, features = alike)
  expect_snapshot(print(fit))
})

test_that("the page is as wide as the console", {
  fit <- fake_fit(G = 3, K = 12, iter = 5, pooling = "partial")
  widest <- function(width) {
    lines <- with_options(list(width = width), printed(fit))
    expect_lte(max(cli::ansi_nchar(lines, "width")), width)
    max(cli::ansi_nchar(lines, "width"))
  }
  found <- vapply(c(50, 80, 120, 200), widest, 1)
  expect_true(all(diff(found) > 10))
  expect_snapshot(with_options(list(width = 200), print(fit)))
})

test_that("one row, chain, draw and cell are not many", {
  fit <- fake_fit(G = 1, K = 1, iter = 1, chains = 1, n = 1)
  fit$statistics$n_missing <- 1
  fit$statistics$n_empty <- 1
  expect_equal(
    with_options(list(width = 100), printed(fit))[c(2, 4)],
    c(
      "Data:    1 row, 1 group (g), 1 feature, 1 cell missing, 1 row without data left out",
      "Sampler: NUTS, 1 chain x 1 draw after 1,000 warm-up, 0.3 s"
    )
  )
})

test_that("features that a group never observed are named", {
  d <- data.frame(g = rep(c("a", "b", "c"), each = 20), x = rnorm(60), y = rnorm(60))
  d$y[d$g != "b"] <- NA
  fit <- short_fit(d, ~g, ~ x + y)
  expect_true("Unseen:  y in a, c" %in% capture.output(fit))
  d$y[1] <- 0
  d$x[d$g == "b"] <- NA
  expect_true("Unseen:  x in b; y in c" %in% capture.output(short_fit(d, ~g, ~ x + y)))
  expect_false(any(grepl("Unseen", capture.output(short_fit(iris, ~Species)))))
})

test_that("rows left out for want of a covariate are counted on the page", {
  fit <- fake_fit(iter = 20)
  fit$statistics$n_without_covariates <- 3L
  expect_match(capture.output(print(fit)), "3 rows without covariates", all = FALSE)
})
