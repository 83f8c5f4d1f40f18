# Pieces whose draws of groups and states stay in files, see R/filed_draws.R and R/filed_runs.R.

# internal -----------------------------------------------------------------

# What a run must know to leave draws in files: list(folder, token, sizes: numbers a group by part;
# n_groups, apart: are groups units?), or NULL.
new_filing <- function(plan, token) {
  folder <- plan$settings$draws_dir
  if (is.null(folder)) {
    return(NULL)
  }
  parts <- c("prior", "prior_given", "pooling", "coefficients")
  fit <- c(list(statistics = plan$statistics), plan$model[parts])
  own <- names(kept_parts)[kept_parts %in% plan$settings$keep]
  own <- own[!vapply(own, is_common, TRUE, fit = fit)]
  sizes <- draw_sizes(fit)[own] / n_groups(fit)
  list(
    folder = folder, token = token, sizes = sizes[sizes > 0], n_groups = n_groups(fit),
    apart = count_units_(as_core(plan$model), n_groups(fit)) == n_groups(fit)
  )
}

# A piece without the draws of groups and the states of finished cells, of which the first is
# `cell`; `files`, `ends`: the places of the files that hold them.
file_piece <- function(piece, cell, filing) {
  if (length(piece$finished) > 0L) {
    piece$ends <- list(file_ends(piece, cell, filing))
    piece["finished"] <- list(NULL)
  }
  parts <- names(filing$sizes)
  if (length(parts) == 0L) {
    return(piece)
  }
  piece$files <- lapply(piece$draws, file_rectangle, filing)
  piece$draws <- lapply(piece$draws, function(rectangle) {
    rectangle$arrays[parts] <- list(NULL)
    rectangle
  })
  piece$values[parts] <- 0
  piece
}

# Files that a worker wrote must be seen from here.
check_arrived <- function(piece, filing, call) {
  names <- c(vapply(piece$files, draws_name, ""), vapply(piece$ends, ends_name, ""))
  for (path in file.path(filing$folder, names)) {
    if (!file.exists(path)) {
      abort_filed(
        path, "A worker wrote it, and this session does not see it.",
        "The folder must be one that workers and this session share."
      )
    }
  }
}
