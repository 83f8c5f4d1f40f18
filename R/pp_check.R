# The data beside data drawn from the fit.

#' Posterior predictive checks
#'
#' Rows of the fit beside rows drawn from it, by group, as a picture of \pkg{bayesplot}.
#'
#' @param object An `hmvn_fit` made from rows.
#' @param type The function of \pkg{bayesplot} to call, without its `ppc_`, such as
#'   `"dens_overlay_grouped"`, `"stat_grouped"`, `"intervals"` or `"ecdf_overlay_grouped"`.
#' @param feature Name of the feature to show; `NULL`: the first.
#' @param ndraws Number of data sets to draw, by default 50 or as many as the fit has draws.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it.
#' @param ... Passed on to that function.
#' @return A ggplot. Cells that are missing in the data are left out of the draws too; rows without
#'   one of their covariates are left out of both.
#' @section Errors: `hmvn_error_rows` if the fit has no rows; `hmvn_error_argument` for an unknown
#'   `type` or `feature`; `hmvn_error_package` without \pkg{bayesplot}.
#' @seealso [posterior_predict()][posterior_predict.hmvn_fit], [plot()][plot.hmvn_fit],
#'   [loo_pit()][loo_predict.hmvn_fit]; `vignette("workflow")`.
#' @examplesIf requireNamespace("bayesplot", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' bayesplot::pp_check(fit, feature = "Petal.Length", seed = 1)
#' @exportS3Method bayesplot::pp_check
pp_check.hmvn_fit <- function(object, type = "dens_overlay_grouped", ..., feature = NULL,
                              ndraws = min(50, posterior::ndraws(object)), seed = NULL) {
  call <- rlang::current_env()
  check_fit(object, call)
  require_package("bayesplot", "{.fn pp_check}", call)
  known <- sub("^ppc_", "", grep("^ppc_", getNamespaceExports("bayesplot"), value = TRUE))
  type <- check_choice(type, "type", sort(known), call)
  features <- object$statistics$features
  feature <- check_choice(feature %||% features[[1L]], "feature", features, call)
  rows <- rows_to_say(object, NULL, "A predictive check", call = call)
  y <- rows$values[match(feature, features), ]
  seen <- which(!is.na(y) & are_placed(rows))
  drawn <- draw_rows(object, rows, list(ndraws = ndraws, seed = seed), call)
  yrep <- matrix(drawn[, seen, feature], dim(drawn)[[1L]])
  draw <- getExportedValue("bayesplot", paste0("ppc_", type))
  given <- list(y = y[seen], yrep = yrep, ...)
  if ("group" %in% names(formals(draw)) && is.null(given$group)) {
    labels <- object$statistics$labels
    given$group <- factor(labels[rows$group[seen]], levels = labels)
  }
  do.call(draw, given) + ggplot2::labs(x = feature)
}
