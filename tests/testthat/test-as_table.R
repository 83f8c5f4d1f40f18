test_that("a table has every estimate once, groups in columns or rows", {
  fit <- fake_fit(G = 3, K = 3)
  found <- as_table(fit)
  expect_s3_class(found, c("hmvn_table", "data.frame"), exact = TRUE)
  expect_identical(names(found), c("quantity", "of", "A", "B", "C"))
  expect_identical(found$quantity, rep(c("mean", "sd", "correlation"), each = 3))
  expect_identical(found$of, c(rep(c("x1", "x2", "x3"), 2), "x1~x2", "x1~x3", "x2~x3"))
  rho <- group_cor(fit)["B", "x3", "x1", drop = TRUE]
  expect_identical(found$B[8], with_error(posterior::E(rho), posterior::sd(rho)))
  mu <- group_mean(fit)["C", "x2", drop = TRUE]
  expect_identical(found$C[2], with_error(posterior::E(mu), posterior::sd(mu)))
  rows <- as_table(fit, groups_in = "rows")
  expect_identical(names(rows)[c(1, 2, 9)], c("group", "mean x1", "correlation x1~x3"))
  expect_identical(unname(unlist(rows[2, -1])), found$B)
  # many groups need the height
  expect_identical(names(as_table(fake_fit(G = 7), "mu")), c("group", "mean x1", "mean x2"))
})

test_that("the typical group stands first, where groups vary around it", {
  fit <- fake_fit(G = 2, K = 2, pooling = c(mean = "partial", sd = "none", cor = "partial"))
  found <- as_table(fit)
  expect_identical(names(found), c("quantity", "of", "(typical)", "A", "B"))
  expect_identical(found[["(typical)"]][3:4], c("", ""))
  mu0 <- as_draws_rvars(fit, "mu0")$mu0
  expect_identical(found[["(typical)"]][1:2], with_error(posterior::E(mu0), posterior::sd(mu0)),
    ignore_attr = TRUE)
})

test_that("intervals, groups and quantities can be chosen", {
  fit <- fake_fit(G = 3, K = 2)
  found <- as_table(fit, "sigma", group = "C", interval = 0.8)
  expect_identical(names(found), c("quantity", "of", "C"))
  ends <- quantile(group_sd(fit)["C", "x2", drop = TRUE], c(0.1, 0.9))
  sd <- posterior::sd(group_sd(fit)["C", "x2", drop = TRUE])
  expect_match(found$C[2], paste0("[", paste(rounded_like(ends, sd), collapse = ", "), "]"),
    fixed = TRUE)
  expect_error(as_table(fit, "sigmas"), class = "hmvn_error_variable")
  expect_error(as_table(fit, "lp__"), class = "hmvn_error_variable")
  expect_error(as_table(fit, groups_in = "pages"), class = "hmvn_error_argument")
  expect_error(as_table(fit, interval = 95), class = "hmvn_error_argument")
  expect_error(as_table(fit, digits = 2), class = "hmvn_error_argument")
  expect_error(as_table(without(fit, "chol")), class = "hmvn_error_keep")
})

test_that("a comparison has a column for each pair", {
  fit <- fake_fit(G = 3, K = 2)
  compared <- compare_groups(fit, what = c("mean", "cor", "volume"))
  found <- as_table(compared)
  expect_identical(names(found), c("quantity", "of", "B - A", "C - A", "C - B"))
  expect_identical(found$of, c("x1", "x2", "x1~x2", ""))
  row <- subset(compared, group == "C" & reference == "A" & quantity == "cor")
  expect_identical(found[["C - A"]][3], with_error(row$mean, row$sd))
  expect_error(as_table(compared, interval = 0.9), class = "hmvn_error_argument")
})

test_that("tables print, and are tables for knitr", {
  fit <- fake_fit(G = 2, K = 2)
  expect_snapshot(as_table(fit, c("mu", "Omega")))
  skip_if_not_installed("knitr")
  expect_match(knitr::knit_print(as_table(fit, "mu")), "|quantity |of |A", fixed = TRUE)
  expect_match(knitr::knit_print(as_table(fit, "mu", interval = 0.9)), "90 % interval")
})

test_that("a comparison without rows is a table without rows; what is neither is refused", {
  none <- compare_groups(fake_fit())[0, ]
  expect_identical(dim(as_table(none)), c(0L, 1L))
  expect_output(print(none), "none are left")
  for (other in list(NULL, iris, 1, list())) {
    expect_error(as_table(other), class = "hmvn_error_fit")
    expect_error(extend(other, iter_sampling = 5), class = "hmvn_error_fit")
  }
})
