# The posterior as a data frame: one row a quantity.

#' Summary of a fit
#'
#' @param object An `hmvn_fit`.
#' @param variable Quantities to summarise (`"mu"`, `"sigma"`, `"Omega"`, `"Sigma"`, `"mu0"`, ...); `NULL` for all
#'   that were kept.
#' @param group Labels of the groups; `NULL` for all groups and what belongs to no group.
#' @param prob Probabilities of the quantiles.
#' @param cores Threads for the diagnostics.
#' @param ... Must be empty.
#' @return A data frame of class `hmvn_summary`, one row a quantity: `variable` (its name in the draws), `quantity`, the key columns of the group with their own
#'   types, `group` (its label), `feature`, `feature2`, `mean`, `median`, `sd`, the quantiles (`q5`, ...), `rhat`, `ess_bulk`, `ess_tail`. Of matrices only the lower
#'   triangle, of `Sigma` with its diagonal. A key column named like one of these gets the prefix `key_`. A constant has no diagnostics (`NA`).
#'
#'   Under partial pooling also `pooling_mean`, `pooling_sd`, `pooling_cor`: 1 - h^2, the prior correlation between the scores of two groups (0 no pooling, 1 complete;
#'   relative to the prior's scale), `tau` (the sd between group means, in units of the feature), and `shrinkage`: the weight of the population in a
#'   group's mean, (sigma^2/n) / (sigma^2/n + tau^2).
#' @section Errors: `hmvn_error_variable`, `hmvn_error_group`, `hmvn_error_prob`; `hmvn_error_keep` for a quantity
#'   whose draws were not kept.
#' @export
summary.hmvn_fit <- function(object, variable = NULL, group = NULL, ..., prob = c(0.05, 0.95), cores = getOption("mc.cores", 1L)) {
  rlang::check_dots_empty()
  check_prob(prob)
  table <- quantity_table(object)
  check_kept(object, variable)
  check_variables(setdiff(variable, table$quantity), table$quantity, rlang::current_env())
  groups <- match_groups(object, group)
  quantities <- if (is.null(variable)) table$quantity else unique(variable)
  if (!is.null(group)) quantities <- Filter(function(name) by_group(object, name), quantities)
  parts <- lapply(quantities, summarise_quantity, fit = object, groups = groups, prob = prob, cores = cores)
  bind_summaries(object, Filter(Negate(is.null), parts), prob)
}

# internal -----------------------------------------------------------------

by_group <- function(fit, variable) startsWith(index_of(fit, variable), "g")

# One quantity's rows: their indices and their numbers; NULL if it has none
summarise_quantity <- function(variable, fit, groups, prob, cores) {
  layout <- packed_layout(fit, variable)
  if (nrow(layout) == 0) return(NULL)
  if (by_group(fit, variable)) {
    numbers <- summarise_groups(fit, variable, groups, prob, cores)
    group <- rep(groups, each = nrow(layout))
  } else {
    numbers <- summarise_array_(packed_quantity(fit, variable, NULL), prob, cores)
    group <- rep(NA_integer_, nrow(layout))
  }
  list(
    variable = variable, group = group, numbers = numbers,
    feature = rep_len(layout$feature, length(group)), feature2 = rep_len(layout$feature2, length(group))
  )
}

# The numbers of summarise_array_() for a quantity of groups, in blocks of groups: memory stays bounded and an
# interrupt is heard between them.
summarise_groups <- function(fit, variable, groups, prob, cores) {
  numbers <- lapply(group_blocks(fit, groups), function(block) {
    switch(variable,
      mu = summarise_groups_(kept_draws(fit, "mu"), n_features(fit), mean_groups(fit, block), variable, prob, cores),
      shrinkage = summarise_array_(shrinkage_draws(fit, block), prob, cores),
      summarise_groups_(kept_draws(fit, "Sigma"), n_features(fit), chol_groups(fit, block), variable, prob, cores)
    )
  })
  if (length(numbers) == 1L) numbers[[1]] else do.call(rbind, numbers)
}

# Lower triangles, [iteration, chain, entry], group after group
packed_quantity <- function(fit, variable, groups) {
  if (variable == "mu") return(mean_draws(fit, groups))
  if (variable == "shrinkage") return(shrinkage_draws(fit, groups))
  if (variable %in% c("sigma", "Omega", "Sigma")) return(packed_draws(fit, variable, groups))
  values <- quantity(fit, variable)
  layout <- packed_layout(fit, variable)
  dim(values) <- c(dim(values)[1:2], prod(dim(values)[-(1:2)]))
  if (index_of(fit, variable) == "ff") values <- values[, , layout$feature + n_features(fit) * (layout$feature2 - 1L), drop = FALSE]
  values
}

# The features of each entry of one group's packed quantity: rows of the lower triangle one after another
packed_layout <- function(fit, variable) {
  k <- n_features(fit)
  index <- sub("g", "", index_of(fit, variable))
  if (index == "") return(data.frame(feature = NA_integer_, feature2 = NA_integer_))
  if (index == "f") return(data.frame(feature = seq_len(k), feature2 = NA_integer_))
  layout <- data.frame(feature = rep(seq_len(k), seq_len(k)), feature2 = sequence(seq_len(k)))
  if (startsWith(variable, "Omega")) layout <- layout[layout$feature != layout$feature2, , drop = FALSE]
  layout
}

# `group_labels`: for many calls, made once
packed_names <- function(fit, variable, group, feature, feature2, group_labels = NULL) {
  group_labels <- group_labels %||% safe_labels(fit$statistics$labels, "g")
  features <- safe_labels(fit$statistics$features, "f")
  inside <- list(
    if (!is.null(group) && !anyNA(group)) group_labels[group],
    if (!anyNA(feature)) features[feature],
    if (!anyNA(feature2)) features[feature2]
  )
  inside <- Filter(length, inside)
  if (length(inside) == 0) return(rep(variable, length(feature)))
  paste0(variable, "[", do.call(paste, c(inside, sep = ",")), "]")
}

# Data frames are put together as lists: data.frame() and cbind() check and copy what needs neither.
bind_summaries <- function(fit, parts, prob) {
  statistics <- fit$statistics
  from_parts <- function(name) unlist(lapply(parts, `[[`, name), use.names = FALSE)
  group <- from_parts("group")
  numbers <- if (length(parts) == 1L) parts[[1]]$numbers else do.call(rbind, lapply(parts, `[[`, "numbers"))
  group_labels <- safe_labels(statistics$labels, "g")
  names <- lapply(parts, function(p) packed_names(fit, p$variable, p$group, p$feature, p$feature2, group_labels))
  quantiles <- lapply(seq_along(prob), function(i) numbers[, 7L + i])
  own <- c(
    list(
      group = statistics$labels[group],
      feature = statistics$features[from_parts("feature")], feature2 = statistics$features[from_parts("feature2")],
      mean = numbers[, 1], median = numbers[, 2], sd = numbers[, 3]
    ),
    stats::setNames(quantiles, quantile_names(prob)),
    list(rhat = numbers[, 4], ess_bulk = numbers[, 5], ess_tail = numbers[, 6])
  )
  keys <- lapply(as.list(statistics$keys), function(key) key[group])
  taken <- names(keys) %in% c(names(own), "variable", "quantity")
  names(keys)[taken] <- paste0("key_", names(keys)[taken])
  # A single key column named `group` needs no copy of itself
  if (identical(names(keys), "key_group")) keys <- NULL
  counts <- lengths(lapply(parts, `[[`, "group"))
  out <- c(
    list(variable = unlist(names), quantity = rep(vapply(parts, `[[`, "", "variable"), counts)), keys, own
  )
  structure(out, class = c("hmvn_summary", "data.frame"), row.names = .set_row_names(length(group)))
}

quantile_names <- function(prob) if (length(prob)) paste0("q", format(100 * prob, trim = TRUE, digits = 6, drop0trailing = TRUE)) else character()

check_prob <- function(prob, call = rlang::caller_env()) {
  if (!is.numeric(prob) || anyNA(prob) || any(prob < 0 | prob > 1)) {
    abort_hmvn(c("{.arg prob} must be probabilities between 0 and 1.", x = "It is {.val {prob}}."), "prob", call = call)
  }
}

# What pooling did, for print(): per block and feature the posterior mean of 1 - h^2 (and tau); the range of shrinkage weights over groups.
# A data frame block, feature, pooling, tau, shrinkage_low, shrinkage_high (NA unless draws of Sigma were kept); no
# rows without partial pooling.
pooling_summary <- function(fit) {
  d <- fit$draws
  features <- fit$statistics$features
  mean_of <- function(values) if (is.null(values)) numeric() else colMeans(matrix(values, n_draws(fit)))
  block <- function(name, h, feature) {
    n <- length(mean_of(h))
    data.frame(block = rep(name, n), feature = feature[seq_len(n)], pooling = 1 - mean_of(h^2), tau = rep(NA_real_, n), shrinkage_low = rep(NA_real_, n), shrinkage_high = rep(NA_real_, n))
  }
  means <- block("mean", d$h_mean, features)
  if (nrow(means) > 0) {
    means$tau <- mean_of(d$h_mean) * fit$prior$mean$scale
    if (!is.null(d$chol)) {
      weights <- shrinkage_weights(fit)
      means$shrinkage_low <- apply(weights, 2, min)
      means$shrinkage_high <- apply(weights, 2, max)
    }
  }
  rbind(means, block("sd", d$h_sd, features), block("cor", d$h_cor, NA_character_))
}

# Posterior mean of the shrinkage weights, [group, feature]. Of very many groups from every so many draws only, so
# that print() need not be waited for: the two digits it shows do not need more.
shrinkage_weights <- function(fit, max_terms = 1e7) {
  every <- ceiling(n_draws(fit) * n_groups(fit) * n_features(fit) / max_terms)
  tau <- matrix(tau_draws(fit), n_draws(fit))
  counts <- observed_counts(fit$statistics)
  weights <- mean_shrinkage_(
    kept_draws(fit, "Sigma"), chol_groups(fit, seq_len(n_groups(fit))), counts, tau, min(every, n_draws(fit))
  )
  dimnames(weights) <- dimnames(counts)
  weights
}
