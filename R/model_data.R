# From a data frame, a group and features to what the model reads: a group code a row, one printable
# label a group, and the user's own numeric columns.

# internal -----------------------------------------------------------------

# See ?fit_hmvn for what data, and in `columns` group, features, weights and covariates may be.
# Cells that are NA are allowed (missing); NaN and infinite cells, NA groups and NA weights are
# errors. Columns are not copied. Returns an object of class hmvn_model_data.
new_model_data <- function(data, columns, cores = 1L, call = NULL) {
  check_data(data, call)
  formula <- covariate_formula(columns$covariates, data, call)
  roles <- column_roles(data, columns, formula, call)
  features <- roles$features
  weights <- roles$weights
  check_column_lengths(data, unlist(roles, use.names = FALSE), call)
  columns <- .subset(data, features)
  columns <- unname(Map(function(x, name) check_feature(x, name, call), columns, features))
  missing <- check_cells(columns, features, cores, call)
  covariates <- read_covariate_columns(roles$covariates, data, cores, call)
  groups <- code_groups(read_keys(roles$group, data), call)
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
      covariate_formula = formula,
      covariate_columns = covariates,
      n_obs = nrow(data)
    ),
    class = "hmvn_model_data"
  )
}

# The grouping columns by name; without any, one that stands for all rows.
read_keys <- function(group, data) {
  if (is.null(group)) {
    return(stats::setNames(list(rep("all", nrow(data))), one_group_key))
  }
  lapply(stats::setNames(nm = group), function(name) data[[name]])
}

# Names of columns by role; no column has two. `group` is NULL where all rows are one group.
# `facts`: see default_features().
column_roles <- function(data, columns, formula, call, facts = facts_of_rows(data)) {
  group <- if (!is_one_group(columns$group, data)) {
    column_names(columns$group, data, "group", operators = c("+", ":"), call = call)
  }
  weights <- if (!is.null(columns$weights)) weight_name(columns$weights, data, call)
  check_not_shared(weights, group, "weights", "group", call)
  covariates <- if (!is.null(formula)) covariate_variables(formula, data, call)
  without <- if (rlang::is_formula(columns$features) && length(columns$features) == 2L) {
    left_out_of_dot(columns$features[[2L]], "features", call)
  }
  check_names_once(without, "features", call)
  check_columns(as.character(without), data, "features", call)
  features <- if (!is.null(columns$features) && is.null(without)) {
    column_names(columns$features, data, "features", operators = "+", call = call)
  }
  check_not_shared(features, group, "features", "group", call)
  check_not_shared(weights, features, "weights", "features", call)
  roles <- list(group = group, features = features, weights = weights)
  check_covariate_roles(covariates, roles, call)
  taken <- c(group, weights, covariates, without)
  list(
    group = group, features = features %||% default_features(data, taken, facts, call),
    weights = weights, covariates = covariates
  )
}

check_data <- function(data, call) {
  if (!is.data.frame(data) || !is.list(data)) {
    found <- describe_value(data)
    hint <- if (is.matrix(data)) {
      "Turn a matrix into a data frame by {.fn as.data.frame} and add the group as a column."
    } else if (rlang::is_formula(data)) {
      "Data come first: {.code fit_hmvn(data, group = ~ g, features = ~ x + y)}."
    } else if (is.character(data)) {
      "Read a file first, as by {.fn read.csv}; files in parts as {.fn file_chunks}."
    } else {
      "Tables of {.pkg dbplyr} are taken as they are; other tables are collected first."
    }
    abort_hmvn(
      c("{.arg data} must be a data frame, tibble or data.table.", x = "It is {found}.", i = hint),
      "data", argument = "data", call = call
    )
  }
  if (nrow(data) == 0L) abort_no_rows(call)
  if (length(names(data)) != length(data)) {
    abort_hmvn(
      c("Columns of {.arg data} must have names.", x = "They have none."),
      "data", argument = "data", call = call
    )
  }
}

abort_no_rows <- function(call) {
  abort_hmvn(
    c("{.arg data} must have rows.", x = "It has none."), "data", argument = "data", call = call
  )
}

# Are these the parts of an hmvn_model_data, so that they can be read?
are_model_data <- function(data) {
  sized <- function(x) (is.double(x) || is.integer(x)) && length(x) == data$n_obs
  is.list(data) && inherits(data, "hmvn_model_data") && is_plain_number(data$n_obs) &&
    is.integer(data$codes) && sized(data$codes) && are_names(data$labels) &&
    are_names(data$features) && is.list(data$columns) &&
    length(data$columns) == length(data$features) && all(vapply(data$columns, sized, TRUE)) &&
    (is.null(data$weights) || sized(data$weights)) && is.data.frame(data$keys) &&
    is.list(data$covariate_columns) && all(lengths(data$covariate_columns) == data$n_obs) &&
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
  covariates <- unlist(lapply(unname(data$covariate_columns), as_numbers), recursive = FALSE)
  fingerprints_(c(data$columns, list(data$codes), weights, covariates), cores)
}

# Vectors of numbers that differ wherever those of a column of any type do.
as_numbers <- function(x) {
  if (is.double(x) || is.integer(x) && !is.factor(x)) {
    return(list(x))
  }
  x <- as.factor(x)
  list(as.integer(x), utf8ToInt(paste(enc2utf8(levels(x)), collapse = "\n")))
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
    lapply(kept$keys, function(key) key[kept$codes]), stats::setNames(kept$columns, kept$features),
    kept$covariate_columns
  )
  columns[kept$weight_column] <- list(kept$weights)
  structure(columns, row.names = .set_row_names(kept$n_obs), class = "data.frame")
}
