# Which priors a fit used, by block and feature.

#' The priors of a fit
#'
#' Every prior with its constants resolved, which of them were left to their defaults, and for each
#' block how it is pooled and the prior of its heterogeneity h. Whatever the pooling, each group's
#' own prior is the one shown; h says how alike groups are expected to be.
#'
#' @param object An `hmvn_fit`.
#' @param digits Significant digits of constants in the texts.
#' @param ... Must be empty.
#' @return A data frame of class `hmvn_prior_summary`, one row for each mean, each standard
#'   deviation, the correlation matrix (none if there is one feature), each slope and the
#'   correlations between groups' means (where there are any): `block` (`"mean"`, `"sd"`, `"cor"`,
#'   `"slope"`, `"between"`), `covariate` (if there are any), `feature` (`NA` for `"cor"` and
#'   `"between"`), `prior` (text, in the units of the feature), `default`
#'   (logical: as it is when left unset; of means and sds then scaled with the data), `pooling`,
#'   `heterogeneity` (text; h is a Beta under partial pooling unless fixed, 1 without pooling, 0
#'   under complete pooling), `default_heterogeneity`; `NA` for `"between"`. The attribute `prior`
#'   holds the constants in full precision. It prints itself.
#' @seealso [hmvn_prior()], [plot(fit, "prior")][plot.hmvn_fit],
#'   [prior_draws()][prior_draws.hmvn_fit].
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = c(mean = "partial"), chains = 2, seed = 1)
#' prior_summary(fit)
#' @importFrom rstantools prior_summary
#' @export
prior_summary.hmvn_fit <- function(object, digits = 4, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  digits <- check_count(digits, "digits", min = 1, max = 17, call = call)
  model <- model_of(object)
  prior <- model$prior
  rows <- prior_rows(model)
  several <- length(model$features) > 1L
  texts <- c(
    format_mean_priors(prior$mean, digits),
    if (!model$known) format_sd_priors(prior$sd, digits),
    if (!model$known && several) format_cor_prior(prior$cor, digits),
    if (length(model$covariates)) format_slope_priors(prior$slope, digits),
    if (has_between(model)) format_between(prior$between)
  )
  default <- c(
    prior$default$mean, if (!model$known) prior$default$sd,
    if (!model$known && several) prior$default$cor,
    rep(prior$default$slope, length(model$features) * length(model$covariates)),
    if (has_between(model)) identical(prior$between, hmvn_prior()$between)
  )
  heterogeneity <- mapply(function(level, block) {
    if (is.na(level)) NA else format_heterogeneity(level, prior$heterogeneity[[block]], digits)
  }, rows$pooling, rows$block)
  unset <- vapply(rows$block, function(block) {
    if (block == "between") NA else is.null(model$prior_given$heterogeneity[[block]])
  }, TRUE)
  structure(
    data.frame(
      rows[setdiff(names(rows), "pooling")], prior = texts, default = unname(default),
      pooling = rows$pooling, heterogeneity = heterogeneity,
      default_heterogeneity = rows$pooling == "partial" & unset, row.names = NULL
    ),
    prior = prior,
    class = c("hmvn_prior_summary", "data.frame")
  )
}

# A row for each mean, sd, the correlation matrix and each slope: block, covariate (where there are
# any), feature, pooling.
prior_rows <- function(model) {
  features <- model$features
  k <- length(features)
  rows <- function(block, feature, pooling, covariate = NA_character_) {
    data.frame(block = block, covariate = covariate, feature = feature, pooling = pooling)
  }
  out <- rbind(
    rows("mean", features, model$coefficients["mean", ]),
    if (!model$known) rows("sd", features, model$pooling[["sd"]]),
    if (!model$known && k > 1L) rows("cor", NA_character_, model$pooling[["cor"]]),
    if (length(model$covariates)) {
      slopes <- t(model$coefficients[-1L, , drop = FALSE])
      rows("slope", rep(features, ncol(slopes)), c(slopes), rep(colnames(slopes), each = k))
    },
    if (has_between(model)) rows("between", NA_character_, NA_character_)
  )
  if (length(model$covariates)) out else out[names(out) != "covariate"]
}

format_slope_priors <- function(slope, digits) {
  format_mean_priors(list(location = c(t(slope$location)), scale = c(t(slope$scale))), digits)
}

#' @export
print.hmvn_prior_summary <- function(x, ...) {
  name <- ifelse(is.na(x$feature), x$block, paste(x$block, x$feature))
  if (!is.null(x$covariate)) {
    name <- ifelse(is.na(x$covariate), name, paste0("slope ", x$covariate, "~", x$feature))
  }
  name[x$block == "between"] <- "cor of means"
  frame <- attr(x, "prior")$frame
  framed <- !is.null(frame) && frame$kind != "raw"
  origin <- ifelse(
    !x$default, "", ifelse(
      x$block %in% c("cor", "between") | (x$block == "sd" & framed), "  (default)",
      "  (default, scaled with the data)"
    )
  )
  cat("Prior of every group, whatever the pooling\n")
  if (framed) cat_wrapped("Sds and correlations are those of ", format_frame(frame))
  name <- pad(name, max(text_width(name)), "right")
  cat(paste0("  ", name, "  ", x$prior, origin, "\n"), sep = "")
  first <- !duplicated(x[c("block", "pooling")]) & !is.na(x$pooling)
  each <- ifelse(x$pooling == "partial" & x$block != "cor", " for each feature", "")
  cat("Pooling and heterogeneity h (0 groups equal, 1 independent)\n")
  cat(paste0(
    "  ", format(x$block, width = 4), "  ", format(x$pooling, width = 8), "  ", x$heterogeneity,
    each,
    ifelse(x$default_heterogeneity, "  (default)", ""), "\n"
  )[first], sep = "")
  invisible(x)
}

#' @importFrom rstantools prior_summary
#' @export
rstantools::prior_summary

# internal -----------------------------------------------------------------

format_heterogeneity <- function(pooling, h, digits) {
  switch(pooling,
    none = "h = 1",
    complete = "h = 0",
    partial = if (is.na(h[["fixed"]])) {
      paste0(
        "h ~ Beta(", paste(number_text(h[c("shape1", "shape2")], digits), collapse = ", "), ")"
      )
    } else {
      paste0("h = ", number_text(h[["fixed"]], 15), " (fixed)")
    }
  )
}
