#' Prior distributions
#'
#' Says what is known of a single group before its data: its means, standard deviations
#' and correlations. What is left `NULL` scales with the data: means
#' Normal(mean, (2.5 sd)^2), with mean and sd of the feature over all observed cells; standard
#' deviations Exponential(1) and correlations LKJ(2) of the features whitened by their pooled
#' covariance within groups (`frame`). As soon as `sd` or `cor` is written out both are of the
#' features as they are, where standard deviations left unset are Exponential(1 / sd).
#'
#' @param mean Normal distributions, `dist_normal(mu, sigma)`: one for all
#'   features or one each, by position or by name (a vector made by `c()` or a list). On
#'   the scale of the data.
#' @param sd Distributions of the standard deviations, one for all features or one each:
#'   [dist_exponential()], [dist_gamma()],
#'   [dist_lognormal()], or a normal, Student t or Cauchy on the positive
#'   numbers. Of the last three, one with location 0 is read as its positive half; any location
#'   is allowed in `dist_truncated(d, 0, Inf)`. Families may differ by feature.
#'   `"lognormal"` is a lognormal that scales with the data: its median is the sd of the feature
#'   over all observed cells, the sd of its logarithm 1 (90 % of it between a fifth and five times
#'   the median). It vanishes at 0, so that a feature that is constant within a group, which under
#'   the default has no posterior, has one; what it says of the group's sd is mostly the prior's.
#' @param cor [dist_lkj()].
#' @param heterogeneity How much groups may differ where a block is partially pooled: a
#'   number h from 0 (all equal) to 1 (independent) or a distribution of it,
#'   `dist_beta(a, b)` (default Beta(1, 1)); for all blocks, or a list by
#'   block, for example `list(mean = dist_beta(1, 3), cor = 0.5)`.
#' @param frame Where `sd` and `cor` are stated. `"raw"`: on the features as they are. `"pooled"`:
#'   on the features whitened by the covariance matrix P that they have within groups, all groups
#'   taken together: `Sigma = C S C'` with C a root of P, `P = C C'`, and `sd` and `cor` are the
#'   priors of the standard deviations and correlations of S, near the identity; `sd` left
#'   unset is then Exponential(1). `NULL`: `"pooled"` if neither `sd` nor `cor` is given, else
#'   `"raw"`; and `"raw"` where either standard deviations or correlations are completely pooled
#'   and the others are not, since what is common in a frame is not common to the features.
#'   A covariance matrix P may be given instead, with the features as names. Results are on the raw
#'   features always; `lp__` is the density of S's coordinates. See below.
#' @param between The prior of the correlations between groups' means over the features, where means
#'   are partially pooled: [dist_lkj()], or `"independent"` for none, so that what one feature says
#'   of a group's place says nothing of another's. Equation (B1) of `vignette("model")`; see
#'   [between_cov()]. Each mean's own prior is the same either way.
#' @param slope Normal distributions of the slopes on the covariates, in units of the feature per
#'   unit of the covariate: one for all, or a list or vector by covariate (named by the columns of
#'   the model matrix, or in their order), whose elements are one distribution for all features or
#'   one for each. `NULL`: Normal(0, (2.5 sd(feature) / sd(covariate))^2).
#' @return An object of class `hmvn_prior`.
#' @section Raw or pooled: LKJ priors on raw features make standard deviations and correlations too
#'   small where features are strongly correlated, as body measurements, test scores or spectra are;
#'   in the pooled frame they do not, the order of the features hardly matters, and collinear
#'   features are as easy as any. P comes from the data, towards its diagonal as far as these do not
#'   contradict. Where one covariance matrix is all there is to estimate (one group, or both blocks
#'   completely pooled) from fewer than some five rows a feature, its rows are used twice and
#'   intervals are too narrow: see the table in `vignette("validation")`. With ten features and
#'   some 12 to 30 rows a group, standard deviations come out 10 to 20 % too large in either frame
#'   (in the raw one of uncorrelated features). Of one matrix give P from elsewhere
#'   as a matrix; or, of features that are nearly uncorrelated, `frame = "raw"`.
#' @section Errors: Class `hmvn_error_prior`, with the argument as a field.
#' @seealso [dist_lkj()]; [prior_summary()][prior_summary.hmvn_fit] and [plot(fit,
#'   "prior")][plot.hmvn_fit] for the priors of a fit, `vignette("model")` for their formulas.
#' @examples
#' hmvn_prior(
#'   mean = dist_normal(0, 1),
#'   sd = dist_exponential(1),
#'   cor = dist_lkj(2)
#' )
#' @export
hmvn_prior <- function(mean = NULL, sd = NULL, cor = NULL, heterogeneity = NULL, frame = NULL,
                       between = dist_lkj(2), slope = NULL) {
  call <- rlang::current_env()
  mean <- as_distributions(mean, "mean", call)
  sd <- as_distributions(sd, "sd", call)
  # read now, so that what is wrong is said where it was written
  for (i in seq_along(mean)) read_mean_prior(mean[i], call)
  if (!is.character(sd)) for (i in seq_along(sd)) read_sd_prior(sd[i], call)
  slope <- as_slope_priors(slope, call)
  if (!is.null(cor) && !inherits(cor, "hmvn_lkj")) {
    found <- describe_prior(cor)
    abort_prior("{.arg cor} must be an LKJ distribution.", "It is {found}.", "cor",
      hint = "For example {.code cor = dist_lkj(2)}.", call = call
    )
  }
  structure(
    list(
      mean = mean, sd = sd, cor = cor, heterogeneity = check_heterogeneity(heterogeneity, call),
      frame = check_frame(frame, call), between = check_between(between, call),
      slope = slope
    ),
    class = "hmvn_prior"
  )
}

#' LKJ distribution of a correlation matrix
#'
#' Density proportional to det(Omega)^(eta - 1): uniform over correlation matrices at
#' eta = 1, concentrated near the identity above, near the boundary below.
#' @details The more features there are, the less a single correlation may be: of K features it has
#'   the prior (r + 1) / 2 ~ Beta(a, a) with a = eta + (K - 2) / 2, whose sd on the scale of r is
#'   1 / sqrt(2 eta + K - 1), for eta = 2 from 0.45 (K = 2) down to 0.21 (K = 20). So the estimate
#'   of one correlation depends on which other features are modelled with it, noticeably in small
#'   groups with strong correlations. In the pooled frame, the default (`frame` of [hmvn_prior()]),
#'   it does much less.
#'
#'   \if{html}{\figure{lkj-correlations.png}{options: width="100\%" alt="Prior densities of one
#'   correlation for eta = 1, 2 and 4, each with 2, 5, 10 and 20 features: the narrower, the larger
#'   eta is and the more features there are."}}
#'   \if{latex}{\figure{lkj-correlations.png}{options: width=14cm}}
#' @param eta A positive number, not necessarily whole, at most 1e8.
#' @return An object of class `hmvn_lkj`.
#' @seealso [hmvn_prior()], whose argument `cor` takes it.
#' @references Lewandowski, D., Kurowicka, D. and Joe, H. (2009). Generating random correlation
#'   matrices based on vines and extended onion method. Journal of Multivariate Analysis 100,
#'   1989-2001. \doi{10.1016/j.jmva.2009.04.008}
#' @examples
#' dist_lkj(2)
#' @export
dist_lkj <- function(eta) {
  call <- rlang::current_env()
  if (!is_plain_number(eta) || eta <= 0 || eta > 1e8) { # beyond, scores have no inverse
    found <- describe_value(eta)
    abort_prior("{.arg eta} must be one positive number, at most 1e8.", "It is {found}.", "eta",
      hint = "At 1e8 correlations are 0 to four digits already.", call = call
    )
  }
  structure(list(eta = as.double(eta)), class = "hmvn_lkj")
}

#' @export
format.hmvn_lkj <- function(x, ...) paste0("LKJ(", format(x$eta, digits = 7), ")")

#' @export
print.hmvn_lkj <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
format.hmvn_prior <- function(x, ...) {
  raw <- identical(x$frame %||% if (!is.null(x$sd) || !is.null(x$cor)) "raw", "raw")
  block <- function(d, default) {
    if (is.null(d)) {
      return(default)
    }
    if (is.character(d)) {
      return(if (raw) "lognormal(log(sd), 1^2) of each feature's data" else "lognormal(0, 1^2)")
    }
    name <- names(d)
    text <- format(d)
    paste(if (is.null(name)) text else paste0(name, " ~ ", text), collapse = ", ")
  }
  h <- vapply(x$heterogeneity, function(d) {
    if (is.null(d)) "Beta(1, 1)" else if (is.numeric(d)) paste("fixed at", format(d)) else format(d)
  }, "")
  c(
    mean = block(x$mean, "Normal(mean, (2.5 sd)^2) of each feature's data"),
    sd = block(x$sd, if (raw) "Exponential(1 / sd) of each feature's data" else "Exponential(1)"),
    cor = if (is.null(x$cor)) "LKJ(2)" else format(x$cor),
    frame = if (!raw) {
      paste("sd and cor of", format_frame(list(kind = frame_kind(x$frame %||% "pooled"))))
    },
    heterogeneity = if (length(unique(h)) == 1L) h[[1L]] else paste(names(h), h, collapse = ", "),
    between = format_between(x$between),
    slope = if (!is.null(x$slope)) {
      paste(unlist(lapply(x$slope, format)), collapse = ", ")
    }
  )
}

#' @export
print.hmvn_prior <- function(x, ...) {
  text <- format(x)
  cat("Prior of every group\n")
  cat(paste0("  ", formatC(names(text), width = -14), text, "\n"), sep = "")
  invisible(x)
}

# internal -----------------------------------------------------------------

check_between <- function(x, call) {
  if (inherits(x, "hmvn_lkj")) {
    return(dist_lkj(x$eta))
  }
  if (!identical(x, "independent")) {
    found <- describe_prior(x)
    abort_prior("{.arg between} must be an LKJ distribution or {.val independent}.",
      "It is {found}.", "between",
      hint = "For example {.code between = dist_lkj(2)}.", call = call
    )
  }
  x
}

format_between <- function(between) {
  if (identical(between, "independent")) between else format(between)
}

# Parts that are left out take the default, a distribution on [0, 1].
check_heterogeneity <- function(x, call) {
  force_prior(x, "heterogeneity", call)
  by_block <- stats::setNames(vector("list", length(pooling_blocks)), pooling_blocks)
  if (is.null(x)) {
    return(by_block)
  }
  named <- !is.null(names(x)) && (is.list(x) || is.numeric(x))
  if (!named) {
    value <- check_one_heterogeneity(if (is_bare_list(x) && length(x) == 1L) x[[1L]] else x, call)
    by_block[] <- list(value)
    return(by_block)
  }
  unknown <- setdiff(names(x), pooling_blocks)
  if (length(unknown) > 0L || anyDuplicated(names(x))) {
    found <- names(x)
    abort_prior("{.arg heterogeneity} must name blocks {.val {pooling_blocks}}, each once.",
      "It names {.val {found}}.", "heterogeneity",
      call = call
    )
  }
  for (name in names(x)) {
    value <- if (is_bare_list(x)) x[[name]] else unname(x[match(name, names(x))])
    by_block[name] <- list(if (!is.null(value)) check_one_heterogeneity(value, call))
  }
  by_block
}

check_one_heterogeneity <- function(x, call) {
  if (is_plain_number(x) && x >= 0 && x <= 1) {
    return(as.double(x))
  }
  fine <- FALSE
  if (is_distribution(x) && length(x) == 1L && !is.na(x) && stats::family(x) == "beta") {
    shapes <- unlist(distributional::parameters(x))
    fine <- all(is.finite(shapes)) && all(shapes > 0)
  }
  if (!fine) {
    found <- describe_prior(x)
    abort_prior(
      paste(
        "{.arg heterogeneity} must be numbers from 0 to 1 or Beta distributions",
        "with positive shapes."
      ),
      "It contains {found}.", "heterogeneity",
      hint = "For example {.code dist_beta(1, 1)}.", call = call
    )
  }
  x
}
