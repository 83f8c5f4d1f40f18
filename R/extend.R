# More draws of a fit: its chains go on where they ended.

#' Go on with the chains of a fit
#'
#' Draws more from the posterior distribution. Chains go on where they ended, so that the result is
#' that of the longer run, to the last bit: `extend(fit, iter_sampling = 4000)` has the draws that
#' `fit_hmvn(..., iter_sampling = 4000)` with the seed of the fit would have had. Neither warm-up
#' nor any draw is made again.
#'
#' Of the settings of the sampler only `iter_sampling` changes. Diagnostics are those of all draws,
#' and so are the warnings. A fit that was saved and read again can be extended, by the version of
#' the package and on the kind of machine that made it; a fit made with `keep_state = FALSE` cannot.
#'
#' @section Draws in files:
#' Draws that are added to a fit made with `draws_dir = "folder"` are written into a folder in that,
#' `folder/to-4000` for `iter_sampling = 4000`. What is there stays as it is, and so does `object`;
#' the new fit reads both. The new folder is a checkpoint, as `folder` is: an extension that was
#' stopped is gone on with by the same call, or by [resume_hmvn()] of `folder/to-4000`, which also
#' gives the fit where `folder` was moved as a whole.
#'
#' @param object An `hmvn_fit`.
#' @param iter_sampling Number of sampling iterations of every chain in all, those that `object` has
#'   among them, as in [fit_hmvn()].
#' @param ... Must be empty.
#' @param cores,workers Number of threads, and other processes, as in [fit_hmvn()]. Draws do not
#'   depend on them.
#' @param progress Show a progress bar?
#' @param checkpoint,checkpoint_every As in [fit_hmvn()]. With draws in files `checkpoint` is left
#'   out.
#' @return An `hmvn_fit` with the draws of `object` and the new ones. Its `call` has the new
#'   `iter_sampling`, and its `time` that of both runs.
#' @section Errors: `hmvn_error_argument` if `iter_sampling` is not more than `object` has.
#'   `hmvn_error_state` if the fit has not kept where its chains ended, or another version of the
#'   package or another kind of machine has. `hmvn_error_draws_dir` if files of its draws are
#'   missing. Those of [fit_hmvn()] about memory, checkpoints and sampling.
#' @seealso [update()][update.hmvn_fit], which samples anew.
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' extend(fit, iter_sampling = 2000)
#' @export
extend <- function(object, ...) UseMethod("extend")

#' @rdname extend
#' @export
extend.hmvn_fit <- function(object, iter_sampling, ..., cores = object$control$cores,
                            workers = object$control$workers, progress = interactive(),
                            checkpoint = NULL, checkpoint_every = 60) {
  started <- proc.time()[["elapsed"]] - object$time$total
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  changes <- check_settings(
    list(iter_sampling = iter_sampling, cores = cores, workers = workers, progress = progress),
    call
  )
  check_one_checkpoint(checkpoint, object$control$draws_dir, call)
  check_extension(object, changes$iter_sampling, call)
  settings <- object$control
  settings[names(changes)] <- changes
  size <- lengths(unclass(object$statistics)[c("labels", "features", "covariates")])
  check_fit_size(size, object$pooling, settings, call)
  plan <- plan_extension(object, settings, started)
  folder <- checkpoint %||% plan$settings$draws_dir
  carry_out(plan, check_checkpoint(folder, checkpoint_every, call), call)
}

#' @export
extend.default <- function(object, ...) check_fit(object, rlang::current_env())

# internal -----------------------------------------------------------------

check_extension <- function(fit, iter_sampling, call) {
  had <- fit$control$iter_sampling
  if (iter_sampling <= had) {
    abort_hmvn(
      c("{.arg iter_sampling} must be more than the fit has: it counts all of them.",
        x = "It is {iter_sampling}; the fit has {had}."),
      "argument", argument = "iter_sampling", call = call
    )
  }
  if (is.null(fit$states)) {
    abort_hmvn(
      c("A fit must have kept where its chains ended, to go on there.",
        x = "It was made with {.code keep_state = FALSE}.",
        i = "Fit with {.code keep_state = TRUE}, for example by {.fn update}."),
      "state", call = call
    )
  }
  check_state_maker(fit$states$maker, call)
  gone <- Filter(Negate(file.exists), files_of_fit(fit))
  if (length(gone) > 0L) abort_filed(gone[[1L]], "It is not there.")
}

# What is said of the data was said when `fit` was made: it is kept, not repeated.
plan_extension <- function(fit, settings, started) {
  if (!is.null(settings$draws_dir)) {
    settings$draws_dir <- extension_folder(settings$draws_dir, settings$iter_sampling)
  }
  specification <- fit$specification
  specification$settings["iter_sampling"] <- settings["iter_sampling"]
  record <- list(
    call = rlang::call_modify(fit$call, iter_sampling = settings$iter_sampling),
    specification = specification, started = started, not_estimable = fit$not_estimable
  )
  of_data <- intersect(names(fit$warnings), c("not_estimable", "nearly_singular"))
  plan <- new_plan(fit$statistics, model_of(fit), settings, record, fit$warnings[of_data])
  plan["data"] <- list(fit$data)
  plan$before <- c(
    fit[c("draws", "sampler", "states")], list(iterations = fit$control$iter_sampling)
  )
  plan
}
