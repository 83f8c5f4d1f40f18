# Distributions as the user gives them, read into what the model keeps.

# internal -----------------------------------------------------------------

# distributional refuses some parameters itself, while the argument is evaluated.
force_prior <- function(x, arg, call) {
  tryCatch(force(x), error = function(e) {
    if (inherits(e, "hmvn_error")) rlang::cnd_signal(e)
    why <- conditionMessage(e)
    missing_function <- grepl("could not find function", why, fixed = TRUE)
    abort_prior("{.arg {arg}} must be made of valid distributions.", "{why}", arg,
      hint = if (missing_function) prior_hint(arg), call = call
    )
  })
}

# A distribution vector (or a list of them) as one vector, names kept.
as_distributions <- function(x, arg, call) {
  force_prior(x, arg, call)
  if (is.null(x) || (arg == "sd" && identical(x, "lognormal"))) {
    return(x)
  }
  if (is_bare_list(x)) {
    single <- vapply(x, function(d) is_distribution(d) && length(d) == 1L, logical(1))
    if (length(x) > 0L && all(single)) x <- do.call(c, x)
  }
  if (!is_distribution(x) || length(x) == 0L) {
    found <- describe_prior(x)
    abort_prior("{.arg {arg}} must be distributions of the {.pkg distributional} package.",
      "It is {found}.", arg,
      hint = prior_hint(arg), call = call
    )
  }
  if (anyNA(x)) {
    found <- which(is.na(x))
    abort_prior("{.arg {arg}} must not contain NA.", "Element {found} is NA.", arg, call = call)
  }
  x
}

# By covariate: a list of distribution vectors; a vector of distributions is a list of single ones.
as_slope_priors <- function(x, call) {
  force_prior(x, "slope", call)
  if (is.null(x)) {
    return(NULL)
  }
  if (!is_bare_list(x)) {
    x <- as_distributions(x, "slope", call)
    x <- stats::setNames(lapply(seq_along(x), function(i) x[i]), names(x))
  }
  x <- lapply(x, as_distributions, arg = "slope", call = call)
  empty <- vapply(x, is.null, TRUE)
  if (length(x) == 0L || any(empty)) {
    abort_prior("{.arg slope} must be distributions by covariate.",
      "It is {if (length(x)) 'NULL for one' else 'empty'}.", "slope",
      call = call
    )
  }
  for (d in x) for (i in seq_along(d)) read_mean_prior(d[i], call, "slope")
  x
}

# One element -> c(location, scale). `arg`: what it is the prior of.
read_mean_prior <- function(d, call, arg = "mean") {
  if (stats::family(d) != "normal") {
    found <- describe_prior(d)
    abort_prior("Priors of {arg}s must be normal.", "One is {found}.", arg,
      hint = prior_hint("mean"), call = call
    )
  }
  # one element at a time: parameters() of a mixed vector pads with NA
  p <- as.list(distributional::parameters(d))
  check_scale(c(p$mu, p$sigma), p$sigma, d, arg, call)
  c(p$mu, p$sigma)
}

# One element -> list(family =, parameters = three numbers), as the C++ core reads them: exponential
# (rate), normal and student_t on (0, Inf) ([df,] mu, sigma), gamma (shape, rate), lognormal
# (meanlog, sdlog).
read_sd_prior <- function(d, call) {
  found <- describe_prior(d)
  family <- stats::family(d)
  p <- as.list(distributional::parameters(d))
  truncated <- family == "truncated"
  if (truncated) {
    if (!isTRUE(p$upper == Inf) || !isTRUE(p$lower == 0)) {
      abort_prior("A truncated prior of a standard deviation must be truncated to (0, Inf).",
        "It is {found}.", "sd",
        call = call
      )
    }
    inner <- p$dist
    family <- stats::family(inner)
    p <- as.list(distributional::parameters(inner))
  }
  if (family == "cauchy") {
    family <- "student_t"
    p <- list(df = 1, mu = p$location, sigma = p$scale)
  }
  values <- switch(family,
    exponential = p$rate,
    normal = c(p$mu, p$sigma),
    student_t = c(p$df, p$mu, p$sigma),
    gamma = c(p$shape, p$rate),
    lognormal = c(p$mu, p$sigma),
    abort_prior("Priors of standard deviations must be of a family the package knows.",
      "One is {found}.", "sd",
      hint = prior_hint("sd"), call = call
    )
  )
  positive <- switch(family,
    normal = p$sigma, student_t = c(p$df, p$sigma), lognormal = p$sigma, values
  )
  check_scale(values, positive, d, "sd", call)
  if (family %in% c("normal", "student_t") && !truncated && p$mu != 0) {
    abort_prior("A prior of a standard deviation must be on the positive numbers.",
      "{found} is not, and its location is not 0, so that it has no half.", "sd",
      hint = "Truncate it: {.code dist_truncated(d, 0, Inf)}.", call = call
    )
  }
  list(family = family, parameters = c(values, rep(NA_real_, 3L - length(values))))
}

# distributional refuses negative scales itself but lets 0, NA and Inf pass.
check_scale <- function(values, positive, d, arg, call) {
  if (!is.numeric(values) || !all(is.finite(values)) || any(positive <= 0)) {
    found <- describe_prior(d)
    abort_prior("Parameters of a prior must be finite, scales and shapes positive.",
      "One in {.arg {arg}} is {found}.", arg,
      call = call
    )
  }
}
