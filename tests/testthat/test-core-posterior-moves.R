# The contract of a posterior: evaluating never moves it.

# A program for inspect_moves_(): steps over all parts in an order without a pattern, some of which
# are moved to and some not, at positions that come again.
program_of <- function(case, steps) {
  layout <- core_layout(case)
  parts <- c(if (layout$shared > 0) 0L, if (layout$own > 0) seq_len(case$n_groups))
  cbind(
    part = sample(rep_len(parts, steps)), column = sample.int(4L, steps, replace = TRUE) - 1L,
    moves = rbinom(steps, 1, 0.5)
  )
}

walk <- function(case, steps = 24) {
  set.seed(7)
  positions <- random_positions(case, 4, radius = 1)
  program <- program_of(case, steps)
  inspect_moves_(case$statistics$patterns, case$n_groups, case$core, positions, program)
}

expect_contract <- function(case) {
  for (step in walk(case)) {
    # the same numbers in the same order, whatever was evaluated before
    expect_identical(step$value, step$fresh_value)
    expect_identical(step$gradient, step$fresh_gradient)
    expect_identical(step$draw, step$fresh_draw)
    # what is shared: a part of the whole's; groups: differences of order 4 over 1e-3, of densities
    # of size 1e4 that are rounded to 1e-12
    error <- max(abs(step$gradient - step$other_gradient)) / max(1, abs(step$gradient))
    expect_lt(error, 1e-7)
  }
}

test_that("what was evaluated elsewhere leaves no trace, for all 27 poolings", {
  for (missing in c(0, 0.2)) {
    for (pooling in all_poolings(c("none", "partial", "complete"))) {
      expect_contract(core_case(3, pooling = pooling, missing = missing))
    }
  }
})

test_that("so it is for every number of features that is compiled, and beyond", {
  for (K in 1:12) {
    expect_contract(core_case(K, sizes = c(2, 5, 20), pooling = "partial", missing = 0.1))
  }
})

test_that("a walk has rejections and repeated places in it", {
  set.seed(7)
  program <- program_of(core_case(3, pooling = "partial"), 24)
  expect_gt(sum(program[, "moves"] == 0), 3)
  expect_gt(sum(program[, "moves"] == 1), 3)
  expect_true(any(duplicated(program[, 1:2])))
})
