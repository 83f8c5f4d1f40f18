# Rectangles of cells, against counting.

test_that("whole cells are covered once, by at most three rectangles", {
  for (n_chains in 1:4) {
    for (first in 0:9) {
      for (last in (first - 1):11) {
        found <- whole_cells(first, last, n_chains)
        expect_lte(length(found), 3)
        cells <- unlist(lapply(found, function(r) {
          outer(seq(r[[3]], r[[4]]), seq(r[[1]], r[[2]]) * n_chains, `+`)
        }))
        wanted <- if (first <= last) seq(first, last)
        expect_identical(sort(as.integer(cells)), as.integer(wanted))
      }
    }
  }
})

test_that("what a job passed through is every kept draw of its cells once", {
  run <- list(n_kept = 5L, kept_at = function(iteration) iteration)
  range <- c(slice = 2L, first_unit = 4L, last_unit = 6L, first_chain = 2L, last_chain = 3L)
  place <- function(cell, iteration) data.frame(cell = cell, iteration = iteration)
  # all draws of the job in their order: unit, chain, kept
  all <- expand.grid(kept = 1:5, chain = 2:3, unit = 4:6)
  key <- function(x) paste(x$unit, x$chain, x$kept)
  at <- function(place) place$cell * 5L + place$iteration
  places <- c(
    unlist(lapply(0:5, function(cell) lapply(c(0L, 2L, 5L), place, cell = cell)), FALSE),
    list(place(6L, 0L))
  )
  for (from in places) {
    for (to in places) {
      if (at(to) <= at(from) || from$cell == to$cell && from$iteration >= to$iteration) next
      found <- passed(run, range, list(from = from, to = to))
      drawn <- lapply(found, function(r) {
        if (r$kept[[1]] > r$kept[[2]]) {
          return(NULL)
        }
        expand.grid(
          unit = seq(r$units[[1]], r$units[[2]]), chain = seq(r$chains[[1]], r$chains[[2]]),
          kept = seq(r$kept[[1]], r$kept[[2]])
        )
      })
      keys <- key(do.call(rbind, drawn))
      expect_false(anyDuplicated(keys) > 0)
      expect_setequal(keys, key(all[seq(at(from) + 1, at(to)), ]))
    }
  }
})

test_that("iterations that are left are those that were not made, cell by cell", {
  control <- list(iter_warmup = 4L, iter_sampling = 6L)
  each <- 7 # three were made before
  for (cell in 0:2) {
    for (made in 0:6) {
      places <- list(cell = c(cell, 1L), iteration = c(3L + made, 3L))
      iterations <- expand.grid(iteration = seq_len(each), cell = 0:2)
      to_do <- iterations$cell > cell | iterations$cell == cell & iterations$iteration > made
      expect_identical(iterations_left(c(3L, 1L), places, 3L, control), as.double(sum(to_do)))
    }
  }
})

test_that("a box of draws is what R's brackets give, and none beyond the array is read", {
  array <- array(as.double(1:120), c(4, 5, 6))
  box <- rbind(c(2, 3), c(5, 5), c(1, 6))
  expect_identical(cut_draws_(array, box), array[2:3, 5, 1:6, drop = FALSE])
  expect_identical(cut_draws_(array, cbind(1, dim(array))), array)
  bad <- list(c(2, 1), c(0, 1), c(1, 7), c(NA, 1), c(1, NA), c(-1, 1), c(1, Inf), c(NaN, NaN))
  for (range in bad) {
    for (dimension in 1:3) {
      wrong <- cbind(1, dim(array))
      wrong[dimension, ] <- range
      expect_error(cut_draws_(array, wrong), "box")
    }
  }
  expect_error(cut_draws_(array, box[-1, ]), "box")
  expect_error(cut_draws_(as.double(1:120), box), "array")
})
