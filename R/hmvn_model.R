# A model: what was said about priors and pooling, resolved for the features of the data. Sampling,
# new groups, the Stan program and prior_summary() all read it here.

# internal -----------------------------------------------------------------

# `prior`: an hmvn_resolved_prior; `prior_given`: the hmvn_prior it came from; `pooling`: c(mean =,
# sd =, cor =), with covariates also slope.
new_hmvn_model <- function(features, covariates, prior, prior_given, pooling) {
  structure(
    list(
      features = features, covariates = covariates, prior = prior, prior_given = prior_given,
      pooling = pooling
    ),
    class = "hmvn_model"
  )
}

# The blocks of a model with these covariates.
model_blocks <- function(covariates) {
  if (length(covariates)) pooling_blocks else setdiff(pooling_blocks, "slope")
}

# The model that `prior` and `pooling`, as the user gives them, make of the statistics. A partially
# pooled block whose h the user fixed at an end is no partial pooling.
specify_model <- function(statistics, prior, pooling, call) {
  prior <- prior %||% hmvn_prior()
  resolved <- resolve_prior(prior, statistics, call = call)
  pooling <- resolve_pooling(pooling, call = call)
  fixed <- vapply(resolved$heterogeneity[names(pooling)], function(h) h[["fixed"]], double(1))
  pooling[pooling == "partial" & fixed %in% 0] <- "complete"
  pooling[pooling == "partial" & fixed %in% 1] <- "none"
  covariates <- statistics$covariates
  new_hmvn_model(
    statistics$features, covariates, resolved, prior, pooling[model_blocks(covariates)]
  )
}

# The model in the form of the C++ core: pooling, priors and heterogeneities as plain vectors and
# matrices. Coefficients are the means of the features, then their slopes on the first covariate, on
# the second, ...
as_core <- function(model) {
  prior <- model$prior
  k <- length(model$features)
  pooling <- rep(
    c(model$pooling[["mean"]], if (length(model$covariates)) model$pooling[["slope"]]),
    c(k, if (length(model$covariates)) k * length(model$covariates))
  )
  list(
    coefficient_pooling = pooling,
    pooling = unname(model$pooling[c("sd", "cor")]),
    heterogeneity = do.call(rbind, prior$heterogeneity[pooling_blocks]),
    location = c(prior$mean$location, t(prior$slope$location %||% matrix(0, 0, k))),
    scale = c(prior$mean$scale, t(prior$slope$scale %||% matrix(0, 0, k))),
    family = prior$sd$family,
    parameters = prior$sd$parameters,
    eta = prior$cor$eta,
    frame = prior$frame$root,
    between_eta = if (has_between(model)) prior$between$eta
  )
}

# The patterns in the form of the core: covariates about their centres.
core_patterns <- function(statistics) {
  patterns <- statistics$patterns
  if (length(statistics$covariates)) {
    patterns$covariate_mean <- patterns$covariate_mean - statistics$covariate_center
  }
  patterns
}

# Has the model correlations between groups' means (B1)?
has_between <- function(model) {
  length(model$features) > 1L && model$pooling[["mean"]] == "partial" &&
    !identical(model$prior$between, "independent")
}

# The pooling of the blocks that the model has: one feature has no correlations.
pooling_of <- function(model) {
  model$pooling[if (length(model$features) > 1L) TRUE else names(model$pooling) != "cor"]
}
