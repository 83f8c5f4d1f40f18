# Is the posterior a distribution at all? (M3), checked on the statistics before any
# sampling: samplers draw from improper posteriors without a word.

# internal -----------------------------------------------------------------

# Stops with class hmvn_error_improper (fields group, features, kind) where (M3) fails.
#
# Which scatter is judged: that of every group where the block is not pooled, and also
# where it is partially pooled (the heterogeneity may reach 1; a fixed one is judged the
# same, on the safe side). Under complete pooling the groups' scatters together: about the
# groups' own means, or about the common mean if means are completely pooled too (for
# collinearity only with common sds as well). Correlations in common with sds of each group's
# own: the sum of the scatters scaled to correlations; three or more features whose collinear
# combination differs from group to group by more than the features' sds are not found.
#
# tolerance: features count as collinear when, after those chosen before, the share of a
# feature's variance left unexplained (1 - R^2, on the scale of correlations, so without
# regard to units and offsets) is at most this: correlations up to 1 - 5e-11 pass.
#
# With missing cells a set of features is judged by the rows that observe all of it (other
# rows stay bounded when these features become collinear), with LKJ's marginal over the set, LKJ(eta
# + (K - size)/2). Sets tried: all features, all pairs, and the patterns with most rows; a set of
# full rank clears its subsets. So what is refused is improper; an improper posterior that only
# another set shows is not found.
check_propriety <- function(statistics, prior, pooling, tolerance = 1e-10, call = NULL) {
  if (length(statistics$patterns$n) == 0L) {
    return(invisible(NULL)) # no data: the posterior is the prior
  }
  check_constant(statistics, prior, pooling, call)
  if (length(statistics$features) > 1L) {
    check_collinear(statistics, prior, pooling, tolerance, call)
  }
  invisible(NULL)
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
check_constant <- function(statistics, prior, pooling, call) {
  power <- sd_prior_power(prior$sd)
  features <- statistics$features
  for (k in which(is.finite(power))) {
    by_group <- feature_scatter(statistics$patterns, k)
    if (pooling[["sd"]] != "complete") {
      bad <- which(by_group$constant & by_group$n - 1 >= power[[k]])
      if (length(bad) > 0L) {
        groups <- statistics$labels[by_group$group[bad]]
        abort_constant(groups, features[[k]], by_group$n[[bad[[1L]]]], prior$sd$family[[k]], call)
      }
    } else {
      degrees <- sum(by_group$n - 1)
      constant <- all(by_group$constant)
      if (pooling[["mean"]] == "complete" && constant) {
        degrees <- sum(by_group$n) - 1
        level <- range(by_group$mean)
        constant <- diff(level) <= constant_tolerance * max(abs(level))
      }
      if (constant && degrees >= power[[k]]) {
        abort_constant(character(), features[[k]], sum(by_group$n), prior$sd$family[[k]], call)
      }
    }
  }
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

abort_constant <- function(groups, feature, n, family, call) {
  shown <- few(groups)
  where <- if (length(groups) == 0L) {
    "Over all groups together"
  } else if (length(groups) == 1L) {
    "In group {.val {shown}}"
  } else {
    "In groups {.val {shown}}"
  }
  n <- format(n)
  abort_hmvn(
    c(
      paste(
        "The posterior must be proper:",
        "it must not pile up without limit at a standard deviation of 0."
      ),
      x = paste0(where, ", feature {.field {feature}} is constant (n = {n})."),
      i = paste(
        "Remedies: a prior of its standard deviation that vanishes at 0,",
        "such as {.fn distributional::dist_lognormal} (now: {family});"
      ),
      " " = paste(
        "{.code pooling = c(sd = \"complete\")} if it varies in other groups;",
        "or leave out the feature or the group."
      )
    ),
    "improper", group = groups, features = feature, kind = "constant", call = call
  )
}
