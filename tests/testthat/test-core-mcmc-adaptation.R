test_that("dual averaging is that of Hoffman and Gelman", {
  set.seed(1)
  accept <- c(0, 1, 0.8, 1e-9, runif(50))
  ours <- function(restarts, largest = Inf) inspect_dual_averaging_(0.8, largest, accept, restarts)
  once <- c(0.3, rep(NA, length(accept) - 1))
  expect_equal(ours(once), plain_dual_averaging(accept, 0.3, 0.8), tolerance = 1e-13)
  # two by hand: mu = log 3, H = 0.8/11, then 11/12 H - 0.2/12
  H <- c(0.8 / 11, 11 / 12 * 0.8 / 11 - 0.2 / 12)
  log_step <- log(3) - sqrt(1:2) / 0.05 * H
  expect_equal(ours(once)[1:2, 1], exp(log_step), tolerance = 1e-13)
  fade <- 2^-0.75
  log_averaged <- c(log_step[1], fade * log_step[2] + (1 - fade) * log_step[1])
  expect_equal(ours(once)[1:2, 2], exp(log_averaged), tolerance = 1e-13)
  # all is forgotten at a restart
  twice <- replace(once, 21, 7)
  before <- plain_dual_averaging(accept[1:20], 0.3, 0.8)
  after <- plain_dual_averaging(accept[-(1:20)], 7, 0.8)
  expect_equal(ours(twice), rbind(before, after), tolerance = 1e-13)
})

test_that("no step is longer than the largest, tried or averaged", {
  accept <- rep(c(1, 0.9), 20)
  ours <- inspect_dual_averaging_(0.6, 0.5, accept, c(0.3, rep(NA, 39)))
  expect_equal(ours, plain_dual_averaging(accept, 0.3, 0.6, largest = 0.5), tolerance = 1e-13)
  expect_equal(ours, matrix(0.5, 40, 2), tolerance = 1e-13)
})

test_that("the mean and the covariance matrix learned are those of the draws, shrunk", {
  set.seed(2)
  n <- 4
  draws <- 100 + t(chol(bad_normal(n)$covariance)) %*% matrix(rnorm(n * 30), n)
  for (metric in c("diagonal", "dense")) {
    for (count in c(2, 30)) {
      taught <- draws[, seq_len(count)]
      weight <- count / (count + 5 * if (metric == "dense") n else 1)
      ours <- inspect_standardisation_(metric, taught, draws, draws)
      expect_equal(ours$count, count)
      expect_equal(ours$mean, weight * rowMeans(taught), tolerance = 1e-13)
      covariance <- weight * cov(t(taught)) + (1 - weight) * diag(n)
      if (metric == "diagonal") covariance <- cbind(diag(covariance))
      # cancellation: squares of what is left of numbers of order 100
      expect_equal(ours$covariance, covariance, tolerance = 1e-11)
    }
  }
})

test_that("a standardisation maps there and back, and gradients by its own derivative", {
  set.seed(3)
  n <- 4
  target <- bad_normal(n)
  draws <- exact_draws(target, n, 200)
  gradient <- plain_target(target)$gradient
  for (metric in c("diagonal", "dense")) {
    ours <- inspect_standardisation_(metric, draws, draws, apply(draws, 2, gradient))
    root <- if (metric == "dense") t(chol(ours$covariance)) else diag(sqrt(ours$covariance[, 1]))
    expect_equal(ours$standard, solve(root, draws - ours$mean), tolerance = 1e-11)
    expect_equal(ours$back, draws, tolerance = 1e-12)
    expect_equal(ours$gradient, t(root) %*% apply(draws, 2, gradient), tolerance = 1e-11)
    # a quadratic's central differences are exact, up to rounding
    log_density <- function(z) plain_target(target)$log_density(as.vector(ours$mean + root %*% z))
    for (j in 1:5) {
      difference <- vapply(seq_len(n), function(i) {
        z <- ours$standard[, j]
        (log_density(replace(z, i, z[i] + 1)) - log_density(replace(z, i, z[i] - 1))) / 2
      }, double(1))
      expect_equal(ours$gradient[, j], difference, tolerance = 1e-9)
    }
  }
})

test_that("windows of warm-up are Stan's", {
  expect_equal(inspect_warmup_(1000L)$first_slow, 75)
  expect_equal(inspect_warmup_(1000L)$window_ends, c(100, 150, 250, 450, 950))
  expect_equal(inspect_warmup_(1001L)$window_ends, c(100, 150, 250, 450, 951))
  # the last window takes what is too short for one twice as long
  expect_equal(inspect_warmup_(300L)$window_ends, c(100, 150, 250))
  expect_equal(inspect_warmup_(299L)$window_ends, c(100, 249))
  expect_equal(inspect_warmup_(150L), list(first_slow = 75L, window_ends = 100L))
  # 15 %, 75 % and 10 % where there is no room for 75 + 25 + 50
  expect_equal(inspect_warmup_(149L), list(first_slow = 22L, window_ends = 135L))
  expect_equal(inspect_warmup_(20L), list(first_slow = 3L, window_ends = 18L))
  for (short in c(0L, 1L, 19L)) {
    expect_equal(inspect_warmup_(short), list(first_slow = 0L, window_ends = integer()))
  }
})

test_that("windows of warm-up cover it in order, whatever its length", {
  covers <- function(iter_warmup) {
    schedule <- inspect_warmup_(iter_warmup)
    fast_end <- if (iter_warmup < 150) floor(0.1 * iter_warmup) else 50
    lengths <- diff(c(schedule$first_slow, schedule$window_ends))
    last <- length(lengths)
    # the last takes what is left where there is no room for another
    due <- if (iter_warmup < 150) lengths else 25 * 2^(seq_len(last) - 1)
    schedule$first_slow > 0 && schedule$window_ends[last] == iter_warmup - fast_end &&
      all(lengths[-last] == due[-last]) &&
      lengths[last] >= due[last] && lengths[last] < 3 * due[last]
  }
  expect_equal(Filter(Negate(covers), 20:3000), integer())
})

# The log acceptance rate of one leapfrog step that led from `start` to `end`.
log_acceptance <- function(target, start, end, step) {
  from <- list(x = start, p = momentum_between(target, start, end, step))
  energy_of(target, from) - energy_of(target, leapfrog(target, from, step))
}

test_that("a reasonable step is where acceptance crosses 0.8, however wide the target", {
  set.seed(4)
  cases <- list(
    narrow = list(normal_target(c(0, 0), diag(1e-12, 2)), c(1e-6, -1e-6)),
    wide = list(normal_target(c(0, 0), diag(1e12, 2)), c(1e6, -1e6)),
    skew = list(bad_normal(5), bad_normal(5)$mean),
    funnel = list(funnel_target(), c(-3, 0.1)), cliff = list(cliff_target(1e-4), 0)
  )
  for (name in names(cases)) {
    target <- cases[[name]][[1]]
    start <- cases[[name]][[2]]
    for (first in c(1e-3, 1, 30)) {
      for (seed in 1:20) {
        settings <- mover_settings("nuts", step_size = first)
        found <- inspect_step_size_search_(target, settings, start, seed)
        tries <- ncol(found$path)
        grows <- if (tries == 1) 0 else sign(log(found$step_size / first))
        steps <- first * 2^(grows * (seq_len(tries) - 1))
        expect_equal(found$step_size, steps[tries])
        accepted <- vapply(seq_len(tries), function(i) {
          log_acceptance(plain_target(target), start, found$path[, i], steps[i]) > log(0.8)
        }, logical(1))
        # all tries but the last are on one side of the threshold
        expect_gt(tries, 1)
        expect_equal(
          accepted, rep(c(grows > 0, grows < 0), c(tries - 1, 1)), info = paste(name, first, seed)
        )
      }
    }
  }
})

test_that("quarter turns search no step longer than their largest", {
  search <- function(target, first, start = c(1, -1)) {
    settings <- mover_settings("quarter_turn", step_size = first, least_steps = 3L)
    inspect_step_size_search_(target, settings, start, 1)$step_size
  }
  for (first in c(1e-3, 1, 1e3)) {
    # exact in a standard normal: only the largest is long enough
    expect_equal(search(normal_target(c(0, 0), diag(2)), first), pi / 2 / 3)
    # unstable in a narrow one beyond twice its standard deviation
    expect_lt(search(normal_target(c(0, 0), diag(1e-4, 2)), first, c(0.01, 0)), 2 * 2 * 0.01)
  }
})

test_that("the step size is learned from trajectories that take it", {
  # four in five take a quarter, and are accepted: counted, they would let others be refused
  target <- bad_normal(20)
  settings <- mover_settings("quarter_turn", refined_share = 0.8, target_accept = 0.95)
  run <- chain(target, settings, target$mean, 2000)
  facts <- run$facts[run$sampling, ]
  refined <- facts$step_size < max(facts$step_size)
  expect_equal(unique(facts$n_leapfrog[refined]), 4 * unique(facts$n_leapfrog[!refined]))
  expect_gt(mean(facts$accept_stat[!refined]), 0.95)
})

test_that("a target on which no step works is an error", {
  search <- function(target, mover = "nuts", step_size = 1) {
    inspect_step_size_search_(target, mover_settings(mover, step_size = step_size), c(0.5, 2), 1)
  }
  for (beyond in c(-Inf, NaN, NA, Inf)) {
    spike <- list(name = "spike", at = c(0.5, 2), beyond = beyond)
    for (mover in c("nuts", "quarter_turn")) {
      expect_error(search(spike, mover), "no step size works")
    }
  }
  for (step_size in c(1e-3, 1)) {
    expect_error(search(list(name = "flat"), step_size = step_size), "the posterior is improper")
  }
})

test_that("warm-up ends once a window finds what the one before has taught", {
  warmup_of <- function(target, mover, start, number, metric = "diagonal", most = 1000L) {
    settings <- mover_settings(mover, warmup_by_data = TRUE, iter_warmup = most, metric = metric)
    run <- chain(target, settings, start, 20, seed = 1, number = number)
    # the step size has moved until then and no longer
    expect_equal(length(unique(run$facts$step_size[-seq_len(run$iter_warmup)])), 1)
    run$iter_warmup
  }
  ends <- inspect_warmup_(1000L)$window_ends + 50
  for (mover in c("nuts", "quarter_turn")) {
    for (metric in c("diagonal", "dense")) {
      # of independent draws a window of 100 strays too far once in 1e10
      found <- vapply(1:20, function(number) {
        warmup_of(normal_target(rep(0, 4), diag(4)), mover, rep(1, 4), number, metric)
      }, 0L)
      expect_equal(found, rep(300L, 20))
    }
  }
  # 1,000 times too wide: the first window learns it, or the second
  wide <- normal_target(c(0, 5), diag(1e6, 2))
  expect_true(all(vapply(1:20, function(n) warmup_of(wide, "nuts", c(1, 1), n), 0L) %in% ends[3:4]))
  # too few iterations for a window of 100: all are used
  expect_equal(warmup_of(wide, "nuts", c(1, 1), 1, most = 160L), 160L)
  # a chain that hardly moves finds other means in every window
  valley <- normal_target(c(0, 0), matrix(c(1, 0.99999, 0.99999, 1), 2))
  slow <- function(number) {
    settings <- mover_settings("nuts", warmup_by_data = TRUE, max_tree_depth = 1L)
    chain(valley, settings, c(0, 0), 20, seed = 1, number = number)$iter_warmup
  }
  expect_gt(mean(vapply(1:20, slow, 0L)), 500)
})
