# From what the user said about the prior to numbers for every feature.

#' @export
print.hmvn_resolved_prior <- function(x, ...) {
  from_data <- function(default) ifelse(default, "  (scaled with the data)", "")
  features <- names(x$mean$location)
  cat("Prior of every group\n")
  mean <- paste0(features, ": ", format_mean_priors(x$mean), from_data(x$default$mean))
  raw <- x$frame$kind == "raw"
  sd <- paste0(features, ": ", format_sd_priors(x$sd), from_data(x$default$sd & raw))
  cat(paste0("  mean ", mean, "\n"), paste0("  sd ", sd, "\n"), sep = "")
  cat("  cor: ", format_cor_prior(x$cor), "\n", sep = "")
  if (!is.null(x$slope)) {
    pairs <- outer(rownames(x$slope$scale), colnames(x$slope$scale), paste, sep = " -> ")
    cat(paste0(
      "  slope ", pairs, ": ", format_mean_priors(x$slope), from_data(x$default$slope), "\n"
    ), sep = "")
  }
  if (x$frame$kind != "raw") cat("  sd and cor of ", format_frame(x$frame), "\n", sep = "")
  invisible(x)
}

# internal -----------------------------------------------------------------

# `prior`: an hmvn_prior or NULL (all defaults). Defaults come from the statistics; where these have
# no mean or no spread to give, an explicit prior is asked for. `frame`: see choose_frame().
resolve_prior <- function(prior, statistics, frame, call = NULL) {
  prior <- prior %||% hmvn_prior()
  if (!inherits(prior, "hmvn_prior")) {
    found <- describe_prior(prior)
    abort_prior("{.arg prior} must be made by {.fn hmvn_prior}.", "It is {found}.", "prior",
      call = call
    )
  }
  prior <- validate_prior(prior, call)
  features <- statistics$features
  unset <- vapply(prior[c("mean", "sd", "cor", "slope")], is.null, TRUE)
  unset[["sd"]] <- unset[["sd"]] || is.character(prior$sd) # by name: scales with the data too
  raw <- identical(frame, "raw")
  scaled <- c(
    mean = unset[["mean"]], sd = (unset[["sd"]] && raw) || identical(frame, "pooled"),
    slope = unset[["slope"]] && length(statistics$covariates) > 0L
  )
  if (any(scaled)) {
    moments <- if (statistics$known) estimate_moments(statistics) else pooled_moments(statistics)
    check_weight_sum(statistics, call)
    check_moments(moments, features, names(which(scaled)), call)
  }
  all_features <- function(x) stats::setNames(rep(x, length(features)), features)
  structure(
    list(
      mean = resolve_mean(prior$mean, features, moments, call),
      sd = resolve_sd(prior$sd, features, if (raw) moments$sd else rep(1, length(features)), call),
      cor = list(eta = if (unset[["cor"]]) 2 else prior$cor$eta),
      heterogeneity = lapply(prior$heterogeneity, resolve_heterogeneity),
      default = list(
        mean = all_features(unset[["mean"]]), sd = all_features(unset[["sd"]]),
        cor = unset[["cor"]], slope = unset[["slope"]]
      ),
      frame = resolve_frame(frame, statistics, call),
      between = prior$between,
      slope = resolve_slope(prior$slope, statistics, moments, call)
    ),
    class = "hmvn_resolved_prior"
  )
}

# `given`: distributions or NULL; `moments`: those of the data, of use where nothing is given.
resolve_mean <- function(given, features, moments, call) {
  if (is.null(given)) {
    return(list(location = moments$mean, scale = 2.5 * moments$sd))
  }
  values <- match_features(given, features, "mean", read_mean_prior, call)
  list(
    location = stats::setNames(vapply(values, `[[`, 0, 1L), features),
    scale = stats::setNames(vapply(values, `[[`, 0, 2L), features)
  )
}

# list(location, scale), both [covariate, feature]; NULL without covariates.
resolve_slope <- function(given, statistics, moments, call) {
  covariates <- statistics$covariates
  features <- statistics$features
  if (length(covariates) == 0L) {
    if (!is.null(given)) {
      abort_prior("Slopes have priors where there are covariates.", "There are none.", "slope",
        hint = "Name them in {.code fit_hmvn(covariates = )}.", call = call
      )
    }
    return(NULL)
  }
  labelled <- function(x) {
    matrix(x, length(covariates), length(features), dimnames = list(covariates, features))
  }
  if (is.null(given)) {
    scale <- outer(1 / covariate_moments(statistics)$sd, 2.5 * moments$sd)
    return(list(location = labelled(0), scale = labelled(scale)))
  }
  values <- lapply(match_covariates(given, covariates, call), function(d) {
    do.call(rbind, match_features(d, features, "slope", function(d, call) {
      read_mean_prior(d, call, "slope")
    }, call))
  })
  list(
    location = labelled(do.call(rbind, lapply(values, `[`, TRUE, 1L))),
    scale = labelled(do.call(rbind, lapply(values, `[`, TRUE, 2L)))
  )
}

# One element for all covariates, or one each, by name or in their order.
match_covariates <- function(given, covariates, call) {
  if (is.null(names(given)) && length(given) == 1L) {
    return(rep(given, length(covariates)))
  }
  named <- !is.null(names(given))
  fits <- length(given) == length(covariates) &&
    (!named || (setequal(names(given), covariates) && !anyDuplicated(names(given))))
  if (!fits) {
    found <- if (named) names(given) else paste(length(given), "without names")
    abort_prior("{.arg slope} must have an element for each covariate, {.field {covariates}}.",
      "It has {.val {found}}.", "slope",
      call = call
    )
  }
  if (named) given[covariates] else given
}

# Mean and sd of the covariates over all rows.
covariate_moments <- function(statistics) {
  p <- statistics$patterns
  n <- sum(p$n)
  center <- statistics$covariate_center
  variance <- vapply(seq_along(center), function(i) {
    sum(p$covariate_scatter[i, i, ] + p$n * (p$covariate_mean[i, ] - center[[i]])^2)
  }, 0) / (n - 1)
  list(mean = center, sd = sqrt(variance))
}

# `units`: the standard deviations that a default is scaled with.
resolve_sd <- function(given, features, units, call) {
  sd <- if (is.null(given)) {
    list(
      family = rep("exponential", length(features)),
      parameters = cbind(1 / units, NA_real_, NA_real_, deparse.level = 0)
    )
  } else if (is.character(given)) {
    list(
      family = rep(given, length(features)),
      parameters = cbind(log(units), 1, NA_real_, deparse.level = 0)
    )
  } else {
    values <- match_features(given, features, "sd", read_sd_prior, call)
    list(
      family = vapply(values, `[[`, "", "family", USE.NAMES = FALSE),
      parameters = do.call(rbind, lapply(values, `[[`, "parameters"))
    )
  }
  dimnames(sd$parameters) <- list(features, NULL)
  sd
}

resolve_heterogeneity <- function(x) {
  if (is.null(x)) {
    c(fixed = NA, shape1 = 1, shape2 = 1)
  } else if (is.numeric(x)) {
    c(fixed = x, shape1 = NA, shape2 = NA)
  } else {
    p <- as.list(distributional::parameters(x))
    c(fixed = NA, shape1 = p$shape1, shape2 = p$shape2)
  }
}

# One distribution for all features, or one each: a list of what `read` makes of each feature's.
match_features <- function(d, features, arg, read, call) {
  if (!is.null(names(d)) && any(nzchar(names(d)))) {
    unknown <- setdiff(names(d), features)
    absent <- setdiff(features, names(d))
    if (length(unknown) || length(absent) || anyDuplicated(names(d))) {
      problem <- if (length(unknown)) {
        "There is no feature {.field {unknown}}."
      } else if (length(absent)) {
        "Nothing is said about {.field {absent}}."
      } else {
        "A feature is named twice."
      }
      abort_prior(
        paste(
          "Names of the priors of {.arg {arg}} must be those of the features,",
          "{.field {features}}."
        ),
        problem, arg,
        call = call
      )
    }
    return(lapply(match(features, names(d)), function(i) read(d[i], call)))
  }
  if (length(d) == 1L) {
    return(rep(list(read(d, call)), length(features)))
  }
  if (length(d) != length(features)) {
    given <- length(d)
    size <- length(features)
    abort_prior("{.arg {arg}} must be one distribution or one for each feature.",
      "There are {given} distributions for {size} feature{?s}.", arg,
      call = call
    )
  }
  lapply(seq_along(d), function(i) read(d[i], call))
}

# Weights that sum to 1 or less count as one row, which has no spread.
check_weight_sum <- function(statistics, call) {
  total <- sum(statistics$patterns$n)
  if (!statistics$weighted || statistics$n_rows <= 1 || total > 1 + 1e-6) {
    return(invisible(NULL))
  }
  shown <- format(total, digits = 4)
  rows <- statistics$n_rows
  abort_hmvn(
    c(
      "Weights must sum to more than 1: they say how often a row is repeated.",
      x = "They sum to {shown}, so that {rows} rows count as one, which has no spread.",
      i = "Scale them to sum to the number of rows: {.code w / mean(w)}."
    ),
    "weights", argument = "weights", call = call
  )
}

check_moments <- function(moments, features, blocks, call) {
  # a constant at an offset: its spread is rounding error
  usable <- !is.na(moments$sd) & moments$sd > constant_tolerance * abs(moments$mean) &
    is.finite(1 / moments$sd)
  if (all(usable)) {
    return(invisible(NULL))
  }
  bad <- features[!usable]
  abort_prior("A prior that scales with the data needs features that vary.",
    "{.field {bad}} {?has/have} no variation or fewer than two observed cells.",
    "prior",
    hint = paste(
      "Give explicit priors: {.code hmvn_prior(mean = , sd = )} (unset: {.arg {blocks}}),",
      "or leave the feature out."
    ),
    call = call
  )
}

# A standard deviation below this share of the mean's size is rounding error.
constant_tolerance <- 4 * .Machine$double.eps

format_mean_priors <- function(mean, digits = 5) {
  paste0(
    "Normal(", number_text(mean$location, digits), ", ", number_text(mean$scale, digits), "^2)"
  )
}

format_cor_prior <- function(cor, digits = 5) paste0("LKJ(", number_text(cor$eta, digits), ")")

format_sd_priors <- function(sd, digits = 5) {
  half <- function(location) ifelse(location == 0, "half-", "positive ")
  vapply(seq_along(sd$family), function(k) {
    v <- sd$parameters[k, ]
    number <- function(i) number_text(v[[i]], digits)
    switch(sd$family[[k]],
      exponential = paste0("Exponential(", number(1), ")"),
      normal = paste0(half(v[[1L]]), "Normal(", number(1), ", ", number(2), "^2)"),
      student_t = paste0(
        half(v[[2L]]), "Student t(", number(1), ", ", number(2), ", ", number(3), ")"
      ),
      gamma = paste0("Gamma(", number(1), ", ", number(2), ")"),
      lognormal = paste0("lognormal(", number(1), ", ", number(2), "^2)")
    )
  }, "")
}
