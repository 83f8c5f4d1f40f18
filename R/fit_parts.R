# What functions ask a fit: how large it is, what it kept, where the values of a group lie.

# internal -----------------------------------------------------------------

# The third extent of every array of draws, as the model asks for it; 0: there is none.
draw_sizes <- function(fit) {
  k <- n_features(fit)
  packed <- function(k) as.integer(k * (k + 1) / 2)
  slopes <- k * n_covariates(fit)
  means <- fit$coefficients[1L, ]
  of_slopes <- fit$coefficients[-1L, ]
  pooled <- fit$pooling != "none"
  partial <- fit$pooling == "partial"
  several <- k > 1L
  # in a frame sds and correlations of the population come of each other
  both <- fit$prior$frame$kind != "raw" && several && (pooled[["sd"]] || pooled[["cor"]])
  c(
    mean = k * n_stored(fit, "mean"),
    chol = packed(k) * n_stored(fit, "chol") * !fit$statistics$known,
    slope = slopes * (if (slopes > 0) n_stored(fit, "slope") else 0L),
    mean0 = k * any(means != "none"), slope0 = slopes * any(of_slopes != "none"),
    scale0 = k * (pooled[["sd"]] || both),
    chol_cor0 = packed(k) * ((pooled[["cor"]] && several) || both),
    chol_between = packed(length(between_features(model_of(fit)))),
    h_mean = k * any(means == "partial"), h_slope = slopes * any(of_slopes == "partial"),
    h_sd = k * partial[["sd"]],
    h_cor = 1L * (partial[["cor"]] && several),
    lp = 1L, lprior = 1L
  )
}

n_features <- function(fit) length(fit$statistics$features)
n_covariates <- function(fit) length(fit$statistics$covariates)
n_groups <- function(fit) length(fit$statistics$labels)
# c(iterations, chains), those that were kept
n_kept <- function(fit) dim(fit$draws$lp)[1:2]
n_chains <- function(fit) n_kept(fit)[[2L]]
n_draws <- function(fit) prod(n_kept(fit))

model_of <- function(fit) {
  new_hmvn_model(
    fit$prior, fit$prior_given, fit$coefficients, fit$pooling[c("sd", "cor")],
    fit$statistics$known
  )
}

# The draws of groups that `keep` chooses, by the part of `draws` that holds them.
kept_parts <- c(mean = "mu", chol = "Sigma", slope = "mu")

is_stored <- function(fit, part) !is.null(fit$draws[[part]])

# What the fit kept, in the words of `keep`
kept <- function(fit) {
  unique(unname(kept_parts[vapply(names(kept_parts), is_stored, TRUE, fit = fit)]))
}

# A part of the draws, [iteration, chain, index]; stops where it was not kept.
stored <- function(fit, part) {
  draws <- fit$draws[[part]]
  if (is.null(draws)) abort_not_kept(fit, kept_parts[[part]], kept_parts[[part]], call = NULL)
  draws
}

# Positions of the entries of groups, one after another, where each has `size`.
entries_of <- function(at, size) rep((at - 1L) * size, each = size) + seq_len(size)

# Under complete pooling one set of values is stored for all groups.
is_common <- function(fit, part) {
  blocks <- switch(part, mean = "mean", slope = "slope", chol = c("sd", "cor"))
  all(pooling_of(model_of(fit))[blocks] %in% c("complete", NA))
}

n_stored <- function(fit, part) if (is_common(fit, part)) 1L else n_groups(fit)

# Where the values of `groups` are stored in a part, from 1
stored_groups <- function(fit, part, groups) {
  if (is_common(fit, part)) rep(1L, length(groups)) else as.integer(groups)
}

# `what`: what was asked for; `needed`: what would have to be kept for it.
abort_not_kept <- function(fit, what, needed, call) {
  if (fit$statistics$known && "Sigma" %in% needed) {
    abort_no_meaning(
      what[[1L]], "Covariance matrices within groups are known, and not drawn.",
      "{.code between_cov(fit)} for that between groups", call
    )
  }
  keep <- union(kept(fit), needed)
  keep <- keep[order(match(keep, unique(kept_parts)))]
  code <- paste0("keep = ", deparse1(keep))
  abort_hmvn(
    c(
      "Draws must have been kept to be looked at.",
      x = "The fit did not keep what {.val {what}} {?is/are} computed from.",
      i = "Fit with {.code {code}}, for example by {.code update(fit, {code})}."
    ),
    "keep", variable = what, keep = keep, call = call
  )
}

# `group`: as given, NULL for all of the fit.
abort_too_few_groups <- function(fit, must, group, call) {
  found <- if (is.null(group)) {
    paste("The fit has", count_of(n_groups(fit), "group"))
  } else {
    paste("It is", describe_value(group))
  }
  abort_hmvn(
    c("{.arg group} must be {must}.", x = "{found}."), "argument", argument = "group", call = call
  )
}

# Labels of groups -> their positions; NULL: all. `arg`: the argument that they were given to.
match_groups <- function(fit, group, call = rlang::caller_env(), arg = "group") {
  labels <- fit$statistics$labels
  if (is.null(group)) {
    return(seq_along(labels))
  }
  wanted <- group_labels(group, call, arg)
  found <- match(wanted, labels)
  if (anyNA(found)) {
    missing <- few(printable(wanted[is.na(found)]))
    known <- few(labels)
    why <- fit$not_estimable[intersect(names(fit$not_estimable), wanted)]
    left_out <- if (length(why) > 0L) c(x = cli_verbatim(not_estimable_text(why)))
    abort_hmvn(
      c(
        "{.arg {arg}} must name groups of the fit.",
        x = "There is no group {.val {missing}}.",
        left_out,
        i = "The groups are {.val {known}}."
      ),
      "group", group = wanted[is.na(found)], call = call
    )
  }
  unique(found)
}

# As code_groups() labels them: 100000 is "100000" and not "1e+05".
group_labels <- function(group, call, arg = "group") {
  # its codes may have been written by hand
  if (is.factor(group) && is.integer(unclass(group))) group <- levels(group)[unclass(group)]
  plain <- !is.object(group) && (is.character(group) || is.numeric(group) || is.logical(group))
  if (!plain || anyNA(group)) {
    found <- if (plain) "It contains NA." else paste0("It is ", describe_value(group), ".")
    abort_hmvn(
      c("{.arg {arg}} must be labels of groups.", x = "{found}"),
      "group", group = NULL, call = call
    )
  }
  if (is.double(group) && !all(is.finite(group) & group == trunc(group))) {
    group <- as.character(group)
  }
  key_labels(group)
}

# Groups in chunks whose draws take about 64 MB, so that what goes through all groups needs bounded
# memory.
group_chunks <- function(fit, groups = seq_len(n_groups(fit))) {
  k <- n_features(fit)
  each <- max(1, floor(2^26 / (8 * n_draws(fit) * k * (k + 5) / 2)))
  if (length(groups) <= each) {
    return(list(groups))
  }
  unname(split(groups, (seq_along(groups) - 1) %/% each))
}
