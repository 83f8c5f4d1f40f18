# A fit for the packages of easystats: bayestestR, parameters, insight, performance.

#' Fits in easystats
#'
#' Methods for generics of \pkg{bayestestR}, \pkg{parameters}, \pkg{insight} and \pkg{performance},
#' so that `bayestestR::describe_posterior(fit)`, `parameters::model_parameters(fit)` and their
#' relatives work on a fit as on those of \pkg{rstanarm} and \pkg{brms}. Parameters are called as in
#' [as_draws_df()][draws-hmvn], such as `mu[setosa,Sepal.Length]`.
#'
#' @param x,model,posteriors An `hmvn_fit`.
#' @param variable,group Quantities and labels of groups, as for [as_draws_df()][draws-hmvn]. Left
#'   out: means, slopes if there are any, standard deviations and correlations of all groups.
#' @param range,threshold The region of practical equivalence, as for [bayestestR::rope()]. There is
#'   no default, as parameters have different units: give it for a `variable` of one unit, such as
#'   `"Omega"`.
#' @param centrality,ci,ci_method,test As for `bayestestR::describe_posterior()`. The default has no
#'   test against 0, which a standard deviation is never below.
#' @param metrics Of `"LOOIC"` and `"WAIC"`.
#' @param split_nested,flatten,combine Not used.
#' @param ... Passed on to the generic's method for data frames of draws; else not used.
#' @return
#' * `describe_posterior()`, `model_parameters()`, `hdi()`, `eti()`, `ci()`, `spi()`,
#'   `p_direction()`, `p_map()`, `point_estimate()`, `map_estimate()`, `rope()`, `p_rope()`,
#'   `equivalence_test()`, `p_significance()`: what they return for draws, one row a parameter.
#'   `describe_posterior()` and `model_parameters()` have columns `Rhat` and `ESS` too.
#' * `effective_sample()`, `mcse()`, `diagnostic_posterior()`: data frames of `Parameter` and `ESS`
#'   (bulk), `MCSE` (of the mean), `Rhat`.
#' * `get_parameters()`: a data frame of draws, a column a parameter. `find_parameters()`: a list of
#'   their names, `conditional`. `get_data()`: the columns that were read. `find_response()`: names
#'   of features. `get_response()`: their columns. `find_predictors()`: a list of names,
#'   `conditional` (covariates) and `random` (grouping columns). `find_random()`: a list, `random`.
#'   `find_formula()`: a list of formulas, `conditional`. `n_obs()`: the number of rows.
#'   `model_info()`: a list of what kind of model it is. `find_algorithm()`: a list of `algorithm`,
#'   `chains`, `iterations` and `warmup`.
#' * `model_performance()`: a data frame of one row: `ELPD`, `ELPD_SE`, `LOOIC`, `LOOIC_SE`, `WAIC`.
#' @section Errors: Those of [as_draws_df()][draws-hmvn]. `hmvn_error_no_meaning` for
#'   `performance::r2()`, and `hmvn_error_argument` if a region is needed and not given.
#' @seealso [compare_groups()] for the probability that groups differ.
#' @examplesIf requireNamespace("bayestestR", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' bayestestR::describe_posterior(fit, variable = "mu", group = "setosa")
#' bayestestR::p_direction(fit, variable = "Omega", group = "setosa")
#' bayestestR::rope(fit, variable = "Omega", group = "setosa", range = c(-0.2, 0.2))
#' @name easystats-hmvn
NULL

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::describe_posterior
describe_posterior.hmvn_fit <- function(posteriors, centrality = "median", ci = 0.95,
                                        ci_method = "eti", test = NULL, variable = NULL,
                                        group = NULL, ...) {
  call <- rlang::current_env()
  check_text(centrality, "centrality", "names of measures", call)
  check_text(ci_method, "ci_method", "the name of a kind of interval", call)
  if (!is.null(test)) check_text(test, "test", "names of tests", call)
  check_interval_levels(ci, call)
  draws <- parameter_draws(posteriors, variable, group, call)
  out <- refuse_as_it_does(bayestestR::describe_posterior(
    frame_of_draws(draws), centrality = centrality, ci = ci, ci_method = ci_method, test = test, ...
  ), "test", call)
  add_diagnostics(out, diagnostics_of(posteriors, draws))
}

#' @rdname easystats-hmvn
#' @exportS3Method parameters::model_parameters
model_parameters.hmvn_fit <- function(model, variable = NULL, group = NULL, ...) {
  draws <- parameter_draws(model, variable, group, rlang::current_env())
  out <- parameters::model_parameters(posterior::as_draws_df(draws), ...)
  add_diagnostics(out, diagnostics_of(model, draws))
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::hdi
hdi.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  bayestestR::hdi(parameter_frame(x, variable, group), ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::eti
eti.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  bayestestR::eti(parameter_frame(x, variable, group), ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::ci
ci.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  bayestestR::ci(parameter_frame(x, variable, group), ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::spi
spi.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  check_fit(x)
  require_package("quadprog", "{.fn spi}", rlang::current_env()) # which bayestestR only suggests
  bayestestR::spi(parameter_frame(x, variable, group), ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::p_direction
p_direction.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  bayestestR::p_direction(parameter_frame(x, variable, group), ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::p_map
p_map.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  bayestestR::p_map(parameter_frame(x, variable, group), ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::point_estimate
point_estimate.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  bayestestR::point_estimate(parameter_frame(x, variable, group), ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::map_estimate
map_estimate.hmvn_fit <- function(x, variable = NULL, group = NULL, ...) {
  bayestestR::map_estimate(parameter_frame(x, variable, group), ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::rope
rope.hmvn_fit <- function(x, range, variable = NULL, group = NULL, ...) {
  check_fit(x)
  check_region(if (!missing(range)) range, "range", 2L, rlang::current_env())
  bayestestR::rope(parameter_frame(x, variable, group), range = range, ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::p_rope
p_rope.hmvn_fit <- function(x, range, variable = NULL, group = NULL, ...) {
  check_fit(x)
  check_region(if (!missing(range)) range, "range", 2L, rlang::current_env())
  bayestestR::p_rope(parameter_frame(x, variable, group), range = range, ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::equivalence_test
equivalence_test.hmvn_fit <- function(x, range, variable = NULL, group = NULL, ...) {
  check_fit(x)
  check_region(if (!missing(range)) range, "range", 2L, rlang::current_env())
  bayestestR::equivalence_test(parameter_frame(x, variable, group), range = range, ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::p_significance
p_significance.hmvn_fit <- function(x, threshold, variable = NULL, group = NULL, ...) {
  check_fit(x)
  check_region(if (!missing(threshold)) threshold, "threshold", 1:2, rlang::current_env())
  bayestestR::p_significance(parameter_frame(x, variable, group), threshold = threshold, ...)
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::effective_sample
effective_sample.hmvn_fit <- function(model, variable = NULL, group = NULL, ...) {
  some_diagnostics(model, variable, group, "ESS")
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::mcse
mcse.hmvn_fit <- function(model, variable = NULL, group = NULL, ...) {
  some_diagnostics(model, variable, group, "MCSE")
}

#' @rdname easystats-hmvn
#' @exportS3Method bayestestR::diagnostic_posterior
diagnostic_posterior.hmvn_fit <- function(posteriors, variable = NULL, group = NULL, ...) {
  some_diagnostics(posteriors, variable, group, c("Rhat", "ESS", "MCSE"))
}

# internal -----------------------------------------------------------------

# Draws [iteration, chain, parameter] of what a table of parameters has by default; of quantities
# that are symmetric matrices every pair once.
parameter_draws <- function(fit, variable, group, call) {
  check_fit(fit, call)
  if (is.null(variable)) {
    variable <- c(
      "mu", if (n_covariates(fit) > 0L) "beta", "sigma", if (n_features(fit) > 1L) "Omega"
    )
  }
  draws <- draws_array(fit, variable, group = group, call = call)
  if (all(variable %in% quantity_names(fit))) {
    groups <- match_groups(fit, group, call)
    each <- lapply(unique(variable), names_once, fit = fit, groups = groups)
    draws <- draws[, , unlist(each), drop = FALSE]
  }
  posterior::as_draws_array(draws)
}

# The names of a quantity's elements; of a symmetric matrix every pair once.
names_once <- function(name, fit, groups) {
  layout <- packed_layout(fit, name)
  if (nrow(layout) == 0L) {
    return(NULL)
  }
  if (!quantities[[name]]$by_group) {
    return(packed_names(fit, name, NULL, layout))
  }
  rows <- rep(seq_len(nrow(layout)), length(groups))
  group <- rep(groups, each = nrow(layout))
  packed_names(fit, name, group, layout[rows, , drop = FALSE])
}

# As columns of a data frame.
parameter_frame <- function(fit, variable, group, call = rlang::caller_env()) {
  frame_of_draws(parameter_draws(fit, variable, group, call))
}

frame_of_draws <- function(draws) {
  names <- posterior::variables(draws)
  values <- matrix(draws, ncol = length(names), dimnames = list(NULL, names))
  as.data.frame(values, optional = TRUE)
}

diagnostics_of <- function(fit, draws) {
  found <- summarise_array_(unclass(draws), numeric(), fit$control$cores)
  data.frame(
    Parameter = posterior::variables(draws), Rhat = found[, "rhat"], ESS = found[, "ess_bulk"],
    MCSE = found[, "sd"] / sqrt(found[, "ess_bulk"])
  )
}

some_diagnostics <- function(fit, variable, group, columns, call = rlang::caller_env()) {
  diagnostics_of(fit, parameter_draws(fit, variable, group, call))[c("Parameter", columns)]
}

add_diagnostics <- function(table, found) {
  at <- match(table$Parameter, found$Parameter)
  table$Rhat <- found$Rhat[at]
  table$ESS <- found$ESS[at]
  table
}

# Probabilities of intervals.
check_interval_levels <- function(ci, call) {
  fine <- is.numeric(ci) && !is.object(ci) && length(ci) > 0L && !anyNA(ci) && all(ci > 0 & ci < 1)
  if (!fine) abort_argument("ci", "probabilities between 0 and 1", ci, call)
}

# `lengths`: of how many numbers it may be.
check_region <- function(region, arg, lengths, call) {
  if (is.null(region)) {
    abort_hmvn(
      c(
        "{.arg {arg}} must be given.",
        x = "Parameters have the units of their features.",
        i = "For correlations, for example: {.code variable = \"Omega\", {arg} = }."
      ),
      "argument", argument = arg, call = call
    )
  }
  fine <- is.numeric(region) && !is.object(region) && length(region) %in% lengths &&
    !anyNA(region) && !is.unsorted(region)
  if (!fine) {
    wanted <- c("one number, or two that rise", "two numbers that rise")[[min(lengths)]]
    abort_argument(arg, wanted, region, call)
  }
}
