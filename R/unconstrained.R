#' The log density on the unconstrained scale
#'
#' The posterior as a function on R^d, for programs that work on such functions: bridge sampling
#' ([bridge_sampler][bridge_sampler.hmvn_fit]), importance sampling, other samplers. The three
#' functions have the names of those of \pkg{rstan}.
#'
#' The unconstrained scale is the sampler's own, `vignette("model")` (C5) to (C9): heterogeneities,
#' population, and every group's standard deviations and correlations, standardised so that the
#' posterior is close to a standard normal distribution. Means, slopes and their population are not
#' part of it: given the rest they are Normal, and they are integrated out. It depends on the data
#' and on the model, so that two fits have no positions in common.
#'
#' Where no block is pooled, groups are independent: the density is a product over them, and every
#' group has a stretch of its own.
#'
#' @param fit An `hmvn_fit` that has kept its draws of covariance matrices.
#' @param group Where groups are independent, labels of those to look at, `NULL` for all; else
#'   `NULL`.
#' @param upars A matrix \[point, parameter\] of points on the unconstrained scale, or a vector for
#'   one point. Parameters are in the order of the columns of `unconstrain_pars()`.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it.
#' @return
#' * `unconstrain_pars()`: a matrix \[draw, parameter\], draws chain after chain. Columns are
#'   `h[i]` (heterogeneities, first those of means and slopes), `population[i]`, `common[i]`
#'   (what is completely pooled), `between[i]` (correlations between groups) and `group[label,i]`,
#'   as far as the model has them.
#' * `log_prob()`: a vector by point, the log of the joint density of the data and the point. It has
#'   all its constants: its integral over R^d is the marginal likelihood. `-Inf` where it cannot be
#'   computed.
#' * `constrain_pars()`: the points as draws, [posterior::draws_rvars] of all quantities that
#'   [as_draws_rvars()][draws-hmvn] gives; means and slopes are drawn from their law given the rest.
#' @section Errors: `hmvn_error_keep` if covariance matrices were not kept. `hmvn_error_group` for
#'   labels that the fit does not have, or if groups are not independent. `hmvn_error_argument` for
#'   `upars` with another number of columns, or that are not finite. `hmvn_error_size`.
#' @seealso [bridge_sampler()][bridge_sampler.hmvn_fit], [stancode()].
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' upars <- unconstrain_pars(fit, group = "setosa")
#' dim(upars)
#' log_prob(fit, upars[1:3, ], group = "setosa")
#' @export
unconstrain_pars <- function(fit, group = NULL) {
  call <- rlang::current_env()
  check_fit(fit, call)
  units <- sampling_units(fit, group, call)
  n_parameters <- sum(vapply(units, dimension_of_unit, 0L))
  check_size(8 * n_draws(fit) * n_parameters, "All draws together",
    "Look at groups one by one.", call)
  with_memory_errors(do.call(cbind, lapply(units, positions_of_unit, fit = fit)), "Draws", call)
}

#' @rdname unconstrain_pars
#' @export
log_prob <- function(fit, upars, group = NULL) {
  call <- rlang::current_env()
  check_fit(fit, call)
  units <- sampling_units(fit, group, call)
  parts <- split_positions(upars, units, call)
  Reduce(`+`, Map(function(unit, part) unit_log_density_(unit$density, part), units, parts))
}

#' @rdname unconstrain_pars
#' @export
constrain_pars <- function(fit, upars, group = NULL, seed = NULL) {
  call <- rlang::current_env()
  check_fit(fit, call)
  seed <- choose_seed(seed, call)
  units <- sampling_units(fit, group, call)
  parts <- split_positions(upars, units, call)
  check_has_density(units, parts, call)
  drawn <- Map(function(unit, part) unit_draws_(unit$density, part, seed, unit$groups[[1L]]),
    units, parts)
  rvars_of_draws(fit, bind_units(drawn), unlist(lapply(units, `[[`, "groups")))
}

# internal -----------------------------------------------------------------

# Far out no number of the model is finite any more.
check_has_density <- function(units, parts, call) {
  each <- Map(function(unit, part) is.finite(unit_log_density_(unit$density, part)), units, parts)
  none <- which(!Reduce(`&`, each))
  if (length(none) > 0L) {
    abort_hmvn(
      c("{.arg upars} must be positions where the posterior has a density.",
        x = "There is none at row {none[[1L]]}: its numbers are too large."),
      "argument", argument = "upars", call = call
    )
  }
}

# The sampling units of a fit, those of the groups asked for: a list of list(groups, statistics,
# density, sizes), `density` and `sizes` as unit_density_() gives them. They hold memory of the
# core, and are not to be kept in a fit.
sampling_units <- function(fit, group = NULL, call = NULL) {
  check_kept(fit, if (fit$statistics$known) "mu" else "Sigma", call)
  groups <- match_groups(fit, group, call)
  if (!is.null(group) && !groups_apart(fit)) abort_one_unit(call)
  members <- if (groups_apart(fit)) as.list(groups) else list(groups)
  core <- as_core(model_of(fit))
  group <- fit$statistics$patterns$group
  at <- split(seq_along(group), factor(group, seq_len(n_groups(fit))))
  lapply(members, function(own) {
    statistics <- statistics_of_unit(fit$statistics, own, unlist(at[own], use.names = FALSE))
    unit <- with_core_errors(
      unit_density_(
        core_patterns(statistics), length(own), core, isTRUE(fit$control$prior_only)
      ), NULL, call
    )
    c(list(groups = own, statistics = statistics), unit)
  })
}

# Does every group make a unit of its own?
groups_apart <- function(fit) all(pooling_of(model_of(fit)) == "none")

# What sampling reads of the statistics of some groups. `at`: positions of their patterns.
statistics_of_unit <- function(statistics, groups, at) {
  statistics$patterns <- pick_patterns(statistics$patterns, at)
  statistics$patterns$group <- match(statistics$patterns$group, groups)
  statistics$labels <- statistics$labels[groups]
  statistics
}

abort_one_unit <- function(call) {
  abort_hmvn(
    c(
      "{.arg group} must be {.code NULL} where groups share quantities.",
      x = "The density of one group depends on the others."
    ),
    "group", group = NULL, call = call
  )
}

dimension_of_unit <- function(unit) {
  own <- length(unit$groups) * unit$sizes[["own"]]
  as.integer(sum(unit$sizes) - unit$sizes[["own"]] + own)
}

# [draw, parameter], named.
positions_of_unit <- function(unit, fit) {
  draws <- fit$draws
  filed <- vapply(draws, is_filed, TRUE)
  draws[filed] <- lapply(draws[filed], read_filed, unit$groups)
  first <- if (groups_apart(fit) && !any(filed)) unit$groups[[1L]] - 1L else 0L
  out <- unit_positions_(unit$density, draws, first)
  colnames(out) <- position_names(unit)
  out
}

position_names <- function(unit) {
  shared <- setdiff(names(unit$sizes), "own")
  numbered <- function(name, n) if (n > 0L) paste0(name, "[", seq_len(n), "]")
  of_groups <- lapply(unit$statistics$labels, function(label) {
    n <- unit$sizes[["own"]]
    if (n > 0L) paste0("group[", label, ",", seq_len(n), "]")
  })
  as.character(c(
    unlist(Map(numbered, shared, unit$sizes[shared]), use.names = FALSE), unlist(of_groups)
  ))
}

# Points by unit, a list of matrices [point, parameter].
split_positions <- function(upars, units, call) {
  # an rvar calls itself numeric
  is_plain <- typeof(upars) %in% c("double", "integer")
  if (is_plain && is.numeric(upars) && is.null(dim(upars))) upars <- t(upars)
  sizes <- vapply(units, dimension_of_unit, 0L)
  fine <- is_plain && is.matrix(upars) && is.numeric(upars) && ncol(upars) == sum(sizes) &&
    all(is.finite(upars))
  if (!fine) {
    must <- paste("a matrix of finite numbers with", sum(sizes), "columns, a row a point")
    abort_argument("upars", must, upars, call)
  }
  storage.mode(upars) <- "double"
  ends <- cumsum(sizes)
  Map(function(end, size) upars[, end - size + seq_len(size), drop = FALSE], ends, sizes)
}

# The draws of independent units as those of one fit.
bind_units <- function(drawn) {
  if (length(drawn) == 1L) {
    return(drawn[[1L]])
  }
  parts <- lapply(stats::setNames(nm = names(drawn[[1L]])), function(name) {
    values <- lapply(drawn, `[[`, name)
    if (is.null(values[[1L]])) {
      return(NULL)
    }
    if (name %in% c("lp", "lprior")) {
      return(Reduce(`+`, values))
    }
    size <- vapply(values, function(v) dim(v)[[3L]], 0L)
    array(unlist(values), c(dim(values[[1L]])[1:2], sum(size)))
  })
  parts
}

# Draws of `groups`, in the form of a fit's, as rvars.
rvars_of_draws <- function(fit, draws, groups) {
  statistics <- fit$statistics
  fit$draws <- draws
  fit$statistics$labels <- statistics$labels[groups]
  names <- quantity_names(fit, "draws")
  rvars <- lapply(names, function(name) as_rvar(quantity(fit, name, seq_along(groups))))
  do.call(posterior::draws_rvars, stats::setNames(rvars, names))
}
