# One screen about a fit: the model, how much there is, what went wrong, and the estimates by group.

#' Print a fit
#'
#' The data, the model and the sampler in a few lines, then means, standard deviations and
#' correlations by group.
#'
#' @param x An `hmvn_fit`.
#' @param lines The number of lines to stay within, where the groups allow it. `NULL`: all groups up
#'   to a dozen; of more, as many of the first as 24 lines hold.
#' @param ... Must be empty.
#' @return `x`, invisibly. Numbers are posterior means, in brackets posterior standard deviations.
#'   The page is as wide as `getOption("width")` says; names that are too long lose their middle.
#' @seealso [summary()][summary.hmvn_fit] for all quantities with quantiles and diagnostics,
#'   [as_table()] for a table for a paper.
#' @examples
#' fit <- fit_hmvn(airquality, group = ~ Month, features = ~ Wind + Temp, chains = 2, seed = 1)
#' fit
#' print(fit, lines = 15)
#' @export
print.hmvn_fit <- function(x, ..., lines = NULL) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  if (!is.null(lines)) lines <- check_count(lines, "lines", min = 1, call = call)
  width <- getOption("width")
  top <- c(head_lines(x), problem_lines(x, width), pooling_lines(x, width))
  tables <- shown_tables(x)
  once <- vapply(tables, function(t) t$common || is.null(t$name), TRUE)
  typical <- sum(vapply(tables, function(t) !is.null(t$typical), TRUE))
  free <- (lines %||% 24) - length(top) - length(tables) - typical - sum(once) - 1
  n_shown <- min(n_groups(x), max(2, free %/% max(1, sum(!once))))
  if (is.null(lines) && n_groups(x) <= 12L) n_shown <- n_groups(x)
  tall <- is.null(lines) && n_shown == n_groups(x)
  # A blank line before each table where there is room for it
  spaced <- tall || free - n_shown * sum(!once) >= length(tables)
  body <- unlist(lapply(tables, function(table) {
    c(if (spaced) "", table_lines(table, x, n_shown, width, tall))
  }))
  writeLines(trim_end(c(top, body, more_line(x, n_shown, all(once))), width))
  invisible(x)
}

# internal -----------------------------------------------------------------

# The tables: one a quantity that has a title. `common`: all groups have the same values, shown
# once. The typical group's are shown where groups vary around it, and without draws of the groups
# (`keep`): under complete pooling they are everybody's.
shown_tables <- function(fit) {
  has <- quantity_names(fit)
  tables <- lapply(Filter(function(row) nzchar(row$title), quantities), function(row) {
    pooling <- fit$pooling[row$block]
    of_groups <- row$name %in% has
    common <- pooling %in% "complete" && is_alike(fit, row$block)
    varied <- !pooling %in% c("none", NA) && !common
    layout <- packed_layout(fit, row$name)
    # pooled by feature, not all have a typical value
    of_population <- row$typical %in% has && (varied || !of_groups) &&
      nrow(packed_layout(fit, row$typical)) == nrow(layout)
    if (nrow(layout) == 0 || !(of_groups || of_population)) {
      return(NULL)
    }
    list(
      title = row$title, name = if (of_groups) row$name, layout = layout,
      typical = if (of_population) row$typical, common = common
    )
  })
  Filter(Negate(is.null), tables)
}

# Have groups one value of a quantity whose block is completely pooled? In a frame sds and
# correlations are pooled there; those of the features depend on both.
is_alike <- function(fit, block) {
  block %in% c("mean", "slope") || fit$prior$frame$kind == "raw" || is_common(fit, "chol")
}

# A row a group and a column an entry, as many as the width holds. Where that is not all and the
# page may be `tall`: a row an entry and a column a group, which correlations of more than a few
# features fit into; or columns in several blocks.
table_lines <- function(table, fit, n_groups, width, tall) {
  found <- table_estimates(table, fit, n_groups, width)
  n_entries <- nrow(table$layout)
  title <- table$title
  groups <- trim_names(found$names, 20)
  entries <- function(width) {
    entry_names(fit$statistics, table$layout[found$kept, , drop = FALSE], width)
  }
  left <- left_column(c(title, groups))
  room <- width - text_width(left[1L])
  # The longest names that take no column its place
  n_shown <- n_columns_fitting(rbind(entries(16), found$cells), room, n_entries)
  for (name_width in c(40, 32, 24, 16)) {
    columns <- rbind(entries(name_width), found$cells)
    if (n_columns_fitting(columns, room, n_entries) == n_shown) break
  }
  if (tall && n_shown < n_entries) {
    turned <- turned_table(title, list(group = groups, entry = entries), found$cells, width)
    if (length(found$kept) == n_entries && turned$complete) {
      return(turned$lines)
    }
    blocks <- column_blocks(rbind(entries(24), found$cells), room)
    if (length(found$kept) == n_entries && length(blocks) * nrow(found$cells) <= 2 * most_rows) {
      return(block_lines(left, rbind(entries(24), found$cells), blocks))
    }
    if (turned$n_seen > n_shown * nrow(found$cells)) {
      more <- n_entries - turned$n_rows
      return(c(turned$lines, if (more > 0) paste0("  and ", number(more), " more")))
    }
  }
  format_table(left, columns[, seq_len(n_shown), drop = FALSE], n_entries)
}

# Consecutive columns that fit into `room`, a list of positions.
column_blocks <- function(cells, room) {
  widths <- column_widths(cells) + 2
  block <- used <- 0
  of <- vapply(widths, function(w) {
    if (used + w > room || block == 0) {
      block <<- block + 1
      used <<- 0
    }
    used <<- used + w
    block
  }, 0)
  unname(split(seq_along(widths), of))
}

# Blocks of columns one below the other, the title above the first.
block_lines <- function(left, cells, blocks) {
  unlist(lapply(seq_along(blocks), function(i) {
    if (i > 1L) left[[1L]] <- strrep(" ", text_width(left[[1L]]))
    at <- blocks[[i]]
    format_table(left, cells[, at, drop = FALSE], length(at))
  }))
}

# What a table shows: the names of its rows, and cells [row, entry] of the entries `kept`; more
# than ever fit need not be summarised.
table_estimates <- function(table, fit, n_groups, width) {
  kept <- utils::head(seq_len(nrow(table$layout)), max(most_rows, ceiling(width / 6)))
  everybody <- "(all groups)"
  cells <- names <- NULL
  if (!is.null(table$typical)) {
    cells <- estimate_cells(fit, table$typical, NULL, kept)
    names <- if (table$common) everybody else "(typical)"
  }
  if (!is.null(table$name)) {
    groups <- if (table$common) 1L else seq_len(n_groups)
    cells <- rbind(cells, estimate_cells(fit, table$name, groups, kept))
    names <- c(names, if (table$common) everybody else fit$statistics$labels[groups])
  }
  list(kept = kept, names = names, cells = cells)
}

# The most rows of a table whose rows are no groups
most_rows <- 15L

left_column <- function(names) pad(names, max(text_width(names)), "right")

# `cells`: [group, entry]. list(lines, n_rows, n_seen = cells that are shown, complete)
turned_table <- function(title, names, cells, width) {
  n_rows <- min(ncol(cells), most_rows)
  columns <- rbind(names$group, t(cells)[seq_len(n_rows), , drop = FALSE])
  for (name_width in c(40, 32, 24, 16)) {
    left <- left_column(c(title, utils::head(names$entry(name_width), n_rows)))
    room <- width - text_width(left[1L])
    n_shown <- n_columns_fitting(columns, room, nrow(cells))
    if (n_shown == nrow(cells)) break
  }
  list(
    lines = format_table(left, columns[, seq_len(n_shown), drop = FALSE], nrow(cells)),
    n_rows = n_rows, n_seen = n_rows * n_shown, complete = length(cells) == n_rows * n_shown
  )
}

# A feature, a pair of them "x~y", or a covariate and a feature "age~x".
entry_names <- function(statistics, layout, width) {
  features <- statistics$features
  if (!anyNA(layout$covariate)) {
    names <- c(statistics$covariates, features)
    return(trim_pairs(
      names, layout$covariate, layout$feature + length(statistics$covariates), width
    ))
  }
  if (anyNA(layout$feature2)) {
    return(trim_names(features[layout$feature], width))
  }
  trim_pairs(features, layout$feature2, layout$feature, width)
}

# "mean (sd)" as [group, column]
estimate_cells <- function(fit, name, groups, kept) {
  values <- matrix(packed_quantity(fit, name, groups), n_draws(fit))
  each <- nrow(packed_layout(fit, name))
  by_group <- function(x) matrix(x, ncol = each, byrow = TRUE)[, kept, drop = FALSE]
  mean <- by_group(colMeans(values))
  sd <- by_group(apply(values, 2, stats::sd))
  digits <- if (quantities[[name]]$unit_diagonal) 1L else 2L
  matrix(with_error(mean, sd, digits), nrow(mean))
}

column_widths <- function(cells) apply(cells, 2, function(column) max(text_width(column)))

# How many columns fit into `room`; `n_columns`: how many there are, not all of them in `cells`.
n_columns_fitting <- function(cells, room, n_columns) {
  ends <- cumsum(column_widths(cells) + 2)
  if (n_columns == ncol(cells) && all(ends <= room)) {
    return(n_columns)
  }
  # "  and 12 more" stands beside the title
  max(1, sum(ends <= room - 13))
}

# `left`: the title and the names of the rows, of one width; `cells`: [row, column], the columns'
# names first. Columns left out are counted among the `n_columns` there are.
format_table <- function(left, cells, n_columns) {
  widths <- column_widths(cells)
  lines <- left
  for (j in seq_along(widths)) lines <- paste0(lines, "  ", pad(cells[, j], widths[j], "left"))
  more <- n_columns - ncol(cells)
  if (more > 0) lines[1] <- paste0(lines[1], "  and ", more, " more")
  lines
}

more_line <- function(fit, n_shown, nothing_by_group) {
  more <- if (nothing_by_group) 0 else n_groups(fit) - n_shown
  paste0(
    if (more > 0) paste0("... and ", count_of(more, "more group"), ". "),
    "Posterior mean (sd); more: summary(), as_draws_rvars()"
  )
}
