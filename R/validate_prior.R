# What the parts of a prior must be, given or resolved, so that they can be indexed and handed on.

# internal -----------------------------------------------------------------

# A prior whose parts were changed by hand is read once more; returns it.
validate_prior <- function(prior, call) {
  parts <- c("mean", "sd", "cor", "heterogeneity", "frame", "between", "slope")
  if (!is.list(prior) || !identical(names(prior), parts)) {
    abort_prior("{.arg prior} must be made by {.fn hmvn_prior}.", "It has other parts.", "prior",
      call = call
    )
  }
  prior <- unclass(prior)
  if (inherits(prior$cor, "hmvn_lkj")) prior$cor <- dist_lkj(prior$cor$eta)
  prior <- do.call(hmvn_prior, prior)
  each <- if (!is.character(prior$sd)) seq_along(prior$sd)
  for (i in each) check_not_too_narrow(prior$sd[i], call)
  prior
}

# The distribution function of a Gamma is a sum of as many terms as its shape asks for.
check_not_too_narrow <- function(d, call) {
  read <- read_sd_prior(d, call)
  if (read$family == "gamma" && read$parameters[[1L]] > 1e5) {
    found <- describe_prior(d)
    abort_prior("Shapes of Gamma distributions must be at most 1e5.", "One is {found}.", "sd",
      hint = "Such a standard deviation is known to 0.3 %: a lognormal says that too.", call = call
    )
  }
}

# `fine(ok, problem)` stops unless ok.
validate_resolved_prior <- function(prior, statistics, fine) {
  features <- statistics$features
  fine(inherits(prior, "hmvn_resolved_prior") && is.list(prior), "`prior` is not resolved")
  mean <- prior$mean
  sd <- prior$sd
  K <- length(features)
  parts <- is.list(mean) && is.list(sd) && is.list(prior$cor) && is.list(prior$heterogeneity) &&
    is.list(prior$default)
  fine(parts, "`prior` lacks parts")
  numbers <- is.double(mean$location) && is.double(mean$scale) && length(mean$scale) == K
  fine(
    numbers && identical(names(mean$location), features), "`prior` is of other features"
  )
  fine(
    is.character(sd$family) && length(sd$family) == K && is.double(sd$parameters) &&
      identical(dim(sd$parameters), c(K, 3L)),
    "`prior` has other standard deviations"
  )
  fine(is_plain_number(prior$cor$eta), "`prior` has no eta")
  named <- vapply(prior$heterogeneity, function(h) {
    is.numeric(h) && identical(names(h), c("fixed", "shape1", "shape2"))
  }, TRUE)
  fine(
    identical(names(prior$heterogeneity), pooling_blocks) && all(named),
    "`prior` has other heterogeneities"
  )
  validate_slope_prior(prior$slope, features, statistics$covariates, fine)
  frame <- prior$frame
  framed <- is.list(frame) && rlang::is_string(frame$kind) && is.double(frame$root) &&
    identical(dim(frame$root), c(K, K)) &&
    all(is.finite(frame$root)) && qr(frame$root / sqrt(rowSums(frame$root^2)))$rank == K
  fine(is.list(frame) && (identical(frame$kind, "raw") || framed), "`prior` has no frame")
  between <- prior$between
  fine(
    identical(between, "independent") ||
      (inherits(between, "hmvn_lkj") && is_plain_number(between$eta) && between$eta > 0),
    "`prior` has no correlations between groups"
  )
  fine(
    setequal(names(prior$default), pooling_blocks) && is.logical(unlist(prior$default)),
    "`prior` does not say what was left to its default"
  )
}

validate_slope_prior <- function(slope, features, covariates, fine) {
  if (length(covariates) == 0L) {
    return(fine(is.null(slope), "`prior` has slopes, of which there are none"))
  }
  fine(is.list(slope), "`prior` has no slopes")
  of_all <- function(x) {
    is.double(x) && all(is.finite(x)) && identical(dimnames(x), list(covariates, features))
  }
  fine(
    of_all(slope$location) && of_all(slope$scale) && all(slope$scale > 0),
    "`prior` has other slopes"
  )
}
