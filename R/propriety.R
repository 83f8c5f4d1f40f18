# Is the posterior a distribution at all? (M3), checked on the statistics before any
# sampling: samplers draw from improper posteriors without a word.

# internal -----------------------------------------------------------------

# Stops with class hmvn_error_improper (fields group, features, kind) where (M3) fails, and names
# every group where it does.
#
# Which scatter is judged: that of every group where the block is not pooled; under complete pooling
# the groups' scatters together, about the groups' own means, or about the common mean if means are
# completely pooled too (for collinearity only with common sds as well). Partially pooled sds:
# see find_constant_partial(); partially pooled correlations are judged as if they were not pooled,
# on the safe side. Correlations in common with sds of each group's
# own: the sum of the scatters scaled to correlations; three or more features whose collinear
# combination differs from group to group by more than the features' sds are not found.
#
# tolerance: features count as collinear when, after those chosen before, the share of a
# feature's variance left unexplained (1 - R^2, on the scale of correlations, so without
# regard to units and offsets) is at most this: correlations up to 1 - 5e-11 pass.
#
# With covariates whose slopes are a group's own the scatter is that of residuals about its own
# regression, with as many rows less, where the group's rows are complete.
#
# With missing cells a set of features is judged by the rows that observe all of it (other
# rows stay bounded when these features become collinear), with LKJ's marginal over the set, LKJ(eta
# + (K - size)/2). Sets tried: all features, all pairs, and the patterns with most rows; a set of
# full rank clears its subsets. An improper posterior that only another set shows is not found.
check_propriety <- function(statistics, prior, pooling, tolerance = 1e-10, call = NULL) {
  problems <- find_improper(statistics, prior, pooling, tolerance)
  if (length(problems) > 0L) {
    others <- setdiff(statistics$labels, unlist(lapply(problems, `[[`, "group")))
    abort_improper(problems, length(others) > 0L, call)
  }
  invisible(NULL)
}

# What makes the posterior improper: a list of problems, each a list of `kind` ("constant" or
# "collinear"), `group` (labels; none: all groups together), `features`, `n` (rows, of each group),
# and what the remedies need: `family` of the sd prior and `heterogeneity` (see find_constant()), or
# `eta`.
find_improper <- function(statistics, prior, pooling, tolerance = 1e-10) {
  if (length(statistics$patterns$n) == 0L) {
    return(list()) # no data: the posterior is the prior
  }
  if (!pooling["slope"] %in% "complete") statistics <- own_residuals(statistics, tolerance)
  problems <- c(
    find_constant(statistics, prior, pooling, tolerance),
    if (length(statistics$features) > 1L) {
      find_collinear(statistics, prior$cor$eta, pooling, tolerance)
    }
  )
  judge_in_frame(problems, statistics, prior, pooling, tolerance)
}

# The power of sigma that the sd prior's density has at 0, plus one.
sd_prior_power <- function(sd) {
  power <- rep(1, length(sd$family))
  gamma <- sd$family == "gamma"
  power[gamma] <- sd$parameters[gamma, 1L]
  power[sd$family == "lognormal"] <- Inf
  power
}

# A feature constant over rows whose residuals have n - 1 degrees of freedom lets sigma go to
# 0: the density grows like sigma^-(n - 1) against sigma^(power - 1) of the prior.
# `heterogeneity` of a problem: partial pooling of sds with h fixed at this or less would be proper.
find_constant <- function(statistics, prior, pooling, tolerance) {
  power <- sd_prior_power(prior$sd)
  known <- is_bounded_but_for_sds(statistics$patterns, prior, tolerance)
  found <- lapply(which(is.finite(power)), function(k) {
    by_group <- feature_scatter(statistics$patterns, k)
    if (pooling[["sd"]] == "complete") {
      bad <- if (is_constant_pooled(by_group, power[[k]], pooling)) seq_along(by_group$n)
      group <- character()
    } else {
      growth <- constant_growth(by_group, power[[k]], pooling, known)
      bad <- find_constant_groups(growth, pooling, prior$heterogeneity$sd)
      group <- statistics$labels[by_group$group[bad]]
    }
    if (length(bad) > 0L) {
      list(
        kind = "constant", group = group, features = statistics$features[[k]],
        n = if (length(group)) by_group$n[bad] else sum(by_group$n),
        family = prior$sd$family[[k]], heterogeneity = if (length(group)) largest_held(growth)
      )
    }
  })
  Filter(Negate(is.null), found)
}

is_constant_pooled <- function(by_group, power, pooling) {
  degrees <- sum(by_group$n - 1)
  constant <- all(by_group$constant)
  if (pooling[["mean"]] == "complete" && constant) {
    degrees <- sum(by_group$n) - 1
    level <- range(by_group$mean)
    constant <- diff(level) <= constant_tolerance * max(abs(level))
  }
  constant && degrees >= power
}

# Per group that observes feature k: n, mean and whether all its cells are equal.
feature_scatter <- function(patterns, k) {
  p <- which(patterns$observed[k, ])
  group <- patterns$group[p]
  n <- patterns$n[p]
  first <- !duplicated(group)
  index <- cumsum(first) # groups are in order
  sums <- function(x) rowsum(x, index, reorder = FALSE)[, 1L]
  total <- unname(sums(n))
  from_pivot <- patterns$mean[k, p] - patterns$mean[k, p[first]][index]
  centre <- unname(sums(n * from_pivot)) / total
  scatter <- unname(sums(patterns$scatter[k, k, p] + n * (from_pivot - centre[index])^2))
  mean <- patterns$mean[k, p[first]] + centre
  list(
    group = group[first], n = total, mean = mean,
    constant = sqrt(scatter / total) <= constant_tolerance * abs(mean)
  )
}
