# Which draws of the groups a fit keeps: means ("mu") and packed factors ("Sigma", from which sigma, Omega and Sigma
# are derived). What belongs to the population, lp__ and what the sampler says of itself are small and always kept.

# internal -----------------------------------------------------------------

keep_choices <- c("mu", "Sigma")

# The argument `keep` -> those of keep_choices that are kept. "population" may be named, for readers: it is kept anyway.
check_keep <- function(x, arg = "keep", call = NULL) {
  wrong <- if (is.character(x)) setdiff(x, c(keep_choices, "population"))
  if (!is.character(x) || length(wrong) > 0L) {
    found <- if (is.character(x)) wrong else describe_value(x)
    hint <- if (any(c("sigma", "Omega") %in% wrong)) {
      "{.val sigma} and {.val Omega} are derived from {.val Sigma}: keep that."
    } else {
      "{.code keep = character()} keeps only what belongs to the population."
    }
    abort_hmvn(
      c(
        "{.arg {arg}} must name what to keep of every group: {.val {keep_choices}}, one, both or none of them.",
        x = if (is.character(x)) "It contains {.val {found}}." else "It is {found}.",
        i = hint
      ),
      "argument", argument = arg, call = call
    )
  }
  intersect(keep_choices, x)
}

# What a quantity of the groups is computed from
keep_needed <- function(variable) {
  quantity <- sub("\\[.*", "", variable)
  from_factors <- c("sigma", "Omega", "Sigma", "precision", "shrinkage")
  ifelse(quantity == "mu", "mu", ifelse(quantity %in% from_factors, "Sigma", NA))
}

# Stops where draws that were not kept are asked for by name. `variable`: quantities or elements of them; NULL asks
# for nothing.
check_kept <- function(fit, variable, call = rlang::caller_env()) {
  stored <- c(if (!is.null(fit$draws$mean)) "mu", if (!is.null(fit$draws$chol)) "Sigma")
  needed <- keep_needed(variable)
  absent <- !is.na(needed) & !needed %in% stored
  if (any(absent)) abort_not_stored(variable[absent], union(stored, needed[absent]), call)
}

# The stored draws themselves: "mu" the means, "Sigma" the packed factors
kept_draws <- function(fit, what) {
  draws <- if (what == "mu") fit$draws$mean else fit$draws$chol
  if (is.null(draws)) check_kept(fit, what, call = NULL)
  draws
}

abort_not_stored <- function(what, keep, call) {
  code <- paste0("keep = ", deparse1(keep[order(match(keep, keep_choices))]))
  abort_hmvn(
    c(
      "Draws must have been kept to be looked at.",
      x = "The fit did not keep what {.val {what}} {?is/are} computed from.",
      i = "Fit with {.code {code}}, for example by {.code update(fit, {code})}."
    ),
    "keep", variable = what, keep = keep, call = call
  )
}
