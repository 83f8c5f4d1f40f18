# The lines above the estimates of a printed fit: data, pooling, sampler, problems.

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
      count_of(n_kept(fit)[[1L]], "draw"), warmup_text(fit$units),
      ", ", format(fit$time$total, digits = 2), " s"
    ),
    kept_line(fit),
    if (!is.null(control$draws_dir)) paste0("Draws:   of groups in ", control$draws_dir),
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
warmup_text <- function(units) {
  warmed <- units$algorithm %in% c("hmc", "nuts")
  if (all(warmed)) {
    iterations <- unique(number(range(units$iter_warmup)))
    return(paste(" after", paste(iterations, collapse = " to "), "warm-up"))
  }
  if (!any(warmed)) ", no warm-up"
}

# Where groups were drawn in different ways, their number by way
algorithm_text <- function(algorithm) {
  count <- table(factor(algorithm, c("exact", "direct", "hmc", "nuts")))
  count <- count[count > 0]
  if (length(count) == 1) {
    long <- c(
      exact = "exact independent draws", direct = "independence steps",
      hmc = "HMC by quarter turns", nuts = "NUTS"
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
