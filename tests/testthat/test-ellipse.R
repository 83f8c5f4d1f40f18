test_that("axes, eccentricity and angle are those of the ellipse", {
  turn <- function(angle, sds) {
    q <- matrix(c(cos(angle), sin(angle), -sin(angle), cos(angle)), 2)
    q %*% diag(sds^2) %*% t(q)
  }
  r <- sqrt(qchisq(0.9, 2))
  for (angle in c(-1.5, -0.3, 0, 0.7, 1.5)) {
    fit <- known_fit(list(c(0, 0), c(5, 5)), list(turn(angle, c(3, 1)), diag(c(1, 4))))
    found <- group_ellipse(fit, level = 0.9, group = "A")
    expect_identical(found$quantity, c("area", "major", "minor", "eccentricity", "angle"))
    expect_equal(found$mean,
      c(pi * r^2 * 3, 3 * r, r, sqrt(1 - 1 / 9), angle * 180 / pi))
    expect_equal(found$q5, found$mean)
  }
  upright <- group_ellipse(fit, c("x1", "x2"), "B")
  expect_equal(abs(upright$mean[5]), 90)
  expect_equal(group_ellipse(fit, c("x2", "x1"), "B")$mean[5], 0)
  # a thin one keeps its minor axis
  thin <- known_fit(list(c(0, 0)), list(diag(2)))
  thin$draws$chol[1, 1, ] <- c(1, 1, 1e-9)
  expect_equal(ellipse_axes(matrix(thin$draws$chol, 1))$minor,
    1e-9 / sqrt(2))
})

test_that("angles are averaged as directions", {
  # 80 and 110 degrees: 95, that is -85
  angles <- c(80, 110) * pi / 180
  chol <- t(vapply(angles, function(a) {
    q <- matrix(c(cos(a), sin(a), -sin(a), cos(a)), 2)
    upper <- chol(q %*% diag(c(4, 1)) %*% t(q))
    upper[upper.tri(upper, TRUE)]
  }, double(3)))
  found <- summarise_ellipse(chol, 1, c(q0 = 0, q100 = 1))["angle" == ellipse_quantities, ]
  expect_equal(found[["mean"]], -85)
  expect_equal(found[["sd"]], 15)
  expect_equal(sort(found[c("q0", "q100")]), c(-100, -70), ignore_attr = TRUE)
})

test_that("the table is of the groups and features asked for", {
  fit <- fake_fit(G = 3, K = 3)
  found <- group_ellipse(fit, c("x3", "x1"), prob = 0.5)
  expect_s3_class(found, c("hmvn_ellipses", "data.frame"), exact = TRUE)
  expect_identical(unique(found$group), c("A", "B", "C"))
  expect_identical(names(found), c("group", "quantity", "mean", "median", "sd", "q50"))
  area <- group_volume(fit, features = c("x1", "x3"))
  expect_equal(found$mean[found$quantity == "area"], posterior::E(area), ignore_attr = TRUE)
  expect_equal(found$median, found$q50)
  expect_error(group_ellipse(fit), class = "hmvn_error_no_meaning")
  expect_error(group_ellipse(fit, "x1"), class = "hmvn_error_no_meaning")
  expect_error(group_ellipse(without(fit, "chol"), c("x3", "x1")), class = "hmvn_error_keep")
  expect_error(group_ellipse(fit, c("x3", "x1"), prob = 5), class = "hmvn_error_prob")
  expect_snapshot(print(group_ellipse(fit, c("x3", "x1"), "A")))
  expect_output(print(found["mean"]), "mean")
})
