# Marginal likelihoods by bridge sampling, for the package bridgesampling.

#' Marginal likelihood by bridge sampling
#'
#' Makes [bridgesampling::bridge_sampler()] and with it `bf()`, `bayes_factor()` and `post_prob()`
#' of \pkg{bridgesampling} work on fits, and on what it returned for them (Gronau, Singmann and
#' Wagenmakers 2020, \doi{10.18637/jss.v092.i10}). It works on the scale of [unconstrain_pars()],
#' where the posterior is close to standard normal and means are integrated out. Where no block is
#' pooled, groups are independent and the marginal likelihood is a product over them: each factor is
#' estimated by itself, in few dimensions.
#'
#' Marginal likelihoods depend on the priors. The defaults of [hmvn_prior()] are scaled with the
#' data: give priors in numbers where Bayes factors matter, and the same ones to all fits that are
#' compared. They take all constants into account, the determinant of a frame among them, so that
#' fits in different frames can be compared. Data that differ, also in their units, cannot.
#'
#' @param samples An `hmvn_fit` with data, whose draws of covariance matrices were kept.
#' @param ... Of `post_prob()` further fits; else passed on to [bridgesampling::bridge_sampler()],
#'   such as `method = "warp3"`, `repetitions`, `maxiter` or `cores`.
#' @param x1,x2 Fits, or what `bridge_sampler()` returned for them; so are those of `post_prob()`.
#' @param log The logarithm of the Bayes factor?
#' @param prior_prob,model_names As [bridgesampling::post_prob()] has them.
#' @param silent Say nothing of iterations?
#' @param bridge_object,x What `bridge_sampler()` returns.
#' @return An object of class `bridge` of \pkg{bridgesampling}. Where groups are independent it is
#'   an `hmvn_bridge` too, with `logml` the sum over groups and `groups` the objects of each, a list
#'   named by their labels; its `error_measures()` put the errors of the factors together. With
#'   `repetitions` above 1 a `bridge_list`.
#' @section Errors: `hmvn_error_keep` if covariance matrices were not kept. `hmvn_error_no_meaning`
#'   for draws from the prior. `hmvn_error_argument` if a unit has more parameters than a quarter of
#'   the draws, too many to match a proposal to. `hmvn_error_package`.
#' @seealso [loo.hmvn_fit()], [kfold.hmvn_fit()], which depend less on the priors.
#' @examplesIf requireNamespace("bridgesampling", quietly = TRUE)
#' none <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' shared <- update(none, pooling = c(sd = "complete", cor = "complete"))
#' set.seed(1)
#' a <- bridgesampling::bridge_sampler(none)
#' b <- bridgesampling::bridge_sampler(shared)
#' a
#' bridgesampling::bf(a, b)
#' bridgesampling::post_prob(a, b)
#' @name bridge_sampler.hmvn_fit
NULL

#' @rdname bridge_sampler.hmvn_fit
#' @exportS3Method bridgesampling::bridge_sampler
bridge_sampler.hmvn_fit <- function(samples, ..., silent = TRUE) {
  call <- rlang::current_env()
  check_fit(samples, call)
  check_has_learned(samples, "bridge_sampler", call)
  require_package("bridgesampling", "{.fn bridge_sampler}", call)
  silent <- check_flag(silent, "silent", call)
  check_bridge_settings(list(...), call)
  units <- sampling_units(samples, call = call)
  for (unit in units) check_enough_draws(samples, dimension_of_unit(unit), call)
  found <- lapply(units, bridge_of_unit, fit = samples, ..., silent = silent)
  if (length(found) == 1L) {
    return(found[[1L]])
  }
  join_bridges(stats::setNames(found, samples$statistics$labels))
}

#' @rdname bridge_sampler.hmvn_fit
#' @exportS3Method bridgesampling::bf
bf.hmvn_fit <- function(x1, x2, log = FALSE, ...) {
  check_fit(x1, rlang::current_env())
  bridges <- bridges_of(list(x1, x2), ..., call = rlang::current_env())
  bridgesampling::bf(bridges[[1L]], bridges[[2L]], log = check_flag(log, "log"))
}

#' @rdname bridge_sampler.hmvn_fit
#' @exportS3Method bridgesampling::bayes_factor
bayes_factor.hmvn_fit <- bf.hmvn_fit

#' @rdname bridge_sampler.hmvn_fit
#' @exportS3Method bridgesampling::post_prob
post_prob.hmvn_fit <- function(x, ..., prior_prob = NULL, model_names = NULL) {
  names <- vapply(as.list(substitute(list(x, ...)))[-1L], deparse1, "")
  check_another_fit(x, list(...), rlang::current_env())
  bridges <- bridges_of(list(x, ...), call = rlang::current_env())
  do.call(bridgesampling::post_prob, c(
    unname(bridges), list(prior_prob = prior_prob, model_names = model_names %||% names)
  ))
}

#' @rdname bridge_sampler.hmvn_fit
#' @exportS3Method bridgesampling::error_measures
error_measures.hmvn_bridge <- function(bridge_object, ...) {
  of_groups <- lapply(bridge_object$groups, bridgesampling::error_measures)
  re2 <- sum(vapply(of_groups, `[[`, 0, "re2"))
  list(re2 = re2, cv = sqrt(re2), percentage = paste0(format(100 * sqrt(re2), digits = 2), "%"))
}

#' @rdname bridge_sampler.hmvn_fit
#' @export
print.hmvn_bridge <- function(x, ...) {
  if (length(x$groups) == 0L) {
    cat(
      "Log marginal likelihood: ", round(x$logml, 5),
      "\nKnown exactly: nothing was left to integrate over.\n", sep = ""
    )
    return(invisible(x))
  }
  cat(
    "Bridge sampling estimate of the log marginal likelihood: ", round(x$logml, 5),
    "\nThe sum over ", length(x$groups), " independent groups, each via method \"", x$method,
    "\".\n", sep = ""
  )
  invisible(x)
}

# internal -----------------------------------------------------------------

# The bridges of fits, and bridges as they are. `...`: for bridge_sampler().
bridges_of <- function(fits, ..., call) {
  fine <- vapply(fits, inherits, NA, c("hmvn_fit", "bridge"))
  if (!all(fine)) {
    must <- "fits, or what bridge_sampler() returned for them"
    abort_argument("...", must, fits[!fine][[1L]], call)
  }
  lapply(fits, function(one) {
    if (inherits(one, "bridge")) one else bridge_sampler.hmvn_fit(one, ...)
  })
}

# Half of the draws make the proposal, whose covariance matrix must be known well.
check_enough_draws <- function(fit, dimension, call) {
  if (4 * dimension <= n_draws(fit)) {
    return(invisible())
  }
  abort_hmvn(
    c(
      "{.arg samples} must have at least four draws a parameter.",
      x = "There are {n_draws(fit)} draws of {dimension} parameters that groups share or have.",
      i = "Sample more: {.code update(fit, iter_sampling = )}."
    ),
    "argument", argument = "samples", call = call
  )
}

# What is passed on, before minutes are spent.
check_bridge_settings <- function(given, call) {
  known <- c("repetitions", "method", "cores", "use_neff", "maxiter", "verbose")
  unknown <- given[!(names(given) %||% rep("", length(given))) %in% known]
  do.call(check_no_dots, c(unknown, list(known = c(known, "silent"), call = call)), quote = TRUE)
  if ("method" %in% names(given)) {
    check_choice(given$method, "method", c("normal", "warp3"), call)
  }
  for (name in intersect(c("repetitions", "cores", "maxiter"), names(given))) {
    check_count(given[[name]], name, min = 1, call = call)
  }
  for (name in intersect(c("use_neff", "verbose"), names(given))) {
    check_flag(given[[name]], name, call)
  }
}

bridge_of_unit <- function(unit, fit, ..., silent) {
  n <- dimension_of_unit(unit)
  if (n == 0L) {
    return(known_bridge(unit_log_density_(unit$density, matrix(0, 1L, 0L))))
  }
  points <- positions_of_unit(unit, fit)
  # names without a meaning to bridgesampling, which reads some
  colnames(points) <- paste0("x", seq_len(n))
  limit <- function(end) stats::setNames(rep(end, n), colnames(points))
  bridgesampling::bridge_sampler(
    chains_of_points(points, n_chains(fit)),
    log_posterior = function(point, data) unit_log_density_(unit$density, t(point)),
    lb = limit(-Inf), ub = limit(Inf), ..., silent = silent
  )
}

# [draw, parameter] as an mcmc.list of coda, from which bridgesampling takes effective sizes.
chains_of_points <- function(points, n_chains) {
  chain <- rep(seq_len(n_chains), each = nrow(points) / n_chains)
  coda::mcmc.list(lapply(seq_len(n_chains), function(i) {
    coda::mcmc(points[chain == i, , drop = FALSE])
  }))
}

# Nothing was left to integrate over.
known_bridge <- function(logml) {
  structure(
    list(logml = logml, niter = 0, method = "normal", groups = list()),
    class = c("hmvn_bridge", "bridge")
  )
}

# `found`: of independent groups.
join_bridges <- function(found) {
  logml <- Reduce(`+`, lapply(found, `[[`, "logml"))
  niter <- do.call(pmax, unname(lapply(found, `[[`, "niter")))
  method <- found[[1L]]$method
  if (inherits(found[[1L]], "bridge_list")) {
    return(structure(
      list(logml = logml, niter = niter, method = method, repetitions = length(logml)),
      class = "bridge_list"
    ))
  }
  structure(
    list(logml = logml, niter = niter, method = method, groups = found),
    class = c("hmvn_bridge", "bridge")
  )
}
