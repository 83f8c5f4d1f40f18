# From a data frame, a group and features to what the model reads: a group code a row, one printable
# label a group, and the user's own numeric columns.

# internal -----------------------------------------------------------------

# See ?fit_hmvn for what data, group, features and weights may be. Cells that are NA are allowed
# (missing); NaN and infinite cells, NA groups and NA weights are errors. Columns are not copied.
# Returns an object of class hmvn_model_data.
new_model_data <- function(data, group, features = NULL, weights = NULL, cores = 1L, call = NULL) {
  check_data(data, call)
  group <- column_names(group, data, "group", operators = c("+", ":"), call = call)
  weights <- if (!is.null(weights)) weight_name(weights, data, call)
  check_not_shared(weights, group, "weights", "group", call)

  if (is.null(features)) {
    features <- default_features(data, setdiff(names(data), c(group, weights)), call)
  } else {
    features <- column_names(features, data, "features", operators = "+", call = call)
    check_not_shared(features, group, "features", "group", call)
    check_not_shared(weights, features, "weights", "features", call)
  }

  columns <- lapply(features, function(name) check_feature(data[[name]], name, call))
  missing <- check_cells(columns, features, cores, call)
  groups <- code_groups(lapply(stats::setNames(group, group), function(name) data[[name]]), call)
  structure(
    list(
      codes = groups$codes,
      labels = groups$labels,
      keys = groups$keys,
      features = features,
      columns = columns,
      missing = missing,
      weights = if (!is.null(weights)) check_weights(data[[weights]], weights, call),
      weight_column = weights,
      n_obs = nrow(data)
    ),
    class = "hmvn_model_data"
  )
}

check_data <- function(data, call) {
  if (!is.data.frame(data)) {
    found <- describe_value(data)
    hint <- if (is.matrix(data)) {
      "Turn a matrix into a data frame by {.fn as.data.frame} and add the group as a column."
    } else {
      "A table in a database is collected first."
    }
    abort_hmvn(
      c("{.arg data} must be a data frame, tibble or data.table.", x = "It is {found}.", i = hint),
      "data", argument = "data", call = call
    )
  }
  if (nrow(data) == 0L) {
    abort_hmvn(
      c("{.arg data} must have rows.", x = "It has none."),
      "data", argument = "data", call = call
    )
  }
}

# The columns that were read, as a data frame. `kept`: an hmvn_model_data.
kept_data_frame <- function(kept) {
  columns <- c(
    lapply(kept$keys, function(key) key[kept$codes]), stats::setNames(kept$columns, kept$features)
  )
  columns[kept$weight_column] <- list(kept$weights)
  structure(columns, row.names = .set_row_names(kept$n_obs), class = "data.frame")
}
