# A run is an object: it advances by pieces, and its state can be saved and loaded.

run_control <- function(algorithm, thin = 1, warmup_by_data = FALSE) {
  list(
    algorithm = algorithm, iter_warmup = if (warmup_by_data) 1000 else 160,
    warmup_by_data = warmup_by_data, iter_sampling = 90, thin = thin, seed = 3,
    max_treedepth = 8, adapt_delta = 0.8, adapt_delta_scarce = 0.99, init = 2
  )
}

resumed <- function(case, control, pieces) {
  inspect_resumed_(case$statistics$patterns, case$n_groups, case$core, control, pieces)
}

# Pieces that end in warm-up, at its end, in sampling, and between kept draws.
in_pieces <- c(1L, 30L, 77L, 52L, 1L, 40L, 49L)

expect_same_run <- function(case, algorithm, taken, thin = 1) {
  control <- run_control(algorithm, thin)
  whole <- resumed(case, control, 250L)
  expect_equal(whole$algorithm, taken)
  parts <- resumed(case, control, in_pieces)
  expect_identical(parts[c("mean", "factor")], whole[c("mean", "factor")])
}

test_that("saved, loaded and gone on with is the same as never stopped, to the bit", {
  for (thin in c(1, 3)) {
    partial <- core_case(3, pooling = "partial", missing = 0.1)
    expect_same_run(partial, "auto", "hmc", thin)
    expect_same_run(partial, "nuts", "nuts", thin)
    expect_same_run(core_case(3, pooling = "complete"), "nuts", "nuts", thin)
    expect_same_run(core_case(2, sizes = 12), "nuts", "nuts", thin)
    expect_same_run(core_case(2, sizes = 60), "auto", "exact", thin)
    expect_same_run(core_case(4, sizes = 24), "direct", "direct", thin)
    expect_same_run(core_case(5, sizes = 9), "auto", "hmc", thin)
  }
})

test_that("so it is where warm-up ends by itself", {
  by_data <- function(case, taken, algorithm = "auto") {
    control <- run_control(algorithm, warmup_by_data = TRUE)
    whole <- resumed(case, control, 1090L)
    expect_equal(whole$algorithm, taken)
    # pieces that end within the last window that is learned from, at its end, at that of warm-up
    parts <- resumed(case, control, c(200L, 49L, 1L, 30L, 20L, 1L, 80L, 1000L))
    expect_identical(parts[c("mean", "factor")], whole[c("mean", "factor")])
  }
  by_data(core_case(3, pooling = "partial", missing = 0.1), "hmc")
  by_data(core_case(5, sizes = 9), "hmc")
  by_data(core_case(2, sizes = 12), "nuts", "nuts")
})

test_that("mixed poolings are gone on with likewise", {
  mixed <- list(c(mean = "partial", sd = "complete"), c(sd = "partial"), c(cor = "partial"))
  for (pooling in mixed) {
    expect_same_run(core_case(3, pooling = pooling), "auto", "hmc")
  }
})

test_that("a state that is cut or has more than was read is refused", {
  case <- core_case(2, pooling = "partial")
  load <- function(bytes) {
    inspect_broken_state_(
      case$statistics$patterns, case$n_groups, case$core, run_control("auto"), bytes
    )
  }
  expect_no_error(load(0))
  expect_error(load(-1), "ends too early|does not belong")
  expect_error(load(-200), "ends too early|does not belong")
  expect_error(load(8), "more than was read")
})

test_that("what is prepared and started is left when asked to stop", {
  left <- function(case, algorithm = "auto") {
    inspect_stop_(case$statistics$patterns, case$n_groups, case$core, run_control(algorithm))
  }
  all_left <- c(prepare = TRUE, adjust = TRUE, start = TRUE)
  for (pooling in c("none", "partial", "complete")) {
    expect_identical(left(core_case(3, sizes = 12, pooling = pooling, missing = 0.1)), all_left)
    expect_identical(left(core_case(2, pooling = pooling, C = 1)), all_left)
  }
  expect_identical(left(core_case(2, sizes = 60)), all_left) # by rejection
  expect_identical(left(core_case(4, sizes = 24), "direct"), all_left) # by steps
  shared <- c(sd = "complete", cor = "complete")
  expect_identical(left(core_case(2, sizes = c(30, 40), pooling = shared)), all_left)
})
