# A sampler that is right leaves its target as it is: exact draws are, after one transition each,
# exact draws again, whatever the step.

# Of the hypothesis that columns are independent standard normals.
p_of_scores <- function(scores) {
  n <- ncol(scores)
  pairs <- scores[1, ] * scores[nrow(scores), ]
  c(
    apply(scores, 1, function(z) ks.test(z, "pnorm")$p.value),
    apply(scores, 1, function(z) 2 * pnorm(-abs(sum(z^2 - 1)) / sqrt(2 * n))),
    ks.test(colSums(scores^2), "pchisq", nrow(scores))$p.value,
    if (nrow(scores) > 1) 2 * pnorm(-abs(sum(pairs)) / sqrt(n))
  )
}

invariance <- function(target, size, settings, n = 20000, seed = 1) {
  set.seed(seed)
  starts <- exact_draws(target, size, n)
  result <- transitions(target, settings, starts, seed)
  c(result, list(p = p_of_scores(to_scores(target, result$ends)), starts = starts))
}

expect_invariant <- function(cases) {
  p <- unlist(lapply(cases, `[[`, "p"))
  expect_gt(holm(p), 0.001)
}

test_that("the starts are exact draws", {
  set.seed(1)
  p <- c(
    p_of_scores(to_scores(bad_normal(3), exact_draws(bad_normal(3), 3, 20000))),
    p_of_scores(to_scores(funnel_target(), exact_draws(funnel_target(), 3, 20000)))
  )
  expect_gt(holm(p), 0.001)
})

test_that("transitions of NUTS leave targets as they are, with steps short and long", {
  skew <- normal_target(c(1, -2), matrix(c(2, 0.5, 0.5, 0.3), 2))
  nuts <- function(...) mover_settings("nuts", ...)
  cases <- list(
    invariance(skew, 2, nuts(step_size = 0.3)), invariance(skew, 2, nuts(step_size = 0.9)),
    invariance(normal_target(3, 0.5), 1, nuts(step_size = 1.2)),
    invariance(skew, 2, nuts(step_size = 0.3, max_tree_depth = 2L)),
    # trajectories that diverge bias by no more than exp(-10)
    invariance(skew, 2, nuts(step_size = 0.9, max_energy_error = 10)),
    invariance(funnel_target(), 3, nuts(step_size = 0.5))
  )
  expect_invariant(cases)
  # else there would be nothing to be put right by choosing among points
  for (case in cases) expect_lt(mean(case$facts$accept_stat), 0.999)
  expect_gt(sum(cases[[5]]$facts$divergent), 100)
})

test_that("quarter turns leave targets as they are, with steps short and long", {
  skew <- normal_target(c(1, -2), matrix(c(2, 0.5, 0.5, 0.3), 2))
  turn <- function(...) mover_settings("quarter_turn", ...)
  cases <- list(
    invariance(skew, 2, turn(step_size = pi / 4)), invariance(skew, 2, turn(step_size = pi / 10)),
    invariance(normal_target(3, 0.5), 1, turn(step_size = pi / 4)),
    invariance(funnel_target(), 3, turn(step_size = pi / 8)),
    invariance(funnel_target(), 3, turn(step_size = pi / 4, max_energy_error = 10)),
    invariance(skew, 2, turn(step_size = pi / 8, refined_share = 0.5)),
    invariance(funnel_target(), 3, turn(step_size = pi / 8, refined_share = 0.5))
  )
  expect_invariant(cases)
  for (case in cases) expect_lt(mean(case$facts$accept_stat), 0.999)
  expect_gt(sum(cases[[5]]$facts$n_leapfrog > 2), 100) # overshot
})

test_that("transitions in a space standardised by any map leave targets as they are", {
  target <- bad_normal(3)
  # a map learned badly: of other draws' mean and covariance matrix
  set.seed(3)
  few <- target$mean + t(chol(target$covariance)) %*% matrix(rnorm(18), 3)
  cases <- list()
  for (mover in c("nuts", "quarter_turn")) {
    for (metric in c("diagonal", "dense")) {
      covariance <- if (metric == "dense") cov(t(few)) else cbind(apply(few, 1, var))
      settings <- mover_settings(
        mover, metric = metric, mean = rowMeans(few), covariance = covariance, step_size = 0.4
      )
      cases <- c(cases, list(invariance(target, 3, settings)))
    }
  }
  expect_invariant(cases)
})

test_that("a quarter turn may be walked back: start and end can be exchanged", {
  skew <- normal_target(c(1, -2), matrix(c(2, 0.5, 0.5, 0.3), 2))
  z <- unlist(lapply(list(skew, funnel_target()), function(target) {
    run <- invariance(target, 2, mover_settings("quarter_turn", step_size = pi / 6), seed = 4)
    from <- to_scores(target, run$starts)
    to <- to_scores(target, run$ends)
    antisymmetric <- rbind(
      from^2 * to - from * to^2, from^3 * to - from * to^3,
      from[1, ] * to[2, ] - from[2, ] * to[1, ]
    )
    rowSums(antisymmetric) / sqrt(rowSums(antisymmetric^2))
  }))
  expect_lt(max(abs(z)), z_bound(length(z)))
})

test_that("steps that are too long for a funnel's neck are reported", {
  # where v < -4, scales are below exp(-2): a leapfrog of more than twice that is unstable
  set.seed(5)
  starts <- exact_draws(funnel_target(), 5, 5000)
  neck <- starts[1, ] < -4
  divergent <- function(mover, step) {
    settings <- mover_settings(mover, step_size = step)
    transitions(funnel_target(), settings, starts)$facts$divergent == 1
  }
  long <- divergent("nuts", 0.8)
  expect_gt(mean(long[neck]), 0.5)
  expect_lt(mean(long[starts[1, ] > 0]), mean(long[neck]) / 10)
  expect_equal(sum(divergent("nuts", 0.02)), 0)
  expect_equal(sum(divergent("quarter_turn", pi / 200)), 0)
  # steps a quarter as long are too long as well where scales are below exp(-4)
  starts[-1, ] <- starts[-1, ] * rep(exp((-8 - starts[1, ]) / 2), each = 4)
  starts[1, ] <- -8
  expect_gt(mean(divergent("quarter_turn", pi / 4)), 0.5)
})
