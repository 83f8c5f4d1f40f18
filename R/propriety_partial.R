# The part of (M3) that is about partially pooled standard deviations: how far other groups' data
# hold the sd of a group in which a feature is constant.

# internal -----------------------------------------------------------------

# How fast the likelihood grows as the sds of one feature go to 0, by group that observes it: like
# exp(growth u^2/2) in the score u, (M3). Groups where it varies have growth 0 and hold the others:
# their number is `n_others`. `least` is a lower bound, of use to show that a posterior is improper;
# `most` an upper one, NA where none is known: with pooled means groups that have the same constant
# may add one degree of freedom each.
constant_growth <- function(by_group, power, pooling, known) {
  least <- ifelse(by_group$constant, by_group$n - 1, 0) / power
  several <- pooling[["mean"]] != "none" && sum(least > 0) > 1L
  most <- if (several) ifelse(least > 0, by_group$n / power, 0) else least
  if (!known) most[] <- NA
  list(least = least, most = most, n_others = sum(!by_group$constant))
}

# Positions of the groups that make the posterior improper, or may do so. `h`: the prior of the
# heterogeneity of sds.
find_constant_groups <- function(growth, pooling, h) {
  alone <- which(growth$least >= 1)
  if (pooling[["sd"]] == "none") {
    return(alone)
  }
  if (are_held(growth$most, growth$n_others, h)) {
    return(integer())
  }
  if (length(alone) == 0L && !anyNA(growth$most) && !are_held(growth$least, growth$n_others, h)) {
    return(which(growth$least > 0)) # none alone, but all together
  }
  alone
}

# (M3c): FALSE where it fails, or growth is not known.
are_held <- function(growth, n_others, h) {
  if (anyNA(growth)) {
    return(FALSE)
  }
  growth <- growth[growth > 0]
  learned <- is.na(h[["fixed"]])
  h2 <- if (learned) seq(0.001, 0.999, by = 0.001) else h[["fixed"]]^2
  held <- vapply(h2, function(h2) {
    left <- h2 / (h2 + n_others * (1 - h2)) # variance of the population's score given the others'
    all(growth * h2 < 1) && (1 - h2) * left * sum(growth / (1 - growth * h2)) < 1
  }, TRUE)
  # at h = 1 itself groups are independent
  near_1 <- !learned || all(growth < 1) || (identical(growth, 1) && h[["shape2"]] > 2)
  all(held) && near_1
}

# The largest h, in steps of a tenth, that makes sds proper when it is fixed, as all smaller ones
# do; NULL: none.
largest_held <- function(growth) {
  h <- seq(0.1, 0.9, by = 0.1)
  fine <- vapply(h, function(h) are_held(growth$most, growth$n_others, c(fixed = h)), TRUE)
  fine <- h[cumprod(fine) == 1]
  if (length(fine)) max(fine)
}

# Is the likelihood bounded by powers of the sds of constant features, whatever the correlations?
# Known where rows are complete, at most one feature of a group is constant and the others are not
# collinear; in a frame the sds are not those of features.
is_bounded_but_for_sds <- function(patterns, prior, tolerance) {
  K <- nrow(patterns$observed)
  if (prior$frame$kind != "raw" || !all(patterns$observed)) {
    return(FALSE)
  }
  ranks <- scaled_ranks(drop_constants(patterns), K, tolerance)
  enough <- ranks[, "varying"] >= K - 1L & ranks[, "rank"] == ranks[, "varying"]
  all(enough | patterns$n <= 1)
}
