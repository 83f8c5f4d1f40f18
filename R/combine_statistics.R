# Statistics of two parts of the data as those of all of it.

#' @rdname hmvn_statistics
#' @param ... For `c()`: objects of class `hmvn_statistics`.
#' @export
c.hmvn_statistics <- function(...) {
  call <- rlang::caller_env()
  # R hands names and calls that are values on as what is still to be evaluated
  parts <- tryCatch(list(...), error = function(e) abort_not_combinable("a name or a call", call))
  for (part in parts) check_combinable(part, parts[[1L]], call)
  parts <- unite_features(parts, call)
  Reduce(function(a, b) combine_statistics(a, b, call), parts)
}

# internal -----------------------------------------------------------------

check_combinable <- function(part, first, call) {
  if (!inherits(part, "hmvn_statistics")) {
    abort_not_combinable(describe_value(part), call)
  }
  validate_statistics(part, "...", call)
  check_same_covariates(part, first, call)
  if (!identical(names(part$keys), names(first$keys))) {
    abort_hmvn(
      c(
        "Statistics must be by the same group columns to be combined.",
        x = "One is by {.field {names(first$keys)}}, another by {.field {names(part$keys)}}."
      ),
      "group", argument = "...", call = call
    )
  }
}

abort_not_combinable <- function(found, call) {
  abort_hmvn(
    c("Only statistics can be combined with statistics.", x = "One argument is {found}."),
    "argument", argument = "...", call = call
  )
}

# Statistics of different features as of all of them, in order of appearance; those that one lacks
# were not observed there.
unite_features <- function(parts, call) {
  features <- unique(unlist(lapply(parts, `[[`, "features")))
  lacking <- unique(unlist(lapply(parts, function(part) setdiff(features, part$features))))
  if (length(lacking) == 0L) {
    return(parts)
  }
  if (length(parts[[1L]]$covariates) > 0L) {
    abort_hmvn(
      c(
        "Statistics with covariates must describe the same features to be combined.",
        x = "Not in all of them: {.field {lacking}}.",
        i = "Make the statistics from all rows at once, with the lacking cells {.code NA}."
      ),
      "column", argument = "...", call = call
    )
  }
  inform_hmvn(
    c(
      i = "Not in all statistics: feature{?s} {.field {lacking}}.",
      " " = "In the others {cli::qty(lacking)}{?it was/they were} not observed."
    ),
    "lacking_features", features = lacking
  )
  lapply(parts, add_features, features)
}

# `features`: those of the statistics and others.
add_features <- function(statistics, features) {
  at <- match(statistics$features, features)
  old <- statistics$patterns
  size <- c(length(features), length(old$n))
  patterns <- list(
    group = old$group, n = old$n, observed = matrix(FALSE, size[[1L]], size[[2L]]),
    mean = matrix(0, size[[1L]], size[[2L]]), scatter = array(0, size[c(1L, 1L, 2L)])
  )
  patterns$observed[at, ] <- old$observed
  patterns$mean[at, ] <- old$mean
  patterns$scatter[at, at, ] <- old$scatter
  n_added <- length(features) - length(at)
  rows <- statistics$n_rows - statistics$n_empty
  statistics$n_missing <- statistics$n_missing + n_added * rows
  statistics$features <- features
  statistics$patterns <- patterns
  statistics
}

# Names of columns that two formulas or two sets of rows give may agree where the columns do not.
check_same_covariates <- function(part, first, call) {
  ours <- design_content(first$design)
  theirs <- design_content(part$design)
  differ <- setdiff(
    union(part$covariates, first$covariates), intersect(part$covariates, first$covariates)
  )
  if (identical(ours, theirs)) {
    return(invisible(NULL))
  }
  abort_hmvn(
    c(
      "Statistics must have the same covariates to be combined.",
      x = if (length(differ) > 0L) {
        "Not all of them have {.field {differ}}."
      } else {
        "Their columns are called the same but were made otherwise, of other levels or knots."
      },
      i = "Give factors their levels and {.fn poly} or {.fn splines::ns} their knots beforehand, or
        make the statistics from all rows at once."
    ),
    "covariates", argument = "...", column = differ, call = call
  )
}

# What decides over the columns of a model matrix.
design_content <- function(design) {
  if (is.null(design)) {
    return(NULL)
  }
  terms <- design$terms
  list(
    design$names, as.list(attr(terms, "predvars")), attr(terms, "dataClasses"), design$xlevels,
    design$contrasts
  )
}

# Where the groups of both are in the order of their keys, so are those of the result,
# as if the rows had been one table; else new ones of `b` follow those of `a`.
combine_statistics <- function(a, b, call) {
  check_same_kind(a, b, call)
  K <- length(a$features)
  parts <- list(
    join_covariates(a$patterns),
    join_covariates(reorder_features(b$patterns, match(a$features, b$features)))
  )
  labels <- union(a$labels, b$labels)
  keys <- combine_keys(a, b, labels)
  if (keys_in_order(a$keys) && keys_in_order(b$keys)) {
    order <- key_order(keys)
    labels <- labels[order]
    keys <- keys[order, , drop = FALSE]
    attr(keys, "row.names") <- seq_along(labels)
  }
  patterns <- list(
    group = c(match(a$labels, labels)[a$patterns$group], match(b$labels, labels)[b$patterns$group]),
    n = c(a$patterns$n, b$patterns$n),
    observed = cbind(parts[[1L]]$observed, parts[[2L]]$observed),
    mean = cbind(parts[[1L]]$mean, parts[[2L]]$mean)
  )
  patterns$scatter <- array(
    c(parts[[1L]]$scatter, parts[[2L]]$scatter),
    c(dim(patterns$mean)[c(1L, 1L)], length(patterns$n))
  )
  counts <- c("n_rows", "n_empty", "n_missing")
  statistics <- new_statistics(
    list(labels = labels, keys = keys), a$features, split_covariates(merge_patterns(patterns), K),
    Map(`+`, unclass(a)[counts], unclass(b)[counts]), a$weighted || b$weighted
  )
  statistics$known <- a$known
  add_covariates(statistics, a$design, a$n_without_covariates + b$n_without_covariates)
}

combine_keys <- function(a, b, labels) {
  new <- which(!b$labels %in% a$labels)
  keys <- Map(function(x, y) {
    if (is.factor(x) && is.factor(y)) {
      values <- c(as.character(x), as.character(y)[new])
      ordered <- is.ordered(x) && is.ordered(y)
      return(factor(values, levels = union(levels(x), levels(y)), ordered = ordered))
    }
    if (is.factor(x)) x <- as.character(x)
    if (is.factor(y)) y <- as.character(y)
    c(x, y[new])
  }, a$keys, b$keys)
  structure(keys, names = names(a$keys), row.names = seq_along(labels), class = "data.frame")
}

key_order <- function(keys) do.call(order, c(unname(as.list(keys)), method = "radix"))

keys_in_order <- function(keys) !is.unsorted(key_order(keys))

# Estimates with known covariances are of studies of their own, and no rows.
check_same_kind <- function(a, b, call) {
  both <- intersect(a$labels, b$labels)
  problem <- if (a$known != b$known) {
    "Those of one are known."
  } else if (a$known && length(both) > 0L) {
    "{.val {both}} {?is/are} in both."
  }
  if (!is.null(problem)) {
    abort_hmvn(
      c("Estimates with known covariances can be combined with those of other groups only.",
        x = problem),
      "statistics", argument = NULL, group = both, call = call
    )
  }
}
