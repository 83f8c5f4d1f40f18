# The posterior as a data frame: one row a quantity.

#' Summary of a fit
#'
#' All quantities of a fit with their posterior means, standard deviations, quantiles and
#' diagnostics, a row each.
#'
#' @param object An `hmvn_fit`.
#' @param variable Quantities to summarise (`"mu"`, `"sigma"`, `"Omega"`, `"Sigma"`, `"mu0"`, ...);
#'   `NULL` for all that were kept.
#' @param group Labels of the groups; `NULL` for all groups and what belongs to no group. With it,
#'   `variable` names quantities of groups. Groups that could not be estimated (`not_estimable` of
#'   [fit_hmvn()]) have rows of `NA` among all.
#' @param prob Probabilities of the quantiles; `probs` is the same, as other packages call it.
#' @param cores Threads for the diagnostics.
#' @param probs The same as `prob`.
#' @param ... Must be empty.
#' @return A data frame of class `hmvn_summary`, one row a quantity: `variable` (its name in the
#'   draws), `quantity`, the key columns of the group with their own types, `group` (its label),
#'   `covariate` (if there are any), `feature`, `feature2`, `mean`, `median`, `sd`, the quantiles
#'   (`q5`, ...), `rhat`, `ess_bulk`,
#'   `ess_tail`. Of matrices every pair of features once, `feature` before `feature2` in the order
#'   of the fit, of `Sigma` also each with itself. A key column
#'   named like one of these gets the prefix `key_`. A constant has no diagnostics (`NA`).
#'
#'   Under partial pooling also `pooling_mean`, `pooling_sd`, `pooling_cor`: 1 - h^2, the prior
#'   correlation between the scores of two groups (0 no pooling, 1 complete; relative to the prior's
#'   scale), `tau` (the sd between group means, in units of the feature), and `shrinkage`: the
#'   weight of the population in a group's mean, (sigma^2/n) / (sigma^2/n + tau^2).
#' @section Errors: `hmvn_error_variable`, `hmvn_error_group`, `hmvn_error_prob`; `hmvn_error_keep`
#'   for a quantity whose draws were not kept.
#' @seealso [tidy()][tidy.hmvn_fit] for the columns of broom, [as_table()] for a table to print,
#'   [summarise_draws()] for other statistics, [compare_groups()] for differences of groups.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' summary(fit, "Omega", group = "setosa")
#' summary(fit, c("mu0", "tau", "pooling_cor"), probs = c(0.025, 0.975))
#' @export
summary.hmvn_fit <- function(object, variable = NULL, group = NULL, ..., prob = c(0.05, 0.95),
                             probs = prob, cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  if (!missing(probs) && !missing(prob)) {
    abort_argument("probs", "left out where prob is given: they are the same", probs, call)
  }
  prob <- probs
  check_prob(prob, call)
  cores <- check_count(cores, "cores", min = 1, call = call)
  if (!is.null(variable)) {
    variable <- check_text(variable, "variable", "names of quantities, or NULL for all", call)
  }
  known <- quantity_names(object)
  check_kept(object, variable, call)
  check_variables(setdiff(variable, known), known, call)
  groups <- match_groups(object, group, call)
  chosen <- if (is.null(variable)) known else unique(variable)
  if (!is.null(group)) {
    by_group <- vapply(quantities[chosen], `[[`, TRUE, "by_group")
    if (!is.null(variable)) check_of_groups(chosen[!by_group], call)
    chosen <- chosen[by_group]
  }
  how <- list(prob = stats::setNames(prob, quantile_names(prob)), cores = cores)
  with_memory_errors(
    {
      how$left_out <- if (is.null(group)) length(object$not_estimable) else 0L
      parts <- lapply(chosen, summarise_quantity, fit = object, groups = groups, how = how)
      bind_summaries(object, Filter(Negate(is.null), parts), how)
    },
    "A summary", call
  )
}

# internal -----------------------------------------------------------------

# One quantity's rows: their indices and their numbers (see summarise_array_()); NULL if it has
# none.
# `how`: list(prob, cores, left_out), the probabilities of the quantiles named by their columns, and
# how many groups that the fit has not have rows of NA: their positions follow those of the others.
summarise_quantity <- function(name, fit, groups, how) {
  layout <- packed_layout(fit, name)
  if (nrow(layout) == 0) {
    return(NULL)
  }
  if (quantities[[name]]$by_group) {
    numbers <- summarise_groups(fit, name, groups, how)
    lacking <- matrix(NA_real_, how$left_out * nrow(layout), ncol(numbers))
    numbers <- rbind(numbers, lacking)
    group <- rep(c(groups, n_groups(fit) + seq_len(how$left_out)), each = nrow(layout))
  } else {
    numbers <- summarise_array_(packed_quantity(fit, name), how$prob, how$cores)
    group <- rep(NA_integer_, nrow(layout))
  }
  list(
    name = name, group = group, numbers = numbers,
    covariate = rep_len(layout$covariate, length(group)),
    feature = rep_len(layout$feature, length(group)),
    feature2 = rep_len(layout$feature2, length(group))
  )
}

# Stops where single groups are asked for something that belongs to none. `names`: of quantities.
check_of_groups <- function(names, call) {
  if (length(names) == 0L) {
    return(invisible())
  }
  abort_hmvn(
    c(
      "With {.arg group}, {.arg variable} must name quantities of groups.",
      x = "{.val {names}} belong{?s/} to no group.",
      i = "Ask for what belongs to no group without {.arg group}."
    ),
    "variable", variable = names, call = call
  )
}

# The numbers of a quantity of groups, in chunks of groups: memory stays bounded and an interrupt is
# heard between them. What all groups have in common is summarised once.
summarise_groups <- function(fit, name, groups, how) {
  row <- quantities[[name]]
  part <- row$from[[1L]]
  if (row$summarised_in_core && is_common(fit, part)) {
    one <- summarise_groups_(stored(fit, part), n_features(fit), 1L, name, how$prob, how$cores)
    return(one[rep(seq_len(nrow(one)), length(groups)), , drop = FALSE])
  }
  numbers <- lapply(group_chunks(fit, groups), function(chunk) {
    if (!row$summarised_in_core) {
      return(summarise_array_(packed_quantity(fit, name, chunk), how$prob, how$cores))
    }
    found <- stored_of(fit, part, chunk)
    summarise_groups_(found$values, n_features(fit), found$at, name, how$prob, how$cores)
  })
  if (length(numbers) == 1L) numbers[[1]] else do.call(rbind, numbers)
}

# Data frames are put together as lists: data.frame() and cbind() check and copy what needs neither.
bind_summaries <- function(fit, parts, how) {
  statistics <- fit$statistics
  from_parts <- function(name) unlist(lapply(parts, `[[`, name), use.names = FALSE)
  group <- from_parts("group")
  columns <- c("mean", "median", "sd", names(how$prob), "rhat", "ess_bulk", "ess_tail")
  numbers <- bind_numbers(lapply(parts, `[[`, "numbers"), columns)
  labels <- c(statistics$labels, names(fit$not_estimable))
  group_labels <- safe_labels(labels, "g")
  names <- lapply(parts, function(p) {
    packed_names(fit, p$name, if (!anyNA(p$group)) p$group, p, group_labels)
  })
  first <- from_parts("feature")
  second <- from_parts("feature2")
  own <- c(
    list(group = labels[group]),
    if (n_covariates(fit) > 0L) {
      list(covariate = statistics$covariates[from_parts("covariate")])
    },
    list(
      feature = statistics$features[pmin(first, second, na.rm = TRUE)],
      feature2 = statistics$features[pmax(first, second)]
    ),
    lapply(stats::setNames(columns, columns), function(column) unname(numbers[, column]))
  )
  keys <- lapply(as.list(statistics$keys), function(key) key[group])
  taken <- names(keys) %in% c(names(own), "variable", "quantity")
  names(keys)[taken] <- paste0("key_", names(keys)[taken])
  # A single key column named `group` needs no copy of itself
  if (identical(names(keys), "key_group")) keys <- NULL
  counts <- lengths(lapply(parts, `[[`, "group"))
  quantity <- rep(vapply(parts, `[[`, "", "name"), counts)
  out <- c(list(variable = as.character(unlist(names)), quantity = quantity), keys, own)
  structure(
    out,
    class = c("hmvn_summary", "data.frame"), row.names = .set_row_names(length(group))
  )
}

# Matrices one below the other; of none, a matrix with `columns` and without rows.
bind_numbers <- function(numbers, columns) {
  if (length(numbers) == 0L) {
    return(matrix(0, 0L, length(columns), dimnames = list(NULL, columns)))
  }
  if (length(numbers) == 1L) numbers[[1L]] else do.call(rbind, numbers)
}

quantile_names <- function(prob) {
  if (length(prob) == 0L) {
    return(character())
  }
  paste0("q", format(100 * prob, trim = TRUE, digits = 6, drop0trailing = TRUE))
}

# Those among the names of columns.
quantile_columns <- function(names) grep("^q[0-9.]+$", names, value = TRUE)

check_prob <- function(prob, call) {
  fine <- is.numeric(prob) && !is.object(prob) && !anyNA(prob) && all(prob >= 0 & prob <= 1) &&
    !anyDuplicated(prob)
  if (!fine) {
    found <- describe_value(prob)
    abort_hmvn(
      c(
        "{.arg prob} must be different probabilities between 0 and 1.",
        x = if (is.numeric(prob)) "It is {.val {prob}}." else "It is {found}."
      ),
      "prob", argument = "prob", call = call
    )
  }
}
