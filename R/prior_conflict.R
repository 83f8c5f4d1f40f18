# Do priors and data disagree? The posterior's standard deviations and correlations against those
# that the data alone give.

# internal -----------------------------------------------------------------

# A quantity is in conflict when in half of the groups looked at or more the posterior lies more
# than a posterior sd from what the data alone give, on the same side; sds are looked at as
# log(sigma), correlations as atanh(rho).
# NULL, or the texts of a message, named as in sampler_problems(), with the fields `block`,
# `features` and `shift` (posterior over sample's sds, difference of correlations) as attributes.
prior_conflict <- function(run) {
  if (isTRUE(run$control$prior_only) || !is_stored(run, "chol")) {
    return(NULL)
  }
  alone <- data_alone(run)
  if (length(alone$groups) == 0L) {
    return(NULL)
  }
  found <- list(sd = sd_conflict(run, alone), cor = cor_conflict(run, alone))
  found <- found[!vapply(found, is.null, TRUE)]
  if (length(found) == 0L) {
    return(NULL)
  }
  said <- vapply(found, `[[`, "", "text")
  texts <- c(
    "Priors and data disagree: the posterior is more than a standard deviation from the data.",
    stats::setNames(said, rep("x", length(said))),
    i = conflict_hint(run)
  )
  structure(
    texts, block = names(found), features = lapply(found, `[[`, "features"),
    shift = lapply(found, `[[`, "shift")
  )
}

# Says it, and returns the headline, by topic, for the fit to keep.
inform_prior_conflict <- function(run) {
  texts <- if (!run$statistics$known) prior_conflict(run)
  if (is.null(texts)) {
    return(character())
  }
  inform_hmvn(
    cli_verbatim(c(texts)), "prior_conflict",
    block = attr(texts, "block"), features = attr(texts, "features"), shift = attr(texts, "shift")
  )
  c(prior_conflict = paste(texts[[1L]], texts[[2L]]))
}

# What the data alone say, where that is known without sampling: a list of `groups` (positions; none
# where it is not known) and their `covariances` [feature, feature, group]. Where groups have their
# own covariance matrices: some of those whose rows say something of every pair, by EM where cells
# are missing, which is right also where cells are missing by what was observed (dropout). Where
# they have one in common: all together, here the first. Where they have a part in common, that
# part moves estimates without any prior.
data_alone <- function(run) {
  common <- run$pooling["slope"] %in% "complete"
  statistics <- without_covariates(run$statistics, common)
  k <- n_features(run)
  if (is_common(run, "chol")) {
    rows <- min(pair_rows(statistics$patterns))
    known <- rows - n_groups(run) + 1 > enough_rows(k) &&
      (n_groups(run) == 1L || !is_common(run, "mean"))
    if (!known) {
      return(list(groups = integer()))
    }
    pooled <- pooled_covariance(statistics, shrink = FALSE)
    return(list(groups = 1L, covariances = array(pooled, c(k, k, 1L))))
  }
  if (n_groups(run) > 1L && "complete" %in% run$pooling) {
    return(list(groups = integer()))
  }
  whole <- groups_with_plenty(statistics)
  holes <- groups_with_holes(statistics)
  covariances <- c(
    sample_covariances(statistics, whole),
    vapply(holes, own_covariance, matrix(0, k, k), statistics)
  )
  groups <- c(whole, holes)
  list(groups = groups, covariances = array(covariances, c(k, k, length(groups))))
}

# More rows than these say something of k features without a prior.
enough_rows <- function(k) max(2 * k, 5)

# How many rows have both features of a pair, [feature, feature].
pair_rows <- function(patterns) {
  observed <- +patterns$observed
  observed %*% (patterns$n * t(observed))
}

# Of complete rows: up to 200.
groups_with_plenty <- function(statistics) {
  patterns <- statistics$patterns
  k <- length(statistics$features)
  alone <- !(duplicated(patterns$group) | duplicated(patterns$group, fromLast = TRUE))
  varied <- apply(patterns$scatter, 3, function(scatter) all(diag(as.matrix(scatter)) > 0))
  fine <- which(alone & colSums(patterns$observed) == k & patterns$n > enough_rows(k) & varied)
  evenly(patterns$group[fine], 200)
}

# With missing cells: as many as have 300 patterns together, at most 20, which EM goes through in a
# fraction of a second.
groups_with_holes <- function(statistics) {
  patterns <- statistics$patterns
  enough <- enough_rows(length(statistics$features))
  counts <- observed_counts(statistics)
  holes <- unique(patterns$group[colSums(!patterns$observed) > 0])
  some <- holes[rowSums(counts[holes, , drop = FALSE] <= enough) == 0]
  size <- mean(tabulate(patterns$group, length(statistics$labels))[some])
  some <- evenly(some, if (length(some)) min(20, max(1, 300 %/% size)) else 0)
  Filter(function(group) {
    own <- pick_patterns(patterns, patterns$group == group)
    all(pair_rows(own) > enough) && all(pooled_moments(statistics, group)$sd > 0)
  }, some)
}

# As many as `most` of them, evenly spread.
evenly <- function(x, most) {
  if (length(x) > most) x[round(seq(1, length(x), length.out = most))] else x
}

# The covariance matrices of groups' rows, [feature, feature, group].
sample_covariances <- function(statistics, groups) {
  patterns <- statistics$patterns
  at <- match(groups, patterns$group)
  sweep(patterns$scatter[, , at, drop = FALSE], 3, patterns$n[at] - 1, "/")
}

# Of one group, by EM.
own_covariance <- function(group, statistics) {
  patterns <- pick_patterns(statistics$patterns, statistics$patterns$group == group)
  patterns$group[] <- 1L
  statistics$patterns <- patterns
  statistics$labels <- statistics$labels[group]
  pooled_covariance(statistics, shrink = FALSE)
}

# Where the posterior of a quantity ("sigma", "Omega") lies. From about 500 draws, which know a mean
# to 0.05 sd; of many groups, of which the median counts, from as many as make 5,000 together, at
# least 100. Group by group, of which the draws of all may be too much memory. `sample`: [entry,
# group]; `scale()`: what it is looked at by. A list by entry: `shift`: the median over groups of
# how many posterior sds the mean lies from `sample`; `mean`: posterior means as they are, [entry,
# group].
posterior_shift <- function(run, name, groups, sample, scale) {
  k <- n_features(run)
  kept <- n_kept(run)
  draws <- min(500, max(100, 5000 / length(groups)))
  iterations <- unique(round(seq(1, kept[[1L]], length.out = ceiling(draws / kept[[2L]]))))
  found <- vapply(seq_along(groups), function(i) {
    some <- chol_draws(run, groups[[i]], iterations)
    draws <- matrix(derive_quantity_(some, k, 1L, name, TRUE), ncol = nrow(sample))
    values <- scale(draws)
    center <- colMeans(values)
    spread <- sqrt(colMeans(values^2) - center^2)
    cbind((center - scale(sample[, i])) / spread, colMeans(draws))
  }, matrix(0, nrow(sample), 2L))
  list(
    shift = apply(found[, 1L, , drop = FALSE], 1, stats::median),
    mean = matrix(found[, 2L, ], nrow(sample))
  )
}

# atanh, finite also where rounding has made a correlation 1.
fisher_z <- function(r) {
  edge <- which(abs(r) >= 1)
  r[edge] <- sign(r[edge]) * (1 - 1e-15)
  atanh(r)
}

# `alone`: see data_alone().
sd_conflict <- function(run, alone) {
  sample <- sqrt(apply(alone$covariances, 3, function(S) diag(as.matrix(S))))
  sample <- matrix(sample, ncol = length(alone$groups))
  posterior <- posterior_shift(run, "sigma", alone$groups, sample, log)
  off <- which(abs(posterior$shift) > 1)
  if (length(off) == 0L) {
    return(NULL)
  }
  ratio <- apply(posterior$mean / sample, 1, stats::median)[off]
  features <- run$statistics$features[off]
  size <- range(ratio)
  list(
    features = features, shift = stats::setNames(ratio, features),
    text = paste0(
      "Standard deviations are ", paste(unique(format(size, digits = 2)), collapse = " to "),
      " times the sample's (", some_of(features), ")."
    )
  )
}

cor_conflict <- function(run, alone) {
  k <- n_features(run)
  if (k == 1L) {
    return(NULL)
  }
  pairs <- packed_layout(run, "Omega")
  at <- cbind(pairs$feature, pairs$feature2)
  sample <- apply(alone$covariances, 3, function(S) stats::cov2cor(S)[at])
  sample <- matrix(sample, ncol = length(alone$groups))
  posterior <- posterior_shift(run, "Omega", alone$groups, sample, fisher_z)
  off <- which(abs(posterior$shift) > 1)
  if (length(off) == 0L) {
    return(NULL)
  }
  difference <- apply(posterior$mean - sample, 1, stats::median)[off]
  features <- run$statistics$features
  names <- paste0(features[pairs$feature2[off]], "~", features[pairs$feature[off]])
  largest <- difference[[which.max(abs(difference))]]
  list(
    features = names, shift = stats::setNames(difference, names),
    text = paste0(
      "Correlations differ from the sample's by up to ", signif(largest, 2), " (", some_of(names),
      ")."
    )
  )
}

conflict_hint <- function(run) {
  if (run$prior$frame$kind == "raw" && n_features(run) > 1L) {
    paste(
      "An LKJ prior charges strong correlations, and the sds with them: state priors in the frame",
      "of the groups' pooled covariance, `hmvn_prior(frame = \"pooled\")`, or see ?hmvn_prior."
    )
  } else {
    "Look at the priors with `prior_summary()`, or give wider ones in `hmvn_prior()`."
  }
}
