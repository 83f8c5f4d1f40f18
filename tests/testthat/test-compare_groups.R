test_that("differences of every pair are those of the draws", {
  fit <- fake_fit(G = 3, K = 2)
  found <- compare_groups(fit, rope = c(cor = 0.2, mean = 1))
  expect_s3_class(found, c("hmvn_comparison", "data.frame"), exact = TRUE)
  expect_identical(unique(paste(found$group, found$reference)), c("B A", "C A", "C B"))
  expect_identical(unique(found$quantity), c(
    "mean", "sd", "log_sd", "cor", "log_volume", distance_measures
  ))
  by_hand <- function(x, rope = NA) {
    x <- as.vector(posterior::draws_of(x))
    c(mean(x), sd(x), quantile(x, c(0.05, 0.95)), mean(x > 0), mean(abs(x) < rope))
  }
  row <- function(quantity, ...) {
    at <- found$group == "C" & found$reference == "A" & found$quantity == quantity
    for (name in c(...)) at <- at & (found$feature == name | found$feature2 %in% name)
    unname(unlist(found[at, c("mean", "sd", "q5", "q95", "p_positive", "p_rope")]))
  }
  mu <- group_mean(fit)
  sigma <- group_sd(fit)
  Omega <- group_cor(fit)
  expect_equal(row("mean", "x2"), unname(by_hand(mu["C", "x2"] - mu["A", "x2"], 1)))
  expect_equal(row("sd", "x1"), unname(by_hand(sigma["C", "x1"] - sigma["A", "x1"])))
  expect_equal(row("log_sd", "x1"), unname(by_hand(log(sigma["C", "x1"] / sigma["A", "x1"]))))
  expect_equal(row("cor", "x1", "x2"), unname(by_hand(Omega["C", 1, 2] - Omega["A", 1, 2], 0.2)))
  volume <- group_volume(fit)
  expect_equal(row("log_volume"), unname(by_hand(log(volume["C"] / volume["A"]))))
  for (measure in distance_measures) {
    distance <- group_distance(fit, measure = measure)
    expect_equal(row(measure)[1:4], unname(by_hand(distance["C", "A"]))[1:4])
    expect_identical(row(measure)[5:6], c(NA_real_, NA_real_))
  }
})

test_that("groups are compared with a reference, with some of the quantities", {
  fit <- fake_fit(G = 3, K = 2, pooling = "partial")
  all <- compare_groups(fit)
  found <- compare_groups(fit, reference = "A", what = c("cor", "mean"))
  expect_identical(found$group, rep(c("B", "C"), each = 3))
  expect_identical(unique(found$reference), "A")
  same <- merge(all, found, by = c("group", "reference", "quantity", "feature", "feature2"))
  expect_identical(nrow(same), 6L)
  expect_equal(same$mean.x, same$mean.y)
  typical <- compare_groups(fit, reference = "typical", what = "mean", group = c("C", "A"))
  deviation <- group_mean(fit)["C", 2] - as_draws_rvars(fit, "mu0")$mu0[2]
  expect_identical(typical$group, c("C", "C", "A", "A"))
  expect_equal(typical$mean[2], as.vector(posterior::E(deviation)))
  expect_identical(
    names(compare_groups(fit, what = "volume", prob = 0.5)),
    c("group", "reference", "quantity", "feature", "feature2", "mean", "sd", "q50", "p_positive")
  )
  expect_identical(unique(compare_groups(fake_fit(K = 1), what = c("cor", "sd"))$quantity),
    c("sd", "log_sd"))
})

test_that("under complete pooling groups do not differ", {
  found <- compare_groups(fake_fit(pooling = "complete"))
  expect_equal(found$mean, rep(0, nrow(found)), tolerance = 1e-7)
})

test_that("a probability of a difference is calibrated", {
  # Means of two groups from the prior, data given them: P(> 0) is uniform over repetitions
  prior <- hmvn_prior(
    mean = distributional::dist_normal(0, 1), sd = distributional::dist_exponential(1)
  )
  p <- vapply(1:100, function(seed) {
    d <- with_fixed_seed(seed, {
      sd <- rexp(2)
      data.frame(g = rep(c("A", "B"), each = 6), x = rnorm(12, rep(rnorm(2), each = 6),
        rep(sd, each = 6)), truth = sd[2] - sd[1])
    })
    fit <- short_fit(d, ~g, ~x, prior = prior, iter_sampling = 500, seed = seed)
    draws <- as.vector(posterior::draws_of(group_sd(fit)["B", ] - group_sd(fit)["A", ]))
    found <- compare_groups(fit, what = "sd")
    stopifnot(found$p_positive[1] == mean(draws > 0))
    mean(draws > d$truth[1])
  }, 0)
  # shares of 1000 draws: some are equal, which ks.test() would warn of
  expect_gt(suppressWarnings(ks.test(p, "punif"))$p.value, 0.001)
})

test_that("a comparison prints as a page", {
  fit <- fake_fit(G = 3, K = 2)
  expect_snapshot(compare_groups(fit, what = c("mean", "cor"), rope = c(cor = 0.1)))
  expect_snapshot(print(compare_groups(fit, what = "distance"), n = 3))
})

test_that("of many rows the clearest are printed", {
  found <- compare_groups(fake_fit(G = 6, K = 2), what = c("mean", "cor", "distance"))
  rows <- function(...) grep("^ [A-F] - [A-F]", capture.output(print(...)), value = TRUE)
  expect_length(rows(found, n = 5), 5L)
  expect_match(capture.output(print(found, n = 5))[2], "The 5 clearest of 105:", fixed = TRUE)
  best <- order(is.na(found$p_positive), -abs(found$mean) / found$sd)[1:5]
  expect_identical(rows(found, n = 5), rows(found[best, ]))
  expect_false(identical(best, 1:5))
  # all in the order of the comparison; distances, which are always positive, in theirs
  expect_no_match(capture.output(print(found, n = Inf)), "clearest")
  distances <- found[is.na(found$p_positive), ]
  expect_identical(rows(distances, n = 3), rows(distances[1:3, ]))
  expect_no_match(capture.output(print(distances, n = 3)), "clearest")
  without <- found[setdiff(names(found), "p_positive")]
  expect_length(rows(without, n = 4), 4L)
})

test_that("a comparison without columns of its page prints as a data frame", {
  found <- compare_groups(fake_fit(), what = "mean")
  for (column in c("group", "reference", "quantity", "feature", "feature2", "mean", "sd")) {
    some <- found[setdiff(names(found), column)]
    expect_identical(capture.output(print(some)), capture.output(print(as.data.frame(some))))
  }
  expect_identical(capture.output(print(found[c("mean", "sd")])),
    capture.output(print(data.frame(mean = found$mean, sd = found$sd))))
})

test_that("what cannot be compared is refused", {
  fit <- fake_fit()
  expect_error(compare_groups(fit, what = "intercept"), class = "hmvn_error_argument")
  expect_error(compare_groups(fit, what = mean), class = "hmvn_error_argument")
  expect_error(compare_groups(fit, what = "mean", rope = c(cor = 1)), class = "hmvn_error_argument")
  expect_error(compare_groups(fit, rope = 0.1), class = "hmvn_error_argument")
  expect_error(compare_groups(fit, reference = "Z"), class = "hmvn_error_group")
  expect_error(compare_groups(fit, prob = 95), class = "hmvn_error_prob")
  expect_error(compare_groups(without(fit, "mean")), class = "hmvn_error_keep")
  expect_error(compare_groups(fit, cores = 0), class = "hmvn_error_argument")
  expect_error(compare_groups(fit, what = character()), class = "hmvn_error_argument")
  expect_error(compare_groups(fake_fit(K = 1), what = "cor"), class = "hmvn_error_no_meaning")
})

test_that("only draws that a comparison needs must have been kept", {
  fit <- fake_fit(G = 3)
  mu <- without(fit, "chol")
  Sigma <- without(fit, "mean")
  expect_identical(compare_groups(mu, what = "mean"), compare_groups(fit, what = "mean"))
  of_Sigma <- c("sd", "cor", "volume")
  expect_identical(compare_groups(Sigma, what = of_Sigma), compare_groups(fit, what = of_Sigma))
  expect_error(compare_groups(mu, what = "sd"), class = "hmvn_error_keep")
  expect_error(compare_groups(Sigma, what = c("sd", "mean")), class = "hmvn_error_keep")
  expect_error(compare_groups(Sigma, what = "distance"), class = "hmvn_error_keep")
})

test_that("slopes are compared as means are", {
  fit <- regression_fit(pooling = "partial")
  found <- compare_groups(fit, what = c("mean", "slope"))
  expect_identical(nrow(found), 3L * (2L + 6L))
  beta <- posterior::draws_of(group_slope(fit))
  row <- subset(found, covariate == "sitev" & feature == "y" & group == "c" & reference == "a")
  d <- beta[, "c", "sitev", "y"] - beta[, "a", "sitev", "y"]
  expect_identical(row$quantity, "slope")
  expect_equal(c(row$mean, row$sd, row$p_positive), c(mean(d), sd(d), mean(d > 0)))
  expect_true(all(is.na(found$covariate[found$quantity == "mean"])))
  typical <- compare_groups(fit, "typical", what = "slope", rope = c(slope = 0.1))
  beta0 <- quantity(fit, "beta0")
  row <- subset(typical, covariate == "age" & feature == "x" & group == "b")
  d <- beta[, "b", "age", "x"] - c(beta0[, , "age", "x"])
  expect_equal(c(row$mean, row$p_rope), c(mean(d), mean(abs(d) < 0.1)))
  expect_match(capture.output(print(found)), "sitev~y", all = FALSE, fixed = TRUE)
  expect_error(
    compare_groups(without(fit, "chol", "mean", "slope"), what = "slope"),
    class = "hmvn_error_keep"
  )
  expect_identical(compare_groups(without(fit, "chol"), what = "slope")$mean,
    compare_groups(fit, what = "slope")$mean)
})

test_that("without covariates, or for a typical group without slopes, there is none to compare", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20)
  expect_false("covariate" %in% names(compare_groups(fit)))
  expect_error(compare_groups(fit, what = "slope"), class = "hmvn_error_no_meaning")
  pooling <- list(mean = c(x = "none", "partial"), sd = "partial", cor = "partial")
  fit <- regression_fit(pooling = pooling)
  expect_error(compare_groups(fit, "typical", what = "mean"), class = "hmvn_error_no_meaning")
  expect_identical(is.na(VarCorr.hmvn_fit(fit)$between$sd), c(x = TRUE, y = FALSE))
  pooling <- c(mean = "partial", sd = "partial", cor = "partial", slope = "none")
  fit <- regression_fit(pooling = pooling)
  expect_identical(nrow(compare_groups(fit, "typical", what = "mean")), 6L)
  expect_error(
    compare_groups(fit, "typical", what = "slope"), "slopes", class = "hmvn_error_no_meaning"
  )
})

test_that("a quantity has one region of practical equivalence, and a quantile one column", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20)
  expect_error(compare_groups(fit, rope = c(sd = 1, sd = 2)), class = "hmvn_error_argument")
  expect_error(compare_groups(fit, prob = c(0.1, 0.1)), class = "hmvn_error_prob")
  expect_error(summary(fit, prob = c(0.1, 0.1)), class = "hmvn_error_prob")
})
