# The settings of the sampler: what fit_hmvn() takes besides data and model. One list, named as its
# arguments are, from the check of what was given to the part `control` of the fit. Defaults are the
# formals of fit_hmvn(), which its help page shows.

# internal -----------------------------------------------------------------

keep_choices <- unique(unname(kept_parts))

# How each setting is checked: function(x, arg, call), which returns it in its type.
setting_checks <- local({
  count_from <- function(min, max = .Machine$integer.max) {
    function(x, arg, call) check_count(x, arg, min = min, max = max, call = call)
  }
  number <- function(min, max, open = FALSE) {
    function(x, arg, call) check_number(x, arg, min, max, open, call = call)
  }
  or_null <- function(check) {
    function(x, arg, call) if (is.null(x)) NULL else check(x, arg, call)
  }
  flag <- function(x, arg, call) check_flag(x, arg, call = call)
  algorithm <- function(x, arg, call) check_choice(x, arg, c("auto", "nuts", "direct"), call = call)
  list(
    chains = count_from(1),
    iter_warmup = or_null(count_from(0)),
    iter_sampling = count_from(1),
    thin = count_from(1),
    cores = count_from(1),
    workers = function(x, arg, call) check_workers(x, arg, call),
    seed = or_null(count_from(0, 2^53)),
    algorithm = algorithm,
    adapt_delta = or_null(number(0, 1, open = TRUE)),
    # 2^20 leapfrog steps a draw is beyond any use
    max_treedepth = count_from(1, 20),
    init = number(0, 100),
    prior_only = flag,
    draws_dir = or_null(function(x, arg, call) {
      check_path(x, arg, call)
      normalizePath(x, mustWork = FALSE)
    }),
    progress = or_null(flag),
    keep = function(x, arg, call) check_keep(x, arg, call),
    keep_data = flag,
    keep_state = flag,
    not_estimable = function(x, arg, call) check_choice(x, arg, c("error", "drop"), call = call)
  )
})

setting_names <- names(setting_checks)

# Iterations of warm-up where their number is left to the data: at most so many
longest_warmup <- 1000L

# Settings that decide no draw: how a run is carried out
run_settings <- c("cores", "workers", "draws_dir", "progress")

# Those that update() says again: not where draws of another fit are
said_again <- setdiff(setting_names, "draws_dir")

# `settings`: a list by name; only those in it are checked. Counts come back as integers, the seed
# as a double (NULL stays NULL).
check_settings <- function(settings, call = NULL) {
  for (name in names(settings)) {
    checked <- setting_checks[[name]](settings[[name]], name, call)
    settings[name] <- list(checked)
  }
  check_thinning(settings$thin, settings$iter_sampling, call)
  settings
}

check_thinning <- function(thin, iter_sampling, call) {
  if (!is.null(thin) && !is.null(iter_sampling) && thin > iter_sampling) {
    abort_hmvn(
      c("{.arg thin} must not exceed {.arg iter_sampling}: no draw would be kept.",
        x = "{.arg thin} is {thin}, {.arg iter_sampling} {iter_sampling}."),
      "argument", argument = "thin", call = call
    )
  }
}

# All settings: those that were given, and the defaults of this session for the others. `defaults`:
# formals of fit_hmvn().
fill_settings <- function(given, defaults, call = NULL) {
  settings <- lapply(defaults[setting_names], eval, envir = topenv())
  settings[names(given)] <- given
  check_settings(settings, call)
}

# What a run needs: the settings with everything resolved that `NULL` left open. `apart`: groups
# share nothing.
settle_settings <- function(settings, apart = FALSE) {
  if (is.null(settings$seed)) {
    settings$seed <- sample.int(.Machine$integer.max, 1L)
  }
  settings$warmup_by_data <- is.null(settings$iter_warmup)
  settings$iter_warmup <- settings$iter_warmup %||% longest_warmup
  # Few rows make a group's posterior steep on one side, which wants short steps: the more where
  # what groups share waits for each of them, and by NUTS, of which a trajectory that fails is not
  # tried with shorter steps before it counts as divergent.
  few <- if (apart && settings$algorithm != "nuts") 0.9 else 0.98
  settings$adapt_delta_scarce <- settings$adapt_delta %||% few
  settings$adapt_delta <- settings$adapt_delta %||% 0.8
  settings$keep_mean <- "mu" %in% settings$keep
  settings$keep_chol <- "Sigma" %in% settings$keep
  settings
}

# The argument `workers`: NULL, how many, or "plan"
check_workers <- function(x, arg, call) {
  if (is.null(x)) {
    return(NULL)
  }
  require_package("future", "{.arg workers}", call)
  if (is.character(x)) check_choice(x, arg, "plan", call) else check_count(x, arg, 1, call = call)
}

# The argument `keep` -> those of keep_choices that are kept. "population" may be named, for
# readers: it is kept anyway.
check_keep <- function(x, arg = "keep", call = NULL) {
  wrong <- if (is.character(x)) setdiff(x, c(keep_choices, "population"))
  if (is.character(x) && length(wrong) == 0L) {
    return(intersect(keep_choices, x))
  }
  found <- describe_value(x)
  abort_hmvn(
    c(
      paste(
        "{.arg {arg}} must name what to keep of every group:",
        "{.val {keep_choices}}, one, both or none of them."
      ),
      x = if (is.character(x)) "It contains {.val {wrong}}." else "It is {found}.",
      i = if (any(c("sigma", "Omega") %in% wrong)) {
        "{.val sigma} and {.val Omega} are derived from {.val Sigma}: keep that."
      } else {
        "{.code keep = character()} keeps only what belongs to the population."
      }
    ),
    "argument", argument = arg, call = call
  )
}
