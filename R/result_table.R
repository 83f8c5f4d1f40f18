# Tables of results that users may have worked on before they are printed, drawn or knitted.

# internal -----------------------------------------------------------------

# Does a table of results still have the columns that its page is made of, of their kind? Columns
# may have been left out, or written as text: such a table is shown as any data frame.
has_result_columns <- function(x, text, numbers) {
  columns <- unclass(x)
  if (!is.list(columns) || !all(c(text, numbers) %in% names(columns))) {
    return(FALSE)
  }
  length(unique(lengths(columns))) == 1L && length(columns[[1L]]) == nrow(x) &&
    all(vapply(columns[text], function(values) is.character(values) || all(is.na(values)), NA)) &&
    all(vapply(columns[numbers], function(values) is.numeric(values) && !is.object(values), NA))
}

# How many rows a page is asked to show; Inf for all.
check_rows_shown <- function(n, call) {
  if (!identical(n, Inf)) check_number(n, "n", min = 0, call = call)
}

is_comparison <- function(x) {
  has_result_columns(
    x, c("group", "reference", "quantity", "feature", "feature2"),
    c("mean", "sd", quantile_columns(names(x)), intersect(c("p_positive", "p_rope"), names(x)))
  )
}

check_comparison <- function(x, call) {
  if (!is_comparison(x)) {
    abort_hmvn(
      c("{.arg x} must be what {.fn compare_groups} returns.",
        x = "Columns are gone, or no longer of the kind they were.",
        i = "Rows may be left out, and columns may be added."),
      "argument", argument = "x", call = call
    )
  }
}
