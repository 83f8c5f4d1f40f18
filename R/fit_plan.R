# All that a fit is made of once its input is read: sampling can be left here, and gone on with
# later or elsewhere.

# internal -----------------------------------------------------------------

# `settings`: settled; `record`: see new_hmvn_fit(); `said`: texts by topic that were said of the
# data. `before`: where chains go on that were sampled earlier, see plan_extension(); else NULL.
new_plan <- function(statistics, model, settings, record, said) {
  list(
    statistics = statistics, model = model, settings = settings, data = NULL, record = record,
    said = said, before = NULL
  )
}

# `drawn`: see draw_share(), of all jobs.
finish_plan <- function(plan, drawn, call) {
  sampled <- finish_draws(drawn, plan_problem(plan))
  if (!is.null(plan$before)) sampled <- join_iterations(plan$before, sampled)
  run <- new_hmvn_run(plan$statistics, plan$model, sampled, plan$settings)
  warnings <- c(plan$said, sampler_warnings(run, call), inform_prior_conflict(run))
  new_hmvn_fit(run, plan$data, plan$record, warnings)
}

# Draws of a fit and those that were `added`, as finish_draws() returns them.
join_iterations <- function(before, added) {
  added$draws <- Map(bind_iterations, before$draws, added$draws)
  added$sampler <- Map(rbind, before$sampler, added$sampler)
  added
}

# Arrays [iteration, chain, index], in memory or in files; NULL and NULL are NULL.
bind_iterations <- function(first, second) {
  if (is.null(first)) {
    return(NULL)
  }
  if (is_filed(first)) {
    return(bind_filed(first, second))
  }
  n <- dim(first)[[1L]]
  size <- dim(second)
  out <- array(0, c(n + size[[1L]], size[-1L]))
  out[seq_len(n), , ] <- first
  out[n + seq_len(size[[1L]]), , ] <- second
  out
}

is_seed_given <- function(plan) !is.null(plan$record$specification$settings$seed)

plan_parts <- function(plan) {
  model <- plan$model[c("prior", "pooling", "coefficients")]
  parts <- c(list(statistics = plan$statistics), model)
  deciding_parts(parts, plan$settings, package_version_text())
}

# A fit is a function of these. `parts`: statistics, prior, pooling, coefficients.
deciding_parts <- function(parts, settings, version) {
  statistics <- unclass(parts$statistics)
  # knows environments, which no two sessions have in common; what it made of rows is in patterns
  statistics["design"] <- list(statistics$design$names)
  settings$iter_warmup <- c(settings$iter_warmup, settings$warmup_by_data)
  # what was not given follows from the rest
  is_given <- settings$adapt_delta_scarce == settings$adapt_delta
  settings$adapt_delta <- c(settings$adapt_delta, is_given)
  named <- setdiff(setting_names, c(run_settings, "not_estimable"))
  c(
    list(
      data = statistics, prior = parts$prior,
      pooling = list(c(parts$pooling), parts$coefficients)
    ),
    settings[named], list(version = version)
  )
}
