# The same model again with something changed: other data, another prior, more iterations.

#' Fit again with other data or settings
#'
#' Says to [fit_hmvn()] what was said when `object` was fitted, except for what is given here. The
#' model need not be written again, nor do the objects it was written with have to exist any more.
#'
#' @section What is said again:
#' * The grouping columns, the features and the column of weights, by name, and the formula of the
#'   covariates; knots and the like of its terms are those of the data, the new data if there are
#'   any. Features that were left to their default stay those of the fit: a new numeric column does
#'   not become one.
#' * `pooling` and `prior` as they were given. What the prior left unset is scaled with the data
#'   again, the new data if there are any; what was given stays. An argument given here replaces the
#'   old one as a whole: `pooling = c(mean = "partial")` sets the other blocks to `"none"`, as in
#'   `fit_hmvn()`.
#' * Settings of the sampler that were given; others take their defaults. With a `seed` that was
#'   given, an unchanged fit repeats its draws; else a new seed is taken from R's random number
#'   generator.
#'
#' `file` is not said again: the file of `object` stays that of `object`.
#'
#' Groups that were left out as not estimable stay so unless `data` are given.
#'
#' @param object An `hmvn_fit`.
#' @param data A data frame with the columns of the fit, or what else [fit_hmvn()] takes: a table in
#'   a database, a function that gives data frames bit by bit ([file_chunks()]), or statistics
#'   ([hmvn_statistics()]) of its features. Left out: the data of the fit.
#' @param ... Any other argument of [fit_hmvn()], by name. `group`, `features`, `weights` and
#'   `covariates` without `data` name columns the fit has read.
#' @param evaluate If `FALSE`, return the call instead of evaluating it.
#' @return An `hmvn_fit`; its `call` is that of `object` with the changes. With `evaluate = FALSE`
#'   that call.
#' @section Errors: Those of [fit_hmvn()]. `hmvn_error_rows` if `group`, `features`, `weights`,
#'   `covariates` or `keep_data = TRUE` ask for rows, no `data` is given and the fit has none (it
#'   was made from statistics or with `keep_data = FALSE`); anything else can be changed then.
#'   `hmvn_error_column` if statistics describe other features than the fit,
#'   `hmvn_error_covariates` if they have other covariates. `hmvn_error_weights` if the fit was made
#'   from weighted statistics and rows come without `weights`.
#' @seealso [extend()] for more draws of the same fit, [fit_hmvn()].
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' summary(update(fit, data = iris[-(1:10), ]), variable = "mu")
#' update(fit, pooling = c(mean = "partial"), evaluate = FALSE)
#' @importFrom stats update
#' @export
update.hmvn_fit <- function(object, data, ..., evaluate = TRUE) {
  started <- proc.time()[["elapsed"]]
  call <- rlang::current_env()
  check_fit(object, call)
  changes <- rlang::enquos(...)
  known <- setdiff(names(formals(fit_hmvn)), "...")
  rlang::inject(check_no_dots(!!!changes[!names(changes) %in% known], known = known, call = call))
  matched <- updated_call(object, match.call(expand.dots = FALSE))
  if (!check_flag(evaluate, "evaluate", call = call)) {
    return(matched)
  }
  data <- if (!missing(data)) list(data)
  columns <- changes[names(changes) %in% column_arguments]
  said <- updated_specification(object, changes)
  settings <- fill_settings(said$settings, formals(fit_hmvn), call)
  storage <- check_storage(storage_given(changes), settings$draws_dir, call)
  if (is.null(data) && "keep_data" %in% names(changes) && settings$keep_data) {
    require_rows(object, "{.code keep_data = TRUE}", call)
  }
  input <- updated_input(object, data, columns, settings, call)
  model <- specify_model(input$statistics, said$prior, said$pooling, call)
  given <- settings[intersect(said_again, names(said$settings))]
  specification <- new_specification(input, said$pooling, given, call)
  if (is.null(input$data) && is.null(input$weights) && !"weights" %in% names(changes)) {
    specification["weights"] <- list(object$specification$weights)
  }
  record <- list(
    call = matched, specification = specification, started = started,
    not_estimable = if (is.null(data)) object$not_estimable else character()
  )
  fit_with_file(plan_fit(input, model, settings, record, call), storage, call)
}

# internal -----------------------------------------------------------------

column_arguments <- c("group", "features", "weights", "covariates")

# `matched`: the call of update(), its dots as a list.
updated_call <- function(object, matched) {
  new <- object$call[!names(object$call) %in% c(storage_names, "draws_dir")]
  changes <- as.list(matched$...)
  if (!is.null(matched$data)) changes <- c(list(data = matched$data), changes)
  new[names(changes)] <- changes
  new
}

# list(pooling, prior, settings) as they were said when `object` was fitted, with the changes.
updated_specification <- function(object, changes) {
  said <- object$specification
  all <- c(list(pooling = said$pooling, prior = object$prior_given), said$settings)
  changed <- changes[!names(changes) %in% c(column_arguments, storage_names)]
  changed <- lapply(changed, rlang::eval_tidy)
  all[names(changed)] <- changed
  list(
    pooling = all$pooling, prior = all$prior,
    settings = all[setdiff(names(all), c("pooling", "prior"))]
  )
}

# Where the new fit is to be kept: only what is said now.
storage_given <- function(changes) {
  storage <- lapply(formals(fit_hmvn)[storage_names], eval, envir = topenv())
  given <- lapply(changes[names(changes) %in% storage_names], rlang::eval_tidy)
  storage[names(given)] <- given
  storage
}

# `data`: a list of the new data, or NULL; `settings`: those of the new fit. `changes`: quosures of
# group, features, weights and covariates, those that were given.
updated_input <- function(object, data, changes, settings, call) {
  if (is.null(data) && length(changes) == 0L) {
    statistics <- validate_statistics(object$statistics, "object", call)
    weights <- object$specification$weights
    return(list(data = object$data, statistics = statistics, weights = weights))
  }
  if (is.null(data)) {
    require_rows(object, paste0("Changing {.arg ", names(changes)[[1L]], "}"), call)
    kept <- kept_data_frame(object$data)
    return(rlang::try_fetch(
      updated_input(object, list(kept), changes, settings, call),
      hmvn_error_column = function(cnd) abort_not_read(names(changes), names(kept), cnd, call)
    ))
  }
  data <- data[[1L]]
  said <- if (inherits(data, "hmvn_statistics")) {
    validate_statistics(data, "data", call)
    if (length(changes) == 0L) data <- match_statistics(data, object$statistics, call)
    list(
      group = rlang::quo(), features = rlang::quo(NULL), weights = rlang::quo(NULL),
      covariates = rlang::quo(NULL)
    )
  } else {
    check_weights_said(object, changes, call)
    lapply(
      list(
        group = names(object$statistics$keys), features = object$statistics$features,
        weights = object$specification$weights, covariates = said_covariates(object$statistics)
      ),
      rlang::new_quosure,
      env = rlang::base_env()
    )
  }
  said[names(changes)] <- changes
  read_input(data, said, settings, call)
}

abort_not_read <- function(args, kept, parent, call) {
  abort_hmvn(
    c("Without {.arg data}, {.arg {args}} must name columns the fit has read.",
      i = "It has read {.field {kept}}.", i = "To use others, give {.arg data}."),
    "column", argument = args, column = parent$column, parent = parent, call = call
  )
}

# The formula of covariates, or NULL. It knows the functions that it needs.
said_covariates <- function(statistics) {
  if (!is.null(statistics$design)) stats::formula(statistics$design$terms)
}

# Statistics with their features in the order the fit has them. `ours`: those of the fit.
match_statistics <- function(statistics, ours, call) {
  check_covariates_of_fit(statistics$covariates, ours$covariates, call)
  features <- ours$features
  theirs <- statistics$features
  if (identical(theirs, features)) {
    return(statistics)
  }
  if (!setequal(theirs, features)) {
    abort_hmvn(
      c("Statistics must describe the features of the fit.",
        x = "They describe {.field {theirs}}, the fit {.field {features}}.",
        i = "A model of other features is another fit: {.fn fit_hmvn}."),
      "column",
      argument = "data", column = setdiff(union(theirs, features), intersect(theirs, features)),
      call = call
    )
  }
  patterns <- join_covariates(reorder_features(statistics$patterns, match(features, theirs)))
  statistics$patterns <- split_covariates(merge_patterns(patterns), length(features))
  statistics$features <- features
  statistics
}

check_covariates_of_fit <- function(theirs, ours, call) {
  if (!identical(theirs, ours)) {
    shown <- lapply(list(theirs, ours), function(x) if (length(x)) x else "none")
    abort_hmvn(
      c("Statistics must have the covariates of the fit.",
        x = "Theirs: {.field {shown[[1]]}}; those of the fit: {.field {shown[[2]]}}.",
        i = "A model of other covariates is another fit: {.fn fit_hmvn}."),
      "covariates",
      argument = "data", column = setdiff(union(theirs, ours), intersect(theirs, ours)), call = call
    )
  }
}

# Statistics know that they are weighted but not by which column.
check_weights_said <- function(object, changes, call) {
  known <- !is.null(object$specification$weights) || "weights" %in% names(changes)
  if (!object$statistics$weighted || known) {
    return(invisible())
  }
  abort_hmvn(
    c(
      "{.arg weights} must name the column of weights.",
      x = "The fit was made from weighted statistics, which do not name it.",
      i = "Give {.code weights = ~ w}, or {.code weights = NULL} for none."
    ),
    "weights", argument = "weights", call = call
  )
}
