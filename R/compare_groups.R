# How groups differ: every quantity of every pair of groups.

#' Compare groups
#'
#' Differences between the groups of a fit, with their uncertainty: of every pair of groups, or of
#' each group and a reference. Differences are `group` less `reference`.
#'
#' @param fit An `hmvn_fit`.
#' @param reference The label of a group, or `"typical"` for the typical group of pooled fits, to
#'   compare each group with; `NULL`: all pairs.
#' @param group Labels of the groups to compare; `NULL` for all.
#' @param what What to compare, any of
#'   * `"mean"`: means, in units of the feature, with covariates at their averages;
#'   * `"slope"`: slopes on covariates, in units of the feature per unit of the covariate;
#'   * `"sd"`: standard deviations, in units of the feature (`sd`), and the logarithm of their ratio
#'     (`log_sd`), which has none;
#'   * `"cor"`: correlations;
#'   * `"volume"`: the logarithm of the ratio of the ellipsoids' volumes (`log_volume`; of two
#'     features the ellipses' areas): its `p_positive` is the probability that `group` is the larger
#'     one;
#'   * `"distance"`: the distances of [group_distance()], one each;
#'   * `"overlap"`: of two features the area that both ellipses have in common as a share of what
#'     they cover together (`overlap`); the probabilities that a member of `group` lies within the
#'     ellipsoid of `reference` (`within`), and one of `reference` within that of `group`
#'     (`contains`); see [group_overlap()].
#' @param features Names of the features to compare; `NULL` for all. Volumes, distances and overlaps
#'   are those of these features alone.
#' @param level Share of a group within its ellipsoid, for overlaps.
#' @param rope Half-widths of regions of practical equivalence, a vector named by quantities, such
#'   as `c(mean = 0.1, cor = 0.05)`.
#' @param prob Probabilities of the quantiles.
#' @param ndraws Number of posterior draws to use, spread evenly over all of them; `NULL` for all.
#' @param cores Number of threads.
#' @return A data frame of class `hmvn_comparison`, one row a quantity of a pair: `group`,
#'   `reference`, `quantity`, `covariate` (if the fit has any), `feature`, `feature2` (`NA` where
#'   there is none), posterior `mean`, `sd` and quantiles (`q5`, ...), `p_positive` (the posterior
#'   probability that the difference is above 0; `NA` for distances and overlaps, which always are)
#'   and, with `rope`, `p_rope` (that it lies within; `NA` where no width was given).
#' @section Errors: `hmvn_error_argument`, `hmvn_error_group`, `hmvn_error_keep`, `hmvn_error_prob`;
#'   `hmvn_error_no_meaning` for `reference = "typical"` where a block is not pooled (that of slopes
#'   if they are compared), for slopes of a fit without covariates, and where only correlations of
#'   one feature are asked for;
#'   `hmvn_error_size` if the draws of all groups take more than 1 GB.
#' @seealso [group_distance()], [group_volume()] and [group_overlap()] give random variables;
#'   [closest_groups()] which groups are most alike, [outlying_groups()] which is least like the
#'   others; [group_ellipse()] the shape of ellipses; [as_table()] makes a table for a paper.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' compare_groups(fit, what = "cor", rope = c(cor = 0.1))
#' found <- compare_groups(fit, reference = "setosa")
#' subset(found, quantity == "log_volume")
#' sepals <- c("Sepal.Length", "Sepal.Width")
#' compare_groups(fit, what = c("volume", "overlap"), features = sepals)
#' @export
compare_groups <- function(fit, reference = NULL, group = NULL,
                           what = c("mean", "sd", "cor", "volume", "distance"), rope = NULL,
                           prob = c(0.05, 0.95), features = NULL, level = 0.95, ndraws = NULL,
                           cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_fit(fit, call)
  what <- check_text(what, "what", "names of what is compared", call)
  check_choices(what, "what", names(compared_quantities()), call)
  check_prob(prob, call)
  cores <- check_count(cores, "cores", min = 1, call = call)
  level <- check_number(level, "level", 0, 1, open = TRUE, call = call)
  at <- feature_positions(fit, features, call)
  table <- compared_table(fit, unique(what), at, call)
  check_kept(fit, draws_needed(table$quantity), call)
  rope <- check_rope(rope, unique(table$quantity), call)
  chosen <- choose_draws(fit, ndraws, call)
  groups <- match_groups(fit, group, call)
  check_comparison_size(fit, c(length(groups), length(chosen)), table, is.null(reference), call)
  pairs <- if (is.null(reference)) {
    all_pairs(groups)
  } else {
    against(groups, compared_reference(fit, reference, table, call))
  }
  if (nrow(pairs) == 0L) {
    abort_too_few_groups(fit, "at least two groups, or given with a reference", group, call)
  }
  how <- list(
    prob = stats::setNames(prob, quantile_names(prob)), rope = rope, level = level,
    features = at, cores = cores
  )
  with_memory_errors(compare_pairs(fit, pairs, table, chosen, how), "The comparison", call)
}

# internal -----------------------------------------------------------------

# `pairs`: positions of groups; `how`: list(prob, rope, level, features, cores).
compare_pairs <- function(fit, pairs, table, chosen, how) {
  laws <- laws_by_group(fit, unique(c(pairs)), table, chosen, how)
  numbers <- lapply(seq_len(nrow(pairs)), function(i) {
    pair <- laws[as.character(pairs[i, ])]
    summarise_differences(pair[[1L]], pair[[2L]], table, how)
  })
  label <- function(side) {
    rep(vapply(laws[as.character(pairs[, side])], `[[`, "", "label"), each = nrow(table))
  }
  out <- data.frame(
    group = unname(label(1L)), reference = unname(label(2L)),
    table[rep(seq_len(nrow(table)), nrow(pairs)), ], do.call(rbind, numbers), row.names = NULL
  )
  structure(out, class = c("hmvn_comparison", "data.frame"))
}

# By what is compared: its quantities, how they are indexed, and what of a law they need.
compared_quantities <- function() {
  list(
    mean = list(mean = "f"), slope = list(slope = "cf"), sd = list(sd = "f", log_sd = "f"),
    cor = list(cor = "ff"),
    volume = list(log_volume = ""),
    distance = stats::setNames(as.list(rep("", 4L)), distance_measures),
    overlap = list(overlap = "", within = "", contains = "")
  )
}

# The rows of every pair: a data frame quantity, covariate (if there are any), feature, feature2.
# `at`: positions of the features.
compared_table <- function(fit, what, at, call) {
  if (length(what) == 0L) {
    must <- paste("at least one of", toString(names(compared_quantities())))
    abort_argument("what", must, what, call)
  }
  if (identical(what, "cor") && length(at) == 1L) {
    abort_no_meaning(
      "compare_groups", "Correlations are of pairs of features, and there is one feature.",
      "{.code compare_groups(fit, what = \"sd\")}, or the like,", call
    )
  }
  if ("slope" %in% what) check_has_covariates(fit, "compare_groups", call)
  features <- fit$statistics$features[at]
  second <- rep(seq_along(at), seq_along(at) - 1L)
  first <- sequence(seq_along(at) - 1L)
  slopes <- expand.grid(feature = features, covariate = fit$statistics$covariates,
    stringsAsFactors = FALSE)
  none <- NA_character_
  rows <- lapply(what, function(one) {
    index <- compared_quantities()[[one]]
    if (one == "overlap" && length(at) != 2L) index$overlap <- NULL
    do.call(rbind, Map(function(quantity, by) {
      at <- switch(by,
        f = list(none, features, none),
        cf = list(slopes$covariate, slopes$feature, none),
        ff = list(none, features[first], features[second]),
        list(none, none, none)
      )
      if (by == "ff" && length(first) == 0L) {
        return(NULL)
      }
      data.frame(
        quantity = quantity, covariate = at[[1L]], feature = at[[2L]], feature2 = at[[3L]]
      )
    }, names(index), index))
  })
  table <- do.call(rbind, rows)
  if (n_covariates(fit) == 0L) table$covariate <- NULL
  table
}

# The position of the reference; 0: the typical group.
compared_reference <- function(fit, reference, table, call) {
  known <- names(compared_quantities())
  if (is.character(reference) && all(reference %in% setdiff(known, fit$statistics$labels))) {
    abort_hmvn(
      c(
        "{.arg reference} must be the label of a group.", x = "It is {.val {reference}}.",
        i = "What to compare is said by {.code what = {deparse1(reference)}}."
      ),
      "argument", argument = "reference", call = call
    )
  }
  found <- match_reference(fit, reference, "reference", "compare_groups", call)
  if (found == 0L && "slope" %in% table$quantity && any(fit$coefficients[-1L, ] == "none")) {
    abort_no_meaning(
      "compare_groups", "Without pooling of all slopes the typical group has none to compare.",
      "it with a group's label, or fit with {.code pooling = c(slope = \"partial\")}", call
    )
  }
  found
}

# [pair, 2], the first group first: every later group less an earlier one
all_pairs <- function(groups) {
  n <- length(groups)
  if (n < 2L) {
    return(matrix(0L, 0L, 2L))
  }
  at <- which(lower.tri(diag(n)), arr.ind = TRUE)
  cbind(groups[at[, 1L]], groups[at[, 2L]])
}

against <- function(groups, reference) {
  others <- setdiff(groups, reference)
  cbind(others, rep(reference, length(others)), deparse.level = 0)
}

# What is compared by its difference, of these quantities: parts of laws, see law_parts().
differing <- function(quantities) {
  intersect(quantities, c("mean", "slope", "sd", "log_sd", "cor", "log_volume"))
}

# `n`: c(groups, draws). Both the draws of all groups and the rows of all pairs must find room.
check_comparison_size <- function(fit, n, table, all_pairs, call) {
  k <- n_features(fit)
  matrices <- 1 + ("log_euclidean" %in% table$quantity)
  each <- (1 + n_covariates(fit)) * k + k * (k + 1) / 2 * matrices + nrow(table)
  pairs <- if (all_pairs) n[[1L]] * (n[[1L]] - 1) / 2 else n[[1L]]
  check_size(
    8 * max(prod(n) * each, 10 * pairs * nrow(table)), "The comparison of all groups",
    "Compare fewer groups with {.arg group}, or use fewer draws with {.arg ndraws}.", call
  )
}

# The laws of groups, a list by position, with `values`, [draw, row]: those of the table's rows that
# are compared by their difference. `how`: list(features, cores).
laws_by_group <- function(fit, groups, table, chosen, how) {
  differences <- differing(unique(table$quantity))
  parts <- c(differences, if ("log_euclidean" %in% table$quantity) "log_cov")
  laws <- lapply(groups, function(g) {
    law <- law_parts(margin_law(group_law(fit, g, chosen), how$features), parts, how$cores)
    law$values <- do.call(cbind, unname(law[differences]))
    law[intersect(c("label", "mean", "chol", "log_cov", "values"), names(law))]
  })
  stats::setNames(laws, groups)
}

# The rows of the table for one pair, numbers by column.
summarise_differences <- function(a, b, table, how) {
  by_difference <- table$quantity %in% differing(table$quantity)
  widths <- if (!is.null(how$rope)) unname(how$rope[table$quantity])
  spread <- function(rows, values, less = NULL) {
    if (any(rows)) spread_of_columns(values, how$prob, less, widths[rows], how$cores)
  }
  other <- compared_draws(a, b, unique(table$quantity[!by_difference]), how)
  numbers <- rbind(spread(by_difference, a$values, b$values), spread(!by_difference, other))
  numbers[c(which(by_difference), which(!by_difference)), ] <- numbers
  numbers[table$quantity %in% never_negative(), "p_positive"] <- NA
  numbers
}

# Draws of distances and overlaps, [draw, quantity].
compared_draws <- function(a, b, quantities, how) {
  measures <- intersect(quantities, distance_measures)
  distances <- if (length(measures)) law_distances(a, b, measures, how$cores)
  share <- function(a, b, measure) law_overlaps(a, b, measure, how$level, how$cores)
  do.call(cbind, lapply(quantities, function(quantity) {
    switch(quantity,
      overlap = share(a, b, "union"),
      within = share(a, b, "within"),
      contains = share(b, a, "within"),
      distances[, quantity, drop = FALSE]
    )
  }))
}

# Of these the probability of a positive value says nothing.
never_negative <- function() c(distance_measures, names(compared_quantities()$overlap))

# A row of numbers for every column of `draws`, less those of `less` if it is given: mean, sd,
# quantiles by the names of `prob`, p_positive and, where `rope` has half-widths by column, p_rope.
spread_of_columns <- function(draws, prob, less = NULL, rope = NULL, cores = 1L) {
  none <- matrix(0, 0L, 0L)
  widths <- if (is.null(rope)) rep(NA_real_, ncol(draws)) else as.double(rope)
  numbers <- spread_of_columns_(draws, less %||% none, as.double(prob), widths, cores)
  colnames(numbers) <- c("mean", "sd", names(prob), "p_positive", "p_rope")
  if (is.null(rope)) numbers[, -ncol(numbers), drop = FALSE] else numbers
}

# mean, sd and quantiles of every column
summarise_columns <- function(draws, prob) {
  spread_of_columns(draws, prob)[, c("mean", "sd", names(prob)), drop = FALSE]
}

check_rope <- function(rope, known, call) {
  if (is.null(rope)) {
    return(NULL)
  }
  fine <- is.numeric(rope) && length(rope) > 0L && all(names(rope) %in% known) &&
    !is.null(names(rope)) && !anyDuplicated(names(rope)) && !anyNA(rope) && all(rope > 0)
  if (!fine) {
    must <- paste("positive numbers named by different quantities:", toString(known))
    abort_argument("rope", must, rope, call)
  }
  rope
}
