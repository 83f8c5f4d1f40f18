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
