# The shape of groups' ellipses: area, axes, eccentricity, direction.

#' Ellipses of groups
#'
#' Size, shape and direction of the ellipse that holds a share `level` of each group, for two
#' features, with their uncertainty.
#'
#' Shape and direction depend on the units of the features: compare them where both features are
#' measured in the same. An ellipse that is nearly a circle has no direction, and its angle's
#' interval says so.
#'
#' @inheritParams group_overlap
#' @param features Names of two features, the first of which is the horizontal axis; `NULL`: those
#'   of the fit, if it has two.
#' @param prob Probabilities of the quantiles.
#' @return A data frame of class `hmvn_ellipses`, one row a quantity of a group: `group`,
#'   `quantity`, posterior `mean`, `median`, `sd` and quantiles (`q5`, ...). Quantities:
#'   * `area`, in the product of the features' units;
#'   * `major`, `minor`: half the length of the axes;
#'   * `eccentricity`: sqrt(1 - minor^2 / major^2), 0 for a circle, 1 for a line;
#'   * `angle`: of the major axis from the first feature's, counter-clockwise, in degrees. A line
#'     has no front: 170 degrees are -10. The mean is that of directions, between -90 and 90 (Mardia
#'     and Jupp 2000, section 9.4), and median, sd and quantiles are of angles counted from it, so
#'     that an end of an interval can lie beyond 90.
#' @section Errors: `hmvn_error_no_meaning` where there are not two features; `hmvn_error_group`,
#'   `hmvn_error_keep`, `hmvn_error_prob`, `hmvn_error_argument`.
#' @seealso [group_volume()] for the area as a random variable, `compare_groups(what = "volume")`
#'   for the probability that one group's is larger, [group_overlap()], and
#'   [`plot(fit)`][plot.hmvn_fit], which draws them.
#' @references Mardia, K. V. and Jupp, P. E. (2000). Directional Statistics. Wiley.
#'   \doi{10.1002/9780470316979}
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' group_ellipse(fit, c("Sepal.Length", "Sepal.Width"))
#' @export
group_ellipse <- function(fit, features = NULL, group = NULL, level = 0.95,
                          prob = c(0.05, 0.95)) {
  call <- rlang::current_env()
  check_fit(fit, call)
  check_kept(fit, "Sigma", call)
  level <- check_number(level, "level", 0, 1, open = TRUE, call = call)
  check_prob(prob, call)
  groups <- match_groups(fit, group, call)
  at <- feature_positions(fit, features, call)
  check_two_features(at, "group_ellipse", call)
  radius <- sqrt(stats::qchisq(level, 2))
  chosen <- seq_len(n_draws(fit))
  prob <- stats::setNames(prob, quantile_names(prob))
  each <- lapply(groups, function(g) {
    summarise_ellipse(margin_law(group_law(fit, g, chosen), at)$chol, radius, prob)
  })
  out <- data.frame(
    group = rep(fit$statistics$labels[groups], each = length(ellipse_quantities)),
    quantity = rep(ellipse_quantities, length(groups)), do.call(rbind, each)
  )
  structure(out,
    class = c("hmvn_ellipses", "data.frame"), level = level,
    features = fit$statistics$features[at]
  )
}

#' @rdname group_ellipse
#' @param x What `group_ellipse()` returns.
#' @param ... Not used.
#' @export
print.hmvn_ellipses <- function(x, ...) {
  numbers <- c("mean", "sd", quantile_columns(names(x)))
  if (is.null(attr(x, "features")) || !has_result_columns(x, c("group", "quantity"), numbers)) {
    print(as.data.frame(x), ...)
    return(invisible(x))
  }
  features <- attr(x, "features")
  cat("Ellipses of ", features[[1L]], " and ", features[[2L]], " that hold ",
    percent(attr(x, "level")), " of a group: posterior mean (sd) and quantiles\n", sep = "")
  quantiles <- quantile_columns(names(x))
  page <- data.frame(
    group = trim_names(x$group, 20), quantity = x$quantity,
    "mean (sd)" = with_error(x$mean, x$sd), check.names = FALSE
  )
  page[quantiles] <- lapply(quantiles, function(q) rounded_like(x[[q]], x$sd))
  print(page, row.names = FALSE, right = FALSE)
  invisible(x)
}

# internal -----------------------------------------------------------------

ellipse_quantities <- c("area", "major", "minor", "eccentricity", "angle")

# `chol`: packed factors [draw, 3]. Numbers [quantity, column].
summarise_ellipse <- function(chol, radius, prob) {
  axes <- ellipse_axes(chol)
  lengths <- cbind(
    pi * radius^2 * axes$major * axes$minor, radius * axes$major, radius * axes$minor,
    sqrt(1 - pmin(1, axes$minor / axes$major)^2)
  )
  # doubled, directions are angles; those of the draws are counted from their mean
  center <- Arg(mean(exp(2i * axes$angle))) / 2
  away <- axes$angle - center
  away <- away - pi * round(away / pi)
  degrees <- 180 / pi * cbind(away)
  numbers <- summarise_columns(cbind(lengths, degrees), c(prob, median = 0.5))
  angle <- nrow(numbers)
  numbers[angle, "sd"] <- sqrt(mean(degrees^2))
  numbers[angle, "mean"] <- 0
  located <- setdiff(colnames(numbers), "sd")
  numbers[angle, located] <- numbers[angle, located] + 180 / pi * center
  numbers[, c("mean", "median", "sd", names(prob)), drop = FALSE]
}
