# Statistics of some of the groups, and sums of statistics.

#' @rdname hmvn_statistics
#' @param i Labels of groups, texts.
#' @export
`[.hmvn_statistics` <- function(x, i) {
  call <- rlang::current_env()
  validate_statistics(x, "x", call)
  if (missing(i) || !is.character(i) || anyNA(i) || length(i) == 0L || anyDuplicated(i)) {
    found <- if (missing(i)) "It is not given" else paste("It is", describe_value(i))
    abort_hmvn(
      c(
        "Groups of statistics must be picked by their labels, each once.",
        x = "{found}.",
        i = "For example {.code statistics[\"{x$labels[[1]]}\"]}."
      ),
      "group", argument = "i", call = call
    )
  }
  unknown <- setdiff(i, x$labels)
  if (length(unknown) > 0L) {
    shown <- few(printable(unknown))
    abort_hmvn(
      c(
        "Groups must be those of the statistics.", x = "There is no group {.val {shown}}.",
        i = "Groups: {.val {few(x$labels)}}."
      ),
      "group", argument = "i", group = unknown, call = call
    )
  }
  if (x$weighted) {
    abort_hmvn(
      c(
        "Picking groups of weighted statistics needs the rows.",
        x = "The statistics do not say how many rows each group had.",
        i = "Pick the rows of these groups before {.fn hmvn_statistics}."
      ),
      "statistics", argument = "x", call = call
    )
  }
  groups_at(x, match(i, x$labels))
}

#' @rdname hmvn_statistics
#' @param e1,e2 Objects of class `hmvn_statistics`: `e1 + e2` is `c(e1, e2)`.
#' @export
`+.hmvn_statistics` <- function(e1, e2) c.hmvn_statistics(e1, e2)

# internal -----------------------------------------------------------------

# The groups at positions `at`, in that order. Rows that were not used are counted no more: of which
# group they were is not known.
groups_at <- function(x, at) {
  old <- x$patterns
  of <- order(match(old$group, at), seq_along(old$group), na.last = NA)
  patterns <- pick_patterns(old, of)
  patterns$group <- match(patterns$group, at)
  keys <- x$keys[at, , drop = FALSE]
  attr(keys, "row.names") <- seq_along(at)
  counts <- list(
    n_rows = sum(patterns$n), n_empty = 0, n_missing = sum(patterns$n * colSums(!patterns$observed))
  )
  picked <- new_statistics(
    list(labels = x$labels[at], keys = keys), x$features, patterns, counts, x$weighted
  )
  picked$known <- x$known
  add_covariates(picked, x$design, 0)
}
