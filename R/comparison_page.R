# A comparison of groups as a page.

#' @rdname compare_groups
#' @param x What `compare_groups()` returns.
#' @param n Number of rows to show. Where there are more, `print()` shows the clearest: those with
#'   the largest mean relative to its sd. Of many differences some are large by chance; partially
#'   pooled groups (`pooling = "partial"`) have fewer of these.
#' @param ... Not used.
#' @export
print.hmvn_comparison <- function(x, ..., n = 30) {
  check_rows_shown(n, rlang::current_env())
  if (!is_comparison(x)) {
    print(as.data.frame(x), ...)
    return(invisible(x))
  }
  found <- as.data.frame(x)
  if (nrow(found) == 0L) {
    cat("Differences of groups: none are left\n")
    return(invisible(x))
  }
  # what cannot be negative is never clearly different: distances and overlaps come last
  signed <- !is.na(found$p_positive %||% found$mean)
  by_clarity <- nrow(found) > n && any(signed)
  if (by_clarity) found <- found[order(!signed, -abs(found$mean) / found$sd), ]
  shown <- utils::head(found, n)
  # one quantity is named once
  quantity <- unique(shown$quantity)
  of <- if (length(quantity) == 1L) paste0(" (", quantity, ")")
  cat_wrapped("Differences of groups", of, ": posterior mean (sd), quantiles and probabilities")
  if (by_clarity) {
    cat("The ", number(nrow(shown)), " clearest of ", number(nrow(x)), ":\n", sep = "")
  }
  print(comparison_page(shown), row.names = FALSE, right = FALSE)
  say_more_rows(nrow(x) - nrow(shown))
  invisible(x)
}

# internal -----------------------------------------------------------------

# The rows of a comparison as text, a data frame. What is the same in all of them is left out, and
# names are trimmed to what the page has room for.
comparison_page <- function(shown) {
  side <- trim_names(c(shown$group, shown$reference), 16)
  pair <- paste(utils::head(side, nrow(shown)), "-", utils::tail(side, nrow(shown)))
  quantiles <- quantile_columns(names(shown))
  page <- data.frame(groups = pair, quantity = shown$quantity, of = compared_names(shown))
  if (all(page$of == "")) page$of <- NULL
  if (length(unique(page$quantity)) == 1L) page$quantity <- NULL
  page[["mean (sd)"]] <- with_error(shown$mean, shown$sd)
  page[quantiles] <- lapply(shown[quantiles], rounded_like, shown$sd)
  if (!all(is.na(shown$p_positive))) page[["P(> 0)"]] <- probability_text(shown$p_positive)
  if (!is.null(shown$p_rope)) page[["P(rope)"]] <- probability_text(shown$p_rope)
  widths <- vapply(names(page), function(name) max(nchar(c(name, page[[name]]))), 0L)
  over <- sum(widths + 1L) + 1L - getOption("width")
  if (over > 0L && !is.null(page$of)) {
    page$of <- compared_names(shown, max(15L, widths[["of"]] - over))
  }
  page
}

# "x" or "x~y", "covariate~x" of slopes, or "" where a quantity is of no feature
compared_names <- function(shown, width = 25) {
  covariate <- shown$covariate %||% rep(NA_character_, nrow(shown))
  is_slope <- !is.na(covariate)
  first <- ifelse(is_slope, covariate, shown$feature)
  second <- ifelse(is_slope, shown$feature, shown$feature2)
  out <- ifelse(is.na(first), "", first)
  both <- !is.na(second)
  names <- unique(c(first, second))
  if (any(both)) {
    out[both] <- trim_pairs(names, match(first[both], names), match(second[both], names), width)
  }
  out
}

# Numbers to the decimals that their sd's two digits have.
rounded_like <- function(x, sd) {
  decimals <- ifelse(!is.na(sd) & sd > 0, pmin(6, pmax(0, 1 - floor(log10(signif(sd, 2))))), 3)
  as.character(unlist(Map(fixed, x, decimals)))
}

probability_text <- function(p) ifelse(is.na(p), "", fixed(p, 3))
