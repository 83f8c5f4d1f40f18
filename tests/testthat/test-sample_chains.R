seeded_fit <- function(..., seed = 7, algorithm = "nuts") {
  short_fit(iris, group = ~ Species, ..., seed = seed, algorithm = algorithm)
}

test_that("draws depend on the seed alone, not on cores", {
  for (pooling in c("none", "partial", "complete")) {
    for (algorithm in c("auto", "nuts")) {
      seeded <- function(...) seeded_fit(pooling = pooling, algorithm = algorithm, ...)
      one <- seeded(cores = 1)
      two <- seeded(cores = 2)
      expect_identical(one$draws, two$draws)
      expect_identical(one$sampler, two$sampler)
      expect_false(identical(one$draws$mean, seeded(cores = 1, seed = 8)$draws$mean))
    }
  }
})

test_that("blocks by quarter turns and by NUTS have one posterior", {
  pooled <- list(
    "partial", c(mean = "partial"), c(sd = "complete", cor = "partial"),
    c(mean = "complete", sd = "partial"), c(mean = "complete")
  )
  for (pooling in pooled) {
    case <- core_case(
      3, sizes = c(3, 8, 20, 30), missing = if (length(pooling) == 1) 0.1 else 0, seed = 5
    )
    fit <- function(algorithm) {
      short_fit(
        case$data,
        group = ~g, pooling = pooling, algorithm = algorithm, chains = 4, iter_warmup = 1000,
        iter_sampling = 3000, seed = 3, cores = 2, prior = hmvn_prior(frame = "raw")
      )
    }
    turned <- fit("auto")
    expect_equal(turned$units$algorithm, "hmc")
    expect_equal(sum(turned$units$divergent), 0)
    expect_same_posterior(turned, fit("nuts"), paste(pooling, collapse = ", "))
  }
})

test_that("a chain is the same in a run of one chain and in a run of several", {
  several <- seeded_fit(chains = 3, cores = 2)
  single <- seeded_fit(chains = 1)
  expect_identical(several$draws$chol[, 1, ], single$draws$chol[, 1, ])
  expect_identical(several$draws$mean[, 1, ], single$draws$mean[, 1, ])
  # and no two are the same
  expect_false(any(several$draws$mean[, 1, 1] %in% several$draws$mean[, 2:3, 1]))
})

test_that("what is said of units and chains stands in their places", {
  set.seed(2)
  sizes <- c(3, 60, 80)
  data <- data.frame(g = rep(c("few", "many", "more"), sizes), x = rnorm(143), y = rnorm(143))
  data$x[1] <- NA
  # of three units only the first can diverge or come to the largest depth
  fit <- short_fit(data, group = ~g, chains = 6, max_treedepth = 2, adapt_delta = 0.99)
  expect_identical(fit$units$algorithm, c("hmc", "exact", "exact"))
  hits <- colSums(fit$sampler$treedepth == 2)
  expect_gt(length(unique(hits)), 1)
  expect_equal(fit$units$max_treedepth, rbind(hits, 0, 0), ignore_attr = TRUE)
  expect_equal(
    fit$units$divergent, rbind(colSums(fit$sampler$divergent), 0, 0), ignore_attr = TRUE
  )
})

test_that("groups sampled apart do not know of each other", {
  # The first group's draws are the same whether or not other groups follow.
  prior <- hmvn_prior(
    mean = distributional::dist_normal(0, 10), sd = distributional::dist_exponential(1)
  )
  all <- seeded_fit(prior = prior)
  first <- short_fit(
    subset(iris, Species == "setosa"),
    group = ~ Species, prior = prior, seed = 7, algorithm = "nuts"
  )
  expect_equal(all$draws$mean[, , 1:4], first$draws$mean, tolerance = 1e-12)
  expect_equal(all$draws$chol[, , 1:10], first$draws$chol, tolerance = 1e-12)
})

test_that("seed = NULL follows set.seed() and a given seed leaves R's stream alone", {
  set.seed(5)
  one <- seeded_fit(seed = NULL)
  set.seed(5)
  two <- seeded_fit(seed = NULL)
  expect_identical(one$draws, two$draws)
  set.seed(5)
  before <- .Random.seed
  seeded_fit(seed = 1)
  expect_identical(.Random.seed, before)
})

test_that("thinning keeps every thin-th draw", {
  thin <- seeded_fit(thin = 5)
  expect_equal(posterior::niterations(thin), 10)
  expect_equal(dim(thin$draws$mean), c(10, 2, 12))
  # The covariance matrices of the first draw kept are those of the fifth: until then no random
  # number went to means in either run but those of draws that were kept, so only the first kept
  # draw can be compared.
  first <- seeded_fit(iter_sampling = 5, thin = 5)
  expect_identical(thin$draws$chol[1, , ], first$draws$chol[1, , ])
  # It is not that of the first iteration.
  expect_false(any(thin$draws$chol[1, , ] == seeded_fit(iter_sampling = 1)$draws$chol[1, , ]))
})

test_that("the sampler without data makes no detours and accepts as often as it aims to", {
  # a standard normal target
  fit <- short_fit(
    data.frame(g = "a", x = 1:3, y = c(1, 3, 2)),
    group = ~ g, prior_only = TRUE, algorithm = "nuts", chains = 24, iter_warmup = 500,
    iter_sampling = 200
  )
  expect_no_detours(fit)
  accepted <- colMeans(fit$sampler$accept_stat)
  z <- (mean(accepted) - fit$control$adapt_delta) / (sd(accepted) / sqrt(24))
  expect_gt(z, -z_bound(1))
})

test_that("an interrupt stops a run within half a second and leaves the session alive", {
  skip_on_cran()
  skip_if_not_installed("callr")
  skip_on_os("windows")
  session <- getExportedValue("callr", "r_session")$new()
  on.exit(session$close())
  # Seconds from an interrupt of what runs in the session until it answers
  seconds_to_stop <- function(what, until) {
    session$call(what)
    Sys.sleep(until)
    started <- Sys.time()
    session$interrupt()
    session$poll_process(5000)
    stopped <- Sys.time()
    session$read()
    as.numeric(stopped - started, units = "secs")
  }
  # what a loop in R takes is the machine's and callr's
  loops <- replicate(3, seconds_to_stop(function() repeat NULL, 1))
  # Built with a sanitizer the core takes ten times as long for each step
  patience <- as.numeric(Sys.getenv("HMVN_PATIENCE", "1"))
  session$run(function() library(hmvn))
  sampling <- seconds_to_stop(function() {
    data <- data.frame(g = rep(1:200, each = 3), x = rnorm(600), y = rnorm(600), z = rnorm(600))
    fit_hmvn(
      data,
      group = ~ g, pooling = "partial", iter_warmup = 1e5, cores = 2, progress = FALSE
    )
  }, 4)
  expect_lt(sampling, max(loops) + 0.5 * patience)
  expect_equal(session$run(function() 1 + 1), 2)
})
