# The model of a fit as a Stan program with its data: for those who want to check us, or to carry on
# in Stan. The program itself is put together in stan_program.R.

#' The same model as a Stan program
#'
#' `stancode()` writes a Stan program of exactly the posterior that a fit was drawn from,
#' `standata()` the data it needs, so that anyone can check a fit or go on from it in Stan. The
#' program holds only what the fit's model needs: its pooling, its priors, missing cells or not.
#'
#' The program samples means, standard deviations `sigma` and Cholesky factors `L` of the
#' correlation matrices as they stand (the centred form): it is written to be read and checked, and
#' it is slower than [fit_hmvn()]; with few groups and partial pooling expect divergences at Stan's
#' default settings. Its data are the sufficient statistics, so that weights and fits from
#' [hmvn_statistics()] work too.
#'
#' The draws of the program have the names they have here: `mu`, `sigma`, `Omega`, `Sigma`, and
#' where the model has them `beta` (by group, slopes \[covariate, feature\]), `mu0`, `beta0`,
#' `sigma0`, `Omega0`, `Sigma0`, `Omega_between`, `Sigma_between`, `tau`, `tau_slope`, `h_mean`,
#' `h_sd`, `h_cor`, `h_slope`, with positions in place of labels. `lprior` and `log_joint` are the
#' `lprior` and `lp__` of this
#' package, without Jacobians; Stan's own `lp__` adds the Jacobians of its transforms. With one
#' feature there is no `Omega`. A heterogeneity that is not learned is part of the data.
#' In a frame (`frame` of [hmvn_prior()]) what is sampled are `sigma_frame` and `L_frame`, those of
#' S there. Where means or slopes are pooled by feature or covariate, `mu0` and `tau` (`beta0` and
#' `tau_slope`) are also there for what is not partially pooled, as (S4) has it: the prior's
#' location and scale for the unpooled, the common value and 0 for the completely pooled;
#' `Omega_between` is of the partially pooled means. Of estimates with known covariances there are
#' means alone.
#'
#' Both are methods for the generics of \pkg{brms} too, so that they work in whatever order the
#' packages are attached: the generics exported here pass on to \pkg{brms} what they do not know.
#'
#' @param object An `hmvn_fit`.
#' @param ... Must be empty.
#' @return `stancode()`: a string of class `hmvn_stancode`, which prints as text; the syntax needs
#'   Stan 2.33 or later, or \pkg{rstan} 2.32. `standata()`: a named list, G groups and K features in
#'   the order of the fit; arrays carry the labels of groups and features as dimnames. The
#'   statistics `n`, `ybar` (means) and `S` (centred scatter matrices) have one entry a group or,
#'   with missing cells, one for every pattern of observed features in a group.
#' @section Errors: `hmvn_error_argument` if there is no method for `object`.
#' @seealso [unconstrain_pars()] for the density itself; `vignette("coming_from")`.
#' @examples
#' fit <- fit_hmvn(
#'   iris,
#'   group = ~ Species, pooling = c(cor = "complete"), chains = 2, iter_sampling = 500, seed = 1
#' )
#' stancode(fit)
#' str(standata(fit))
#' @export
stancode <- function(object, ...) UseMethod("stancode")

#' @rdname stancode
#' @export
standata <- function(object, ...) UseMethod("standata")

#' @rdname stancode
#' @export
#' @rawNamespace S3method(brms::stancode, hmvn_fit)
stancode.hmvn_fit <- function(object, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = "object", call = call)
  check_fit(object, call)
  structure(write_stan_program(stan_parts_of(object)), class = c("hmvn_stancode", "character"))
}

#' @rdname stancode
#' @export
#' @rawNamespace S3method(brms::standata, hmvn_fit)
standata.hmvn_fit <- function(object, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = "object", call = call)
  check_fit(object, call)
  model <- stan_parts_of(object)
  c(
    list(G = length(object$statistics$labels), K = model$K),
    if (model$C > 0) list(C = model$C),
    if (model$likelihood) stan_statistics(object$statistics, model),
    stan_prior_data(object$prior, model)
  )
}

#' @export
stancode.default <- function(object, ...) pass_on_to_brms("stancode", object, ...)

#' @export
standata.default <- function(object, ...) pass_on_to_brms("standata", object, ...)

#' @export
print.hmvn_stancode <- function(x, ...) {
  cat(x, sep = "")
  invisible(x)
}

# internal -----------------------------------------------------------------

# Where ours hides the generic of brms, objects of brms still find their methods, which are
# registered there. Called from the global environment, for from here that generic would find our
# default method and come back.
pass_on_to_brms <- function(generic, object, ...) {
  if (isNamespaceLoaded("brms")) {
    theirs <- getExportedValue("brms", generic)
    return(do.call(theirs, list(object, ...), quote = TRUE, envir = globalenv()))
  }
  found <- describe_value(object)
  abort_hmvn(
    c("{.fn {generic}} needs a fit of {.fn fit_hmvn}.", x = "{.arg object} is {found}."),
    "argument", argument = "object", call = rlang::caller_env()
  )
}

# What decides how the program looks.
# levels: the pooling of every mean, and of every slope as to_vector() has them.
# known: covariance matrices are given (K1). framed: sds and correlations are those of (F1).
# families: a list by family of the standard deviations' priors: the features that have it.
# observed: "all", in every row of every group (statistics by group); "rows", some group has no
#   rows; "some", cells are missing.
stan_parts_of <- function(fit) {
  model <- model_of(fit)
  prior <- model$prior
  K <- length(model$features)
  pooling <- model$pooling
  if (K == 1) pooling[["cor"]] <- "none"
  levels <- list(mean = model$coefficients[1L, ], slope = c(model$coefficients[-1L, ]))
  partial <- vapply(names(pooling), function(block) {
    "partial" %in% c(pooling[[block]], levels[[block]])
  }, TRUE)
  learned <- partial & vapply(names(pooling), function(block) {
    is.na(prior$heterogeneity[[block]][["fixed"]])
  }, TRUE)
  patterns <- fit$statistics$patterns
  list(
    K = K, C = length(model$covariates), pooling = pooling, learned = learned, levels = levels,
    partial = names(pooling)[partial], between = has_between(model), known = model$known,
    framed = model$prior$frame$kind != "raw",
    families = if (!model$known) {
      split(seq_len(K), factor(prior$sd$family, levels = unique(prior$sd$family)))
    },
    likelihood = !isTRUE(fit$control$prior_only),
    observed = if (!all(patterns$observed)) {
      "some"
    } else if (!identical(as.integer(patterns$group), seq_along(fit$statistics$labels))) {
      "rows"
    } else {
      "all"
    }
  )
}

stan_statistics <- function(statistics, model) {
  patterns <- statistics$patterns
  labels <- statistics$labels[patterns$group]
  features <- statistics$features
  size <- c(length(labels), model$K)
  out <- list(
    n = array(patterns$n, size[1], list(labels)),
    ybar = array(t(patterns$mean), size, list(labels, features)),
    S = array(
      aperm(patterns$scatter, c(3, 1, 2)), size[c(1, 2, 2)], list(labels, features, features)
    )
  )
  if (model$known) out <- list(ybar = out$ybar, V = out$S)
  if (model$C > 0) out <- c(out, stan_covariates(statistics, labels))
  if (model$observed == "all") {
    return(out)
  }
  out <- c(list(P = size[1], group = array(as.integer(patterns$group), size[1])), out)
  if (model$observed == "some") {
    n_observed <- colSums(patterns$observed)
    # the positions of the observed features, filled up with zeros
    observed <- apply(patterns$observed, 2, function(o) c(which(o), integer(sum(!o))))
    out$n_observed <- array(as.integer(n_observed), size[1], list(labels))
    out$observed <- array(as.integer(t(observed)), size, list(labels, NULL))
  }
  out
}

stan_covariates <- function(statistics, labels) {
  patterns <- core_patterns(statistics)
  size <- c(length(labels), length(statistics$covariates), length(statistics$features))
  names <- list(labels, statistics$covariates, statistics$features)
  list(
    xbar = array(t(patterns$covariate_mean), size[1:2], names[1:2]),
    S_xx = array(
      aperm(patterns$covariate_scatter, c(3, 1, 2)), size[c(1, 2, 2)], names[c(1, 2, 2)]
    ),
    S_xy = array(aperm(patterns$cross, c(3, 1, 2)), size, names)
  )
}

stan_prior_data <- function(prior, model) {
  features <- names(prior$mean$location)
  by_feature <- function(x, k = seq_along(features)) {
    array(as.double(x), length(k), list(features[k]))
  }
  out <- list(
    mean_location = by_feature(prior$mean$location), mean_scale = by_feature(prior$mean$scale)
  )
  if (model$C > 0) {
    out$slope_location <- prior$slope$location
    out$slope_scale <- prior$slope$scale
  }
  for (family in names(model$families)) {
    k <- model$families[[family]]
    names <- sd_family_parameters[[family]]
    if (length(model$families) > 1) {
      out[[paste0("sd_", family)]] <- array(k, length(k), list(features[k]))
    }
    for (i in seq_along(names)) {
      out[[paste0("sd_", family, "_", names[i])]] <- by_feature(prior$sd$parameters[k, i], k)
    }
  }
  if (model$framed) out$frame <- prior$frame$root
  for (block in names(model$pooling)[model$pooling == "mixed"]) {
    out <- c(out, lapply(stan_mixed_positions(model, block), function(x) array(x, length(x))))
  }
  if (has_stan_cor(model)) out$eta <- prior$cor$eta
  if (model$between) out$eta_between <- prior$between$eta
  for (block in model$partial) {
    h <- prior$heterogeneity[[block]]
    if (model$learned[[block]]) {
      out[[paste0("h_", block, "_beta")]] <- array(unname(h[c("shape1", "shape2")]), 2)
    } else {
      fixed <- h[["fixed"]]
      out[[paste0("h_", block)]] <- if (is_mixed(model, block)) {
        n <- sum(model$levels[[block]] == "partial")
        array(fixed, n)
      } else {
        switch(block,
          cor = fixed, slope = replace(prior$slope$scale, TRUE, fixed),
          by_feature(rep(fixed, model$K))
        )
      }
    }
  }
  out
}
