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
#'     apply, or was not to be kept, is `NULL`; what `draws_dir` holds, an object of class
#'     `hmvn_filed_draws` that says where.}
#'   \item{`sampler`}{matrices `[iteration, chain]`, over groups sampled apart put together as the
#'     table says}
#'   \item{`units`}{for every sampling unit (the groups that share a quantity) and chain:
#'     `iter_warmup` (iterations of warm-up; 0 where draws need none), `divergent`, `max_treedepth`
#'     (counts of what came after), `ebfmi` (of single blocks only), and by unit the
#'     `algorithm` that drew it: `"exact"` (independent draws by rejection), `"direct"`
#'     (independence steps), `"hmc"` (Hamiltonian Monte Carlo by quarter turns) or `"nuts"`}
#'   \item{`states`}{where chains ended, for [extend()]: `maker`, the version and kind of machine
#'     that can read them, and `ends`, raw vectors, or of class `hmvn_filed_ends` where `draws_dir`
#'     holds them; `NULL` with `keep_state = FALSE`}
#'   \item{`control`}{the settings of the sampler, complete}
#'   \item{`warnings`}{the texts of the warnings given after sampling, named by their topics
#'     ([hmvn-conditions])}
#'   \item{`not_estimable`}{why groups were left out, texts named by their labels; empty where none
#'     was}
#'   \item{`time`}{`warmup`, `sampling` (seconds of each chain, summed over units) and `total`}
#'   \item{`version`}{that of the package that made the fit}
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
#' @seealso [fit_hmvn()]; [summary()][summary.hmvn_fit], [as_draws_df()][draws-hmvn] and
#'   [group_mean()] to read it.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' # settings, and the time that chains took
#' fit$control$iter_sampling
#' fit$time
#' # each method for a fit
#' head(methods(class = "hmvn_fit"))
#' @name hmvn_fit
NULL

# internal -----------------------------------------------------------------

# What sampling took and gave, before the user's words and the warnings make a fit of it. All that
# reads draws needs no more than these parts.
new_hmvn_run <- function(statistics, model, sampled, settings) {
  list(
    statistics = statistics, prior = model$prior, prior_given = model$prior_given,
    pooling = model$pooling, coefficients = model$coefficients, draws = sampled$draws,
    sampler = sampled$sampler,
    units = sampled$units, states = sampled$states, seconds = sampled$seconds, control = settings
  )
}

# A fit, finished. `record`: list(call, specification, started, not_estimable), what the user said
# and when, and which groups were left out;
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
      coefficients = run$coefficients,
      specification = record$specification,
      draws = run$draws,
      sampler = run$sampler,
      units = run$units,
      states = run$states,
      control = run$control,
      warnings = warnings,
      not_estimable = record$not_estimable,
      time = list(
        warmup = run$seconds[, "warmup"], sampling = run$seconds[, "sampling"],
        total = proc.time()[["elapsed"]] - record$started
      ),
      version = package_version_text()
    ),
    class = "hmvn_fit"
  )
  validate_hmvn_fit(fit)
}

fit_parts <- c(
  "call", "data", "statistics", "prior", "prior_given", "pooling", "coefficients", "specification",
  "draws", "sampler", "units", "states", "control", "warnings", "not_estimable",
  "time", "version"
)

# Stops where a part of a fit is not what the others call for; else returns the fit. It looks at
# types, names and sizes, not at numbers, so that every function that is handed a fit can begin with
# it.
validate_hmvn_fit <- function(fit, call = NULL) {
  fine <- function(ok, problem, ...) if (!isTRUE(ok)) abort_invalid(problem, call)
  named <- is.list(fit) && inherits(fit, "hmvn_fit") && identical(names(fit), fit_parts)
  fine(named, "its parts have other names")
  validate_statistics_shape(fit$statistics, fine)
  validate_resolved_prior(fit$prior, fit$statistics, fine)
  fine(inherits(fit$prior_given, "hmvn_prior"), "`prior_given` is none")
  fine(is.null(fit$data) || are_model_data(fit$data), "`data` are not what was read")
  described <- function(part) unclass(part)[c("labels", "features")]
  fine(
    is.null(fit$data) || identical(described(fit$data), described(fit$statistics)),
    "`data` are of other groups or features"
  )
  fine(is.character(fit$pooling), "`pooling` is no text")
  fine(
    identical(names(fit$pooling), model_blocks(fit$statistics$covariates)),
    "`pooling` has other blocks"
  )
  fine(all(fit$pooling %in% c(pooling_levels, "mixed")), "`pooling` has other levels")
  validate_coefficients(fit, fine)
  fine(
    is.list(fit$specification) &&
      identical(names(fit$specification), c("weights", "pooling", "settings")),
    "`specification` has other parts"
  )
  fine(is.call(fit$call), "`call` is no call")
  fine(is.character(fit$warnings), "`warnings` are no texts")
  left_out <- fit$not_estimable
  fine(
    is.character(left_out) && (length(left_out) == 0L || are_names(names(left_out))),
    "`not_estimable` names no groups"
  )
  fine(
    is.list(fit$time) && identical(names(fit$time), c("warmup", "sampling", "total")) &&
      is_plain_number(fit$time$total),
    "`time` has other parts"
  )
  fine(is.character(fit$version) && length(fit$version) == 1L, "`version` is no text")
  validate_control(fit$control, fine)
  validate_draws(fit, fine)
  validate_sampler(fit, fine)
  fit
}

validate_coefficients <- function(fit, fine) {
  levels <- fit$coefficients
  names <- list(c("mean", fit$statistics$covariates), fit$statistics$features)
  fine(
    is.character(levels) && identical(dimnames(levels), names) && all(levels %in% pooling_levels),
    "`coefficients` have other levels"
  )
  fits <- fit$pooling[["mean"]] == common_level(levels[1L, ]) &&
    (nrow(levels) == 1L || fit$pooling[["slope"]] == common_level(levels[-1L, ]))
  fine(fits, "`coefficients` contradict `pooling`")
}

validate_control <- function(control, fine) {
  fine(is.list(control) && all(setting_names %in% names(control)), "`control` lacks settings")
  checked <- tryCatch(check_settings(control[setting_names]), hmvn_error = function(e) NULL)
  fine(!is.null(checked), "`control` has settings that cannot be")
}

validate_draws <- function(fit, fine) {
  fine(is.list(fit$draws), "there are no draws")
  lp <- fit$draws$lp
  fine(is.double(lp) && length(dim(lp)) == 3L && length(lp) > 0L, "there are no draws of `lp__`")
  sizes <- draw_sizes(fit)
  fine(identical(names(fit$draws), names(sizes)), "`draws` has other parts")
  for (part in names(sizes)) {
    values <- fit$draws[[part]]
    if (is.null(values) && part %in% names(kept_parts)) next
    if (sizes[[part]] == 0) {
      fine(is.null(values), paste0("there are draws of `", part, "`, which the model lacks"))
    } else {
      typed <- is.double(values) || is_filed(values)
      as_it_should_be <- typed && identical(dim(values), c(n_kept(fit), sizes[[part]]))
      fine(as_it_should_be, paste0("draws of `", part, "` have another shape"))
    }
  }
}

validate_sampler <- function(fit, fine) {
  fine(is.list(fit$sampler) && is.list(fit$units), "`sampler` or `units` are no lists")
  parts <- c("accept_stat", "stepsize", "treedepth", "n_leapfrog", "divergent", "energy")
  fine(identical(names(fit$sampler), parts), "`sampler` has other parts")
  shaped <- vapply(fit$sampler, function(x) is.numeric(x) && identical(dim(x), n_kept(fit)), TRUE)
  fine(all(shaped), "a part of `sampler` has another shape")
  units <- fit$units
  fine(
    identical(
      names(units), c("n", "algorithm", "iter_warmup", "divergent", "max_treedepth", "ebfmi")
    ),
    "`units` has other parts"
  )
  known <- is.character(units$algorithm) &&
    all(units$algorithm %in% algorithm_names_())
  fine(is_plain_number(units$n) && length(units$algorithm) == units$n && known,
    "units have no algorithm")
  size <- as.integer(c(units$n, n_chains(fit)))
  shaped <- vapply(units[c("iter_warmup", "divergent", "max_treedepth", "ebfmi")], function(x) {
    is.numeric(x) && identical(dim(x), size)
  }, TRUE)
  fine(all(shaped), "a part of `units` has another shape")
  fine(is.null(fit$states) || are_states(fit$states, units$n, size[[2L]]), "`states` are none")
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

# How every function that is handed a fit begins. The argument is called what it is there.
check_fit <- function(fit, call = rlang::caller_env()) {
  arg <- rlang::caller_arg(fit)
  if (!inherits(fit, "hmvn_fit")) {
    found <- describe_value(fit)
    abort_hmvn(
      c("{.arg {arg}} must be what {.fn fit_hmvn} returns.", x = "It is {found}."),
      "fit", call = call
    )
  }
  validate_hmvn_fit(fit, call)
}
