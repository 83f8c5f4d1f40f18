# A fit in posterior's draws formats.

#' Draws of a fit in posterior's formats
#'
#' What was drawn, and what follows from it, in the formats of \pkg{posterior}: as random variables
#' with the labels of the data, or element by element.
#'
#' @param x An `hmvn_fit`.
#' @param variable Quantities (`"mu"`, `"Sigma"`, ...) or, except for `as_draws_rvars()`, single
#'   elements (`"mu[A,x]"`). `NULL`: everything that was kept, if it fits into 1 GB.
#' @param regex Read `variable` as regular expressions?
#' @param group Labels of the groups to return; `NULL` for all.
#' @param index Name elements by label (`"mu[A,x]"`) or by position (`"mu[1,1]"`)?
#' @param triangle Of symmetric matrices (`Omega`, `Sigma`, ...) every pair of features once, the
#'   later feature first (`"lower"`: `Omega[A,y,x]` of features x and y), without the ones on the
#'   diagonal of correlations; or all elements (`"full"`), as `as_draws_rvars()` always has them. A
#'   single element that `variable` names is given either way.
#' @param ... `as_draws_df()`, `as.data.frame()` and the like take the arguments of
#'   `as_draws_array()` here. Nothing else may be given.
#' @param row.names,optional,make.names,stringsAsFactors Not used.
#' @return `as_draws_rvars()`: random-variable arrays with the labels as they are in the data: `mu`
#'   and `sigma` \[group, feature\], `Omega` and `Sigma` \[group, feature, feature\], as far as the
#'   model has them `mu0`, `sigma0`, `Omega0`, `Sigma0` (the typical group), `tau`, `h_mean`,
#'   `h_sd`, `h_cor`, `lp__` (log joint density) and `lprior` (its prior part). The other formats
#'   hold the same quantities element by element: `mu[A,x]`, `Sigma[A,y,x]`, `mu0[x]`, `h_cor`,
#'   `lp__`. `as_draws()` is `as_draws_array()`. `as.array()` gives \[iteration, chain, variable\],
#'   `as.matrix()` \[draw, variable\].
#' @section Labels in names: Commas, brackets and blanks in a label become `_`, since posterior and
#'   tidybayes split names there; a label that reads as a number gets the prefix `g` (groups) or `f`
#'   (features), since posterior would take it for a position (`mu[g100001,x]`). Labels that would
#'   then coincide are numbered. `as_draws_rvars()` changes no label.
#' @section Errors: `hmvn_error_variable` for a quantity the fit does not have (or has no elements
#'   of: correlations of one feature), or a regular expression that finds none; `hmvn_error_keep`
#'   for one whose draws were not kept, `hmvn_error_group`, `hmvn_error_size`.
#' @seealso [group_mean()] and [group_cor()] for one quantity as random variables,
#'   [summary()][summary.hmvn_fit] for a data frame of one row a quantity.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' draws <- as_draws_df(fit, variable = c("sigma", "Omega"), group = "setosa")
#' summarise_draws(draws, "mean", "sd")
#' # both triangles and the diagonal
#' variables(as_draws_array(fit, "Omega", group = "setosa", triangle = "full"))
#' # random variables with the labels of the data
#' as_draws_rvars(fit, variable = "Omega")$Omega["setosa", , , drop = TRUE]
#' @name draws-hmvn
NULL

#' @rdname draws-hmvn
#' @export
as_draws.hmvn_fit <- function(x, ...) posterior::as_draws_array(draws_array(x, ...))

#' @rdname draws-hmvn
#' @export
as_draws_rvars.hmvn_fit <- function(x, variable = NULL, regex = FALSE, group = NULL, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  check_any(group, "group", call)
  asked <- check_asked(variable, regex, "label", "full", call)
  groups <- match_groups(x, group, call)
  chosen <- match_quantities(x, asked, call)
  if (is.null(variable)) check_draws_size(x, chosen, length(groups), "full", call)
  with_memory_errors(
    {
      rvars <- lapply(chosen, function(name) as_rvar(quantity(x, name, groups)))
      do.call(posterior::draws_rvars, stats::setNames(rvars, chosen))
    },
    "Draws", call
  )
}

#' @rdname draws-hmvn
#' @export
as_draws_array.hmvn_fit <- function(x, variable = NULL, regex = FALSE, group = NULL,
                                    index = c("label", "number"),
                                    triangle = c("lower", "full"), ...) {
  posterior::as_draws_array(draws_array(x, variable, regex, group, index, triangle, ...))
}

#' @rdname draws-hmvn
#' @export
as_draws_matrix.hmvn_fit <- function(x, ...) {
  posterior::as_draws_matrix(posterior::as_draws_array(draws_array(x, ...)))
}

#' @rdname draws-hmvn
#' @export
as_draws_df.hmvn_fit <- function(x, ...) {
  posterior::as_draws_df(posterior::as_draws_array(draws_array(x, ...)))
}

#' @rdname draws-hmvn
#' @export
as_draws_list.hmvn_fit <- function(x, ...) {
  posterior::as_draws_list(posterior::as_draws_array(draws_array(x, ...)))
}

#' @rdname draws-hmvn
#' @export
variables.hmvn_fit <- function(x, index = c("label", "number"), triangle = c("lower", "full"),
                               ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  asked <- check_asked(NULL, FALSE, index, triangle, call)
  unlist(lapply(unname(match_elements(x, asked, seq_len(n_groups(x)), call)), names))
}

#' @rdname draws-hmvn
#' @export
nvariables.hmvn_fit <- function(x, ...) length(variables.hmvn_fit(x, ...))

#' @rdname draws-hmvn
#' @export
nchains.hmvn_fit <- function(x) n_chains(check_fit(x))

#' @rdname draws-hmvn
#' @export
niterations.hmvn_fit <- function(x) n_kept(check_fit(x))[[1L]]

#' @rdname draws-hmvn
#' @export
ndraws.hmvn_fit <- function(x) n_draws(check_fit(x))

#' @rdname draws-hmvn
#' @export
as.array.hmvn_fit <- function(x, ...) {
  values <- draws_array(x, ...)
  dimnames(values)[1] <- list(NULL)
  names(dimnames(values)) <- c("iterations", "chains", "parameters")
  values
}

#' @rdname draws-hmvn
#' @export
as.matrix.hmvn_fit <- function(x, ...) {
  values <- as.array.hmvn_fit(x, ...)
  names <- list(NULL, parameters = dimnames(values)[[3]])
  matrix(values, ncol = dim(values)[3], dimnames = names)
}

#' @rdname draws-hmvn
#' @export
as.data.frame.hmvn_fit <- function(x, row.names = NULL, optional = FALSE, ...,
                                   make.names = NA, stringsAsFactors = FALSE) {
  as.data.frame(as.matrix.hmvn_fit(x, ...), optional = TRUE)
}

#' @importFrom posterior as_draws
#' @export
posterior::as_draws

#' @importFrom posterior as_draws_rvars
#' @export
posterior::as_draws_rvars

#' @importFrom posterior as_draws_array
#' @export
posterior::as_draws_array

#' @importFrom posterior as_draws_matrix
#' @export
posterior::as_draws_matrix

#' @importFrom posterior as_draws_df
#' @export
posterior::as_draws_df

#' @importFrom posterior as_draws_list
#' @export
posterior::as_draws_list

#' @importFrom posterior variables
#' @export
posterior::variables

#' @importFrom posterior nvariables
#' @export
posterior::nvariables

#' @importFrom posterior nchains
#' @export
posterior::nchains

#' @importFrom posterior niterations
#' @export
posterior::niterations

#' @importFrom posterior ndraws
#' @export
posterior::ndraws

#' @importFrom posterior summarise_draws
#' @export
posterior::summarise_draws

#' @importFrom posterior E
#' @export
posterior::E

#' @importFrom posterior Pr
#' @export
posterior::Pr
