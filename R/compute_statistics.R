# From the rows that were read to statistics.

# internal -----------------------------------------------------------------

# Statistics without covariates; see add_covariates(). `groups`: list(labels, keys); `counts`:
# list(n_rows, n_empty, n_missing); the rest as ?hmvn_statistics says.
new_statistics <- function(groups, features, patterns, counts, weighted) {
  structure(
    list(
      labels = groups$labels, keys = groups$keys, features = features, patterns = patterns,
      n_rows = counts$n_rows, n_empty = counts$n_empty, n_missing = counts$n_missing,
      weighted = weighted, n_without_covariates = 0L, covariates = character(),
      covariate_center = double(), design = NULL, known = FALSE
    ),
    class = "hmvn_statistics"
  )
}

compute_statistics <- function(model_data, cores = 1L, call = NULL) {
  if (any(model_data$weights == 0)) model_data <- counting_rows(model_data)
  if (!is.null(model_data$covariate_formula)) model_data <- rows_with_covariates(model_data, call)
  result <- with_memory_errors(read_patterns(model_data, cores, call), "Statistics", call)
  if (!all(is.finite(result$patterns$n))) {
    name <- model_data$weight_column
    abort_hmvn(
      c("Sums of weights must be finite.", x = "That of column {.field {name}} is not."),
      "weights", argument = "weights", column = name, call = call
    )
  }
  features <- model_data$features
  check_squares(result$patterns$scatter, c(features, model_data$design$names), call)
  counts <- result[c("n_rows", "n_empty", "n_missing")]
  left_out <- model_data$left_out
  if (!is.null(left_out)) counts$n_empty <- left_out$n_empty
  statistics <- new_statistics(
    model_data[c("labels", "keys")], features,
    split_covariates(result$patterns, length(features)), counts, !is.null(model_data$weights)
  )
  add_covariates(statistics, model_data$design, left_out$n_without_covariates)
}

# A product of cells beyond 1e308: nothing can be done with such a scatter matrix.
check_squares <- function(scatter, names, call) {
  if (!all(is.finite(scatter))) {
    names <- names[rowSums(!is.finite(matrix(scatter, length(names)))) > 0]
    abort_hmvn(
      c(
        "Squares of the cells must be finite.",
        x = "Column{?s} {.field {names}} hold{?s/} values too large to be squared.",
        i = "Use a larger unit, for example divide by 1e100."
      ),
      "cells", argument = "data", column = names, call = call
    )
  }
}

read_patterns <- function(model_data, cores, call) {
  result <- group_statistics_(
    model_data$columns, model_data$missing, model_data$codes, length(model_data$labels),
    model_data$weights, cores, machine_bytes()
  )
  if (!is.null(result$bytes)) {
    check_machine_size(
      result$bytes, "Statistics",
      paste(
        "They have a number for every pair of features in every pattern of missing cells of every",
        "group: name fewer {.arg features}."
      ),
      call
    )
  }
  result
}

# Without the rows of weight 0, which do not count.
counting_rows <- function(model_data) {
  counts <- model_data$weights > 0
  for (part in c("columns", "covariate_columns")) {
    model_data[[part]] <- lapply(model_data[[part]], function(x) x[counts])
  }
  model_data$n_obs <- sum(counts)
  model_data$codes <- model_data$codes[counts]
  model_data$weights <- model_data$weights[counts]
  model_data
}
