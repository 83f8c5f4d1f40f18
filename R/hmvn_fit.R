#' The fitted model
#'
#' What [fit_hmvn()] returns: a list of class `hmvn_fit`. Read it through its methods rather than
#' its parts: [as_draws.hmvn_fit], [summary.hmvn_fit], [group_mean()], [group_cov()].
#'
#' @section Parts:
#' G groups, K features, M = K(K + 1)/2; arrays are `[iteration, chain, index]`.
#' \describe{
#'   \item{`call`}{the call}
#'   \item{`data`}{the columns that were read, by reference, or `NULL`}
#'   \item{`statistics`}{the [hmvn_statistics()] the sampler saw}
#'   \item{`prior`, `prior_given`}{the prior with every constant resolved, and as it was given}
#'   \item{`pooling`}{`c(mean = , sd = , cor = )`}
#'   \item{`specification`}{what [update()][update.hmvn_fit] says again: the name of the column of
#'     `weights`, `pooling` as it was given, and those `settings` of the sampler that were given}
#'   \item{`draws`}{a list of arrays: `mean` (G K, feature fastest; K under complete pooling),
#'     `chol` (G M: Cholesky factor of `Sigma`, lower triangle row by row; M if standard deviations
#'     and correlations are both completely pooled), `mean0`, `scale0`, `chol_cor0` (population:
#'     means, standard deviations, Cholesky factor of the correlation matrix), `h_mean`, `h_sd`,
#'     `h_cor` (heterogeneities), `lp` and `lprior` (log joint density and log prior). What does not
#'     apply, or was not to be kept, is `NULL`.}
#'   \item{`sampler`}{matrices `[iteration, chain]`, over groups sampled apart put together as the
#'     table says}
#'   \item{`units`}{for every sampling unit (the groups that share a quantity) and chain:
#'     `divergent`, `max_treedepth` (counts), `ebfmi` (of single blocks only), and by unit the
#'     `algorithm` that drew it: `"exact"` (independent draws by rejection), `"direct"`
#'     (independence steps), `"hmc"` (Hamiltonian Monte Carlo in blocks) or `"nuts"`}
#'   \item{`control`}{the settings of the sampler, complete}
#'   \item{`warnings`}{the texts of the warnings given after sampling, named by their topics
#'     ([hmvn-conditions])}
#'   \item{`time`}{`warmup`, `sampling` (seconds of each chain, summed over units) and `total`}
#' }
#'
#' @section What the sampler says of itself:
#' | part of `sampler` | groups sampled apart | groups that share a quantity |
#' |:--|:--|:--|
#' | `accept_stat` | mean over groups | mean over the blocks |
#' | `stepsize` | mean over groups | that of what is shared |
#' | `treedepth` | largest | largest |
#' | `n_leapfrog` | sum | steps of what is shared, and the average group's |
#' | `divergent` | sum | whether any block's was |
#' | `energy` | sum | `-lp__` |
#'
#' Where groups share a quantity, an iteration moves this first and then every group: its blocks.
#' Under `"hmc"`, `stepsize` is an angle in radians, and `treedepth` is 0, or `max_treedepth` where
#' a trajectory would have needed more steps.
#'
#' @name hmvn_fit
NULL

# internal -----------------------------------------------------------------

# What sampling took and gave, before the user's words and the warnings make a fit of it. All that
# reads draws needs no more than these parts.
new_hmvn_run <- function(statistics, model, sampled, settings) {
  list(
    statistics = statistics, prior = model$prior, prior_given = model$prior_given,
    pooling = model$pooling, draws = sampled$draws, sampler = sampled$sampler,
    units = sampled$units, seconds = sampled$seconds, control = settings
  )
}

# A fit, finished. `record`: list(call, specification, started), what the user said and when;
# `warnings`: texts by topic.
new_hmvn_fit <- function(run, data, record, warnings) {
  fit <- structure(
    list(
      call = record$call,
      data = data,
      statistics = run$statistics,
      prior = run$prior,
      prior_given = run$prior_given,
      pooling = run$pooling,
      specification = record$specification,
      draws = run$draws,
      sampler = run$sampler,
      units = run$units,
      control = run$control,
      warnings = warnings,
      time = list(
        warmup = run$seconds[, "warmup"], sampling = run$seconds[, "sampling"],
        total = proc.time()[["elapsed"]] - record$started
      )
    ),
    class = "hmvn_fit"
  )
  validate_hmvn_fit(fit)
}

fit_parts <- c(
  "call", "data", "statistics", "prior", "prior_given", "pooling", "specification", "draws",
  "sampler", "units", "control", "warnings", "time"
)

# Stops where a part of a fit is not what the others call for; else returns the fit.
validate_hmvn_fit <- function(fit, call = NULL) {
  check_fit(fit, call)
  fine <- function(ok, problem) if (!isTRUE(ok)) abort_invalid(problem, call)
  fine(identical(names(fit), fit_parts), "its parts have other names")
  fine(inherits(fit$statistics, "hmvn_statistics"), "`statistics` are none")
  labels <- fit$statistics$labels
  features <- fit$statistics$features
  fine(is.character(labels) && !anyDuplicated(labels), "labels of groups are not unique")
  fine(nrow(fit$statistics$keys) == length(labels), "groups have no keys")
  fine(is.character(features) && !anyDuplicated(features), "names of features are not unique")
  fine(inherits(fit$prior, "hmvn_resolved_prior"), "`prior` is not resolved")
  fine(identical(names(fit$prior$mean$location), features), "`prior` is of other features")
  fine(inherits(fit$prior_given, "hmvn_prior"), "`prior_given` is none")
  fine(identical(names(fit$pooling), pooling_blocks), "`pooling` has other blocks")
  fine(all(fit$pooling %in% pooling_levels), "`pooling` has other levels")
  fine(
    identical(names(fit$specification), c("weights", "pooling", "settings")),
    "`specification` has other parts"
  )
  fine(all(setting_names %in% names(fit$control)), "`control` lacks settings")
  fine(is.character(fit$warnings), "`warnings` are no texts")
  fine(identical(names(fit$time), c("warmup", "sampling", "total")), "`time` has other parts")
  validate_draws(fit, fine)
  validate_sampler(fit, fine)
  fit
}

validate_draws <- function(fit, fine) {
  sizes <- draw_sizes(fit)
  fine(identical(names(fit$draws), names(sizes)), "`draws` has other parts")
  for (part in names(sizes)) {
    values <- fit$draws[[part]]
    if (is.null(values) && part %in% names(kept_parts)) next
    if (sizes[[part]] == 0) {
      fine(is.null(values), paste0("there are draws of `", part, "`, which the model lacks"))
    } else {
      as_it_should_be <- is.double(values) && identical(dim(values), c(n_kept(fit), sizes[[part]]))
      fine(as_it_should_be, paste0("draws of `", part, "` have another shape"))
    }
  }
}

validate_sampler <- function(fit, fine) {
  parts <- c("accept_stat", "stepsize", "treedepth", "n_leapfrog", "divergent", "energy")
  fine(identical(names(fit$sampler), parts), "`sampler` has other parts")
  shaped <- vapply(fit$sampler, function(x) identical(dim(x), n_kept(fit)), TRUE)
  fine(all(shaped), "a part of `sampler` has another shape")
  units <- fit$units
  fine(
    identical(names(units), c("n", "algorithm", "divergent", "max_treedepth", "ebfmi")),
    "`units` has other parts"
  )
  fine(length(units$algorithm) == units$n, "units have no algorithm")
  size <- as.integer(c(units$n, n_chains(fit)))
  shaped <- vapply(units[c("divergent", "max_treedepth", "ebfmi")], function(x) {
    identical(dim(x), size)
  }, TRUE)
  fine(all(shaped), "a part of `units` has another shape")
}

# `problem`: a finished text, the end of a sentence.
abort_invalid <- function(problem, call) {
  abort_hmvn(
    c(
      "A fit must have the parts that this version of {.pkg hmvn} gives it.",
      x = "In this one {problem}.",
      i = "Fit again with {.fn fit_hmvn}."
    ),
    "fit", call = call
  )
}

check_fit <- function(fit, call = rlang::caller_env()) {
  if (!inherits(fit, "hmvn_fit")) {
    abort_hmvn(
      c(
        "{.arg fit} must be what {.fn fit_hmvn} returns.",
        x = "It is {.obj_type_friendly {fit}}."
      ),
      "fit", call = call
    )
  }
}

# The third extent of every array of draws, as the model asks for it; 0: there is none.
draw_sizes <- function(fit) {
  k <- n_features(fit)
  packed <- as.integer(k * (k + 1) / 2)
  pooled <- fit$pooling[pooling_blocks] != "none"
  partial <- fit$pooling[pooling_blocks] == "partial"
  several <- k > 1L
  # in a frame sds and correlations of the population come of each other
  both <- fit$prior$frame$kind != "raw" && several && (pooled[["sd"]] || pooled[["cor"]])
  c(
    mean = k * n_stored(fit, "mean"), chol = packed * n_stored(fit, "chol"),
    mean0 = k * pooled[["mean"]], scale0 = k * (pooled[["sd"]] || both),
    chol_cor0 = packed * ((pooled[["cor"]] && several) || both),
    h_mean = k * partial[["mean"]], h_sd = k * partial[["sd"]],
    h_cor = 1L * (partial[["cor"]] && several),
    lp = 1L, lprior = 1L
  )
}

n_features <- function(fit) length(fit$statistics$features)
n_groups <- function(fit) length(fit$statistics$labels)
# c(iterations, chains), those that were kept
n_kept <- function(fit) dim(fit$draws$lp)[1:2]
n_chains <- function(fit) n_kept(fit)[[2L]]
n_draws <- function(fit) prod(n_kept(fit))

model_of <- function(fit) {
  new_hmvn_model(fit$statistics$features, fit$prior, fit$prior_given, fit$pooling)
}

# The draws of groups that `keep` chooses, by the part of `draws` that holds them.
kept_parts <- c(mean = "mu", chol = "Sigma")

is_stored <- function(fit, part) !is.null(fit$draws[[part]])

# What the fit kept, in the words of `keep`
kept <- function(fit) {
  unname(kept_parts[vapply(names(kept_parts), is_stored, TRUE, fit = fit)])
}

# A part of the draws, [iteration, chain, index]; stops where it was not kept.
stored <- function(fit, part) {
  draws <- fit$draws[[part]]
  if (is.null(draws)) abort_not_kept(fit, kept_parts[[part]], kept_parts[[part]], call = NULL)
  draws
}

# Under complete pooling one set of values is stored for all groups.
is_common <- function(fit, part) {
  blocks <- switch(part, mean = "mean", chol = c("sd", "cor"))
  all(pooling_of(model_of(fit))[blocks] %in% c("complete", NA))
}

n_stored <- function(fit, part) if (is_common(fit, part)) 1L else n_groups(fit)

# Where the values of `groups` are stored in a part, from 1
stored_groups <- function(fit, part, groups) {
  if (is_common(fit, part)) rep(1L, length(groups)) else as.integer(groups)
}

# `what`: what was asked for; `needed`: what would have to be kept for it.
abort_not_kept <- function(fit, what, needed, call) {
  keep <- union(kept(fit), needed)
  keep <- keep[order(match(keep, keep_choices))]
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

# Labels of groups -> their positions; NULL: all.
match_groups <- function(fit, group, call = rlang::caller_env()) {
  labels <- fit$statistics$labels
  if (is.null(group)) {
    return(seq_along(labels))
  }
  found <- match(as.character(group), labels)
  if (anyNA(found)) {
    missing <- as.character(group)[is.na(found)]
    abort_hmvn(
      c(
        "{.arg group} must name groups of the fit.",
        x = "There is no group {.val {missing}}.",
        i = "The groups are {.val {labels}}."
      ),
      "group", group = missing, call = call
    )
  }
  found
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
