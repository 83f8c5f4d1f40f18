# A model: what was said about priors and pooling, resolved for the features of the data. Sampling,
# new groups, the Stan program and prior_summary() all read it here.

# internal -----------------------------------------------------------------

# `prior`: an hmvn_resolved_prior; `prior_given`: the hmvn_prior it came from; `coefficients`: see
# coefficient_pooling(); `pooling`: c(sd =, cor =). The model's `pooling` is c(mean =, sd =, cor =),
# with covariates also slope; "mixed" where coefficients differ in theirs. `known`: covariance
# matrices are given (K1), and sd and cor are "none" and mean nothing.
new_hmvn_model <- function(prior, prior_given, coefficients, pooling, known = FALSE) {
  covariates <- rownames(coefficients)[-1L]
  blocks <- c(mean = common_level(coefficients[1L, ]), pooling)
  if (length(covariates)) blocks[["slope"]] <- common_level(coefficients[-1L, ])
  structure(
    list(
      features = colnames(coefficients), covariates = covariates, prior = prior,
      prior_given = prior_given, pooling = blocks, coefficients = coefficients, known = known
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
  pooling <- resolve_pooling(pooling, call = call)
  frame <- choose_frame(prior, pooling, statistics$known)
  resolved <- resolve_prior(prior, statistics, frame, call = call)
  if (statistics$known) pooling <- pool_known(pooling, prior, call)
  coefficients <- coefficient_pooling(pooling, statistics$features, statistics$covariates, call)
  fixed <- vapply(resolved$heterogeneity, function(h) h[["fixed"]], double(1))
  coefficients[1L, ] <- settle_ends(coefficients[1L, ], fixed[["mean"]])
  coefficients[-1L, ] <- settle_ends(coefficients[-1L, ], fixed[["slope"]])
  own <- c(
    sd = settle_ends(pooling[["sd"]], fixed[["sd"]]),
    cor = settle_ends(pooling[["cor"]], fixed[["cor"]])
  )
  new_hmvn_model(resolved, prior, coefficients, own, statistics$known)
}

# Of estimates with known covariance matrices only means are pooled, and there are no priors of
# other things.
pool_known <- function(pooling, prior, call) {
  given <- c("sd", "cor")[!vapply(prior[c("sd", "cor")], is.null, TRUE)]
  if (!is.null(prior$frame)) given <- c(given, "frame")
  if (length(given) > 0L) {
    abort_prior("Where covariances are known only means have priors.",
      "Priors are given of {.arg {given}}.", given[[1L]],
      call = call
    )
  }
  levels <- pooling[["mean"]]
  if (!"partial" %in% levels) {
    abort_pooling(
      paste(
        "With known covariances means are partially pooled: else there is nothing to sample",
        "({.code ?hmvn_statistics_from} has the closed forms)."
      ), call
    )
  }
  pooling[c("sd", "cor")] <- "none"
  pooling
}

settle_ends <- function(levels, fixed) {
  levels[levels == "partial" & fixed %in% 0] <- "complete"
  levels[levels == "partial" & fixed %in% 1] <- "none"
  levels
}

# The model in the form of the C++ core: pooling, priors and heterogeneities as plain vectors and
# matrices. Coefficients are the means of the features, then their slopes on the first covariate, on
# the second, ...
as_core <- function(model) {
  prior <- model$prior
  k <- length(model$features)
  list(
    coefficient_pooling = c(t(model$coefficients)),
    pooling = unname(model$pooling[c("sd", "cor")]),
    heterogeneity = do.call(rbind, prior$heterogeneity[pooling_blocks]),
    location = c(prior$mean$location, t(prior$slope$location %||% matrix(0, 0, k))),
    scale = c(prior$mean$scale, t(prior$slope$scale %||% matrix(0, 0, k))),
    family = prior$sd$family,
    parameters = prior$sd$parameters,
    eta = prior$cor$eta,
    frame = prior$frame$root,
    between_eta = if (has_between(model)) prior$between$eta,
    known = model$known
  )
}

# The features whose means are correlated between groups (B1), by position; none where they are
# independent.
between_features <- function(model) {
  partial <- which(model$coefficients["mean", ] == "partial")
  correlated <- length(partial) > 1L && !identical(model$prior$between, "independent")
  if (correlated) unname(partial) else integer()
}

has_between <- function(model) length(between_features(model)) > 0L

# The pooling of a model as a user says it, by feature or covariate where it differs.
said_pooling <- function(model) {
  said <- as.list(model$pooling)
  if (said$mean == "mixed") said$mean <- model$coefficients["mean", ]
  if (identical(said$slope, "mixed")) {
    slopes <- model$coefficients[-1L, , drop = FALSE]
    by_covariate <- all(slopes == slopes[, 1L])
    said$slope <- if (by_covariate) slopes[, 1L] else slopes[1L, ]
  }
  said
}

# The pooling of the blocks that the model has: one feature has no correlations, and where
# covariances are known there are only means.
pooling_of <- function(model) {
  if (model$known) {
    return(model$pooling["mean"])
  }
  model$pooling[if (length(model$features) > 1L) TRUE else names(model$pooling) != "cor"]
}
