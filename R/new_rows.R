# Rows to say something about: those of the fit, or those of a new data frame, which has the fit's
# columns.

# internal -----------------------------------------------------------------

# list(values = [feature, row], NA where missing; group = positions, NA unknown; weights = of the
# rows of the fit, or NULL). `newdata` NULL: all rows of the fit. `what`: as in require_rows().
# `absent`: columns that newdata may lack: "group" (all of its keys), "features" (some of them).
rows_to_say <- function(fit, newdata, what, absent = character(), call = NULL) {
  if (is.null(newdata)) {
    data <- require_rows(fit, what, call)
    return(list(
      values = cell_matrix(data$columns, data$n_obs), group = data$codes, weights = data$weights
    ))
  }
  check_new_rows(newdata, call)
  free <- "group" %in% absent && !any(names(fit$statistics$keys) %in% names(newdata))
  list(
    values = new_cells(fit, newdata, "features" %in% absent, call),
    group = if (free) rep(NA_integer_, nrow(newdata)) else new_groups(fit, newdata, call),
    weights = NULL
  )
}

# The positions of the groups of rows, of which nothing else is read.
groups_of_rows <- function(fit, newdata, what, call) {
  if (is.null(newdata)) {
    return(require_rows(fit, what, call)$codes)
  }
  check_new_rows(newdata, call)
  new_groups(fit, newdata, call)
}

check_new_rows <- function(newdata, call) {
  if (!is.data.frame(newdata)) abort_argument("newdata", "a data frame", newdata, call)
}

# Positions of rows of which something is observed. `values`: [feature, row].
seen_rows <- function(values) which(colSums(!is.na(values)) > 0)

cell_matrix <- function(columns, n) {
  values <- vapply(columns, as.double, double(n))
  t(matrix(values, n, length(columns)))
}

new_cells <- function(fit, newdata, may_lack, call) {
  features <- fit$statistics$features
  lacking <- if (may_lack) setdiff(features, names(newdata))
  if (may_lack && length(lacking) == length(features)) {
    abort_hmvn(
      c("{.arg newdata} must have features of the fit.", i = "They are {.field {features}}."),
      "column", argument = "newdata", column = features, call = call
    )
  }
  there <- setdiff(features, lacking)
  check_columns(there, newdata, "newdata", call)
  columns <- rep(list(rep(NA_real_, nrow(newdata))), length(features))
  names(columns) <- features
  columns[there] <- lapply(there, function(name) {
    # a column without any cell is logical by default
    if (all(is.na(newdata[[name]]))) {
      rep(NA_real_, nrow(newdata))
    } else {
      check_feature(newdata[[name]], name, call)
    }
  })
  check_cells(unname(columns), features, 1L, call)
  cell_matrix(columns, nrow(newdata))
}

# The positions of the groups of new rows.
new_groups <- function(fit, newdata, call) {
  keys <- names(fit$statistics$keys)
  if (is_one_group(keys, newdata)) {
    return(rep(1L, nrow(newdata)))
  }
  check_columns(keys, newdata, "newdata", call)
  if (nrow(newdata) == 0L) {
    return(integer())
  }
  parts <- lapply(keys, function(name) {
    x <- newdata[[name]]
    coded <- code_key(if (is.factor(x)) droplevels(x) else x, name, call)
    coded$labels[coded$codes]
  })
  labels <- do.call(paste, c(parts, sep = ":"))
  known <- unique(labels)
  match_groups(fit, known, call)[match(labels, known)]
}

# The draws of the laws that rows are held against, and where each row's are in them. `groups`:
# positions, one a row.
laws_of_rows <- function(fit, groups) {
  list(
    mean = stored(fit, "mean"), chol = stored(fit, "chol"),
    mean_at = stored_groups(fit, "mean", groups), chol_at = stored_groups(fit, "chol", groups)
  )
}

# Draws [draw, row] of a density of the rows `at`. `values`: [feature, row]; `laws`: see
# laws_of_rows(); `how`: list(chosen, kind, cores), kind "log_density" or "squared_distance".
row_densities <- function(values, laws, how, at = seq_len(ncol(values))) {
  row_densities_(
    values[, at, drop = FALSE], laws$mean_at[at], laws$chol_at[at], laws$mean, laws$chol,
    how$chosen, how$kind, how$cores
  )
}

# What `reduce` makes of the draws of every row's density, one number a row, in chunks of rows:
# memory stays bounded. NA for rows with nothing observed.
reduce_densities <- function(values, laws, how, reduce) {
  out <- rep(NA_real_, ncol(values))
  for (chunk in row_chunks(seen_rows(values), length(how$chosen))) {
    out[chunk] <- reduce(row_densities(values, laws, how, chunk))
  }
  out
}

# The posterior mean of a distance, of whose squares there are draws [draw, row].
mean_distance <- function(squared) colMeans(sqrt(squared))

# Positions of rows in chunks whose draws take about 64 MB.
row_chunks <- function(rows, n_draws) {
  each <- max(1, floor(2^26 / (8 * n_draws)))
  unname(split(rows, (seq_along(rows) - 1) %/% each))
}
