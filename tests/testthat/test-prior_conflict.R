# Prior and data in conflict are told.

crabs <- function() {
  data <- MASS::crabs
  data$group <- paste(data$sp, data$sex)
  data[c("group", "FL", "RW", "CL", "CW", "BD")]
}

told <- function(...) {
  found <- NULL
  fit <- withCallingHandlers(
    suppressWarnings(fit_hmvn(..., chains = 2, iter_warmup = 500, iter_sampling = 500, seed = 1)),
    hmvn_message_prior_conflict = function(cnd) found <<- cnd, message = function(cnd) {
      rlang::cnd_muffle(cnd)
    }
  )
  list(fit = fit, message = found)
}

test_that("sds that the prior shrinks are named with their size and the remedy", {
  skip_if_not_installed("MASS")
  conflict <- told(crabs(), ~group, prior = hmvn_prior(frame = "raw"))
  expect_equal(conflict$message$block, c("sd", "cor"))
  expect_setequal(conflict$message$features$sd, c("FL", "RW", "CL", "CW", "BD"))
  expect_true(all(conflict$message$shift$sd > 0.75 & conflict$message$shift$sd < 0.9))
  expect_true(all(conflict$message$shift$cor < 0))
  expect_match(conditionMessage(conflict$message), "frame = \"pooled\"", fixed = TRUE)
  expect_match(conflict$fit$warnings[["prior_conflict"]], "Standard deviations are 0.8")
  # and the remedy, which is the default, is one
  expect_null(told(crabs(), ~group)$message)
})

test_that("where the prior has little to say nothing is said", {
  expect_null(told(iris, ~Species)$message)
  expect_null(told(iris, ~Species, pooling = "partial")$message)
  set.seed(1)
  data <- data.frame(g = rep(1:5, each = 40), x = rnorm(200), y = rnorm(200))
  expect_null(told(data, ~g)$message)
})

test_that("a prior on the wrong scale is told with one feature, and in many groups at once", {
  set.seed(2)
  data <- data.frame(g = rep(1:300, each = 20), x = rnorm(6000, sd = 10))
  tight <- hmvn_prior(sd = distributional::dist_exponential(10))
  conflict <- told(data, ~g, prior = tight)
  expect_equal(conflict$message$block, "sd")
  expect_lt(conflict$message$shift$sd[["x"]], 1)
  expect_no_match(conditionMessage(conflict$message), "pooled", fixed = TRUE)
})

test_that("nothing is looked at without draws, with few rows, or where the prior is drawn", {
  skip_if_not_installed("MASS")
  data <- crabs()
  expect_null(told(data, ~group, keep = "mu")$message)
  expect_null(told(data, ~group, prior_only = TRUE)$message)
  few <- data[ave(seq_len(200), data$group, FUN = seq_along) <= 8, ]
  expect_null(told(few, ~group)$message)
})

test_that("what lies off upwards in some groups and downwards in others is no conflict", {
  fit <- fake_fit(G = 4)
  Sigma <- aperm(apply(posterior::draws_of(group_cov(fit)), 2:4, mean), c(2, 3, 1))
  # a hundred times the posterior's variances, or a hundredth: many posterior sds
  alone <- function(times) list(groups = 1:4, covariances = sweep(Sigma, 3, times, "*"))
  expect_null(sd_conflict(fit, alone(c(100, 0.01, 100, 0.01))))
  expect_identical(sd_conflict(fit, alone(rep(100, 4)))$features, c("x1", "x2"))
  expect_identical(sd_conflict(fit, alone(c(100, 100, 100, 0.01)))$features, c("x1", "x2"))
})

test_that("what groups have in common is held against them together, not each", {
  one_matrix <- c(sd = "complete", cor = "complete")
  # setosa's differs from the others', which no prior did
  expect_null(told(iris, ~Species, pooling = one_matrix)$message)
  expect_null(told(iris, ~Species, pooling = c(sd = "complete"))$message)
  expect_null(told(iris, ~Species, pooling = "complete")$message)
  tight <- hmvn_prior(sd = distributional::dist_exponential(1000))
  conflict <- told(iris, ~Species, pooling = one_matrix, prior = tight)
  expect_true("sd" %in% conflict$message$block)
  expect_true(all(conflict$message$shift$sd < 1))
})

# Five occasions that decrease with what was observed before: a quarter of the cells are missing.
visits_with_dropout <- function(rho) {
  with_fixed_seed(4, {
    K <- 5
    S <- rho^abs(outer(seq_len(K), seq_len(K), "-")) * tcrossprod(10 + seq_len(K))
    d <- data.frame(g = rep(1:3, each = 60), matrix(rnorm(180 * K), 180) %*% chol(S))
    for (j in 3:6) {
      before <- d[[j - 1]]
      gone <- runif(180) < stats::plogis(-2 + 1.2 * before / sqrt(S[j - 2, j - 2]))
      d[[j]][is.na(before) | gone] <- NA
    }
    d
  })
}

test_that("dropout by what was observed before is no conflict, and hides none", {
  one_matrix <- c(sd = "complete", cor = "complete")
  data <- visits_with_dropout(0.97)
  expect_gt(mean(is.na(data)), 0.15)
  for (pooling in list("none", one_matrix)) {
    expect_null(told(data, ~g, pooling = pooling)$message)
    conflict <- told(data, ~g, pooling = pooling, prior = hmvn_prior(frame = "raw"))
    expect_equal(conflict$message$block, c("sd", "cor"))
    expect_true(all(conflict$message$shift$sd < 1))
    expect_true(all(conflict$message$shift$cor < 0))
  }
  expect_null(told(visits_with_dropout(0.5), ~g, prior = hmvn_prior(frame = "raw"))$message)
})

test_that("what a group says alone is known where each pair of features is observed often enough", {
  data <- visits_with_dropout(0.9)
  data <- rbind(data, data.frame(g = 4, X1 = rnorm(9), X2 = NA, X3 = 1, X4 = 1:9, X5 = 9:1))
  data$X1[1:60] <- ifelse(seq_len(60) %% 2 == 0, data$X1[1:60], NA)
  data$X2[1:60] <- ifelse(seq_len(60) %% 2 == 1, data$X2[1:60], NA)
  statistics <- hmvn_statistics(data, ~g)
  # group 1 never observes X1 with X2, group 4 never X2
  expect_identical(groups_with_holes(statistics), 2:3)
  pairs <- pair_rows(statistics$patterns)
  expect_equal(pairs, unname(crossprod(!is.na(data[-1]))))
  expect_identical(
    own_covariance(2L, statistics),
    pooled_covariance(hmvn_statistics(data[data$g == 2, ], ~g), shrink = FALSE)
  )
})

test_that("a pooled covariance matrix is computed where it is needed, once", {
  fit <- function(frame, n = 150) {
    short_fit(
      iris[seq_len(n), ], ~Species, pooling = c(sd = "complete", cor = "complete"),
      prior = hmvn_prior(frame = frame), chains = 1, iter_warmup = 20, iter_sampling = 10
    )
  }
  computed <- function(fit) unname(count_calls("pooled_covariance", data_alone(fit)))
  raw <- fit("raw")
  pooled <- fit("pooled")
  expect_identical(computed(raw), 1L)
  expect_identical(computed(pooled), 1L)
  expect_identical(data_alone(pooled), data_alone(raw))
  expect_identical(computed(fit("raw", n = 8)), 0L)
})
