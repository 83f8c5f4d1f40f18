test_that("pairs come in the order of their distance, with the probability to be the closest", {
  fit <- fake_fit(G = 4, K = 2, iter = 25)
  for (measure in distance_measures) {
    found <- closest_groups(fit, measure, prob = c(0.1, 0.9))
    draws <- posterior::draws_of(group_distance(fit, measure = measure))
    at <- cbind(match(found$group, LETTERS), match(found$reference, LETTERS))
    by_pair <- vapply(1:6, function(i) draws[, at[i, 1], at[i, 2]], double(100))
    expect_equal(found$mean, colMeans(by_pair))
    expect_equal(found$sd, apply(by_pair, 2, sd))
    expect_equal(found$q10, unname(apply(by_pair, 2, quantile, 0.1)))
    first <- apply(by_pair, 1, which.min)
    expect_equal(found$p_first, tabulate(first, 6) / 100)
    expect_false(is.unsorted(found$mean))
  }
})

test_that("the outlier is the group with the largest average distance from the others", {
  S <- list(diag(2), diag(c(1.1, 1)), diag(c(1, 1.2)), diag(c(30, 30)))
  fit <- known_fit(rep(list(c(0, 0)), 4), S)
  found <- outlying_groups(fit)
  d <- posterior::draws_of(group_distance(fit))[1, , ]
  expect_identical(found$group[1], "D")
  expect_equal(found$mean[1], sum(d[4, ]) / 3)
  expect_identical(found$p_first, c(1, 0, 0, 0))
  expect_identical(closest_groups(fit)[1, c("group", "reference")],
    data.frame(group = "B", reference = "A"), ignore_attr = TRUE)
  three <- outlying_groups(fit, group = c("A", "B", "D"), features = "x2")
  expect_identical(three$group, c("D", "A", "B"))
})

test_that("too few groups are refused, by the function that was called", {
  fit <- fake_fit(G = 2)
  expect_identical(nrow(closest_groups(fit)), 1L)
  expect_error(closest_groups(fit, group = c("A", "A")), class = "hmvn_error_argument")
  error <- expect_error(outlying_groups(fit), class = "hmvn_error_argument")
  expect_identical(rlang::call_name(error$call), "outlying_groups")
  error <- expect_error(closest_groups(fit, "far"), class = "hmvn_error_argument")
  expect_identical(rlang::call_name(error$call), "closest_groups")
  expect_error(closest_groups(without(fit, "chol")), class = "hmvn_error_keep")
})

test_that("a ranking prints as a page", {
  fit <- fake_fit(G = 6, K = 2, iter = 25)
  expect_snapshot(closest_groups(fit))
  expect_snapshot(print(outlying_groups(fit), n = 2))
  expect_output(print(closest_groups(fit)["mean"]), "mean")
})
