# What posterior does with draws, of a fit: its draws are made and handed on.

#' Draws of a fit, subset and changed
#'
#' The verbs of \pkg{posterior} for draws. Each makes the draws of all quantities by
#' [as_draws()][draws-hmvn] first; of a large fit ask for those that you want:
#' `subset_draws(as_draws_df(fit, "mu"), ...)`.
#'
#' @param x,.x An `hmvn_fit`.
#' @param thin One of `thin` draws is kept.
#' @param ... What the verb of \pkg{posterior} takes.
#' @return Draws, in the format of [as_draws()][draws-hmvn].
#' @section Errors: Those of [as_draws()][draws-hmvn] and of the verb; `hmvn_error_argument` for
#'   arguments that the verb does not know.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' posterior::thin_draws(fit, 10)
#' @seealso [as_draws_df()][draws-hmvn], and [posterior::subset_draws()].
#' @name draws-verbs-hmvn
NULL

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::subset_draws
subset_draws.hmvn_fit <- function(x, ...) {
  check_verb("subset_draws", ..., call = rlang::current_env())
  posterior::subset_draws(draws_of_fit(x), ...)
}

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::thin_draws
thin_draws.hmvn_fit <- function(x, thin, ...) {
  call <- rlang::current_env()
  check_fit(x, call)
  check_verb("thin_draws", thin, ..., call = call)
  thin <- if (!missing(thin)) thin
  thin <- check_count(thin, "thin", min = 1, max = x$control$iter_sampling, call = call)
  posterior::thin_draws(draws_of_fit(x), thin, ...)
}

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::merge_chains
merge_chains.hmvn_fit <- function(x, ...) {
  check_verb("merge_chains", ..., call = rlang::current_env())
  posterior::merge_chains(draws_of_fit(x), ...)
}

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::split_chains
split_chains.hmvn_fit <- function(x, ...) {
  check_verb("split_chains", ..., call = rlang::current_env())
  posterior::split_chains(draws_of_fit(x), ...)
}

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::resample_draws
resample_draws.hmvn_fit <- function(x, ...) {
  check_verb("resample_draws", ..., call = rlang::current_env())
  posterior::resample_draws(draws_of_fit(x), ...)
}

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::mutate_variables
mutate_variables.hmvn_fit <- function(.x, ...) {
  call <- rlang::current_env()
  check_fit(.x, call)
  given <- as.list(substitute(list(...)))[-1L]
  if (!are_names(names(given))) {
    abort_argument("...", "expressions, each named by the variable that it makes", given, call)
  }
  draws <- draws_of_fit(.x)
  refuse_as_it_does(posterior::mutate_variables(draws, ...), "...", call)
}

#' @rdname draws-verbs-hmvn
#' @exportS3Method posterior::rename_variables
rename_variables.hmvn_fit <- function(.x, ...) {
  old <- as.list(substitute(list(...)))[-1L]
  fine <- vapply(old, function(one) is.symbol(one) || is.character(one), NA)
  if (!all(fine)) {
    abort_argument("...", "names of variables", old[!fine][[1L]], rlang::current_env())
  }
  posterior::rename_variables(draws_of_fit(.x), ...)
}

# internal -----------------------------------------------------------------

draws_of_fit <- function(fit, call = rlang::caller_env()) as_draws.hmvn_fit(check_fit(fit, call))

# The methods of posterior pass over arguments that they do not know.
check_verb <- function(verb, ..., call) {
  methods <- lapply(c("draws_array", "draws"), function(class) {
    utils::getS3method(verb, class, optional = TRUE, envir = asNamespace("posterior"))
  })
  method <- Filter(Negate(is.null), methods)[[1L]]
  given <- as.list(substitute(list(...)))[-1L]
  left <- match.call(method, as.call(c(list(verb, quote(x)), given)), expand.dots = FALSE)$...
  known <- names(formals(method))
  do.call(check_no_dots, c(left, list(known = known, call = call)), quote = TRUE)
}
