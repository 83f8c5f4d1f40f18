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
    features <- default_features(data, c(group, weights), call)
  } else {
    features <- column_names(features, data, "features", operators = "+", call = call)
    check_not_shared(features, group, "features", "group", call)
    check_not_shared(weights, features, "weights", "features", call)
  }

  check_column_lengths(data, c(group, features, weights), call)
  columns <- .subset(data, features)
  columns <- unname(Map(function(x, name) check_feature(x, name, call), columns, features))
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
  if (!is.data.frame(data) || !is.list(data)) {
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
  if (length(names(data)) != length(data)) {
    abort_hmvn(
      c("Columns of {.arg data} must have names.", x = "They have none."),
      "data", argument = "data", call = call
    )
  }
}

# What is called a data frame need not be one.
check_column_lengths <- function(data, names, call) {
  columns <- .subset(data, names)
  plain <- vapply(columns, function(column) is.atomic(column) && is.null(dim(column)), TRUE)
  size <- lengths(columns)
  n <- nrow(data)
  other <- names[plain & size != n]
  if (length(other) > 0L) {
    found <- size[[match(other[[1L]], names)]]
    abort_hmvn(
      c(
        "Columns of {.arg data} must have one length.",
        x = "Column {.field {other[[1]]}} has {found} cell{?s}, {.arg data} {n} row{?s}."
      ),
      "data", argument = "data", column = other[[1L]], call = call
    )
  }
}

# Are these the parts of an hmvn_model_data, so that they can be read?
are_model_data <- function(data) {
  sized <- function(x) (is.double(x) || is.integer(x)) && length(x) == data$n_obs
  is.list(data) && inherits(data, "hmvn_model_data") && is_plain_number(data$n_obs) &&
    is.integer(data$codes) && sized(data$codes) && are_names(data$labels) &&
    are_names(data$features) && is.list(data$columns) &&
    length(data$columns) == length(data$features) && all(vapply(data$columns, sized, TRUE)) &&
    (is.null(data$weights) || sized(data$weights)) && is.data.frame(data$keys) &&
    all(lengths(data$keys) == length(data$labels))
}

# Notes what was read, so that check_unchanged() can tell whether it is still there: columns are not
# copied, and some functions change a user's columns where they lie.
sign_data <- function(data, cores) {
  if (!is.null(data)) data$fingerprint <- data$fingerprint %||% fingerprint_of(data, cores)
  data
}

fingerprint_of <- function(data, cores = 1L) {
  weights <- if (!is.null(data$weights)) list(data$weights)
  fingerprints_(c(data$columns, list(data$codes), weights), cores)
}

# `data`: those that a fit has signed. `what`: see require_rows().
check_unchanged <- function(data, what, call) {
  noted <- data$fingerprint
  if (is.null(noted) || identical(fingerprint_of(data), noted)) {
    return(invisible(data))
  }
  abort_hmvn(
    c(
      paste(what, "needs the rows that were fitted."),
      x = "The data were changed where they lie after the fit, as {.code :=} of data.table does.",
      i = "Fit again, or fit to a copy of data that are changed later: {.code data.table::copy()}."
    ),
    "rows", call = call
  )
}

# The columns that were read, as a data frame. `kept`: an hmvn_model_data.
kept_data_frame <- function(kept) {
  columns <- c(
    lapply(kept$keys, function(key) key[kept$codes]), stats::setNames(kept$columns, kept$features)
  )
  columns[kept$weight_column] <- list(kept$weights)
  structure(columns, row.names = .set_row_names(kept$n_obs), class = "data.frame")
}
