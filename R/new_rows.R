# Rows to say something about: those of the fit, or those of a new data frame, which has the fit's
# columns.

# internal -----------------------------------------------------------------

# list(values = [feature, row], NA where missing; covariates = [covariate, row], about their
# centres; group = positions, NA unknown; weights = of the rows of the fit, or NULL). `newdata`
# NULL: all rows of the fit. `what`: as in require_rows(). `absent`: columns that newdata may lack:
# "group" (all of its keys), "features" (some of them).
rows_to_say <- function(fit, newdata, what, absent = character(), call = NULL) {
  if (is.null(newdata)) {
    return(own_rows(fit, require_rows(fit, what, call), call))
  }
  check_new_rows(newdata, call)
  free <- "group" %in% absent && !any(names(fit$statistics$keys) %in% names(newdata))
  list(
    values = new_cells(fit, newdata, "features" %in% absent, call),
    covariates = new_covariates(fit, newdata, call),
    group = if (free) rep(NA_integer_, nrow(newdata)) else new_groups(fit, newdata, call),
    weights = NULL
  )
}

# As rows_to_say(), of rows that are to be predicted: none of their cells is read.
rows_to_predict <- function(fit, newdata, what, call) {
  if (is.null(newdata)) {
    rows <- own_rows(fit, require_rows(fit, what, call), call)
  } else {
    check_new_rows(newdata, call)
    rows <- list(
      covariates = new_covariates(fit, newdata, call), group = new_groups(fit, newdata, call)
    )
  }
  without_cells(fit, rows)
}

without_cells <- function(fit, rows) {
  rows$values <- matrix(NA_real_, n_features(fit), length(rows$group))
  rows
}

# `data`: the rows of the fit.
own_rows <- function(fit, data, call) {
  list(
    values = cell_matrix(data$columns, data$n_obs), covariates = own_covariates(fit, data, call),
    group = data$codes, weights = data$weights
  )
}

# The rows `at` of those that rows_to_say() gives.
pick_rows <- function(rows, at) {
  list(
    values = rows$values[, at, drop = FALSE], covariates = rows$covariates[, at, drop = FALSE],
    group = rows$group[at], weights = rows$weights[at]
  )
}

check_new_rows <- function(newdata, call) {
  if (!is.data.frame(newdata)) abort_argument("newdata", "a data frame", newdata, call)
}

# Have rows all of their covariates?
are_placed <- function(rows) colSums(is.na(rows$covariates)) == 0

# Positions of rows that say something: something of them is observed, and all covariates.
seen_rows <- function(rows) which(colSums(!is.na(rows$values)) > 0 & are_placed(rows))

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

# Covariates [covariate, row] of the rows of the fit; NA in rows that were left out for a covariate.
own_covariates <- function(fit, data, call) {
  out <- matrix(NA_real_, n_covariates(fit), data$n_obs)
  if (nrow(out) == 0L) {
    return(out)
  }
  columns <- data$covariate_columns
  read <- function(rows) {
    table <- table_of(lapply(columns, function(x) x[rows]))
    about_centers(fit, covariate_matrix(fit$statistics$design, table, call))
  }
  placed <- !any_missing(columns)
  was_fitted <- placed & !all_missing(data)
  if (!is.null(data$weights)) was_fitted <- was_fitted & data$weights > 0
  fitted <- which(was_fitted)
  out[, fitted] <- read(fitted)
  # those with nothing observed, or of weight 0, may have categories that the fit does not know
  others <- which(placed & !was_fitted)
  out[, others] <- tryCatch(read(others), hmvn_error = function(e) {
    one <- function(row) tryCatch(read(row)[, 1L], hmvn_error = function(e) out[, row])
    vapply(others, one, double(nrow(out)))
  })
  out
}

new_covariates <- function(fit, newdata, call) {
  if (n_covariates(fit) == 0L) {
    return(matrix(0, 0L, nrow(newdata)))
  }
  found <- covariate_matrix(fit$statistics$design, newdata, call)
  lacking <- sum(rowSums(is.na(found)) > 0)
  if (lacking > 0L) {
    abort_hmvn(
      c(
        "Rows of {.arg newdata} must have all covariates: means depend on them.",
        x = "Of {nrow(found)} row{?s}, {lacking} {?lacks/lack} one.",
        i = "Fill them in, or leave those rows out."
      ),
      "covariates", argument = "newdata", call = call
    )
  }
  about_centers(fit, found)
}

# `matrix`: [row, covariate]; gives [covariate, row], (M1').
about_centers <- function(fit, matrix) t(matrix) - fit$statistics$covariate_center

# The draws of the laws that rows are held against, and where each row's are in them. `groups`:
# positions, one a row.
laws_of_rows <- function(fit, groups) {
  none <- list(values = array(0, c(n_kept(fit), 0L)), at = rep(1L, length(groups)))
  mean <- stored_of(fit, "mean", groups)
  chol <- stored_of(fit, "chol", groups)
  slope <- if (n_covariates(fit) > 0L) stored_of(fit, "slope", groups) else none
  list(
    mean = mean$values, chol = chol$values, slope = slope$values, mean_at = mean$at,
    chol_at = chol$at, slope_at = slope$at
  )
}

# The same for functions that go over rows by chunks, see pick_laws(): what is in files is read
# there.
laws_by_chunk <- function(fit, groups) {
  if (any(vapply(fit$draws, is_filed, TRUE))) {
    list(of = fit, groups = groups)
  } else {
    laws_of_rows(fit, groups)
  }
}

# The laws of the rows `at` only.
pick_laws <- function(laws, at) {
  if (!is.null(laws$of)) {
    return(laws_of_rows(laws$of, laws$groups[at]))
  }
  places <- c("mean_at", "chol_at", "slope_at")
  laws[places] <- lapply(laws[places], `[`, at)
  laws
}

# Draws [draw, row] of a density of the rows `at`. `rows`: see rows_to_say(); `laws`: see
# laws_of_rows(); `how`: list(chosen, kind, cores), kind "log_density" or "squared_distance".
row_densities <- function(rows, laws, how, at = seq_len(ncol(rows$values))) {
  densities <- function(at) {
    row_densities_(pick_rows(rows, at), pick_laws(laws, at), how$chosen, how$kind, how$cores)
  }
  if (is.null(laws$of)) {
    return(densities(at))
  }
  out <- matrix(0, length(how$chosen), length(at))
  for (groups in group_chunks(laws$of, sort(unique(laws$groups[at])))) {
    own <- laws$groups[at] %in% groups
    out[, own] <- densities(at[own])
  }
  out
}

# What `reduce` makes of the draws of every row's density, one number a row, in chunks of rows:
# memory stays bounded. NA for rows that say nothing, see seen_rows().
reduce_densities <- function(rows, laws, how, reduce) {
  out <- rep(NA_real_, ncol(rows$values))
  seen <- seen_rows(rows)
  # what groups have in files is read once
  if (!is.null(laws$of)) seen <- seen[order(laws$groups[seen])]
  with_memory_errors(
    for (chunk in row_chunks(seen, length(how$chosen))) {
      out[chunk] <- reduce(row_densities(rows, laws, how, chunk))
    },
    "Densities of rows", NULL
  )
  out
}

# The posterior mean of a distance, of whose squares there are draws [draw, row].
mean_distance <- function(squared) colMeans(sqrt(squared))

# Positions of rows in chunks whose draws take about 64 MB.
row_chunks <- function(rows, n_draws) {
  each <- max(1, floor(2^26 / (8 * n_draws)))
  unname(split(rows, (seq_along(rows) - 1) %/% each))
}
