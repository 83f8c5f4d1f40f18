# A model: what was said about priors and pooling, resolved for the features of the data. Sampling,
# new groups, the Stan program and prior_summary() all read it here.

# internal -----------------------------------------------------------------

# `prior`: an hmvn_resolved_prior; `prior_given`: the hmvn_prior it came from; `pooling`: c(mean =,
# sd =, cor =).
new_hmvn_model <- function(features, prior, prior_given, pooling) {
  structure(
    list(features = features, prior = prior, prior_given = prior_given, pooling = pooling),
    class = "hmvn_model"
  )
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
  new_hmvn_model(statistics$features, resolved, prior, pooling)
}

# The model in the form of the C++ core: pooling, priors and heterogeneities as plain vectors and
# matrices.
as_core <- function(model) {
  prior <- model$prior
  list(
    pooling = unname(model$pooling[pooling_blocks]),
    heterogeneity = do.call(rbind, prior$heterogeneity[pooling_blocks]),
    location = prior$mean$location,
    scale = prior$mean$scale,
    family = prior$sd$family,
    parameters = prior$sd$parameters,
    eta = prior$cor$eta,
    frame = prior$frame$root
  )
}

# The pooling of the blocks that the model has: one feature has no correlations.
pooling_of <- function(model) {
  model$pooling[if (length(model$features) > 1L) pooling_blocks else setdiff(pooling_blocks, "cor")]
}
