# Threads within a chain: no draw depends on how many there are, nor on where a chain was left.

# Groups of three features: three bundles.
many_groups <- function(G = 300, n = 4) {
  i <- seq_len(G * n)
  g <- rep(seq_len(G), each = n)
  x <- sin(i) + 0.3 * cos(g)
  data.frame(
    g = g, x = x, y = cos(i^2) + 0.5 * x + 0.2 * sin(g), z = sin(i * sqrt(2)) * (1 + g %% 3),
    w = cos(3 * i)
  )
}
many <- many_groups()
holes <- transform(
  many, x = replace(x, seq(1, 1200, 7), NA), y = replace(y, seq(3, 1200, 11), NA)
)
# Few groups of 13 features, a bundle each.
wide <- data.frame(
  g = rep(1:3, each = 30), outer(1:90, 1:13, function(i, k) sin(i * sqrt(k + 1)) + 0.2 * cos(i))
)

cases <- list(
  partial = list(many, ~g, ~ x + y + z, "partial"),
  means = list(many, ~g, ~ x + y + z, c(mean = "partial", sd = "complete", cor = "complete")),
  missing = list(holes, ~g, ~ x + y + z, "partial"),
  covariates = list(many, ~g, ~ x + y + z, "partial", covariates = ~w),
  frame = list(many, ~g, ~ x + y + z, "partial", prior = hmvn_prior(frame = "pooled")),
  features = list(
    many, ~g, ~ x + y + z, list(mean = c(x = "none", y = "partial", z = "complete"), sd = "partial")
  ),
  nuts = list(many, ~g, ~ x + y + z, "partial", algorithm = "nuts"),
  wide = list(wide, ~g, pooling = "partial")
)
fit_of <- function(case, ..., iter_warmup = 30, iter_sampling = 12) {
  rlang::inject(short_fit(
    !!!case, ...,
    iter_warmup = iter_warmup, iter_sampling = iter_sampling
  ))
}

test_that("draws are those of one thread, by any number of them", {
  for (name in names(cases)) {
    for (chains in 1:2) {
      one <- fit_of(cases[[name]], chains = chains, cores = 1)
      for (cores in c(2, 3, 8)) {
        expect_same_outcome(fit_of(cases[[name]], chains = chains, cores = cores), one)
      }
    }
  }
})

test_that("a chain that was extended, or left and gone on with, is the same, by other cores too", {
  for (name in c("partial", "means", "covariates", "nuts", "wide")) {
    case <- cases[[name]]
    whole <- fit_of(case, chains = 1)
    part <- fit_of(case, chains = 1, cores = 2, iter_sampling = 5)
    extended <- suppressWarnings(extend(part, iter_sampling = 12, cores = 3))
    expect_same_outcome(extended, whole)
    folder <- tempfile("checkpoint-")
    cores <- 0L
    advance <- function(run, seconds, progress, call) {
      cores <<- cores + 1L
      advance_run_(run$core, cores, Inf, 9L, progress$report)
    }
    with_replaced("advance_run", advance, {
      expect_same_outcome(fit_of(case, chains = 1, checkpoint = folder), whole)
    })
    expect_gt(cores, 3)
  }
})

test_that("every group has a random stream of its own", {
  # Without rows groups differ by their streams alone, and their standard deviations are independent
  pooling <- c(mean = "partial", sd = "none", cor = "none")
  fit <- short_fit(wide, ~g, pooling = pooling, prior_only = TRUE, iter_sampling = 200)
  sd_of_first <- log(matrix(fit$draws$chol[, , c(1, 92, 183)], ncol = 3))
  expect_lt(max(abs(below(cor(sd_of_first)))), 0.5)
})

test_that("a time limit is heard within a chain of several threads, and the next fit is right", {
  skip_on_cran()
  one <- fit_of(cases$partial, chains = 1)
  for (cores in c(2, 4)) {
    started <- proc.time()[["elapsed"]]
    on.exit(setTimeLimit())
    setTimeLimit(elapsed = 0.5, transient = TRUE)
    error <- tryCatch(
      fit_of(cases$partial, chains = 1, cores = cores, iter_sampling = 1e5, keep = character()),
      error = identity
    )
    setTimeLimit()
    expect_match(conditionMessage(error), "time limit")
    expect_lt(proc.time()[["elapsed"]] - started, 3)
    expect_same_outcome(fit_of(cases$partial, chains = 1, cores = cores), one)
  }
})

test_that("no thread outlives the call that it helped, whether that failed or not", {
  skip_if_not(dir.exists("/proc/self/task"))
  threads <- function() length(list.files("/proc/self/task"))
  before <- threads()
  inspect_crew_(8, 8, 100, integer())
  inspect_crew_(8, 8, 100, 3L)
  waited <- 0
  while (threads() > before && waited < 5) { # it may take the system a moment
    Sys.sleep(0.1)
    waited <- waited + 0.1
  }
  expect_lte(threads(), before)
})

test_that("a crew does every task once in every call", {
  for (cores in c(1, 2, 3, 8)) {
    for (n in c(1, 2, 7, 64)) {
      found <- inspect_crew_(n, cores, 300, integer())
      expect_identical(found, list(done = rep(300L, n), thrown = rep("", 300)))
    }
  }
})

test_that("what the first of failing tasks threw is thrown, and the next call is whole", {
  for (cores in c(1, 2, 8)) {
    found <- inspect_crew_(20, cores, 200, c(13L, 7L, 20L))
    expect_identical(found$thrown, rep("7", 200))
    expect_identical(found$done[1:6], rep(200L, 6))
    expect_identical(found$done[c(7, 13, 20)], integer(3))
  }
})

test_that("tasks are done at the same time where there are cores, and not else", {
  expect_true(inspect_crew_meets_(2, 2, 20))
  expect_true(inspect_crew_meets_(3, 8, 20))
  expect_false(inspect_crew_meets_(2, 1, 0.05))
  skip_on_cran()
  skip_on_os("windows")
  forked <- parallel::mclapply(1:2, function(i) inspect_crew_meets_(2, 2, 0.05), mc.cores = 2)
  expect_identical(forked, list(FALSE, FALSE))
})
