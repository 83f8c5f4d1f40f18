# One screen about a fit: the model, how much there is, what went wrong, and the estimates by group.

#' Print a fit
#'
#' @param x An `hmvn_fit`.
#' @param lines The number of lines to stay within, where the groups allow it; of more groups the first are shown.
#' @param ... Not used.
#' @return `x`, invisibly. Numbers are posterior means, in brackets posterior standard deviations.
#' @export
print.hmvn_fit <- function(x, ..., lines = 24) {
  width <- min(getOption("width"), 80)
  top <- c(head_lines(x), problem_lines(x))
  pooling <- pooling_lines(x)
  tables <- shown_tables(x)
  shared <- vapply(tables, function(t) t$common || is.null(t$variable), TRUE)
  population <- sum(vapply(tables, function(t) !is.null(t$population), TRUE))
  free <- lines - length(top) - length(pooling) - length(tables) - population - sum(shared) - 1
  n_shown <- min(n_groups(x), max(2, free %/% max(1, sum(!shared))))
  # A blank line before each table where there is room for it
  spaced <- free - n_shown * sum(!shared) >= length(tables)
  body <- unlist(lapply(tables, table_lines, fit = x, n_shown = n_shown, width = width, spaced = spaced))
  writeLines(truncate_width(c(top, pooling, body, more_line(x, n_shown, all(shared))), width))
  invisible(x)
}

# internal -----------------------------------------------------------------

head_lines <- function(fit) {
  s <- fit$statistics
  control <- fit$control
  size <- c(
    paste(number(s$n_rows), "rows"), paste(number(n_groups(fit)), if (n_groups(fit) == 1) "group" else "groups", paste0("(", paste(names(s$keys), collapse = ", "), ")")),
    paste(n_features(fit), if (n_features(fit) == 1) "feature" else "features"),
    if (s$n_missing > 0) paste(number(s$n_missing), "cells missing"), if (s$n_empty > 0) paste(number(s$n_empty), "rows without data left out"), if (s$weighted) "weighted"
  )
  c(
    paste0("hmvn: multivariate Normal by group", if (isTRUE(control$prior_only)) ", draws from the prior (data not used)"),
    paste0("Data:    ", paste(size, collapse = ", ")),
    paste0("Pooling: ", pooling_text(fit)),
    paste0(
      "Sampler: ", algorithm_text(fit$units$algorithm), ", ", nchains.hmvn_fit(fit), " chains x ",
      number(niterations.hmvn_fit(fit)), " draws", warmup_text(fit$units$algorithm, control$iter_warmup),
      if (!is.null(fit$time$total)) paste0(", ", format(fit$time$total, digits = 2), " s")
    ),
    kept_line(fit)
  )
}

# Said only where something was left out
kept_line <- function(fit) {
  kept <- c(if (!is.null(fit$draws$mean)) "mu", if (!is.null(fit$draws$chol)) "Sigma")
  if (length(kept) == 2) return(NULL)
  what <- if (length(kept)) paste("of the groups only", kept) else "nothing of single groups"
  paste0("Kept:    ", what, "  [change: keep = c(\"mu\", \"Sigma\")]")
}

# Where only some groups of many were warmed up, the line has no room to say so.
warmup_text <- function(algorithm, iter_warmup) {
  warmed <- algorithm %in% c("hmc", "nuts")
  if (all(warmed)) return(paste(" after", number(iter_warmup), "warm-up"))
  if (!any(warmed)) ", no warm-up"
}

# Where groups were drawn in different ways, their number by way
algorithm_text <- function(algorithm) {
  count <- table(factor(algorithm, c("exact", "direct", "hmc", "nuts")))
  count <- count[count > 0]
  if (length(count) == 1) {
    long <- c(exact = "exact independent draws", direct = "independence steps", hmc = "HMC in blocks", nuts = "NUTS")
    return(long[[names(count)]])
  }
  short <- c(exact = "exact", direct = "steps", hmc = "HMC", nuts = "NUTS")[names(count)]
  paste0(short, " (", number(count), c(" groups", rep("", length(count) - 1)), ")", collapse = ", ")
}

# What is pooled, and how to say something else
pooling_text <- function(fit) {
  p <- fit$pooling[c("mean", "sd", if (n_features(fit) > 1) "cor")]
  if (all(p == p[1])) {
    meaning <- c(none = "none, groups independent", partial = "partial, groups learn from each other", complete = "complete, one for all groups")
    other <- c(none = "partial", partial = "none", complete = "partial")[[p[1]]]
    return(paste0(meaning[[p[1]]], "  [change: pooling = \"", other, "\"]"))
  }
  paste0(paste(names(p), p, collapse = ", "), "  [change: pooling = c(mean = ...)]")
}

# Problems come before any estimate.
problem_lines <- function(fit) {
  if (length(fit$warnings) == 0) return(character())
  unlist(lapply(unname(fit$warnings), function(text) strwrap(strsplit(text, "\n")[[1]][1], width = 79, initial = "! ", prefix = "  ")))
}

pooling_lines <- function(fit) {
  found <- pooling_summary(fit)
  if (nrow(found) == 0) return(character())
  name <- c(mean = "means", sd = "sds", cor = "correlations")
  lines <- vapply(split(found, factor(found$block, unique(found$block))), function(rows) {
    value <- fixed(rows$pooling, 2)
    if (rows$block[1] == "mean") value <- paste0(value, " (tau ", significant(rows$tau, 2), ")")
    feature <- ifelse(is.na(rows$feature), "", paste0(rows$feature, " "))
    shown <- paste0(feature, value)
    # what stands beside the name and the count of those left out
    used <- cumsum(cli::ansi_nchar(shown, "width") + 2)
    fits <- if (max(used) <= 66) shown else utils::head(shown, max(1, sum(used <= 50)))
    more <- length(shown) - length(fits)
    paste0("  ", format(name[[rows$block[1]]], width = 13), paste(fits, collapse = ", "), if (more > 0) paste0(", and ", more, " more"))
  }, "")
  weights <- found$shrinkage_low[found$block == "mean"]
  range <- if (length(weights) && !anyNA(weights)) {
    paste("of group means", fixed(min(weights), 2), "to", fixed(max(found$shrinkage_high, na.rm = TRUE), 2))
  }
  c(
    "Pooling estimated, 1 - h^2 (0 none, 1 complete):", unname(lines),
    if (!is.null(range)) paste0("  ", format("shrinkage", width = 13), range)
  )
}

# The tables: one a block. `common`: all groups have the same values, shown once. Without draws of the groups (`keep`)
# what is shown is the population's, which under complete pooling is everybody's.
shown_tables <- function(fit) {
  has <- quantity_table(fit)$quantity
  table <- function(title, variable, population, block) {
    pooling <- fit$pooling[[block]]
    by_group <- variable %in% has
    of_population <- population %in% has && (pooling == "partial" || !by_group)
    if (!by_group && !of_population) return(NULL)
    list(
      title = title, variable = if (by_group) variable, population = if (of_population) population,
      common = pooling == "complete", layout = packed_layout(fit, variable)
    )
  }
  tables <- list(
    table("Means", "mu", "mu0", "mean"),
    table("Sds", "sigma", "sigma0", "sd"),
    if (n_features(fit) > 1) table("Correlations", "Omega", "Omega0", "cor")
  )
  Filter(Negate(is.null), tables)
}

table_lines <- function(table, fit, n_shown, width, spaced) {
  layout <- table$layout
  features <- fit$statistics$features
  correlations <- table$title == "Correlations"
  columns <- if (correlations) paste(features[layout$feature2], features[layout$feature], sep = "~") else features
  # More columns than ever fit need not be summarised
  kept <- utils::head(seq_along(columns), 12)
  everybody <- "(all groups)"
  cells <- names <- NULL
  if (!is.null(table$population)) {
    cells <- estimate_cells(fit, table$population, NULL, kept)
    names <- if (table$common) everybody else "(typical)"
  }
  if (!is.null(table$variable)) {
    groups <- if (table$common) 1L else seq_len(n_shown)
    cells <- rbind(cells, estimate_cells(fit, table$variable, groups, kept))
    names <- c(names, if (table$common) everybody else fit$statistics$labels[groups])
  }
  lines <- format_table(table$title, names, columns[kept], cells, width, length(columns))
  c(if (spaced) "", lines)
}

# "mean (sd)" as [group, column]
estimate_cells <- function(fit, variable, groups, kept) {
  values <- packed_quantity(fit, variable, groups)
  values <- matrix(values, n_draws(fit))
  each <- nrow(packed_layout(fit, variable))
  mean <- matrix(colMeans(values), ncol = each, byrow = TRUE)[, kept, drop = FALSE]
  sd <- matrix(apply(values, 2, stats::sd), ncol = each, byrow = TRUE)[, kept, drop = FALSE]
  matrix(if (startsWith(variable, "Omega")) paste0(fixed(mean, 2), " (", fixed(sd, 2), ")") else with_error(mean, sd), nrow(mean))
}

format_table <- function(title, names, columns, cells, width, n_columns) {
  names <- cli::ansi_strtrim(c(title, names), 20)
  columns <- cli::ansi_strtrim(columns, 16)
  left <- pad(names, max(cli::ansi_nchar(names, "width")), "right")
  cell_width <- vapply(seq_along(columns), function(j) max(cli::ansi_nchar(c(columns[j], cells[, j]), "width")), 1)
  fits <- cumsum(cell_width + 2) + cli::ansi_nchar(left[1], "width") <= width - if (n_columns > length(columns)) 13 else 0
  if (!all(fits)) fits <- cumsum(cell_width + 2) + cli::ansi_nchar(left[1], "width") <= width - 13
  fits[1] <- TRUE
  shown <- which(fits)
  lines <- left
  for (j in shown) lines <- paste0(lines, "  ", pad(c(columns[j], cells[, j]), cell_width[j], "left"))
  if (length(shown) < n_columns) lines[1] <- paste0(lines[1], "  and ", n_columns - length(shown), " more")
  lines
}

more_line <- function(fit, n_shown, nothing_by_group) {
  more <- if (nothing_by_group) 0 else n_groups(fit) - n_shown
  paste0(if (more > 0) paste0("... and ", number(more), " more ", if (more == 1) "group. " else "groups. "), "Posterior mean (sd); more: summary(), as_draws_rvars()")
}

# "1.234 (0.056)": the posterior sd to two digits and the mean to as many decimals, so that no digit is shown that is only noise, and none is lost
with_error <- function(mean, sd) {
  vapply(seq_along(mean), function(i) {
    decimals <- if (isTRUE(sd[i] > 0)) max(0, 1 - floor(log10(signif(sd[i], 2)))) else 3
    plain <- is.finite(mean[i]) && decimals <= 6 && abs(mean[i]) < 1e7
    if (!plain) return(paste0(trimws(formatC(mean[i], digits = 4, format = "g")), " (", trimws(formatC(sd[i], digits = 2, format = "g")), ")"))
    paste0(fixed(mean[i], decimals), " (", fixed(sd[i], decimals), ")")
  }, "")
}

# Significant digits without an exponent where that is readable
significant <- function(x, digits) {
  text <- formatC(x, digits = digits, format = "fg", flag = "#")
  large <- is.finite(x) & x != 0 & (abs(x) >= 1e6 | abs(x) < 1e-4)
  text[large] <- formatC(x[large], digits = digits - 1, format = "e")
  sub("\\.$", "", trimws(text))
}

# Adding 0 after rounding keeps "-0.00" away.
fixed <- function(x, digits) formatC(round(x, digits) + 0, digits = digits, format = "f")

# By display width, which wide characters and emoji have more of than letters
pad <- function(text, width, side) {
  blanks <- strrep(" ", pmax(0, width - cli::ansi_nchar(text, "width")))
  if (side == "left") paste0(blanks, text) else paste0(text, blanks)
}

truncate_width <- function(lines, width) cli::ansi_strtrim(lines, width)
