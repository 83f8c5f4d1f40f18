# A summary as a page.

#' @rdname summary.hmvn_fit
#' @param x What `summary()` returns; as a page, numbers have the digits that their posterior sd
#'   has, and the names in the draws, the median, and a group's label beside its only key are left
#'   out.
#' @param n Number of rows to show.
#' @export
print.hmvn_summary <- function(x, ..., n = 30) {
  check_rows_shown(n, rlang::current_env())
  if (!has_result_columns(
    x, c("quantity", "group", "feature", "feature2"), c("mean", "sd", "rhat")
  )) {
    print(as.data.frame(x), ...)
    return(invisible(x))
  }
  shown <- utils::head(as.data.frame(x), n)
  for (name_width in c(25, 20, 16, 12)) {
    page <- summary_page(shown, names(x), name_width)
    wide <- vapply(c(names(page)), nchar, 0L, "width")
    wide <- pmax(wide, vapply(page, function(column) max(0L, text_width(column)), 0L))
    if (sum(wide + 1L) <= getOption("width")) break
  }
  print(page, row.names = FALSE, right = FALSE)
  say_more_rows(nrow(x) - nrow(shown))
  invisible(x)
}

# internal -----------------------------------------------------------------

# The rows `shown` of a summary as text, a data frame; without columns that say nothing here.
summary_page <- function(shown, columns, name_width) {
  at <- match(c("quantity", "group"), columns)
  keys <- columns[seq_len(at[[2L]] - at[[1L]] - 1L) + at[[1L]]]
  own <- if (length(keys) == 1L) keys else "group"
  page <- data.frame(quantity = shown$quantity)
  label <- as.character(shown[[own]])
  if (!all(is.na(label))) page[[own]] <- trim_names(ifelse(is.na(label), "", label), name_width)
  page$of <- compared_names(shown, name_width)
  if (all(page$of == "")) page$of <- NULL
  page[["mean (sd)"]] <- with_error(shown$mean, shown$sd)
  for (q in quantile_columns(setdiff(columns, keys))) {
    page[[q]] <- rounded_like(shown[[q]], shown$sd)
  }
  page$rhat <- ifelse(is.na(shown$rhat), "", fixed(shown$rhat, 3))
  ess <- pmin(shown$ess_bulk, shown$ess_tail)
  page$ess <- ifelse(is.na(ess), "", vapply(round(ess), number, ""))
  page
}
