# Do priors and data disagree? The posterior's standard deviations and correlations against those
# that the data alone give.

# internal -----------------------------------------------------------------

# Looks at up to 200 groups whose rows are complete and more than twice the features. A quantity is
# in conflict when in half of them or more the posterior lies more than a posterior sd from the
# sample's value, on the same side; sds are looked at as log(sigma), correlations as atanh(rho).
# NULL, or the texts of a message, named as in sampler_problems(), with the fields `block`,
# `features` and `shift` (posterior over sample's sds, difference of correlations) as attributes.
prior_conflict <- function(run) {
  groups <- groups_with_plenty(run$statistics)
  if (isTRUE(run$control$prior_only) || !is_stored(run, "chol") || length(groups) == 0L) {
    return(NULL)
  }
  found <- list(sd = sd_conflict(run, groups), cor = cor_conflict(run, groups))
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
  texts <- prior_conflict(run)
  if (is.null(texts)) {
    return(character())
  }
  inform_hmvn(
    cli_verbatim(c(texts)), "prior_conflict",
    block = attr(texts, "block"), features = attr(texts, "features"), shift = attr(texts, "shift")
  )
  c(prior_conflict = paste(texts[[1L]], texts[[2L]]))
}

groups_with_plenty <- function(statistics) {
  patterns <- statistics$patterns
  k <- length(statistics$features)
  alone <- !(duplicated(patterns$group) | duplicated(patterns$group, fromLast = TRUE))
  varied <- apply(patterns$scatter, 3, function(scatter) all(diag(as.matrix(scatter)) > 0))
  fine <- which(alone & colSums(patterns$observed) == k & patterns$n > max(2 * k, 5) & varied)
  groups <- patterns$group[fine]
  if (length(groups) > 200L) groups[round(seq(1, length(groups), length.out = 200))] else groups
}

# The covariance matrices of groups' rows, [feature, feature, group].
sample_covariances <- function(statistics, groups) {
  patterns <- statistics$patterns
  at <- match(groups, patterns$group)
  sweep(patterns$scatter[, , at, drop = FALSE], 3, patterns$n[at] - 1, "/")
}

# The median over groups of how many posterior sds the posterior mean lies from `sample`, by entry.
# `values`: [draw, entry, group] on the scale where it is looked at; `sample`: [entry, group].
median_shift <- function(values, sample) {
  center <- colMeans(values)
  spread <- sqrt(colMeans(values^2) - center^2)
  apply((center - sample) / spread, 1, stats::median)
}

draws_by_group <- function(run, name, groups) {
  values <- packed_quantity(run, name, groups)
  array(values, c(prod(dim(values)[1:2]), dim(values)[[3L]] / length(groups), length(groups)))
}

sd_conflict <- function(run, groups) {
  sample <- sqrt(apply(sample_covariances(run$statistics, groups), 3, function(S) {
    diag(as.matrix(S))
  }))
  sample <- matrix(sample, ncol = length(groups))
  draws <- draws_by_group(run, "sigma", groups)
  shift <- median_shift(log(draws), log(sample))
  off <- which(abs(shift) > 1)
  if (length(off) == 0L) {
    return(NULL)
  }
  ratio <- apply(colMeans(draws) / sample, 1, stats::median)[off]
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

cor_conflict <- function(run, groups) {
  k <- n_features(run)
  if (k == 1L) {
    return(NULL)
  }
  pairs <- packed_layout(run, "Omega")
  sample <- apply(sample_covariances(run$statistics, groups), 3, function(S) {
    stats::cov2cor(S)[as.matrix(pairs)]
  })
  sample <- matrix(sample, ncol = length(groups))
  draws <- draws_by_group(run, "Omega", groups)
  shift <- median_shift(atanh(pmin(pmax(draws, -1 + 1e-15), 1 - 1e-15)), atanh(sample))
  off <- which(abs(shift) > 1)
  if (length(off) == 0L) {
    return(NULL)
  }
  difference <- apply(colMeans(draws) - sample, 1, stats::median)[off]
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

# The first few of many.
some_of <- function(names, most = 4L) {
  if (length(names) <= most) {
    return(paste(names, collapse = ", "))
  }
  paste0(paste(names[seq_len(most)], collapse = ", "), " and ", length(names) - most, " more")
}
