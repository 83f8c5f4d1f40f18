# How well a fit predicts rows it has not seen: estimates from the log likelihood of its own.

#' Predictive accuracy by leave-one-out and WAIC
#'
#' The expected log predictive density of a row that was left out, from the posterior of all rows:
#' by Pareto-smoothed importance sampling (`loo()`; Vehtari, Gelman and Gabry 2017,
#' \doi{10.1007/s11222-016-9696-4}) or by the widely applicable information criterion (`waic()`).
#' Fits of the same rows are compared by [loo::loo_compare()], which takes fits, or what `loo()`,
#' `waic()` or [kfold()][kfold.hmvn_fit] return. For rows with a Pareto k above 0.7, which `loo()`
#' warns of, take [kfold()][kfold.hmvn_fit], which fits again.
#'
#' @param x An `hmvn_fit` made from rows.
#' @param ... For `loo_compare()` other fits or results of `loo()`; else passed on to [loo::loo()]
#'   and [loo::waic()], such as `save_psis = TRUE`.
#' @param cores Number of threads.
#' @return What [loo::loo()], [loo::waic()] and [loo::loo_compare()] return. The points are the
#'   rows with something observed (and all covariates), in the order of the data. What is left out
#'   is a row: one with a frequency weight w, which stands for w equal rows, is left out with all of
#'   them and counts as one point, of w times the log density.
#'
#'   Relative efficiencies come from the chains; draws of groups that were sampled exactly are
#'   independent, and theirs is 1.
#' @section Errors: Those of [log_lik.hmvn_fit()]. `hmvn_error_no_meaning` for draws from the prior
#'   (`prior_only = TRUE`), which say nothing about leaving rows out.
#' @seealso [kfold.hmvn_fit()] to leave out whole groups; [log_lik.hmvn_fit()].
#' @examplesIf requireNamespace("loo", quietly = TRUE)
#' none <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' shared <- update(none, pooling = c(sd = "complete", cor = "complete"))
#' loo::loo(none)
#' loo::loo_compare(none, shared)
#' @name loo.hmvn_fit
NULL

#' @rdname loo.hmvn_fit
#' @exportS3Method loo::loo
loo.hmvn_fit <- function(x, ..., cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  name <- deparse1(substitute(x))
  check_fit(x, call)
  check_has_learned(x, "loo", call)
  cores <- check_count(cores, "cores", min = 1, call = call)
  ll <- log_lik.hmvn_fit(x, cores = cores)
  r_eff <- relative_efficiencies(x, ll, cores)
  out <- loo::loo(ll, r_eff = r_eff, ..., cores = cores)
  mark_points(out, x, name)
}

#' @rdname loo.hmvn_fit
#' @exportS3Method loo::waic
waic.hmvn_fit <- function(x, ..., cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  name <- deparse1(substitute(x))
  check_fit(x, call)
  check_has_learned(x, "waic", call)
  cores <- check_count(cores, "cores", min = 1, call = call)
  mark_points(loo::waic(log_lik.hmvn_fit(x, cores = cores), ...), x, name)
}

#' @rdname loo.hmvn_fit
#' @exportS3Method loo::loo_compare
loo_compare.hmvn_fit <- function(x, ...) {
  names <- vapply(as.list(substitute(list(x, ...)))[-1L], deparse1, "")
  found <- Map(function(one, name) {
    if (!inherits(one, "hmvn_fit")) {
      return(one)
    }
    out <- loo.hmvn_fit(one)
    attr(out, "model_name") <- name
    out
  }, list(x, ...), names)
  loo::loo_compare(unname(found))
}

# internal -----------------------------------------------------------------

check_has_learned <- function(fit, generic, call) {
  if (!isTRUE(fit$control$prior_only)) {
    return(invisible())
  }
  abort_no_meaning(
    generic, "The draws are from the prior and have learned from no row.",
    "{.code update(fit, prior_only = FALSE)}", call
  )
}

# So that loo_compare() notices other rows, and names the fit. `out`: of the loo package.
mark_points <- function(out, fit, name) {
  attr(out, "yhash") <- rlang::hash(list(fit$data$columns, fit$data$weights))
  attr(out, "model_name") <- name
  out
}

# The relative efficiency of the mean of every row's likelihood, in chunks of rows: memory stays
# bounded. Those of independent draws are 1.
relative_efficiencies <- function(fit, ll, cores) {
  out <- rep(1, ncol(ll))
  rows <- as.integer(colnames(ll))
  due <- which(fit$data$codes[rows] %in% groups_to_check(fit))
  chain <- rep(seq_len(n_chains(fit)), each = n_kept(fit)[[1L]])
  for (chunk in split(due, (seq_along(due) - 1L) %/% 500L)) {
    part <- ll[, chunk, drop = FALSE]
    # a factor changes nothing, and the largest value 1 keeps all from vanishing
    part <- exp(part - rep(apply(part, 2L, max), each = nrow(part)))
    out[chunk] <- loo::relative_eff(part, chain_id = chain, cores = cores)
  }
  out
}
