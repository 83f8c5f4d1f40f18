# A group that has not been seen: its mean and covariance matrix, drawn from the population.

#' A new group's mean and covariance matrix
#'
#' For every posterior draw one draw of a group that is not among those of the fit: by coordinate
#' its score is u = v + h e, with v the typical group's score, h the heterogeneity and e standard
#' normal (equation (S4) of `vignette("model")`). Without pooling a group learns nothing from
#' others, so that this is a draw from the prior; under complete pooling it is the value all groups
#' have. A message says so.
#'
#' @param fit An `hmvn_fit`.
#' @param ndraws Number of posterior draws to use, spread evenly over all of them; `NULL` for all,
#'   which keeps the chains.
#' @param seed A whole number, which leaves R's random number generator alone; `NULL` takes one from
#'   it. A draw's new group depends on the seed and on that draw alone.
#' @return A [posterior::draws_rvars] object (a list) of random variables `mu` and `sigma`
#'   \[feature\], `Omega` and `Sigma` \[feature, feature\], with covariates `beta` \[covariate,
#'   feature\], with the names as dimnames, in the units of the features. `summarise_draws()`
#'   summarises it.
#' @section Errors: `hmvn_error_argument` for `ndraws` (more than the fit has) and `seed`,
#'   `hmvn_error_fit`.
#' @seealso [fixef()][fixef.hmvn_fit] for the typical group, [kfold()][kfold.hmvn_fit] with `group =
#'   TRUE` for how well new groups are predicted.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, features = ~ Sepal.Length + Sepal.Width,
#'   pooling = "partial", chains = 2, seed = 1)
#' new <- posterior_new_group(fit, seed = 1)
#' new$mu
#' summarise_draws(new, "mean", "sd")
#' @export
posterior_new_group <- function(fit, ndraws = NULL, seed = NULL) {
  call <- rlang::current_env()
  check_fit(fit, call)
  chosen <- choose_draws(fit, ndraws, call)
  seed <- choose_seed(seed, call)
  model <- model_of(fit)
  inform_new_group(pooling_of(model))

  drawn <- draw_new_group(fit, chosen, seed)
  # all draws keep their chains
  size <- if (is.null(ndraws)) n_kept(fit) else c(length(chosen), 1L)
  drawn <- lapply(drawn, function(x) array(x, c(size, ncol(x))))
  group_draws(drawn, model)
}

# internal -----------------------------------------------------------------

# list(mean = [draw, K], slope = [draw, K C], chol = [draw, packed]): a new group for each of the
# draws `chosen`.
draw_new_group <- function(fit, chosen, seed) {
  names <- c(
    "mean0", "slope0", "scale0", "chol_cor0", "chol_between", "h_mean", "h_slope", "h_sd", "h_cor"
  )
  with_memory_errors(
    {
      population <- lapply(stats::setNames(names, names), function(name) {
        draw_matrix(fit$draws[[name]], chosen)
      })
      new_group_(as_core(model_of(fit)), population, chosen, seed)[c("mean", "slope", "chol")]
    },
    "Draws", NULL
  )
}

# One group's [iteration, chain, index] means, slopes and packed factors as random variables.
group_draws <- function(drawn, model) {
  features <- model$features
  covariates <- model$covariates
  k <- length(features)
  of <- function(kind) {
    values <- derive_quantity_(drawn$chol, k, 1L, kind, FALSE)
    dim(values) <- dim(values)[-3L]
    as_rvar(label_array(values, rep(list(features), length(dim(values)) - 2L)))
  }
  slopes <- function() {
    values <- array(drawn$slope, c(dim(drawn$slope)[1:2], k, length(covariates)))
    as_rvar(label_array(aperm(values, c(1, 2, 4, 3)), list(covariates, features)))
  }
  parts <- list(mu = as_rvar(label_array(drawn$mean, list(features))))
  if (!model$known) {
    parts <- c(parts, list(sigma = of("sigma"), Omega = of("Omega"), Sigma = of("Sigma")))
  }
  if (length(covariates)) parts$beta <- slopes()
  do.call(posterior::draws_rvars, parts)
}

inform_new_group <- function(pooling) {
  words <- c(mean = "means", sd = "standard deviations", cor = "correlations", slope = "slopes")
  prior <- words[names(pooling)[pooling == "none"]]
  common <- words[names(pooling)[pooling == "complete"]]
  if (length(prior) + length(common) == 0L) {
    return(invisible())
  }
  inform_hmvn(
    c(
      i = if (length(prior)) "Not pooled, so a new group's are draws from the prior: {prior}.",
      i = if (length(common)) {
        "Completely pooled, so a new group's are those of all groups: {common}."
      }
    ),
    "new_group", prior = names(prior), common = names(common)
  )
}
