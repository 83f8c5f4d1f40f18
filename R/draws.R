# A fit in posterior's draws formats.

#' Draws of a fit in posterior's formats
#'
#' @param x An `hmvn_fit`.
#' @param variable Quantities (`"mu"`, `"Sigma"`, ...) or, except for `as_draws_rvars()`, single
#'   elements (`"mu[A,x]"`). `NULL`: everything that was kept, if it fits into 1 GB.
#' @param regex Read `variable` as regular expressions?
#' @param group Labels of the groups to return; `NULL` for all.
#' @param index Name elements by label (`"mu[A,x]"`) or by position (`"mu[1,1]"`)?
#' @param ... Not used; for `as.data.frame()` and the like passed on to `as_draws_array()`.
#' @param row.names,optional Not used.
#' @return `as_draws_rvars()`: random-variable arrays with the labels as they are in the data: `mu`
#'   and `sigma` \[group, feature\], `Omega` and `Sigma` \[group, feature, feature\], as far as the
#'   model has them `mu0`, `sigma0`, `Omega0`, `Sigma0` (the typical group), `tau`, `h_mean`,
#'   `h_sd`, `h_cor`, `lp__` (log joint density) and `lprior` (its prior part). The other formats
#'   hold the same quantities element by element: `mu[A,x]`, `Sigma[A,x,y]`, `mu0[x]`, `h_cor`,
#'   `lp__`. `as_draws()` is `as_draws_array()`. `as.array()` gives \[iteration, chain, variable\],
#'   `as.matrix()` \[draw, variable\].
#' @section Labels in names: Commas, brackets and blanks in a label become `_`, since posterior and
#'   tidybayes split names there; a label that reads as a number gets the prefix `g` (groups) or `f`
#'   (features), since posterior would take it for a position (`mu[g100001,x]`). Labels that would
#'   then coincide are numbered. `as_draws_rvars()` changes no label.
#' @section Errors: `hmvn_error_variable` for a quantity the fit does not have, `hmvn_error_keep`
#'   for one whose draws were not kept, `hmvn_error_group`, `hmvn_error_size`.
#' @name draws-hmvn
NULL

#' @rdname draws-hmvn
#' @export
as_draws.hmvn_fit <- function(x, ...) as_draws_array.hmvn_fit(x, ...)

#' @rdname draws-hmvn
#' @export
as_draws_rvars.hmvn_fit <- function(x, variable = NULL, regex = FALSE, group = NULL, ...) {
  groups <- match_groups(x, group)
  chosen <- match_quantities(x, variable, regex)
  if (is.null(variable)) check_draws_size(x, chosen, length(groups))
  rvars <- lapply(chosen, function(name) as_rvar(quantity(x, name, groups)))
  names(rvars) <- chosen
  do.call(posterior::draws_rvars, rvars)
}

#' @rdname draws-hmvn
#' @export
as_draws_array.hmvn_fit <- function(x, variable = NULL, regex = FALSE, group = NULL,
                                    index = c("label", "number"), ...) {
  asked <- list(variable = variable, regex = regex, index = rlang::arg_match(index))
  posterior::as_draws_array(build_array(x, asked, group))
}

#' @rdname draws-hmvn
#' @export
as_draws_matrix.hmvn_fit <- function(x, ...) {
  posterior::as_draws_matrix(as_draws_array.hmvn_fit(x, ...))
}

#' @rdname draws-hmvn
#' @export
as_draws_df.hmvn_fit <- function(x, ...) {
  posterior::as_draws_df(as_draws_array.hmvn_fit(x, ...))
}

#' @rdname draws-hmvn
#' @export
as_draws_list.hmvn_fit <- function(x, ...) {
  posterior::as_draws_list(as_draws_array.hmvn_fit(x, ...))
}

#' @rdname draws-hmvn
#' @export
variables.hmvn_fit <- function(x, ...) {
  unlist(lapply(quantity_names(x, "draws"), element_names, fit = x, ...), use.names = FALSE)
}

#' @rdname draws-hmvn
#' @export
nvariables.hmvn_fit <- function(x, ...) length(variables.hmvn_fit(x))

#' @rdname draws-hmvn
#' @export
nchains.hmvn_fit <- function(x) n_chains(x)

#' @rdname draws-hmvn
#' @export
niterations.hmvn_fit <- function(x) n_kept(x)[[1L]]

#' @rdname draws-hmvn
#' @export
ndraws.hmvn_fit <- function(x) n_draws(x)

#' @rdname draws-hmvn
#' @export
as.array.hmvn_fit <- function(x, ...) {
  values <- unclass(as_draws_array.hmvn_fit(x, ...))
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
as.data.frame.hmvn_fit <- function(x, row.names = NULL, optional = FALSE, ...) {
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

# internal -----------------------------------------------------------------

# [iteration, chain, variable] of all elements asked for, each quantity built for the groups that
# need it only. `asked`: list(variable, regex, index), as as_draws_array() takes them.
build_array <- function(fit, asked, group, call = rlang::caller_env()) {
  groups <- match_groups(fit, group, call)
  if (is.null(asked$variable)) {
    check_draws_size(fit, quantity_names(fit, "draws"), length(groups), call)
  }
  chosen <- match_elements(fit, asked, groups, call)
  counts <- lengths(chosen)
  names <- unlist(lapply(unname(chosen), names))
  out <- array(0, c(n_kept(fit), sum(counts)), list(NULL, NULL, names))
  ends <- cumsum(counts)
  for (i in seq_along(chosen)) {
    at <- seq(ends[i] - counts[i] + 1, length.out = counts[i])
    out[, , at] <- build_elements(fit, names(chosen)[i], chosen[[i]], groups)
  }
  # posterior wants numbers for chains and iterations
  dimnames(out)[1:2] <- lapply(n_kept(fit), function(n) as.character(seq_len(n)))
  out
}

# `elements`: positions in the quantity's array for `groups`, first dimension (the group) fastest
build_elements <- function(fit, name, elements, groups) {
  if (quantities[[name]]$by_group) {
    own <- (elements - 1L) %% length(groups) + 1L
    needed <- unique(own)
    elements <- match(own, needed) + length(needed) * ((elements - 1L) %/% length(groups))
    groups <- groups[needed]
  }
  values <- quantity(fit, name, groups)
  dim(values) <- c(dim(values)[1:2], prod(dim(values)[-(1:2)]))
  values[, , elements, drop = FALSE]
}

# Named list: for each quantity that is needed the positions of its elements, named
match_elements <- function(fit, asked, groups, call = rlang::caller_env()) {
  variable <- asked$variable
  known <- quantity_names(fit)
  # names are made for what may be meant only: of very many groups they are most of the work
  meant <- if (is.null(variable) || asked$regex) {
    quantity_names(fit, "draws")
  } else {
    intersect(known, sub("\\[.*", "", variable))
  }
  all <- lapply(stats::setNames(meant, meant), function(name) {
    labels <- element_names(fit, name, groups, asked$index)
    stats::setNames(seq_along(labels), labels)
  })
  if (is.null(variable)) {
    return(all)
  }
  if (asked$regex) {
    all <- lapply(all, function(e) e[grepl(paste(variable, collapse = "|"), names(e))])
    return(all[lengths(all) > 0])
  }
  elements <- unlist(lapply(unname(all), names))
  check_kept(fit, variable, call)
  check_variables(variable[!variable %in% c(meant, elements)], known, call)
  in_order_asked(lapply(stats::setNames(meant, meant), function(name) {
    if (name %in% variable) all[[name]] else all[[name]][names(all[[name]]) %in% variable]
  }), variable)
}

in_order_asked <- function(chosen, variable) {
  chosen <- chosen[lengths(chosen) > 0]
  first <- vapply(names(chosen), function(name) {
    min(match(c(name, names(chosen[[name]])), variable), na.rm = TRUE)
  }, 0L)
  chosen[order(first)]
}

match_quantities <- function(fit, variable, regex, call = rlang::caller_env()) {
  in_draws <- quantity_names(fit, "draws")
  if (is.null(variable)) {
    return(in_draws)
  }
  if (regex) {
    return(grep(paste(variable, collapse = "|"), in_draws, value = TRUE))
  }
  check_kept(fit, variable, call)
  known <- quantity_names(fit)
  check_variables(setdiff(variable, known), known, call)
  unique(variable)
}

check_draws_size <- function(fit, names, n_groups, call = rlang::caller_env()) {
  extent <- c(g = n_groups, f = n_features(fit))
  elements <- vapply(quantities[names], function(row) {
    prod(extent[strsplit(row$index, "")[[1L]]])
  }, 0)
  hint <- paste(
    "Ask for what you need with {.arg variable} (such as {.code variable = \"mu\"}) or",
    "{.arg group}; what is asked for by name is built whatever its size."
  )
  check_size(8 * n_draws(fit) * sum(elements), "All draws together", hint, call)
}
