# Where pieces are put together: all that a fit has drawn so far, and where its jobs stand.

# internal -----------------------------------------------------------------

# An environment, as arrays are filled in place. `problem`: see new_problem(); `starts`: where its
# jobs start, see open_run_(); `before`: sampling iterations that were made before.
new_pool <- function(problem, starts, before) {
  ranges <- job_table(problem)
  pool <- new.env(parent = emptyenv())
  pool$problem <- problem
  pool$before <- before
  pool$start <- starts$iterations
  pool$seconds <- 0
  pool$ranges <- ranges
  pool$cells <- apply(ranges, 1L, n_cells)
  pool$places <- data.frame(
    cell = integer(nrow(ranges)), iteration = rep(as.integer(starts$iterations), nrow(ranges))
  )
  pool$current <- pool$finished <- vector("list", nrow(ranges))
  pool$n_kept <- kept_at(
    problem$control$iter_warmup + problem$control$iter_sampling, problem, before
  )
  pool
}

is_finished <- function(pool) {
  all(pool$places$cell == pool$cells)
}

pour_piece <- function(pool, piece) {
  j <- piece$job
  pool$places[j, ] <- list(piece$cell, piece$iteration)
  pool$current[j] <- list(piece$current)
  pool$finished[j] <- list(c(pool$finished[[j]], piece$finished))
  if (is.null(pool$draws)) allocate_pool(pool, piece)
  box <- list(unit = 0L, chain = 0L, slice = 0L)
  for (rectangle in piece$draws) {
    for (name in names(which(piece$values > 0))) {
      at <- array_box(rectangle, piece$values[[name]], box)
      at <- lapply(1:3, function(i) seq(at[i, 1L], at[i, 2L]))
      pool$draws[[name]][at[[1L]], at[[2L]], at[[3L]]] <- rectangle$arrays[[name]]
    }
  }
  pool$files <- c(pool$files, piece$files)
  pool$ends <- c(pool$ends, piece$ends)
  pour_facts(pool, piece$facts)
  pour_reports(pool, piece$reports)
}

allocate_pool <- function(pool, piece) {
  problem <- pool$problem
  n_chains <- problem$control$chains
  pool$draws <- lapply(piece$values, function(n) {
    if (n > 0) array(NA_real_, c(pool$n_kept, n_chains, n * problem$n_units))
  })
  slices <- max(pool$ranges[, "slice"])
  facts <- c(
    "accept_stat", "stepsize", "treedepth", "n_leapfrog", "divergent", "energy", "log_likelihood",
    "lprior"
  )
  pool$facts <- lapply(
    stats::setNames(nm = facts), function(name) array(0, c(pool$n_kept, n_chains, slices))
  )
  pool$reports <- lapply(piece$reports$matrices, function(x) {
    matrix(x[NA_integer_], problem$n_units, n_chains)
  })
}

pour_facts <- function(pool, facts) {
  if (is.null(facts)) {
    return(invisible())
  }
  rows <- seq(facts$kept[[1L]], facts$kept[[2L]])
  columns <- seq(facts$chains[[1L]], facts$chains[[2L]])
  for (name in names(pool$facts)) {
    pool$facts[[name]][rows, columns, facts$slice] <- facts$arrays[[name]]
  }
}

pour_reports <- function(pool, reports) {
  rows <- seq(reports$units[[1L]], reports$units[[2L]])
  columns <- seq(reports$chains[[1L]], reports$chains[[2L]])
  for (name in names(pool$reports)) {
    pool$reports[[name]][rows, columns] <- reports$matrices[[name]]
  }
}

# Those that were left in files are known by where they are.
pooled_draws <- function(pool) {
  draws <- pool$draws
  filing <- pool$filing
  size <- c(pool$n_kept, pool$problem$control$chains)
  for (part in names(filing$sizes)) draws[[part]] <- new_filed(filing, part, pool$files, size)
  draws
}

# As draw_share() returns it
pool_drawn <- function(pool) {
  states <- if (!is.null(pool$ends)) {
    new_filed_ends(pool$filing, pool$ends, nrow(pool$ranges))
  } else {
    lapply(pool$finished, function(x) x %||% raw())
  }
  list(draws = pooled_draws(pool), facts = pool$facts, reports = pool$reports, states = states)
}
