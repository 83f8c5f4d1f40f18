# How far groups are from each other, and how large they are.

#' Distances between groups, and volumes
#'
#' `group_distance()` measures how much two groups' distributions differ, in one number: which
#' groups are most alike, and which is the outlier?
#'
#' * `"affine_invariant"`, of covariance matrices A and B: sqrt(sum log(lambda)^2), with lambda the
#'   eigenvalues of A^-1 B (Pennec, Fillard and Ayache 2006, \doi{10.1007/s11263-005-3222-z}). It
#'   does not depend on units.
#' * `"log_euclidean"`, of covariance matrices: the Frobenius norm of log A - log B (Arsigny et al.
#'   2006, \doi{10.1002/mrm.20965}). It depends on units, unless they are changed for all features
#'   alike.
#' * `"bhattacharyya"`, of Normals p and q: -log of the integral of sqrt(p q).
#' * `"jeffreys"`, of Normals: KL(p, q) + KL(q, p).
#'
#' With covariates they are of rows with average covariates.
#'
#' `group_volume()` is the volume of the ellipsoid that holds a share `level` of a group (the area
#' of its ellipse with two features).
#'
#' @param fit An `hmvn_fit`.
#' @param to The label of a group, or `"typical"` for the typical group of pooled fits; `NULL`: all
#'   pairs of groups.
#' @param measure Which distance, see above.
#' @param group Labels of the groups; `NULL` for all.
#' @param features Names of the features; `NULL` for all. Of some features it is what is known of
#'   them alone, whatever the others are.
#' @param level Share of the group within the ellipsoid.
#' @param ndraws Number of posterior draws to use, spread evenly over all of them; `NULL` for all,
#'   which keeps the chains.
#' @param cores Number of threads.
#' @return An rvar: `group_distance()` \[group\], or \[group, group\], symmetric with zeros on its
#'   diagonal, where `to` is `NULL`; `group_volume()` \[group\], in the product of the features'
#'   units.
#' @section Errors: `hmvn_error_no_meaning` for `to = "typical"` where a block is not pooled;
#'   `hmvn_error_group`, `hmvn_error_keep`, `hmvn_error_size`, `hmvn_error_argument`.
#' @seealso [compare_groups()] has all measures of all pairs in a data frame, [closest_groups()]
#'   the pairs in order; [group_overlap()] and [group_ellipse()] for two features.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' group_distance(fit, to = "typical")
#' group_distance(fit, measure = "bhattacharyya")
#' volume <- group_volume(fit)
#' Pr(volume["virginica"] > volume["versicolor"])
#' @export
group_distance <- function(fit, to = NULL, measure = "affine_invariant", group = NULL,
                           features = NULL, ndraws = NULL, cores = getOption("mc.cores", 1L)) {
  asked <- list(
    measure = measure, group = group, features = features, ndraws = ndraws, cores = cores
  )
  distances_rvar(fit, to, asked, rlang::current_env())
}

#' @rdname group_distance
#' @export
group_volume <- function(fit, group = NULL, level = 0.95, features = NULL) {
  call <- rlang::current_env()
  check_fit(fit, call)
  check_kept(fit, "Sigma", call)
  level <- check_number(level, "level", 0, 1, open = TRUE, call = call)
  groups <- match_groups(fit, group, call)
  at <- feature_positions(fit, features, call)
  k <- length(at)
  chosen <- seq_len(n_draws(fit))
  log_root <- vapply(groups, function(g) {
    law_parts(margin_law(group_law(fit, g, chosen), at), "log_volume", cores = 1L)$log_volume
  }, matrix(0, length(chosen), 1L))
  unit_ball <- k / 2 * log(pi) - lgamma(k / 2 + 1)
  volume <- exp(log_root + unit_ball + k / 2 * log(stats::qchisq(level, k)))
  labels <- fit$statistics$labels[groups]
  as_rvar(array(volume, c(n_kept(fit), length(groups)), list(NULL, NULL, labels)))
}

# internal -----------------------------------------------------------------

# group_distance() of what was `asked`: list(measure, group, features, ndraws, cores).
distances_rvar <- function(fit, to, asked, call) {
  check_fit(fit, call)
  measure <- check_choice(asked$measure, "measure", distance_measures, call)
  check_kept(fit, draws_needed(measure), call)
  cores <- check_count(asked$cores, "cores", min = 1, call = call)
  groups <- match_groups(fit, asked$group, call)
  at <- feature_positions(fit, asked$features, call)
  chosen <- choose_draws(fit, asked$ndraws, call)
  parts <- if (measure == "log_euclidean") "log_cov"
  read <- function(g) law_parts(margin_law(group_law(fit, g, chosen), at), parts, cores)
  if (is.null(to)) check_pairs_size(length(groups), length(chosen), "Distances", call)
  to <- if (!is.null(to)) match_reference(fit, to, "to", "group_distance", call)
  with_memory_errors(
    rvar_of_pairs(fit, groups, if (!is.null(to)) read(to), list(
      read = read, each = function(a, b) law_distances(a, b, measure, cores)[, 1L], same = 0,
      symmetric = TRUE, size = if (is.null(asked$ndraws)) n_kept(fit) else c(length(chosen), 1L)
    )),
    "Distances", call
  )
}

# `what`: the beginning of a sentence.
check_pairs_size <- function(n_groups, n_draws, what, call) {
  check_size(8 * n_draws * n_groups^2, paste(what, "of all pairs of groups"), call = call)
}
