# How an improper posterior is said: every group that makes it one, and what can be done.

# internal -----------------------------------------------------------------

# `problems`: see find_improper(). `others`: are there groups that have a posterior?
abort_improper <- function(problems, others, call) {
  kinds <- vapply(problems, `[[`, "", "kind")
  said <- c(
    join_problems(problems[kinds == "constant"], "group", "features"),
    join_problems(problems[kinds == "collinear"], "features", "group")
  )
  texts <- cli_verbatim(vapply(said, problem_text, ""))
  most <- min(length(texts), 10L)
  more <- length(texts) - most
  groups <- unique(unlist(lapply(problems, `[[`, "group"))) %||% character()
  features <- unique(unlist(lapply(problems, `[[`, "features")))
  remedies <- cli_verbatim(improper_remedies(problems, others))
  abort_hmvn(
    c(
      paste(
        "The posterior must be proper:",
        "it must not pile up without limit at singular covariance matrices."
      ),
      stats::setNames(texts[seq_len(most)], rep("x", most)),
      x = if (more > 0) "And {more} more like {cli::qty(more)}{?this/these}.",
      i = "Remedies, one of them is enough:",
      stats::setNames(remedies, rep("*", length(remedies)))
    ),
    "improper", group = groups, features = features, kind = unique(kinds), call = call
  )
}

# Those with the same part `same` as one, their parts `joined` and `n` together.
join_problems <- function(problems, same, joined) {
  key <- vapply(problems, function(problem) paste(problem[[same]], collapse = "\r"), "")
  lapply(unname(split(problems, factor(key, unique(key)))), function(alike) {
    all_of <- function(part) unlist(lapply(alike, `[[`, part))
    one <- alike[[1L]]
    one[[joined]] <- unique(all_of(joined))
    one$n <- range(all_of("n"))
    one
  })
}

problem_text <- function(problem) {
  group <- problem$group
  several <- length(problem$features) > 1L
  where <- if (length(group) == 0L) {
    "Over all groups together"
  } else {
    paste(if (length(group) == 1L) "In group" else "In groups", some_of(dQuote(group, FALSE), 20L))
  }
  paste0(
    where, ", ", if (several) "features " else "feature ", some_of(problem$features, 20L),
    if (several) " are " else " is ", problem$kind,
    " (n = ", paste(unique(format(range(problem$n), trim = TRUE)), collapse = " to "),
    if (problem$kind == "collinear") paste0(", LKJ eta = ", format(problem$eta)), ")."
  )
}

improper_remedies <- function(problems, others) {
  kind <- unique(vapply(problems, `[[`, "", "kind"))
  by_group <- all(lengths(lapply(problems, `[[`, "group")) > 0L)
  c(
    if ("constant" %in% kind) constant_remedies(problems, by_group),
    if ("collinear" %in% kind) collinear_remedies(by_group),
    if (length(kind) == 2L) "(what is constant and what is collinear needs one each)",
    if (identical(kind, "collinear")) {
      "leaving out one of these features"
    } else {
      "leaving out what is named from `features`"
    },
    if (by_group && others) "`not_estimable = \"drop\"`, which fits the other groups"
  )
}

constant_remedies <- function(problems, by_group) {
  constant <- Filter(function(problem) problem$kind == "constant", problems)
  families <- unique(vapply(constant, `[[`, "", "family"))
  h <- lapply(constant, `[[`, "heterogeneity")
  h <- if (!any(vapply(h, is.null, TRUE))) min(unlist(h))
  c(
    paste0(
      "`hmvn_prior(sd = \"lognormal\")`, or another prior of standard deviations that vanishes at",
      " 0 (now: ", toString(families), ")"
    ),
    if (by_group) "`pooling = c(sd = \"complete\")`, if the feature varies in other groups",
    if (!is.null(h)) {
      paste0(
        "`pooling = c(sd = \"partial\")` with a heterogeneity fixed at ", h,
        " or less: `hmvn_prior(heterogeneity = list(sd = ", h, "))`"
      )
    }
  )
}

collinear_remedies <- function(by_group) {
  c(
    if (by_group) {
      "`pooling = c(cor = \"complete\")`, if the features are not collinear in other groups"
    },
    "a larger `eta` in `dist_lkj()`"
  )
}
