test_that("quarter turns take as many steps as they must to a quarter of a turn", {
  iid <- normal_target(c(0, 0, 0), diag(3))
  set.seed(1)
  starts <- exact_draws(iid, 3, 50)
  for (step in c(pi / 4, 0.6, 0.1, pi / 2 / 7)) {
    facts <- transitions(iid, mover_settings("quarter_turn", step_size = step), starts)$facts
    expect_equal(facts$n_leapfrog, rep(ceiling(pi / 2 / step - 1e-9), 50))
    expect_equal(facts$step_size, pi / 2 / facts$n_leapfrog)
    # exact in a standard normal
    expect_equal(facts$accept_stat, rep(1, 50), tolerance = 1e-13)
    expect_equal(facts$tree_depth + facts$divergent, rep(0, 50))
  }
})

test_that("the number of steps is limited as NUTS's is, and said to be", {
  iid <- normal_target(c(0, 0), diag(2))
  for (depth in 1:6) {
    at <- function(step) {
      settings <- mover_settings("quarter_turn", step_size = step, max_tree_depth = depth)
      unlist(transitions(iid, settings, cbind(1:2))$facts[c("tree_depth", "n_leapfrog")])
    }
    most <- 2^depth - 1
    expect_equal(at(1e-3), c(tree_depth = depth, n_leapfrog = most))
    # as many as there may be are not too many
    expect_equal(at(pi / 2 / most), c(tree_depth = 0, n_leapfrog = most))
  }
})

test_that("a share of trajectories takes steps a quarter as long", {
  iid <- normal_target(c(0, 0), diag(2))
  taken <- function(...) {
    settings <- mover_settings("quarter_turn", ..., refined_share = 0.3)
    transitions(iid, settings, matrix(1, 2, 2000))$facts
  }
  facts <- taken(step_size = pi / 6)
  refined <- facts$n_leapfrog == 12
  expect_true(all(facts$n_leapfrog[!refined] == 3))
  expect_lt(abs(sum(refined) - 600) / sqrt(2000 * 0.3 * 0.7), z_bound(1))
  expect_equal(facts$step_size, pi / 2 / facts$n_leapfrog)
  # of as many as there may be
  depth <- taken(step_size = pi / 6, max_tree_depth = 3L)
  expect_equal(sort(unique(depth$n_leapfrog)), c(3, 7))
  expect_equal(sum(depth$tree_depth), 0)
  # none where steps are as long as they may be
  expect_equal(unique(taken(step_size = pi / 4)$n_leapfrog), 2)
})

test_that("refined trajectories are accepted where others are too long to be", {
  # Turns of s between half kicks are stable where (1 / sd^2 - 1) s / 2 < cot(s / 2): not for s of
  # 0.16 to 0.29, and for a quarter of that
  narrow <- normal_target(c(0, 0), diag(0.06^2, 2))
  set.seed(4)
  starts <- exact_draws(narrow, 2, 2000)
  moved <- function(share) {
    settings <- mover_settings("quarter_turn", step_size = pi / 14, refined_share = share)
    ends <- transitions(narrow, settings, starts)$ends
    mean(colSums(ends != starts) > 0)
  }
  expect_lt(moved(0), 0.01)
  expect_gt(moved(1), 0.5)
})

test_that("the angle varies uniformly by three tenths about the quarter of a turn", {
  # from 0 with momentum p, in a standard normal: x1 = p sin(s) and x2 = p sin(2 s)
  iid <- normal_target(0, 1)
  ends <- transitions(iid, mover_settings("quarter_turn", step_size = pi / 4), matrix(0, 1, 2000))
  expect_equal(ends$facts$n_leapfrog, rep(2, 2000))
  step <- vapply(ends$paths, function(path) acos(path[2] / path[1] / 2), 1)
  expect_gt(ks.test(step / (pi / 4), "punif", 0.7, 1.3)$p.value, 0.001)
  # and momentum is standard normal
  momentum <- vapply(ends$paths, `[`, 1, 1) / sin(step)
  expect_gt(ks.test(momentum, "pnorm")$p.value, 0.001)
})

test_that("transitions are accepted as often as their statistic says", {
  skew <- normal_target(c(1, -2), matrix(c(2, 0.5, 0.5, 0.3), 2))
  set.seed(2)
  for (target in list(skew, funnel_target())) {
    starts <- exact_draws(target, 2, 4000)
    result <- transitions(target, mover_settings("quarter_turn", step_size = pi / 6), starts)
    moved <- colSums(result$ends != starts) > 0
    accept <- result$facts$accept_stat
    z <- sum(moved - accept) / sqrt(sum(accept * (1 - accept)))
    expect_lt(abs(z), z_bound(2))
    # what is moved to is where the target was evaluated last
    last <- vapply(result$paths, function(path) path[, ncol(path)], double(2))
    expect_equal(colSums(last != result$ends) == 0, moved)
    expect_true(any(moved) && !all(moved))
  }
})

test_that("only what also fails in steps a quarter as long diverges", {
  set.seed(3)
  at <- function(sd) {
    target <- normal_target(c(0, 0), diag(sd^2, 2))
    starts <- exact_draws(target, 2, 200)
    settings <- mover_settings("quarter_turn", step_size = pi / 4, max_energy_error = 20)
    result <- transitions(target, settings, starts)
    c(result, list(moved = colSums(result$ends != starts) > 0))
  }
  # Turns of s between half kicks are stable where (1 / sd^2 - 1) s / 2 < cot(s / 2): at sd = 0.2
  # for s up to 0.4, which the shorter steps are, and at sd = 0.02 for neither
  overshot <- at(0.2)
  again <- overshot$facts$n_leapfrog > 2
  expect_true(any(again))
  expect_true(all(overshot$facts$accept_stat[again] == 0) && !any(overshot$moved[again]))
  expect_true(all(overshot$facts$divergent == 0))
  expect_true(all(overshot$facts$n_leapfrog[again] %in% c(9, 10)))
  diverged <- at(0.02)
  expect_gt(mean(diverged$facts$divergent), 0.9)
  expect_true(all(diverged$facts$accept_stat == 0 & !diverged$moved))
  expect_true(all(at(1)$facts$n_leapfrog == 2))
})

test_that("a target that is not a number is a divergence, and is not moved to", {
  for (beyond in c(NaN, NA, -Inf)) {
    spike <- list(name = "spike", at = c(1, 2), beyond = beyond)
    one <- transitions(spike, mover_settings("quarter_turn", step_size = pi / 4), cbind(c(1, 2)))
    expect_equal(
      unlist(one$facts[c("accept_stat", "n_leapfrog", "divergent")]),
      c(accept_stat = 0, n_leapfrog = 2, divergent = 1)
    )
    expect_equal(one$ends, cbind(c(1, 2)))
  }
})
