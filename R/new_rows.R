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
  if (!is.data.frame(newdata)) abort_argument("newdata", "a data frame", newdata, call)
  keys <- names(fit$statistics$keys)
  free <- "group" %in% absent && !any(keys %in% names(newdata))
  list(
    values = new_cells(fit, newdata, "features" %in% absent, call),
    group = if (free) rep(NA_integer_, nrow(newdata)) else new_groups(fit, newdata, keys, call),
    weights = NULL
  )
}

# The rows of `rows` at positions `at`.
pick_rows <- function(rows, at) {
  list(
    values = rows$values[, at, drop = FALSE], group = rows$group[at], weights = rows$weights[at]
  )
}

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
new_groups <- function(fit, newdata, keys, call) {
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

# Draws [draw, row] of a density of rows held against the law of `groups`, positions, one a row.
# `kind`: "log_density" or "squared_distance".
row_densities <- function(fit, rows, groups, chosen, cores, kind = "log_density") {
  row_densities_(
    rows$values, stored_groups(fit, "mean", groups), stored_groups(fit, "chol", groups),
    stored(fit, "mean"), stored(fit, "chol"), chosen, kind, cores
  )
}

# Positions of rows in chunks whose draws take about 64 MB.
row_chunks <- function(rows, n_draws) {
  each <- max(1, floor(2^26 / (8 * n_draws)))
  unname(split(rows, (seq_along(rows) - 1) %/% each))
}
