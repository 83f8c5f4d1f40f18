iris_fit <- function(rows = seq_len(150), ..., iter_sampling = 500) {
  short_fit(iris[rows, ], ~Species, ..., iter_sampling = iter_sampling)
}

# Densities of rows in every group by textbook formulas, averaged over the draws: [row, group].
mean_density <- function(fit, new) {
  mu <- posterior::draws_of(group_mean(fit))
  Sigma <- posterior::draws_of(group_cov(fit))
  vapply(seq_len(dim(mu)[2]), function(g) {
    vapply(seq_len(nrow(new)), function(i) {
      seen <- which(!is.na(new[i, ]))
      y <- as.numeric(new[i, seen])
      mean(vapply(seq_len(dim(mu)[1]), function(s) {
        S <- matrix(Sigma[s, g, seen, seen], length(seen))
        d <- y - mu[s, g, seen]
        exp(-0.5 * sum(d * solve(S, d))) / sqrt(det(2 * pi * S))
      }, 0))
    }, 0)
  }, double(nrow(new)))
}

test_that("probabilities of groups are proportions times mean densities, scaled", {
  fit <- iris_fit(-(1:5), iter_sampling = 50)
  new <- iris[c(1, 60, 71, 107, 120), 4:1]
  new[2, 1] <- NA
  new[3, 2:4] <- NA
  density <- mean_density(fit, new[names(iris)[1:4]])
  scaled <- function(p) {
    p <- density * rep(p, each = 5)
    p / rowSums(p)
  }
  labels <- levels(iris$Species)
  found <- predict(fit, new, "group")
  expect_identical(dimnames(found), list(NULL, labels))
  expect_equal(unname(found), scaled(c(45, 50, 50) / 145), tolerance = 1e-10)
  expect_equal(
    unname(predict(fit, new, "group", proportions = "uniform")), scaled(1), tolerance = 1e-10
  )
  given <- c(virginica = 2, setosa = 1, versicolor = 0)
  expect_equal(
    unname(predict(fit, new, "group", proportions = given)), scaled(c(1, 0, 2)),
    tolerance = 1e-10
  )
  expect_equal(rowSums(found), rep(1, 5))
  # a feature without a column is not observed; columns of groups are not read
  expect_identical(predict(fit, cbind(new[-1], Species = "new"), "group"),
    predict(fit, transform(new, Petal.Width = NA), "group"))
  # nothing observed: the proportions; far away from all groups: still a probability
  new[1, ] <- NA
  new[2, ] <- 1e4
  found <- predict(fit, new, "group")
  expect_equal(found[1, ], c(setosa = 45, versicolor = 50, virginica = 50) / 145)
  expect_equal(sum(found[2, ]), 1)
})

test_that("weighted rows are proportions", {
  d <- transform(iris, w = rep(c(1, 2, 3), 50))
  d$w[d$Species == "setosa"] <- 5
  fit <- short_fit(d, ~Species, ~Petal.Length, weights = ~w)
  n <- tapply(d$w, d$Species, sum)
  none <- predict(fit, data.frame(Petal.Length = NA), "group")
  expect_equal(none[1, ], c(n) / sum(n))
})

test_that("held-out rows are classified better than by MASS::qda", {
  skip_if_not_installed("MASS")
  # 12 rows a group: where uncertainty of covariances counts
  score <- vapply(1:20, function(seed) {
    train <- with_fixed_seed(seed, unlist(tapply(1:150, iris$Species, sample, 12)))
    test <- iris[-train, ]
    truth <- cbind(seq_len(nrow(test)), as.integer(test$Species))
    ours <- predict(iris_fit(train, iter_sampling = 1000, seed = seed), test, "group")
    theirs <- predict(MASS::qda(Species ~ ., iris[train, ]), test)$posterior
    c(ours = mean(log(ours[truth])), theirs = mean(log(pmax(theirs[truth], 1e-300))))
  }, double(2))
  test <- wilcox.test(score["ours", ], score["theirs", ], paired = TRUE, alternative = "greater")
  expect_lt(test$p.value, 0.001)
})

test_that("distances are those of Mahalanobis", {
  fit <- iris_fit(iter_sampling = 20)
  found <- predict(fit, iris[c(1, 80), ], "distance")
  mu <- posterior::draws_of(group_mean(fit))
  Sigma <- posterior::draws_of(group_cov(fit))
  by_hand <- mean(vapply(1:40, function(s) {
    sqrt(mahalanobis(iris[80, 1:4], mu[s, 3, ], Sigma[s, 3, , ]))
  }, 0))
  expect_equal(found[2, "virginica"], by_hand, ignore_attr = TRUE)
  all <- predict(fit, type = "distance")
  expect_identical(dim(all), c(150L, 3L))
  expect_equal(all[c(1, 80), ], found)
  expect_identical(is.na(predict(fit, data.frame(Petal.Length = c(NA, 1)), "distance"))[, 1],
    c(TRUE, FALSE))
})

test_that("missing features are predicted given the others, by group", {
  fit <- iris_fit(iter_sampling = 2000)
  new <- data.frame(Species = c("virginica", "setosa"), Petal.Length = c(6, NA), Sepal.Width = 3)
  found <- predict(fit, new, seed = 1)
  expect_identical(names(found), c("row", "group", "feature", "mean", "sd", "q5", "q95"))
  expect_identical(found$row, c(1L, 1L, 2L, 2L, 2L))
  expect_identical(found$feature[1:2], c("Sepal.Length", "Petal.Width"))
  # the conditional normal law, averaged over the draws
  mu <- posterior::draws_of(group_mean(fit, "virginica"))
  Sigma <- posterior::draws_of(group_cov(fit, "virginica"))
  law <- vapply(seq_len(nrow(mu)), function(s) {
    S <- Sigma[s, , ]
    b <- S[1, 2:3] %*% solve(S[2:3, 2:3])
    c(mu[s, 1] + b %*% (c(3, 6) - mu[s, 2:3]), S[1, 1] - b %*% S[2:3, 1])
  }, double(2))
  sd <- sqrt(var(law[1, ]) + mean(law[2, ]))
  z <- (found$mean[1] - mean(law[1, ])) / (sd / sqrt(ncol(law)))
  expect_lt(abs(z), z_bound(1))
  # of a normal sample of n the relative error of the sd is 1 / sqrt(2 n)
  expect_lt(abs(found$sd[1] / sd - 1) * sqrt(2 * ncol(law)), z_bound(1))
  # without a group: in every group
  free <- predict(fit, new[1, -1], seed = 1, prob = 0.5)
  expect_identical(free$group, rep(levels(iris$Species), each = 2))
  expect_identical(names(free)[6], "q50")
  expect_identical(free$row, rep(1L, 6))
  expect_error(predict(fit, iris), "every cell is observed", class = "hmvn_error_argument")
})

test_that("with covariates every group is asked at the row's own", {
  d <- regression_data()
  for (pooling in slope_poolings) {
    fit <- regression_fit(d, pooling = pooling)
    new <- d[c(1, 3, 12), c("site", "x", "age", "y")]
    densities <- vapply(c("a", "b", "c"), function(g) {
      colMeans(exp(densities_by_hand(fit, cbind(g = g, new))))
    }, double(3))
    found <- predict(fit, new, "group", proportions = "uniform")
    expect_equal(unname(found), unname(densities / rowSums(densities)), tolerance = 1e-10)
    expect_error(predict(fit, d, "group"), class = "hmvn_error_covariates")
    own <- predict(fit, type = "group")
    expect_identical(which(is.na(own[, 1])), 5L)
    expect_equal(own[8, ], c(a = 1, b = 1, c = 1) * table(d$g[-c(5, 8)])[c("a", "b", "c")] / 46,
      ignore_attr = TRUE)
    distance <- predict(fit, type = "distance")
    expect_identical(which(is.na(distance[, "b"])), c(5L, 8L))
    means <- means_by_hand(fit, transform(d[6, ], g = "b"))
    Sigma <- posterior::draws_of(group_cov(fit))
    by_hand <- mean(vapply(seq_len(100), function(s) {
      sqrt(stats::mahalanobis(c(d$x[6], d$y[6]), means[s, 1, ], Sigma[s, 2, , ]))
    }, 0))
    expect_equal(distance[[6, "b"]], by_hand, tolerance = 1e-10)
  }
})

test_that("with covariates missing features are predicted about the mean that they give", {
  d <- regression_data()
  fit <- regression_fit(d, pooling = "partial", chains = 4, iter_sampling = 500)
  new <- data.frame(g = c("a", "b"), age = c(20, 60), site = c("w", "u"), y = c(NA, 30))
  found <- predict(fit, new, seed = 1)
  expect_identical(found$feature, c("x", "y", "x"))
  means <- means_by_hand(fit, new)
  Sigma <- posterior::draws_of(group_cov(fit))
  slope <- Sigma[, 2, 1, 2] / Sigma[, 2, 2, 2]
  expected <- cbind(means[, 1, ], means[, 2, 1] + slope * (30 - means[, 2, 2]))
  variance <- cbind(Sigma[, 1, 1, 1], Sigma[, 1, 2, 2], Sigma[, 2, 1, 1] - slope * Sigma[, 2, 1, 2])
  # a cell is its conditional mean and noise, independent between draws
  z <- (found$mean - colMeans(expected)) / sqrt(colMeans(variance) / 2000)
  expect_lt(max(abs(z)), z_bound(3))
  d$x[5] <- NA
  expect_message(
    own <- predict(regression_fit(d), seed = 1), class = "hmvn_message_incomplete_covariates"
  )
  expect_false(5L %in% own$row)
})

test_that("what cannot be predicted is refused", {
  fit <- fake_fit()
  new <- data.frame(x1 = 1)
  for (given in list(c(1, 2, 3), c(A = 1, Z = 1), c(1, -1), c(0, 0), "prior", NULL, c(1, NA))) {
    expect_error(predict(fit, new, "group", proportions = given), class = "hmvn_error_argument")
  }
  expect_error(predict(fit, data.frame(z = 1), "group"), class = "hmvn_error_column")
  expect_error(predict(fit, new[0, , drop = FALSE]), class = "hmvn_error_argument")
  expect_error(predict(fit, type = "group"), class = "hmvn_error_rows")
  expect_error(predict(fit, new, prob = 2), class = "hmvn_error_prob")
  expect_error(predict(fit, new, "group", proportion = "data"), class = "hmvn_error_argument")
})

test_that("a row that is beyond every group's density has no probabilities; far ones have", {
  fit <- fake_fit()
  far <- data.frame(x1 = c(1, 1e300, NA), x2 = c(NA, 1, 0))
  error <- expect_error(predict(fit, far, "group"), "first is row 2", class = "hmvn_error_cells")
  expect_identical(error$count, 1L)
  expect_equal(unname(rowSums(predict(fit, far[c(1, 3), ], "group"))), c(1, 1))
  # densities of 0 are still compared by their logarithms
  expect_equal(max(predict(fit, data.frame(x1 = 1e100), "group")), 1)
  # nothing observed says nothing of groups
  found <- predict(fit, data.frame(x1 = NA, x2 = NA), "group", proportions = "uniform")
  expect_equal(c(found), rep(1 / n_groups(fit), n_groups(fit)))
})

test_that("of two columns of one name neither is taken", {
  fit <- fake_fit()
  twice <- data.frame(x1 = 1, x1 = 2, x2 = 0, check.names = FALSE)
  for (type in c("response", "group", "distance")) {
    expect_error(predict(fit, twice, type), "`newdata`.*x1", class = "hmvn_error_column")
  }
  slopes <- regression_fit()
  covariate <- slopes$statistics$design$variables[[1]]
  twice <- stats::setNames(data.frame(1, 2, 3), c(covariate, covariate, "x"))
  expect_error(predict(slopes, twice, "group"), covariate, class = "hmvn_error_column")
  # what is not read may be there twice
  other <- data.frame(x1 = 1, w = 1, w = 2, check.names = FALSE)
  expect_identical(predict(fit, other, "group"), predict(fit, other["x1"], "group"))
})
