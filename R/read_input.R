# What is fitted: rows of a data frame, or statistics.

# internal -----------------------------------------------------------------

# Rows or statistics -> list(data = hmvn_model_data or NULL, statistics = hmvn_statistics, weights =
# name of their column, or NULL).
# `columns`: quosures group, features, weights, covariates.
read_input <- function(data, columns, settings, call) {
  if (inherits(data, "hmvn_statistics")) {
    check_no_columns(columns, call)
    return(list(data = NULL, statistics = validate_statistics(data, "data", call), weights = NULL))
  }
  cores <- settings$cores
  elsewhere <- read_elsewhere(data, columns, cores, call)
  if (!is.null(elsewhere)) {
    return(c(list(data = NULL), elsewhere))
  }
  check_data(data, call)
  data <- new_model_data(data, capture_columns(columns, data, call), cores, call)
  # whatever is pooled, a fit takes at least this; asked before all rows are read
  least <- c(mean = "complete", sd = "complete", cor = "complete")
  size <- c(labels = 1, features = length(data$features), covariates = 0)
  check_fit_size(size, least, settings, call)
  list(
    data = data, statistics = compute_statistics(data, cores, call), weights = data$weight_column
  )
}

check_no_columns <- function(columns, call) {
  given <- !vapply(
    columns, function(quo) rlang::quo_is_missing(quo) || rlang::quo_is_null(quo), TRUE
  )
  if (any(given)) {
    args <- names(which(given))
    abort_hmvn(
      c("Statistics already have their groups, features, weights and covariates.",
        x = "{.arg {args}} {?was/were} given too.",
        i = "Name them in {.fn hmvn_statistics} instead."),
      "argument", argument = args, call = call
    )
  }
}
