# Which groups are most alike, and which is least like the others.

#' Which groups are most alike, and which is the outlier
#'
#' `closest_groups()` has all pairs of groups, those with the least distance first.
#' `outlying_groups()` has all groups, those with the largest average distance from the others
#' first.
#'
#' @inheritParams group_distance
#' @param measure Which distance; see [group_distance()]. The first two compare covariance matrices,
#'   the last two means as well.
#' @param prob Probabilities of the quantiles.
#' @return A data frame of class `hmvn_ranking`, in order of the posterior mean of the distance.
#'   `closest_groups()`: a row a pair, `group`, `reference`; `outlying_groups()`: a row a group,
#'   `group`. Then the posterior `mean`, `sd` and quantiles (`q5`, ...) of the distance, and
#'   `p_first`: the posterior probability that it is the smallest of all pairs, or the largest of
#'   all groups. Groups of which little is known are far from all others in most draws: it is the
#'   posterior of their distance, not the distance of their estimates.
#' @section Errors: `hmvn_error_group`, `hmvn_error_keep`, `hmvn_error_size`, `hmvn_error_prob`;
#'   `hmvn_error_argument`, also for fewer than two groups (three for the outlier).
#' @seealso [group_distance()] for the distances as random variables, also from the typical group;
#'   [compare_groups()] for what it is in which they differ.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' closest_groups(fit)
#' outlying_groups(fit, measure = "bhattacharyya")
#' @export
closest_groups <- function(fit, measure = "affine_invariant", group = NULL, features = NULL,
                           prob = c(0.05, 0.95), ndraws = NULL,
                           cores = getOption("mc.cores", 1L)) {
  asked <- list(
    measure = measure, group = group, features = features, ndraws = ndraws, cores = cores
  )
  distance <- ranked_distances(fit, asked, prob, 2L)
  at <- which(lower.tri(distance[1L, , ]), arr.ind = TRUE)
  draws <- vapply(seq_len(nrow(at)), function(i) distance[, at[i, 1L], at[i, 2L]],
    double(nrow(distance)))
  labels <- dimnames(distance)[[2L]]
  pairs <- data.frame(group = labels[at[, 1L]], reference = labels[at[, 2L]])
  ranking(pairs, matrix(draws, nrow(distance)), prob, largest = FALSE)
}

#' @rdname closest_groups
#' @export
outlying_groups <- function(fit, measure = "affine_invariant", group = NULL, features = NULL,
                            prob = c(0.05, 0.95), ndraws = NULL,
                            cores = getOption("mc.cores", 1L)) {
  asked <- list(
    measure = measure, group = group, features = features, ndraws = ndraws, cores = cores
  )
  distance <- ranked_distances(fit, asked, prob, 3L)
  average <- apply(distance, 1:2, sum) / (dim(distance)[[2L]] - 1)
  ranking(data.frame(group = dimnames(distance)[[2L]]), average, prob, largest = TRUE)
}

#' @rdname closest_groups
#' @param x What `closest_groups()` or `outlying_groups()` returns.
#' @param n Number of rows to show.
#' @param ... Not used.
#' @export
print.hmvn_ranking <- function(x, ..., n = 10) {
  check_rows_shown(n, rlang::current_env())
  first <- attr(x, "first")
  text <- c("group", intersect("reference", names(x)))
  numbers <- c("mean", "sd", "p_first", quantile_columns(names(x)))
  if (!is.character(first) || !has_result_columns(x, text, numbers)) {
    print(as.data.frame(x), ...)
    return(invisible(x))
  }
  shown <- utils::head(as.data.frame(x), n)
  sides <- shown[intersect(c("group", "reference"), names(shown))]
  names <- trim_names(unlist(sides), 20)
  quantiles <- quantile_columns(names(x))
  page <- data.frame(
    matrix(names, nrow(shown)), with_error(shown$mean, shown$sd)
  )
  names(page) <- c(if (length(sides) == 2L) c("group", "and") else "group", "mean (sd)")
  page[quantiles] <- lapply(quantiles, function(q) rounded_like(shown[[q]], shown$sd))
  page[[paste0("P(", first, ")")]] <- probability_text(shown$p_first)
  cat(attr(x, "title"), "\n", sep = "")
  print(page, row.names = FALSE, right = FALSE)
  say_more_rows(nrow(x) - nrow(shown))
  invisible(x)
}

# internal -----------------------------------------------------------------

# Distances [draw, group, group]. `asked`: see distances_rvar().
ranked_distances <- function(fit, asked, prob, at_least, call = rlang::caller_env()) {
  check_prob(prob, call)
  check_fit(fit, call)
  groups <- match_groups(fit, asked$group, call)
  if (length(groups) < at_least) {
    abort_too_few_groups(fit, paste(at_least, "groups or more"), asked$group, call)
  }
  asked$group <- fit$statistics$labels[groups]
  found <- distances_rvar(fit, NULL, asked, call)
  draws <- posterior::draws_of(found)
  dimnames(draws) <- c(list(NULL), dimnames(found))
  draws
}

# `rows`: what is ranked; `draws`: [draw, row].
ranking <- function(rows, draws, prob, largest) {
  best <- max.col(if (largest) draws else -draws, ties.method = "first")
  numbers <- summarise_columns(draws, stats::setNames(prob, quantile_names(prob)))
  out <- cbind(rows, numbers, p_first = tabulate(best, ncol(draws)) / nrow(draws))
  out <- out[order(out$mean, decreasing = largest), ]
  rownames(out) <- NULL
  structure(out,
    class = c("hmvn_ranking", "data.frame"), first = if (largest) "farthest" else "closest",
    title = if (largest) "Average distance from the other groups" else "Distance of pairs of groups"
  )
}
