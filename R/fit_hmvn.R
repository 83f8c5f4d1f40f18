#' Fit each group's mean and covariance matrix
#'
#' `fit_hmvn()` draws from the posterior distribution of every group's mean
#' vector `mu`, standard deviations `sigma`, correlation matrix `Omega` and
#' covariance matrix `Sigma` under a multivariate normal model. Groups can be
#' independent, share a population, or have a quantity in common, separately for
#' means, standard deviations, correlations and slopes on covariates (`pooling`).
#'
#' @section The model:
#' Rows of group g are independent Normal(`mu[g]`, `Sigma[g]`) with
#' `Sigma[g] = diag(sigma[g]) Omega[g] diag(sigma[g])`. Each group's prior is
#' `mu[g,k] ~ Normal`, `sigma[g,k] ~` a distribution on the positive numbers,
#' `Omega[g] ~ LKJ(eta)`, whatever the pooling. With covariates a row's mean is `mu[g]` plus its
#' covariates, less their averages over all rows, times the slopes `beta[g]`. `vignette("hmvn")`
#' starts from data, `vignette("covariates")` has covariates and repeated measures;
#' `vignette("model")` has all formulas.
#'
#' The likelihood depends on the rows only through every group's counts, means and
#' scatter matrices, so sampling takes as long for a thousand rows as for ten
#' million. Missing cells (`NA`) are integrated out exactly, assuming they are
#' missing at random.
#'
#' @param data A data frame (tibble, data.table), a table in a database ([hmvn_statistics()] says
#'   which), a function that gives data frames bit by bit ([file_chunks()]), or statistics from
#'   [hmvn_statistics()]. Rows are observations.
#' @param group The grouping columns: a one-sided formula (`~ g`, `~ g1 + g2`,
#'   `~ g1:g2`) or their names. Groups are the combinations that occur. Factors keep
#'   the order of their levels; labelled values (haven) are groups by their labels, dates by
#'   their text. `NULL` or `~ 1`: all rows are one group, `"all"`. Left out, groups are those of a
#'   grouped tibble.
#' @param features The numeric columns that are modelled jointly: a one-sided
#'   formula (`~ x + y`) or their names. By default all numeric columns that
#'   are not in `group`, `weights` or `covariates`, or all but some, `~ . - year`; a warning names
#'   those that look like an id, a year, a visit or a weight. Labelled numbers (haven), matrices of
#'   one column (`scale()`), time series and integer64 (up to 2^53) are numeric columns.
#' @param pooling One of `"none"` (groups independent), `"partial"` (groups
#'   vary around a population whose spread is learned) or `"complete"` (one value
#'   for all groups); either one string, or a named vector
#'   `c(mean = , sd = , cor = )`, with covariates also `slope`, in which a block not named is
#'   `"none"`. In a list means may be pooled by feature, and slopes by feature or by covariate:
#'   `list(mean = c(baseline = "complete", "none"), sd = "none")`, where the value without a name is
#'   for the rest. Standard deviations and correlations are each pooled as a whole: what groups have
#'   in common of one feature cannot be had in a frame that mixes features (see [hmvn_prior()]).
#' @param prior An [hmvn_prior()]. What it leaves unset scales with the data.
#' @param ... Must be empty; all that follows is given by name.
#' @param weights Optional frequency weights, a one-sided formula `~ w` or the
#'   name of a numeric column: a row of weight 2 counts as two rows, one of weight 0 not at all.
#'   Weights of sampling or precision are no frequencies: scaled to sum to the number of rows, or to
#'   the rows they are worth, `sum(w)^2 / sum(w^2)`, they leave intervals as wide as they should be.
#'   Weights that are neither counts nor scaled so are read as frequencies, which a message says.
#' @param covariates Optional covariates on the means: a one-sided formula as that of [lm()]
#'   (`~ age + site * visit`) or names of columns. Rows that lack one are left out with a message;
#'   [hmvn_statistics()] says what the formula may hold. Means are then those of a row with average
#'   covariates, and every group has slopes, the block `slope` ([group_slope()]).
#' @param prior_only If `TRUE`, draw from the prior (the data only set defaults).
#' @param chains,iter_sampling,thin Number of Markov chains, sampling iterations of each, and the
#'   interval at which draws are kept.
#' @param iter_warmup Warm-up iterations of each chain. `NULL`: as many as adaptation needs, 1,000
#'   at most. Warm-up then ends soon after a window of at least 100 draws, whose means and standard
#'   deviations were those of the window before, of every quantity that is sampled: after 300
#'   iterations at the earliest. How many they were is in the part `units` of the fit, see
#'   [hmvn_fit].
#' @param cores Number of threads (with `workers`: of each); a forked process, as of
#'   `parallel::mclapply()`, has one. They share out chains and groups; where groups share something
#'   and there are more of them than chains, those left over help within a chain. Draws do not
#'   depend on it.
#' @param workers Sampling by other processes, with the package \pkg{future}: a number (so many R
#'   processes of this machine), or `"plan"` for those of the session's `future::plan()`, such as
#'   a cluster of other machines. Sent are statistics, returned draws: draws do not depend on it. A
#'   task whose worker dies is done again, three times.
#' @param seed A whole number; `NULL` takes one from R's random number generator.
#' @param algorithm `"nuts"` samples with the No-U-Turn sampler, where groups share a quantity in
#'   turn what they share and every group given that. `"direct"` proposes covariance matrices from a
#'   matched inverse-Wishart distribution; it needs complete rows, more of them than about twice the
#'   features, unpooled means, and standard deviations and correlations both unpooled or both
#'   completely pooled. Proposals are kept by rejection, which gives independent draws from the
#'   exact posterior, without warm-up and with nothing to converge; where fewer than 10 % of trial
#'   proposals would be kept (25 % of more than ten features), they feed independence
#'   Metropolis-Hastings steps, as many between draws as make a repeated draw unlikely (at most one
#'   in ten). `"auto"` samples directly every group where it applies and so many are kept or 60 % of
#'   the steps accepted; all others by Hamiltonian Monte Carlo with trajectories of a quarter turn,
#'   in the same blocks as `"nuts"`, or, where direct sampling would apply but for the number of
#'   rows, in coordinates in which an inverse-Wishart distribution would be nearly normal.
#'   `fit$units$algorithm` says how each group was drawn. `vignette("model")` has the proof.
#' @param adapt_delta Target acceptance rate of the sampler. `NULL` means 0.8, and for the
#'   own quantities of groups that have fewer than K + 10 rows for their K features 0.98 where they
#'   learn from others, and 0.9 (by NUTS 0.98) where they do not, but lack cells or have covariates.
#' @param max_treedepth Longest trajectory, as the power of 2 of its steps.
#' @param init Chains start uniformly within this distance of the centre of the
#'   standardised unconstrained space (each coordinate about one posterior
#'   standard deviation).
#' @param progress Show a progress bar? By default in interactive sessions.
#' @param keep Which draws of the groups the fit keeps: `"mu"` (their means), `"Sigma"` (their
#'   covariance matrices, from which `sigma` and `Omega` are computed too), both, or none
#'   (`character()`, or for readers `"population"`): with very many groups, draws that are not
#'   needed need not take memory. What belongs to the population, `lp__` and the sampler's
#'   diagnostics are kept always. Draws kept do not depend on it.
#' @param keep_data If `FALSE`, the fit does not refer to `data`; what needs rows
#'   then cannot be computed from it.
#' @param keep_state If `FALSE`, the fit does not remember where its chains ended, and [extend()]
#'   cannot go on with them.
#' @param file A path (`.rds` is added where it lacks): where the fit is kept. If there is a fit
#'   that the call would give again, it is read and returned, and nothing is sampled. See A fit as a
#'   file.
#' @param file_refit What happens to a fit in `file`: `"on_change"` fits again if anything that
#'   decides the fit differs, and says what; `"always"` fits again; `"never"` returns it, and says
#'   what differs.
#'
#' @param checkpoint A folder, which is made: what was drawn, and where chains stand, is written
#'   there during the run every `checkpoint_every` seconds (at the end of the iterations under way),
#'   so that a run that is stopped or killed can be gone on with: [resume_hmvn()].
#' @param checkpoint_every Seconds.
#' @param draws_dir A folder, which is made: draws of single groups are written there as they are
#'   drawn, by workers too, and stay there. The fit has what belongs to the population and reads
#'   what it is asked of groups, so that neither sampling nor reading needs memory for all draws.
#'   See Draws in files.
#'
#' @param not_estimable What happens where the posterior of a group is no distribution, because
#'   features are constant or collinear in it. `"error"` names all such groups and stops. `"drop"`
#'   fits the others: the fit is the one that the data without the rows of these groups would give
#'   (so that nobody learns from them, and default priors do not see them), and a message and
#'   `print()` say which they are and why; asking the fit for one of them is an error that says so.
#'   [update()][update.hmvn_fit] meets them again where `data` are given.
#'
#' @section A fit as a file:
#' A fit depends on the data (through their statistics, without the groups that `not_estimable`
#' leaves out), the prior, pooling, the settings of the sampler but for `cores`, `workers`,
#' `draws_dir` and `progress`, the seed and the version of the package. With
#' `file_refit = "on_change"` these are compared with what the fit in `file` was made of. With
#' `seed = NULL` that fit is used with its own seed, which a message says; where only
#' `iter_sampling` is larger, it is extended
#' ([extend()]), which gives the same draws. The file is replaced as a whole or not at all, and
#' holds what `saveRDS()` would write. One that holds anything else, is damaged or comes from a
#' newer version is never replaced: `hmvn_error_file`. A fit that could not be written is returned
#' with a warning.
#'
#' @section Draws in files:
#' With `draws_dir` draws are the same to the last bit, and everything that reads them works:
#' `group_cov(fit, "g17")` reads the files that have this group, [summary()][summary.hmvn_fit] and
#' diagnostics go over groups in chunks of 64 MB; what is asked for as one object, as by
#' [as_draws_df()][as_draws.hmvn_fit] without `group`, must fit into memory as ever. Sampling takes
#' some jobs after others; of 64 groups or more that are sampled apart a job is 1/64 of the draws to
#' 1/1024 (of a million groups), of groups that learn from each other a chain. The folder is a
#' checkpoint too: a run that was stopped goes on by the same call or [resume_hmvn()], which gives
#' the fit again from a folder that was moved as well. Workers write into it: on other machines it
#' must be a folder that they share with the session. `saveRDS()` and `file` save the fit without
#' the draws of groups, and where they are. Every file is hashed; one that is missing, damaged or
#' another fit's is refused: `hmvn_error_draws_dir`. What all groups have in common (complete
#' pooling) stays in memory. [extend()] adds draws in files of their own.
#'
#' @return An object of class `hmvn_fit`; see [hmvn_fit] for its parts and
#'   [posterior draws][as_draws.hmvn_fit] for how to read it. `print()` and
#'   [summary()][summary.hmvn_fit] show the estimates.
#'
#' @section Errors:
#' All input is checked before sampling. Errors have class `hmvn_error`, and a class for their
#' topic, for example `hmvn_error_column` (no such column), `hmvn_error_prior` or
#' `hmvn_error_improper` (a posterior that is not a distribution, because features are collinear or
#' constant within a group); [hmvn-conditions] lists them all.
#'
#' @seealso [hmvn_prior()] for priors, [summary()][summary.hmvn_fit], [group_mean()],
#'   [plot()][plot.hmvn_fit] and [compare_groups()] for what a fit says, [update()][update.hmvn_fit]
#'   and [extend()] to go on; [hmvn_fit] for its parts, [hmvn-conditions] for what can go wrong;
#'   `vignette("hmvn")` to begin with.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, iter_sampling = 500, seed = 1)
#' fit
#' group_cov(fit)["setosa", , ]
#' @export
fit_hmvn <- function(data, group, features = NULL, pooling = "none", prior = hmvn_prior(), ...,
                     weights = NULL, covariates = NULL, prior_only = FALSE,
                     chains = 4, iter_warmup = NULL, iter_sampling = 1000, thin = 1,
                     cores = getOption("mc.cores", 1L), workers = NULL, seed = NULL,
                     algorithm = "auto", adapt_delta = NULL, max_treedepth = 10, init = 2,
                     progress = interactive(), keep = c("mu", "Sigma"), keep_data = TRUE,
                     keep_state = TRUE, not_estimable = "error",
                     file = NULL, file_refit = "on_change",
                     checkpoint = NULL, checkpoint_every = 60, draws_dir = NULL) {
  started <- proc.time()[["elapsed"]]
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), advice = names_elsewhere, call = call)
  settings <- check_settings(mget(setting_names, envir = call), call)
  storage <- check_storage(mget(storage_names, envir = call), settings$draws_dir, call)
  columns <- list(
    group = rlang::enquo(group), features = rlang::enquo(features),
    weights = rlang::enquo(weights), covariates = rlang::enquo(covariates)
  )
  input <- read_input(data, columns, settings, call)
  model <- specify_model(input$statistics, prior, pooling, call)
  matched <- match.call()
  given <- settings[intersect(said_again, names(matched))]
  record <- list(
    call = matched, specification = new_specification(input, pooling, given, call),
    started = started, not_estimable = character()
  )
  fit_with_file(plan_fit(input, model, settings, record, call), storage, call)
}

# internal -----------------------------------------------------------------

# What other packages call arguments of fit_hmvn().
names_elsewhere <- c(
  iter = "Give {.arg iter_warmup} and {.arg iter_sampling}: {.code iter = 2000} elsewhere is
    {.code iter_warmup = 1000, iter_sampling = 1000}; the default lets warm-up end when it has done
    its work.",
  warmup = "It is called {.arg iter_warmup}.",
  burnin = "It is called {.arg iter_warmup}.",
  control = "Give its elements as arguments: {.arg adapt_delta}, {.arg max_treedepth}.",
  inits = "It is called {.arg init}, the half-width of the interval that starts are drawn from.",
  refresh = "It is called {.arg progress}, {.code TRUE} or {.code FALSE}.",
  formula = "Features and groups are arguments of their own:
    {.code features = ~ x + y, group = ~ g}.",
  family = "Rows are multivariate Normal within groups; there is no other family."
)

# What fit_hmvn() and update() have in common once the input is read: see new_plan(). `record`: see
# new_hmvn_fit().
plan_fit <- function(input, model, settings, record, call) {
  check_design(input$statistics, model$coefficients, call = call)
  size <- lengths(unclass(input$statistics)[c("labels", "features", "covariates")])
  check_fit_size(size, model$pooling, settings, call)
  rest <- keep_estimable(input, model, settings, call)
  input <- rest$input
  model <- rest$model
  record$not_estimable <- c(record$not_estimable, rest$left_out)
  statistics <- input$statistics
  said <- c(inform_not_estimable(record$not_estimable), inform_nearly_singular(statistics))
  say_what_is_missing(statistics, model$pooling)
  settings <- settle_settings(settings, apart = all(model$pooling == "none"))
  plan <- new_plan(statistics, model, settings, record, said)
  if (settings$keep_data) plan["data"] <- list(sign_data(input$data, settings$cores))
  plan
}

say_what_is_missing <- function(statistics, pooling) {
  n_empty <- statistics$n_empty
  if (n_empty > 0) {
    inform_hmvn(
      "{n_empty} row{?s} {?has/have} nothing observed and {?is/are} left out.",
      "empty_rows"
    )
  }
  n_without <- statistics$n_without_covariates
  if (n_without > 0) {
    inform_hmvn(
      c(
        "{n_without} row{?s} {?has/have} a missing covariate and {?is/are} left out.",
        i = "A covariate that is a feature instead has its missing cells integrated out."
      ),
      "incomplete_covariates"
    )
  }
  if (length(statistics$labels) == 1L && "partial" %in% pooling) {
    inform_hmvn(
      c("Heterogeneity cannot be learned from one group: it keeps its prior.",
        i = "{.code pooling = \"none\"} gives the group the same prior and is faster."),
      "one_group"
    )
  }
}

# What was said, before data or defaults filled it in: update() says it again. `settings`: those
# given.
new_specification <- function(input, pooling, settings, call) {
  list(
    weights = input$weights, pooling = resolve_pooling(pooling, call = call),
    settings = settings
  )
}
