# Leave-one-out where importance weights from the posterior of all rows fail.

# internal -----------------------------------------------------------------

# A result of loo() with other estimates for the rows whose Pareto k is above the threshold.
# `change`: a function of row and unit that gives list(elpd, k, n_eff, mcse). `row`: list(point,
# i, group, threshold): its places among points, rows and the groups of its unit; and the rows.
change_rows <- function(fit, found, threshold, change, call) {
  bad <- which(found$diagnostics$pareto_k > threshold)
  if (length(bad) == 0L) {
    return(found)
  }
  rows <- rows_to_say(fit, NULL, "Leaving rows out", call = call)
  positions <- seen_rows(rows)
  units <- sampling_units(fit, call = call)
  lpd <- rowSums(found$pointwise[, c("elpd_loo", "p_loo")])
  for (point in bad) {
    i <- positions[[point]]
    unit <- units[[if (length(units) > 1L) rows$group[[i]] else 1L]]
    row <- list(
      point = point, i = i, group = match(rows$group[[i]], unit$groups), threshold = threshold,
      rows = rows
    )
    new <- change(row, unit)
    found$pointwise[point, c("elpd_loo", "mcse_elpd_loo", "p_loo", "looic")] <-
      c(new$elpd, new$mcse, lpd[[point]] - new$elpd, -2 * new$elpd)
    found$diagnostics$pareto_k[[point]] <- new$k
    found$diagnostics$n_eff[[point]] <- new$n_eff
  }
  sum_points(found)
}

# The estimates again, from those of the points.
sum_points <- function(found) {
  points <- found$pointwise[, c("elpd_loo", "p_loo", "looic")]
  found$estimates[] <- cbind(
    colSums(points), sqrt(nrow(points) * apply(points, 2L, stats::var))
  )
  for (name in colnames(points)) {
    found[[name]] <- found$estimates[name, 1L]
    found[[paste0("se_", name)]] <- found$estimates[name, 2L]
  }
  # its weights are those from before
  found$psis_object <- NULL
  found
}

# What is left of the data when a row is left out has a posterior density at the same points: the
# ratio of the two is the row's density given all others, its group's mean integrated out. Its
# weights vary less than those of the density given the mean, and where they still vary too much
# the points are moved (Paananen et al. 2021).
match_row <- function(row, unit, fit, ...) {
  without <- statistics_without_row(unit$statistics, row$rows, row$i, row$group)
  others <- unit_density_of_(unit$density, core_patterns(without))
  upars <- positions_of_unit(unit, fit)
  of_row <- function(x, upars, i, ...) {
    unit_log_density_(unit$density, upars) - unit_log_density_(others, upars)
  }
  ll <- of_row(NULL, upars)
  by_chain <- matrix(ll, ncol = n_chains(fit))
  r_eff <- if (is_independent(fit, row$rows$group[[row$i]])) {
    1
  } else {
    loo::relative_eff(array(exp(ll - max(ll)), c(dim(by_chain), 1L)))
  }
  one <- suppressWarnings(loo::loo(matrix(ll), r_eff = r_eff))
  if (one$diagnostics$pareto_k > row$threshold && ncol(upars) > 0L) {
    one <- suppressWarnings(loo::loo_moment_match(
      list(), one,
      post_draws = function(x, ...) NULL,
      log_lik_i = function(x, i, ...) by_chain,
      unconstrain_pars = function(x, pars, ...) upars,
      log_prob_upars = function(x, upars, ...) unit_log_density_(unit$density, upars),
      log_lik_i_upars = of_row, k_threshold = row$threshold, ..., cores = 1
    ))
  }
  list(
    elpd = one$pointwise[1L, "elpd_loo"], mcse = one$pointwise[1L, "mcse_elpd_loo"],
    k = one$diagnostics$pareto_k, n_eff = one$diagnostics$n_eff
  )
}

# Are the draws of a group independent?
is_independent <- function(fit, group) !group %in% groups_to_check(fit)

# Samples the row's unit again without the row, under the same prior, and scores the row.
sample_without_row <- function(row, unit, fit, call) {
  without <- statistics_without_row(unit$statistics, row$rows, row$i, row$group)
  if (!fit$statistics$known) {
    check_propriety(without, fit$prior, fit$pooling, call = call)
  }
  settings <- fit$control
  settings[c("progress", "keep")] <- list(FALSE, unique(unname(kept_parts)))
  plan <- new_plan(without, model_of(fit), settings, record = NULL, said = NULL)
  fit$draws <- finish_draws(sample_chains(plan, call), plan_problem(plan))$draws
  fit$statistics <- without
  own <- pick_rows(row$rows, row$i)
  own$group <- row$group
  ll <- row_densities(own, laws_of_rows(fit, own$group), density_of_all_draws(fit))
  ll <- ll * (own$weights %||% 1)
  r <- exp(ll - max(ll))
  list(
    elpd = log_mean_exp(ll), mcse = stats::sd(r) / mean(r) / sqrt(length(r)), k = 0,
    n_eff = n_draws(fit)
  )
}

warn_high_k <- function(found, threshold, call) {
  n <- sum(found$diagnostics$pareto_k > threshold)
  if (n > 0L) {
    warn_hmvn(
      c(
        "{n} row{?s} {?has/have} a Pareto k above {threshold}: {?its/their} estimate{?s} may be far
        off.",
        i = "{.code loo(fit, reloo = TRUE)} samples again without each of them."
      ),
      "pareto_k", count = n, call = call
    )
  }
  found
}
