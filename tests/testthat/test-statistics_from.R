labels <- levels(iris$Species)
features <- names(iris)[1:4]
by_species <- split(iris[features], iris$Species)
n <- vapply(by_species, nrow, 0L)
means <- t(vapply(by_species, colMeans, double(4)))
covs <- lapply(by_species, cov)
cors <- lapply(by_species, cor)
sds <- t(vapply(by_species, function(x) vapply(x, sd, 0), double(4)))
truth <- hmvn_statistics(iris, "Species", features)

expect_as_from_rows <- function(s) {
  expect_equal(s$patterns, truth$patterns, tolerance = 1e-12)
  expect_identical(s$labels, truth$labels)
  expect_identical(s$features, truth$features)
}

test_that("covariances, or correlations and sds, give the statistics of the rows", {
  expect_as_from_rows(hmvn_statistics_from(n, means, covs))
  expect_as_from_rows(hmvn_statistics_from(n, means, cor = cors, sd = sds))
  expect_as_from_rows(
    hmvn_statistics_from(n, as.data.frame(means), aperm(simplify2array(covs), c(3, 1, 2)))
  )
  expect_as_from_rows(hmvn_statistics_from(n, lapply(by_species, colMeans), covs))
})

test_that("names are matched, not positions", {
  shuffled <- lapply(rev(covs), function(m) m[4:1, c(2, 1, 4, 3)])
  expect_as_from_rows(hmvn_statistics_from(n, means[3:1, ], shuffled))
  expect_as_from_rows(hmvn_statistics_from(n, means, cor = rev(cors), sd = sds[3:1, 4:1]))
})

test_that("one group and one feature need no matrices; n = 1 needs no spread", {
  s <- hmvn_statistics_from(c(a = 5), c(x = 1), sd = 2)
  expect_equal(c(s$patterns$scatter), 16)
  s <- hmvn_statistics_from(c(a = 1, b = 3), cbind(x = 1:2), cov = list(NA_real_, 4))
  expect_equal(c(s$patterns$scatter), c(0, 8))
  expect_identical(s$keys, data.frame(group = c("a", "b")))
})

test_that("numbers that cannot be are errors that name the group", {
  bad <- function(...) expect_error(hmvn_statistics_from(...), class = "hmvn_error_statistics")
  bad(c(a = 0), c(x = 1), 1)
  bad(c(a = NA_real_), c(x = 1), 1)
  bad(c(a = 2, a = 2), cbind(x = 1:2), list(1, 1))
  bad(n, means)
  bad(n, means, covs, sd = sds)
  bad(n, unname(means), covs)
  bad(n, means[1:2, ], covs)
  bad(n, means, covs[1:2])
  bad(n, means, stats::setNames(covs, c("a", "b", "c")))
  bad(n, means, lapply(covs, function(m) m[1:2, 1:2]))
  asymmetric <- covs
  asymmetric$virginica[1, 2] <- 9
  expect_identical(bad(n, means, asymmetric)$group, "virginica")
  negative <- covs
  negative$setosa[1, 2] <- negative$setosa[2, 1] <- 9
  expect_identical(bad(n, means, negative)$group, "setosa")
  bad(n, means, cor = covs, sd = sds)
  bad(n, means, cor = cors, sd = -sds)
  means[2, 2] <- NA
  expect_identical(bad(n, means, covs)$group, "versicolor")
})

test_that("names decide wherever they are given: rows, elements, vectors, sides of a matrix", {
  n <- c(b = 20, a = 10)
  mean <- list(a = c(x = 1, y = 2), b = c(y = 4, x = 3))
  yx <- matrix(c(4, 0.5, 0.5, 3), 2, dimnames = list(NULL, c("y", "x")))
  cov <- list(a = diag(c(1, 2)), b = yx)
  s <- hmvn_statistics_from(n, mean, cov)
  expect_identical(s$labels, c("b", "a"))
  expect_equal(s$patterns$mean, cbind(3:4, 1:2))
  expect_equal(s$patterns$scatter[, , 1], 19 * matrix(c(3, 0.5, 0.5, 4), 2))
  # labels that are positions, in another order
  s <- hmvn_statistics_from(
    c("2" = 5, "1" = 5), rbind("1" = c(x = 1), "2" = c(x = 2)), sd = cbind(x = c("1" = 3, "2" = 4))
  )
  expect_equal(c(s$patterns$mean), c(2, 1))
  expect_equal(c(s$patterns$scatter), 4 * c(16, 9))
  # automatic row names of a data frame name nothing
  s <- hmvn_statistics_from(c(b = 5, a = 5), data.frame(x = 1:2), list(a = 1, b = 4))
  expect_equal(c(s$patterns$mean), c(1, 2))
  expect_equal(c(s$patterns$scatter), c(16, 4))
})

test_that("what does not match is refused", {
  n <- c(a = 5, b = 6)
  mean <- rbind(a = c(x = 1, y = 2), b = c(3, 4))
  cov <- list(a = diag(2), b = diag(2))
  bad <- function(...) expect_error(hmvn_statistics_from(...), class = "hmvn_error_statistics")
  expect_identical(bad(n, list(a = c(x = 1, y = 2), b = c(x = 3)), cov)$group, "b")
  expect_identical(bad(n, list(a = c(x = 1, y = 2), b = c(x = 3, z = 4)), cov)$group, "b")
  expect_identical(bad(n, list(a = c(x = 1, y = 2), b = NULL), cov)$group, "b")
  bad(n, list(a = c(x = 1, y = 2), c(x = 3, y = 4)), cov)
  bad(n, list(a = c(1, 2), b = c(3, 4)), cov)
  bad(n, mean, cov, cor = cov)
  bad(n, mean, cov, cor = cov, sd = mean)
  bad(n, mean, cor = cov)
  bad(n, mean, list(a = diag(2) == 1, b = diag(2)))
  bad(n, mean, list(a = diag(2), b = as.data.frame(diag(2))))
  expect_identical(bad(n, mean, list(a = diag(2), b = 1e308 * diag(2)))$group, "b")
  bad(c(a = 1e300, b = 6), mean, list(a = 1e20 * diag(2), b = diag(2)))
  bad(n, mean, diag(2))
  bad(n, `rownames<-`(mean, c("1", "2")), cov)
  bad(base::mean, mean, cov)
  bad(n, base::mean, cov)
  bad(c(a = 5, "b\xff" = 6), unname(mean), cov)
})

test_that("one message says which arguments are not of the groups of n", {
  mean <- rbind(a = c(x = 1), b = 2)
  error <- expect_error(
    hmvn_statistics_from(5, mean, list(1, 2, 3)),
    "`n` has 1 group, `mean` has 2 \\(a, b\\), `cov` has 3",
    class = "hmvn_error_statistics"
  )
  expect_identical(error$argument, "mean")
})

test_that("correlations alone are of features with mean 0 and sd 1, and say so", {
  expect_message(s <- hmvn_statistics_from(n, cor = cors), class = "hmvn_message_standardised")
  expect_identical(s$features, features)
  expect_true(all(s$patterns$mean == 0))
  expect_equal(s$patterns$scatter[, , 2], unname(49 * cors$versicolor))
  array <- quietly(hmvn_statistics_from(n, cor = aperm(simplify2array(cors), c(3, 1, 2))))
  expect_identical(array, s)
  # a study without one of the features
  lacks <- cors
  lacks$setosa[2, ] <- lacks$setosa[, 2] <- NA
  for (one in c(NA, 1)) {
    lacks$setosa[2, 2] <- one
    s <- quietly(hmvn_statistics_from(n, cor = lacks))
    expect_identical(s$patterns$observed[, 1], c(TRUE, FALSE, TRUE, TRUE))
    expect_equal(s$patterns$scatter[-2, -2, 1], unname(49 * cors$setosa[-2, -2]))
  }
  expect_error(hmvn_statistics_from(n, cor = lapply(cors, unname)), class = "hmvn_error_statistics")
})

test_that("sds alone are features on different rows", {
  expect_message(s <- hmvn_statistics_from(n, means, sd = sds), class = "hmvn_message_no_cor")
  expect_length(s$patterns$n, 12)
  expect_true(all(colSums(s$patterns$observed) == 1))
  expect_identical(validate_statistics(s, "s", NULL), s)
  expect_equal(pooled_moments(s, 2)$sd, sds["versicolor", ])
  expect_equal(pooled_moments(s, 2)$mean, means["versicolor", ])
  expect_identical(s$n_rows, 600)
  sds[2, 3] <- NA
  expect_error(quietly(hmvn_statistics_from(n, means, sd = sds)), class = "hmvn_error_statistics")
  means[2, 3] <- NA
  s <- quietly(hmvn_statistics_from(n, means, sd = sds))
  expect_identical(unname(observed_counts(s)[2, ]), c(50, 50, 0, 50))
})

test_that("a feature that a study lacks is NA in all that is given of it", {
  data <- iris
  data$Sepal.Width[data$Species == "setosa"] <- NA
  rows <- hmvn_statistics(data, "Species", features)
  means[1, 2] <- NA
  sds[1, 2] <- NA
  covs$setosa[2, ] <- covs$setosa[, 2] <- NA
  expect_equal(hmvn_statistics_from(n, means, covs)$patterns, rows$patterns)
  expect_identical(hmvn_statistics_from(n, means, covs)$n_missing, 50)
  bad <- function(...) expect_error(hmvn_statistics_from(...), class = "hmvn_error_statistics")
  bad(n, means, cor = cors, sd = sds)
  cors$setosa[2, ] <- cors$setosa[, 2] <- NA
  expect_equal(hmvn_statistics_from(n, means, cor = cors, sd = sds)$patterns, rows$patterns)
  means[1, ] <- NA
  covs$setosa[] <- NA
  bad(n, means, covs)
})

test_that("a covariance of a single row is refused, not ignored", {
  y <- rbind(t1 = c(PD = 0.47, AL = -0.32), t2 = c(0.2, -0.6))
  V <- list(diag(2) * 0.01, diag(2) * 0.02)
  bad <- function(...) {
    expect_error(hmvn_statistics_from(...), "known covariance", class = "hmvn_error_statistics")
  }
  expect_identical(bad(c(t1 = 1, t2 = 1), y, V)$group, "t1")
  expect_identical(bad(c(t1 = 9, t2 = 1), y, V)$group, "t2")
  bad(c(t1 = 9, t2 = 1), y, cor = list(diag(2), 0.5 + 0.5 * diag(2)), sd = rbind(c(1, 1), NA))
  none <- hmvn_statistics_from(c(t1 = 1, t2 = 1), y, list(NA * diag(2), 0 * diag(2)))
  expect_true(all(none$patterns$scatter == 0))
})

test_that("single correlations that are not known make sets of other rows, or are refused", {
  mean <- rbind(a = c(x = 1, y = 2, z = 3), b = c(x = 0, y = 1, z = 2))
  sd <- mean + 1
  whole <- matrix(c(1, 0.5, 0.2, 0.5, 1, 0.1, 0.2, 0.1, 1), 3)
  sets <- whole
  sets[3, 1:2] <- sets[1:2, 3] <- NA
  expect_message(
    s <- hmvn_statistics_from(c(a = 20, b = 30), mean, cor = list(sets, whole), sd = sd),
    class = "hmvn_message_no_cor"
  )
  p <- s$patterns
  expect_identical(p$group, c(1L, 1L, 2L))
  expect_identical(p$observed[, p$group == 1], cbind(c(TRUE, TRUE, FALSE), c(FALSE, FALSE, TRUE)))
  expect_identical(p$n, c(20, 20, 30))
  expect_equal(p$scatter[1, 2, 1], 19 * 0.5 * 2 * 3)
  expect_equal(p$scatter[3, 3, 2], 19 * 4^2)
  expect_identical(p$scatter[, , 3], unname(29 * whole * tcrossprod(sd["b", ])))
  # x and z are both correlated with y, but not known with each other
  chain <- whole
  chain[3, 1] <- chain[1, 3] <- NA
  expect_error(
    hmvn_statistics_from(c(a = 20, b = 30), mean, cor = list(chain, whole), sd = sd),
    "group \"a\" that of x and z", class = "hmvn_error_statistics"
  )
  expect_error(
    hmvn_statistics_from(
      mean = mean, cov = list(sets, whole), known = TRUE
    ), "whole covariance", class = "hmvn_error_statistics"
  )
})

test_that("half a table of correlations, or one without its diagonal, is refused by its group", {
  mean <- rbind(a = c(x = 1, y = 2, z = 3), b = c(x = 0, y = 1, z = 2))
  whole <- matrix(c(1, 0.5, 0.2, 0.5, 1, 0.1, 0.2, 0.1, 1), 3)
  from <- function(m, ...) quietly(hmvn_statistics_from(c(a = 20, b = 30), ..., list(whole, m)))
  bad <- function(...) expect_error(from(...), class = "hmvn_error_statistics")
  for (side in list(lower.tri(whole), upper.tri(whole))) {
    half <- replace(whole, side, NA)
    expect_identical(bad(half, mean)$group, "b")
    expect_match(conditionMessage(bad(half, mean, sd = mean + 1, cov = NULL)), "one side")
    dimnames(whole) <- rep(list(colnames(mean)), 2)
    expect_match(conditionMessage(bad(half, NULL, NULL)), "one side")
  }
  open <- replace(whole, c(1, 5, 9), NA)
  expect_match(conditionMessage(bad(open, mean, sd = mean + 1, cov = NULL)), "ones on its diag")
  expect_match(conditionMessage(bad(open, NULL, NULL)), "ones on its diag")
  # of a group whose correlations are not known the diagonal says nothing
  s <- from(NA * whole, mean, sd = mean + 1, cov = NULL)
  expect_identical(s$patterns$group, c(1L, 2L, 2L, 2L))
})
