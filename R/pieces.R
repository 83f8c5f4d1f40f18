# Draws in pieces: what a job drew between two of its places, in the numbers of the whole fit, so
# that it can be written, sent, and put together with others again.

# internal -----------------------------------------------------------------

# A piece: list(job, cell, iteration (where it ends), current (the state there), finished (states of
# cells that came to their end), values (numbers a unit of each array of draws), draws (a list of
# rectangles), facts, reports); and files, ends where draws and states are in some, see
# file_piece().

# The jobs of a problem, a row each, as job_ranges_() has them.
job_table <- function(problem) {
  ranges <- job_ranges_(problem$n_units, problem$control$chains)
  colnames(ranges) <- c("slice", "first_unit", "last_unit", "first_chain", "last_chain")
  ranges
}

n_cells <- function(range) {
  (range[["last_unit"]] - range[["first_unit"]] + 1L) *
    (range[["last_chain"]] - range[["first_chain"]] + 1L)
}

# Iterations that jobs have before them, each at one of its `places` (cell, iteration) among so many
# `cells`. `start`: iterations that every cell had made before.
iterations_left <- function(cells, places, start, control) {
  each <- as.double(control$iter_warmup + control$iter_sampling - start)
  left <- cells - places$cell
  sum(left * each - (left > 0) * (places$iteration - start))
}

# Kept draws of a cell after so many iterations, those that were made before the run not counted.
kept_at <- function(iteration, problem, before) {
  control <- problem$control
  pmax(0L, iteration - control$iter_warmup) %/% control$thin - before %/% control$thin
}

# What the jobs of `run` drew since the places `from` (a data frame cell, iteration); only of those
# that have moved and can go on. `states`: list(finished, current), by job: see take_states_().
cut_pieces <- function(run, from, states) {
  read <- read_run_(run$core)
  places <- read$places
  moved <- places$whole & (places$cell != from$cell | places$iteration != from$iteration)
  lapply(which(moved), function(j) {
    piece <- c(
      list(
        job = run$jobs[[j]], cell = places$cell[[j]], iteration = places$iteration[[j]],
        current = states$current[[j]], finished = states$finished[[j]]
      ),
      cut_values(run, read, run$ranges[j, ], list(from = from[j, ], to = places[j, ]))
    )
    if (is.null(run$filing)) piece else file_piece(piece, from$cell[[j]], run$filing)
  })
}

# `moved`: list(from, to), places.
cut_values <- function(run, read, range, moved) {
  values <- vapply(read$draws, function(x) if (is.null(x)) 0 else dim(x)[[3L]] / run$box$n_units, 1)
  rectangles <- Filter(function(r) r$kept[[1L]] <= r$kept[[2L]], passed(run, range, moved))
  list(
    values = values,
    draws = lapply(rectangles, function(r) {
      c(r, list(arrays = Map(cut_array, read$draws, values, list(r), list(run$box))))
    }),
    facts = cut_facts(run, read$facts, range, moved),
    reports = cut_reports(run, read$reports, range, moved)
  )
}

# Rectangles of units, chains and kept draws (first and last of each) that a job passed through.
passed <- function(run, range, moved) {
  n_chains <- range[["last_chain"]] - range[["first_chain"]] + 1L
  all_kept <- run$n_kept
  from <- c(moved$from$cell, run$kept_at(moved$from$iteration))
  to <- c(moved$to$cell, run$kept_at(moved$to$iteration))
  rectangle <- function(cells, kept) {
    list(
      units = range[["first_unit"]] + cells[1:2], chains = range[["first_chain"]] + cells[3:4],
      kept = kept
    )
  }
  one <- function(cell) c(rep(cell %/% n_chains, 2L), rep(cell %% n_chains, 2L))
  if (from[[1L]] == to[[1L]]) {
    return(list(rectangle(one(from[[1L]]), c(from[[2L]] + 1L, to[[2L]]))))
  }
  between <- whole_cells(from[[1L]] + 1L, to[[1L]] - 1L, n_chains)
  c(
    list(rectangle(one(from[[1L]]), c(from[[2L]] + 1L, all_kept))),
    lapply(between, rectangle, kept = c(1L, all_kept)),
    if (to[[1L]] < n_cells(range)) list(rectangle(one(to[[1L]]), c(1L, to[[2L]])))
  )
}

# Cells `first` to `last` (from 0) as at most three rectangles, each c(first unit, last unit, first
# chain, last chain), from 0.
whole_cells <- function(first, last, n_chains) {
  if (first > last) {
    return(list())
  }
  unit <- c(first, last) %/% n_chains
  chain <- c(first, last) %% n_chains
  if (unit[[1L]] == unit[[2L]]) {
    return(list(c(unit, chain)))
  }
  head <- tail <- NULL
  if (chain[[1L]] > 0L) {
    head <- c(unit[[1L]], unit[[1L]], chain[[1L]], n_chains - 1L)
    unit[[1L]] <- unit[[1L]] + 1L
  }
  if (chain[[2L]] < n_chains - 1L) {
    tail <- c(unit[[2L]], unit[[2L]], 0L, chain[[2L]])
    unit[[2L]] <- unit[[2L]] - 1L
  }
  middle <- if (unit[[1L]] <= unit[[2L]]) c(unit, 0L, n_chains - 1L)
  Filter(Negate(is.null), list(head, middle, tail))
}

# `box`: list(unit, chain, slice: how many come before those of the arrays; n_units).
cut_array <- function(array, values, rectangle, box) {
  if (is.null(array)) {
    return(NULL)
  }
  cut_draws_(array, array_box(rectangle, values, box))
}

# By dimension of the array the first and last index of a rectangle, from 1.
array_box <- function(rectangle, values, box) {
  units <- rectangle$units - box$unit
  at <- c(units[[1L]] - 1, units[[2L]]) * values + 1:0
  rbind(rectangle$kept, rectangle$chains - box$chain, at)
}

# Facts are summed over the units of a slice: where another cell was begun, all of them changed.
cut_facts <- function(run, facts, range, moved) {
  chains <- c(range[["first_chain"]], range[["last_chain"]])
  kept <- c(1L, run$n_kept)
  if (moved$from$cell == moved$to$cell) {
    chains <- rep(chains[[1L]] + moved$from$cell %% (diff(chains) + 1L), 2L)
    kept <- c(run$kept_at(moved$from$iteration) + 1L, run$kept_at(moved$to$iteration))
  }
  if (kept[[1L]] > kept[[2L]]) {
    return(NULL)
  }
  at <- list(slice = range[["slice"]], chains = chains, kept = kept)
  rows <- seq(kept[[1L]], kept[[2L]])
  columns <- seq(chains[[1L]], chains[[2L]]) - run$box$chain
  cut <- function(x) x[rows, columns, at$slice - run$box$slice, drop = FALSE]
  c(at, list(arrays = lapply(facts, cut)))
}

cut_reports <- function(run, reports, range, moved) {
  chains <- c(range[["first_chain"]], range[["last_chain"]])
  cells <- pmin(c(moved$from$cell, moved$to$cell), n_cells(range) - 1L)
  units <- range[["first_unit"]] + cells %/% (diff(chains) + 1L)
  rows <- seq(units[[1L]], units[[2L]]) - run$box$unit
  columns <- seq(chains[[1L]], chains[[2L]]) - run$box$chain
  list(
    units = units, chains = chains,
    matrices = lapply(reports, function(x) x[rows, columns, drop = FALSE])
  )
}
