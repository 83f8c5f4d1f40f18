# Tasks are consecutive jobs that make a rectangle of units and chains.

small_pool <- function(n_units, n_chains, finished = integer()) {
  pool <- list(ranges = job_table(list(n_units = n_units, control = list(chains = n_chains))))
  pool$cells <- apply(pool$ranges, 1L, n_cells)
  pool$places <- data.frame(cell = integer(nrow(pool$ranges)))
  pool$places$cell[finished] <- pool$cells[finished]
  pool
}

test_that("whatever is left is cut into rectangles, each job once, as many as may be", {
  set.seed(3)
  for (size in list(c(1, 4), c(3, 1), c(5, 3), c(70, 2))) {
    for (i in 1:20) {
      n <- nrow(small_pool(size[[1]], size[[2]])$ranges)
      finished <- sort(sample(n, sample(0:(n - 1), 1)))
      pool <- small_pool(size[[1]], size[[2]], finished)
      each <- sample(n, 1)
      tasks <- cut_jobs(pool, each)
      expect_identical(unlist(tasks), setdiff(seq_len(n), finished))
      for (jobs in tasks) {
        expect_lte(length(jobs), each)
        expect_true(all(diff(jobs) == 1L))
        ranges <- pool$ranges[jobs, , drop = FALSE]
        covers <- (max(ranges[, "last_unit"]) - min(ranges[, "first_unit"]) + 1) *
          (max(ranges[, "last_chain"]) - min(ranges[, "first_chain"]) + 1)
        expect_identical(covers, as.double(sum(pool$cells[jobs])))
        expect_identical(ranges[[1L, "first_chain"]], min(ranges[, "first_chain"]))
        expect_identical(ranges[[length(jobs), "last_chain"]], max(ranges[, "last_chain"]))
      }
    }
  }
  # whole where nothing is finished
  expect_length(cut_jobs(small_pool(5, 3), 15), 1)
  expect_length(cut_jobs(small_pool(5, 3), 6), 3)
  expect_length(cut_jobs(small_pool(5, 3), 2), 10)
  expect_identical(cut_jobs(small_pool(70, 2, 2:3), 10, 1:4), list(1L, 4L))
  expect_length(cut_jobs(small_pool(3, 2, 1:6), 4), 0)
})

test_that("draws in files do not depend on how many jobs are drawn at once", {
  args <- list(iris_with_holes(), ~Species, algorithm = "nuts", chains = 3)
  whole <- quietly(do.call(short_fit, args))
  for (each in c(1, 2, 4, 5, 7)) {
    filed <- with_replaced("jobs_at_once", function(pool) each, quietly(do.call(filed_fit, args)))
    expect_identical(quantity(filed, "Sigma"), quantity(whole, "Sigma"))
    expect_identical(filed$sampler, whole$sampler)
    expect_identical(filed$units, whole$units)
  }
})

test_that("the core refuses jobs that are no rectangle, and starts that are not one a job", {
  fit <- short_fit(iris, ~Species)
  plan <- new_plan(fit$statistics, model_of(fit), fit$control, NULL, NULL)
  problem <- plan_problem(plan)
  expect_error(open_run_(problem, new_share(problem, 1L, 3L), from_nothing()), "rectangle")
  starts <- from_states(0L, list(raw(), raw()))
  expect_error(open_run_(problem, new_share(problem, 0L, 4L), starts), "every job")
})
