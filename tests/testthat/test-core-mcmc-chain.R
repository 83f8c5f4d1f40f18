# z of the means of `draws` (an array: iterations, chains, functions) that ought to be `truth`.
# Where draws are antithetic, posterior caps the effective size with a warning: z is then too small.
z_of_means <- function(draws, truth) {
  suppressWarnings(vapply(seq_along(truth), function(j) {
    (mean(draws[, , j]) - truth[j]) / posterior::mcse_mean(draws[, , j])
  }, double(1)))
}

# Draws after warm-up of `n_chains` chains, in scores: iterations, chains, scores.
scores_of_chains <- function(target, settings, start, iter_sampling, n_chains = 4) {
  n <- length(start)
  scores <- array(0, c(iter_sampling, n_chains, n))
  facts <- NULL
  for (number in seq_len(n_chains)) {
    run <- chain(target, settings, start, iter_sampling, number = number)
    scores[, number, ] <- t(to_scores(target, t(run$draws[run$sampling, , drop = FALSE])))
    facts <- rbind(facts, run$facts[run$sampling, ])
  }
  list(scores = scores, facts = facts)
}

z_of_chains <- function(scores) {
  n <- dim(scores)[3]
  pairs <- which(lower.tri(diag(n), diag = TRUE), arr.ind = TRUE)
  product <- function(at) scores[, , at[1]] * scores[, , at[2]]
  products <- array(apply(pairs, 1, product), c(dim(scores)[1:2], nrow(pairs)))
  c(z_of_means(scores, rep(0, n)), z_of_means(products, as.numeric(pairs[, 1] == pairs[, 2])))
}

test_that("chains find the means and covariances of normals, badly scaled and correlated", {
  z <- NULL
  for (n in c(1, 2, 5, 20)) {
    for (mover in c("nuts", "quarter_turn")) {
      for (metric in c("diagonal", "dense")) {
        settings <- mover_settings(mover, metric = metric)
        start <- bad_normal(n)$mean + 1
        run <- scores_of_chains(bad_normal(n), settings, start, if (n == 20) 1000 else 2000)
        z <- c(z, z_of_chains(run$scores))
        expect_equal(sum(run$facts$divergent), 0)
      }
    }
  }
  expect_lt(max(abs(z)), z_bound(length(z)))
})

test_that("chains find a funnel's marginal distributions", {
  z <- NULL
  for (mover in c("nuts", "quarter_turn")) {
    settings <- mover_settings(mover, target_accept = 0.95)
    run <- scores_of_chains(funnel_target(), settings, c(0, 1, 1), 10000)
    z <- c(z, z_of_chains(run$scores))
  }
  expect_lt(max(abs(z)), z_bound(length(z)))
})

test_that("the step size is averaged over the last window of warm-up and then kept", {
  target <- bad_normal(3)
  for (iter_warmup in c(0L, 1L, 19L, 20L, 149L, 150L, 1000L)) {
    settings <- mover_settings("nuts", iter_warmup = iter_warmup, target_accept = 0.7)
    run <- chain(target, settings, target$mean, 20, seed = iter_warmup)
    step <- run$facts$step_size
    restarts <- c(0, inspect_warmup_(iter_warmup)$window_ends, iter_warmup)
    for (i in seq_len(length(restarts) - 1)) {
      window <- restarts[i] + seq_len(restarts[i + 1] - restarts[i])
      if (length(window) == 0) next
      due <- plain_dual_averaging(run$facts$accept_stat[window], step[window[1]], 0.7)
      expect_equal(step[window[-1]], due[-length(window), 1], tolerance = 1e-12)
    }
    if (iter_warmup > 0) {
      expect_equal(step[run$sampling[1]], due[length(window), 2], tolerance = 1e-12)
    }
    expect_equal(step[run$sampling], rep(step[run$sampling[1]], 20))
  }
})

# By how much `after - 2 at + before` differs from what leapfrog makes it for consecutive positions,
# step^2 M^-1 gradient(at), less what rounding does to positions of this size.
verlet_error <- function(before, at, after, gradient, step, inverse_metric) {
  due <- as.vector(step^2 * inverse_metric %*% gradient(at))
  rounding <- 100 * .Machine$double.eps * max(abs(before), abs(at), abs(after))
  max(0, abs(after - 2 * at + before - due) - rounding) / max(abs(due))
}

test_that("a chain moves by the metric that its last window teaches, and by nothing else", {
  target <- bad_normal(3)
  gradient <- plain_target(target)$gradient
  schedule <- inspect_warmup_(300L)
  edges <- c(schedule$first_slow, schedule$window_ends)
  for (metric in c("diagonal", "dense")) {
    for (number in 1:10) {
      settings <- mover_settings("nuts", metric = metric, iter_warmup = 300L)
      # not at the mean, where the gradient is 0
      run <- chain(target, settings, target$mean + 1, 20, number = number)
      inverse_metrics <- c(list(diag(3)), lapply(seq_along(edges)[-1], function(k) {
        window <- run$draws[(edges[k - 1] + 1):edges[k], ]
        weight <- nrow(window) / (nrow(window) + 5 * if (metric == "dense") 3 else 1)
        covariance <- weight * cov(window) + (1 - weight) * diag(3)
        if (metric == "dense") covariance else diag(diag(covariance))
      }))
      moves <- lapply(2:320, function(i) {
        from <- run$draws[i - 1, ]
        path <- run$paths[[i]][, seq_len(run$facts$n_leapfrog[i]), drop = FALSE]
        to <- run$draws[i, ]
        strays <- min(colSums(abs(cbind(from, path) - to) / (1 + abs(to))))
        # the second doubling went on from the first step, or from the start to the other side
        error <- if (ncol(path) == 1) {
          0
        } else {
          of <- function(...) {
            k <- 1 + sum(i > schedule$window_ends)
            verlet_error(..., gradient, run$facts$step_size[i], inverse_metrics[[k]])
          }
          min(of(from, path[, 1], path[, 2]), of(path[, 1], from, path[, 2]))
        }
        c(strays = strays, error = error)
      })
      moves <- do.call(rbind, moves)
      expect_lt(max(moves[, "strays"]), 1e-9)
      expect_lt(max(moves[, "error"]), 1e-9)
    }
  }
})

test_that("what is learned of a target makes it as easy as a standard normal", {
  far <- normal_target(c(50, -3, 0), diag(c(30, 1, 0.3)^2))
  iid <- normal_target(rep(0, 3), diag(3))
  for (metric in c("diagonal", "dense")) {
    steps <- function(mover, target, iter_warmup = 1000L) {
      settings <- mover_settings(mover, metric = metric, iter_warmup = iter_warmup)
      run <- chain(target, settings, target$mean, 300)
      mean(run$facts$n_leapfrog[run$sampling])
    }
    # within one doubling; the other scales differ by a factor of 100
    expect_lt(steps("nuts", far), 2 * steps("nuts", iid))
    expect_gt(steps("nuts", far, 0L), 4 * steps("nuts", iid))
    expect_equal(steps("quarter_turn", far), 2)
    expect_gt(steps("quarter_turn", far, 0L), 2)
  }
})

test_that("a metric that is learned has a step size of its own, sought at once", {
  # sds of 1000: a step of their size until the target is standardised, then one of order 1, which
  # dual averaging alone would take many iterations to find
  target <- normal_target(c(0, 0), diag(1e6, 2))
  run <- chain(target, mover_settings("nuts", iter_warmup = 150L), target$mean, 20)
  end <- inspect_warmup_(150L)$window_ends[[1]]
  expect_gt(run$facts$step_size[[end]], 50)
  expect_lt(run$facts$step_size[[end + 1]], 10)
})
