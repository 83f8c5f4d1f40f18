# Against posterior, whose definitions these are.
ours <- function(draws) {
  probs <- c(q5 = 0.05, q95 = 0.95)
  summarise_array_(array(draws, c(dim(draws), 1)), probs, 1L, TRUE)[1, ]
}
theirs <- function(draws) {
  suppressWarnings(c( # posterior warns where it caps the effective size
    mean = mean(draws), median = median(draws), sd = sd(draws), rhat = posterior::rhat(draws),
    ess_bulk = posterior::ess_bulk(draws), ess_tail = posterior::ess_tail(draws),
    mcse_mean = posterior::mcse_mean(draws), q5 = quantile(draws, 0.05, names = FALSE),
    q95 = quantile(draws, 0.95, names = FALSE)
  ))
}
diagnostics <- c("rhat", "ess_bulk", "ess_tail")
autocorrelated <- function(n, chains, phi) {
  noise <- matrix(rnorm(n * chains), n)
  matrix(apply(noise, 2, function(z) as.numeric(stats::filter(z, phi, "recursive"))), n)
}

test_that("diagnostics and summaries are posterior's", {
  cases <- expand.grid(
    kind = c(
      "iid", "slow", "stuck", "antithetic", "tied", "two values", "heavy tails", "far from 0",
      "shifted chains"
    ),
    n = c(1, 2, 3, 4, 5, 6, 7, 11, 100, 251, 1000), chains = c(1, 2, 4), stringsAsFactors = FALSE
  )
  # With halves of one iteration, posterior 1.4.0 takes several chains for one (a dimension is
  # dropped); no diagnostic is defined there.
  cases <- cases[!(cases$n %in% 2:3 & cases$chains > 1), ]
  with_fixed_seed(1, for (i in seq_len(nrow(cases))) {
    n <- cases$n[i]
    chains <- cases$chains[i]
    draws <- switch(cases$kind[i],
      iid = matrix(rnorm(n * chains), n),
      slow = autocorrelated(n, chains, 0.95),
      stuck = autocorrelated(n, chains, 0.9995),
      antithetic = autocorrelated(n, chains, -0.6),
      tied = matrix(rpois(n * chains, 2) + 0, n),
      `two values` = matrix(rbinom(n * chains, 1, 0.3) + 0, n),
      `heavy tails` = matrix(rcauchy(n * chains), n),
      `far from 0` = matrix(1e6 + rnorm(n * chains), n),
      `shifted chains` = matrix(rnorm(n * chains), n) + rep(seq_len(chains), each = n)
    )
    # the mean's own error at an offset of 1e6 is what limits the last case
    info <- paste(cases[i, ], collapse = " ")
    expect_equal(ours(draws), theirs(draws), tolerance = 1e-10, info = info)
  })
})

test_that("halves of one iteration have no diagnostics", {
  for (n in 1:3) {
    found <- ours(with_fixed_seed(1, matrix(rnorm(4 * n), n)))
    expect_true(all(is.na(found[c(diagnostics, "mcse_mean")])))
  }
})

test_that("a chain that does not move is seen", {
  draws <- with_fixed_seed(2, cbind(matrix(rnorm(300), 100), 0.1))
  expect_equal(ours(draws), theirs(draws), tolerance = 1e-10)
  expect_gt(ours(draws)[["rhat"]], 1.05)
  # every chain stuck somewhere else: no variance within; posterior divides rounding errors
  expect_gt(ours(matrix(rep(1:4, each = 100) + 0, 100))[["rhat"]], 1e6)
})

test_that("constants have no diagnostics and draws that are not finite nothing", {
  expect_equal(unname(ours(matrix(1, 100, 4))), c(1, 1, 0, NA, NA, NA, NA, 1, 1))
  for (bad in c(NaN, NA, Inf, -Inf)) {
    draws <- with_fixed_seed(3, matrix(rnorm(400), 100))
    draws[17] <- bad
    expect_true(all(is.na(ours(draws))))
  }
})

test_that("scale does not decide what is constant", {
  draws <- with_fixed_seed(4, matrix(rnorm(400), 100))
  expect_equal(ours(draws * 2^-100)[diagnostics], ours(draws)[diagnostics])
  expect_equal(ours(draws * 2^100)[diagnostics], ours(draws)[diagnostics])
})

test_that("results do not depend on the number of threads", {
  draws <- with_fixed_seed(5, array(rnorm(100 * 4 * 500), c(100, 4, 500)))
  expect_identical(summarise_array_(draws, 0.5, 1L), summarise_array_(draws, 0.5, 2L))
})

test_that("every quantity is its own row, of arrays of any shape", {
  draws <- with_fixed_seed(6, array(rnorm(50 * 2 * 6), c(50, 2, 3, 2)))
  all <- summarise_array_(draws, 0.5, 1L)
  expect_equal(dim(all), c(6, 8))
  expect_equal(all[[5, "mean"]], mean(draws[, , 2, 2]))
  expect_equal(dim(summarise_array_(array(0, c(10, 2, 0)), 0.5, 1L)), c(0, 8))
})

test_that("columns have names, those of quantiles from the probabilities", {
  draws <- array(rnorm(40), c(10, 2, 2))
  fixed <- c("mean", "median", "sd", "rhat", "ess_bulk", "ess_tail", "mcse_mean")
  expect_identical(colnames(summarise_array_(draws, numeric(), 1L)), fixed)
  expect_identical(colnames(summarise_array_(draws, c(a = 0.1, b = 0.2), 1L)), c(fixed, "a", "b"))
  expect_identical(colnames(summarise_groups_(draws, 1L, 1:2, "mu", 0.5, 1L)), c(fixed, ""))
})
