# One screen about a fit: the model, how much there is, what went wrong, and the estimates by group.

#' Print a fit
#'
#' @param x An `hmvn_fit`.
#' @param lines The number of lines to stay within, where the groups allow it; of more groups the
#'   first are shown.
#' @param ... Must be empty.
#' @return `x`, invisibly. Numbers are posterior means, in brackets posterior standard deviations.
#'   The page is as wide as `getOption("width")` says; names that are too long lose their middle.
#' @export
print.hmvn_fit <- function(x, ..., lines = 24) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(x, call)
  lines <- check_count(lines, "lines", min = 1, call = call)
  width <- getOption("width")
  top <- c(head_lines(x), problem_lines(x, width))
  pooling <- pooling_lines(x, width)
  tables <- shown_tables(x)
  once <- vapply(tables, function(t) t$common || is.null(t$name), TRUE)
  typical <- sum(vapply(tables, function(t) !is.null(t$typical), TRUE))
  free <- lines - length(top) - length(pooling) - length(tables) - typical - sum(once) - 1
  n_shown <- min(n_groups(x), max(2, free %/% max(1, sum(!once))))
  # A blank line before each table where there is room for it
  spaced <- free - n_shown * sum(!once) >= length(tables)
  body <- unlist(lapply(tables, function(table) {
    c(if (spaced) "", table_lines(table, x, n_shown, width))
  }))
  writeLines(trim_end(c(top, pooling, body, more_line(x, n_shown, all(once))), width))
  invisible(x)
}

# internal -----------------------------------------------------------------

head_lines <- function(fit) {
  s <- fit$statistics
  control <- fit$control
  size <- c(
    if (s$known) {
      paste(count_of(s$n_rows, "estimate"), "with known covariances")
    } else {
      count_of(s$n_rows, "row")
    },
    paste0(count_of(n_groups(fit), "group"), " (", keys_text(s), ")"),
    count_of(n_features(fit), "feature"),
    if (n_covariates(fit) > 0) count_of(n_covariates(fit), "covariate"),
    if (s$n_missing > 0) paste(count_of(s$n_missing, "cell"), "missing"),
    if (s$n_empty > 0) paste(count_of(s$n_empty, "row"), "without data left out"),
    if (s$n_without_covariates > 0) {
      paste(count_of(s$n_without_covariates, "row"), "without covariates left out")
    },
    if (s$weighted) "weighted"
  )
  algorithm <- fit$units$algorithm
  c(
    paste0(
      "hmvn: multivariate Normal by group",
      if (isTRUE(control$prior_only)) ", draws from the prior (data not used)"
    ),
    paste0("Data:    ", paste(size, collapse = ", ")),
    paste0("Pooling: ", pooling_text(fit)),
    paste0(
      "Sampler: ", algorithm_text(algorithm), ", ", count_of(n_chains(fit), "chain"), " x ",
      count_of(n_kept(fit)[[1L]], "draw"), warmup_text(algorithm, control$iter_warmup),
      ", ", format(fit$time$total, digits = 2), " s"
    ),
    kept_line(fit),
    unseen_line(s)
  )
}

# Features that some group never observed: what is said of them there is the prior's, or what other
# groups say.
unseen_line <- function(statistics) {
  unseen <- which(observed_counts(statistics) == 0, arr.ind = TRUE)
  if (nrow(unseen) == 0L) {
    return(NULL)
  }
  groups <- statistics$labels[unseen[, 1L]]
  by_feature <- split(groups, factor(unseen[, 2L]))
  names <- statistics$features[as.integer(names(by_feature))]
  each <- paste(names, "in", vapply(by_feature, some_of, "", most = 3L))
  paste0("Unseen:  ", some_of(each, 3L, "; "))
}

keys_text <- function(statistics) {
  keys <- names(statistics$keys)
  if (identical(keys, one_group_key)) "all rows" else paste(keys, collapse = ", ")
}

# Said only where something was left out
kept_line <- function(fit) {
  what <- kept(fit)
  if (fit$statistics$known && length(what) == 1L) {
    return(NULL)
  }
  if (length(what) == length(keep_choices)) {
    return(NULL)
  }
  what <- if (length(what)) paste("of the groups only", what) else "nothing of single groups"
  paste0("Kept:    ", what, "  [change: keep = c(\"mu\", \"Sigma\")]")
}

# Where only some groups of many were warmed up, the line has no room to say so.
warmup_text <- function(algorithm, iter_warmup) {
  warmed <- algorithm %in% c("hmc", "nuts")
  if (all(warmed)) {
    return(paste(" after", number(iter_warmup), "warm-up"))
  }
  if (!any(warmed)) ", no warm-up"
}

# Where groups were drawn in different ways, their number by way
algorithm_text <- function(algorithm) {
  count <- table(factor(algorithm, c("exact", "direct", "hmc", "nuts")))
  count <- count[count > 0]
  if (length(count) == 1) {
    long <- c(
      exact = "exact independent draws", direct = "independence steps", hmc = "HMC in blocks",
      nuts = "NUTS"
    )
    return(long[[names(count)]])
  }
  short <- c(exact = "exact", direct = "steps", hmc = "HMC", nuts = "NUTS")[names(count)]
  how_many <- number(count)
  how_many[1] <- count_of(count[[1]], "group")
  paste0(short, " (", how_many, ")", collapse = ", ")
}

# What is pooled, and how to say something else
pooling_text <- function(fit) {
  if (fit$statistics$known) {
    return("means partial, studies learn from each other")
  }
  p <- pooling_of(model_of(fit))
  if (all(p == p[1])) {
    meaning <- c(
      none = "none, groups independent", partial = "partial, groups learn from each other",
      complete = "complete, one for all groups"
    )
    other <- c(none = "partial", partial = "none", complete = "partial")[[p[1]]]
    return(paste0(meaning[[p[1]]], "  [change: pooling = \"", other, "\"]"))
  }
  blocks <- paste(names(p), p, collapse = ", ")
  hint <- "  [change: pooling = c(mean = ...)]"
  # beside the line's title, where there is room for it
  fits <- text_width(blocks) + text_width(hint) + 9 <= getOption("width")
  if (fits) paste0(blocks, hint) else blocks
}

# Problems come before any estimate.
problem_lines <- function(fit, width) {
  unlist(lapply(unname(fit$warnings), function(text) {
    headline <- strsplit(text, "\n")[[1]][1]
    strwrap(headline, width = width - 1, initial = "! ", prefix = "  ")
  }))
}

pooling_lines <- function(fit, width) {
  found <- pooling_summary(fit)
  if (nrow(found) == 0) {
    return(character())
  }
  by_block <- split(found, factor(found$block, unique(found$block)))
  c(
    "Pooling estimated, 1 - h^2 (0 none, 1 complete):",
    vapply(by_block, pooling_line, "", width, USE.NAMES = FALSE),
    group_means_line(fit, found)
  )
}

# How far group means are drawn to the typical group, and how they vary together.
group_means_line <- function(fit, found) {
  low <- found$shrinkage_low[found$block == "mean"]
  high <- found$shrinkage_high[found$block == "mean"]
  texts <- c(
    if (length(low) && !anyNA(low)) {
      paste("shrunk by", paste(unique(fixed(c(min(low), max(high)), 2)), collapse = " to "))
    },
    if (is_stored(fit, "chol_between")) paste("correlated by", between_text(fit))
  )
  if (length(texts)) {
    paste0("  ", format("group means", width = 13), paste(texts, collapse = ", "))
  }
}

# Of few groups little more than the prior is known.
between_text <- function(fit) {
  if (n_groups(fit) < few_groups) {
    return(paste0("about their prior (", count_of(n_groups(fit), "group"), ")"))
  }
  r <- colMeans(matrix(packed_quantity(fit, "Omega_between"), n_draws(fit)))
  paste(unique(fixed(range(r), 2)), collapse = " to ")
}

# `rows`: those of one block in pooling_summary().
pooling_line <- function(rows, width) {
  name <- c(
    mean = "means", sd = "sds", cor = "correlations", slope = "slopes"
  )[[rows$block[1]]]
  value <- fixed(rows$pooling, 2)
  if (rows$block[1] == "mean") value <- paste0(value, " (tau ", significant(rows$tau, 2), ")")
  feature <- trim_names(ifelse(is.na(rows$feature), "", rows$feature), 16)
  shown <- paste0(feature, ifelse(nzchar(feature), " ", ""), value)
  # what stands beside the name and the count of those left out
  used <- cumsum(text_width(shown) + 2)
  n_fitting <- if (max(used) <= width - 14) length(shown) else max(1, sum(used <= width - 30))
  fits <- shown[seq_len(n_fitting)]
  more <- length(shown) - length(fits)
  paste0(
    "  ", format(name, width = 13), paste(fits, collapse = ", "),
    if (more > 0) paste0(", and ", more, " more")
  )
}

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

table_lines <- function(table, fit, n_groups, width) {
  layout <- table$layout
  # More columns than ever fit need not be summarised
  kept <- utils::head(seq_len(nrow(layout)), ceiling(width / 6))
  headed <- function(cells, name_width) {
    rbind(entry_names(fit$statistics, layout[kept, , drop = FALSE], name_width), cells)
  }
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
  left <- c(table$title, trim_names(names, 20))
  left <- pad(left, max(text_width(left)), "right")
  room <- width - text_width(left[1])
  # The longest names that take no column its place
  n_shown <- n_columns_fitting(headed(cells, 16), room, nrow(layout))
  for (name_width in c(40, 32, 24, 16)) {
    columns <- headed(cells, name_width)
    if (n_columns_fitting(columns, room, nrow(layout)) == n_shown) break
  }
  format_table(left, columns[, seq_len(n_shown), drop = FALSE], nrow(layout))
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
  cells <- if (quantities[[name]]$unit_diagonal) {
    paste0(fixed(mean, 2), " (", fixed(sd, 2), ")")
  } else {
    with_error(mean, sd)
  }
  matrix(cells, nrow(mean))
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
