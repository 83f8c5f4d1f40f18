# How errors about priors are worded, for all that reads them.

# internal -----------------------------------------------------------------

prior_hint <- function(arg) {
  switch(arg,
    mean = "For example {.code mean = distributional::dist_normal(0, 1)}.",
    sd = paste(
      "For example {.code sd = distributional::dist_exponential(1)}; also normal, student_t and",
      "cauchy (their positive halves), gamma, lognormal."
    ),
    heterogeneity = "For example {.code heterogeneity = distributional::dist_beta(1, 1)}."
  )
}

describe_prior <- function(x) {
  if (is_distribution(x) || inherits(x, "hmvn_lkj")) {
    # format() of a truncated distribution fails for bounds that are not whole
    tryCatch(toString(format(x)), error = function(e) {
      paste(with_article(toString(stats::family(x))), "distribution")
    })
  } else {
    describe_value(x)
  }
}

abort_prior <- function(must, problem, arg, hint = NULL, call = NULL, .envir = parent.frame()) {
  abort_hmvn(
    c(must, x = problem, i = hint),
    "prior", argument = arg, call = call, .envir = .envir
  )
}
