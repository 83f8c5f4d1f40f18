test_that("tables that were worked on print as any data frame, and are knitted or drawn no more", {
  fit <- fake_fit(G = 3, K = 2, pooling = "partial")
  tables <- list(
    compare_groups(fit, what = "mean"), closest_groups(fit), summary(fit, "mu"),
    within_between(fit), group_ellipse(fit)
  )
  for (table in tables) {
    number <- intersect(c("mean", "within"), names(table))
    as_text <- table
    as_text[[number]] <- format(as_text[[number]])
    lacking <- table[names(table) != number]
    for (changed in list(as_text, lacking)) {
      expect_identical(
        utils::capture.output(print(changed)), utils::capture.output(print(as.data.frame(changed)))
      )
    }
  }
  changed <- transform(tables[[1]], mean = format(mean))
  class(changed) <- class(tables[[1]])
  expect_error(as_table(changed), class = "hmvn_error_argument")
  skip_if_not_installed("ggplot2")
  expect_error(plot(changed), class = "hmvn_error_argument")
  # rows may be left out
  expect_s3_class(as_table(tables[[1]][1:2, ]), "hmvn_table")
})

test_that("rows of pages are counted by a number", {
  fit <- fake_fit(G = 3, K = 2)
  for (table in list(compare_groups(fit, what = "mean"), closest_groups(fit), summary(fit))) {
    for (n in list("a", NA, c(1, 2), -1, NULL)) {
      expect_error(print(table, n = n), class = "hmvn_error_argument")
    }
    expect_output(print(table, n = Inf))
  }
})
