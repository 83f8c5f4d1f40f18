# A fit as a file: used again while it is what would be fitted, and replaced when it is not.

# internal -----------------------------------------------------------------

# Arguments of fit_hmvn() that say where a fit is kept, and not what it is.
storage_names <- c("file", "file_refit", "checkpoint", "checkpoint_every")

# `given`: a list by these names; `draws_dir`: the setting, which is a checkpoint too. Returns
# list(file, file_refit, old, checkpoint): old is the fit that the file holds, or NULL; checkpoint:
# see check_checkpoint().
check_storage <- function(given, draws_dir, call) {
  check_one_checkpoint(given$checkpoint, draws_dir, call)
  file <- check_file(given$file, call)
  choices <- c("on_change", "never", "always")
  list(
    file = file, file_refit = check_choice(given$file_refit, "file_refit", choices, call),
    old = if (!is.null(file)) read_fit_file(file, call),
    checkpoint = check_checkpoint(given$checkpoint %||% draws_dir, given$checkpoint_every, call)
  )
}

# The argument `file` -> a path that ends in .rds, in a folder that can be written to; NULL: none.
check_file <- function(file, call) {
  if (is.null(file)) {
    return(NULL)
  }
  check_path(file, "file", call)
  if (!grepl("[.]rds$", file, ignore.case = TRUE)) file <- paste0(file, ".rds")
  check_writable(dirname(file), "file", call)
  file
}

# The fit of a file, or NULL where there is none yet. Whatever else is there stays as it is.
read_fit_file <- function(file, call) {
  if (!file.exists(file)) {
    return(NULL)
  }
  fit <- tryCatch(suppressWarnings(readRDS(file)), error = function(e) NULL)
  if (is.null(fit) || is_gzip(file) && !suppressWarnings(is_whole_gzip(file))) {
    abort_file(file, "It cannot be read: the file is damaged, or no .rds.", call)
  }
  if (!inherits(fit, "hmvn_fit")) {
    abort_file(file, paste0("It holds ", describe_value(fit), "."), call)
  }
  version <- fit[["version"]]
  if (is.character(version) && length(version) == 1L && is_newer(version)) {
    abort_file(file, paste0("It was written by hmvn ", version, ", which is newer."), call)
  }
  fit
}

is_newer <- function(version) {
  theirs <- tryCatch(package_version(version), error = function(e) NULL)
  is.null(theirs) || theirs > package_version(package_version_text())
}

# `problem`: a finished text.
abort_file <- function(file, problem, call) {
  abort_hmvn(
    c(
      "{.arg file} must be free, or hold a fit that this version of {.pkg hmvn} can read.",
      x = cli_verbatim(problem), i = "{.path {file}} is left as it is: name another file."
    ),
    "file", path = file, call = call
  )
}

# The fit of `plan`, from the file or for it. `storage`: see check_storage().
fit_with_file <- function(plan, storage, call) {
  file <- storage$file
  if (is.null(file)) {
    return(carry_out(plan, storage$checkpoint, call))
  }
  old <- storage$old
  if (is_fit_read(old, storage$file_refit)) check_fit(old, call)
  changed <- if (!is.null(old)) changed_parts(old, plan)
  again <- is.null(old) || switch(storage$file_refit,
    always = TRUE, on_change = length(changed) > 0L, never = FALSE
  )
  if (!again) {
    say_file_used(plan, old, file, changed)
    return(old)
  }
  if (!is.null(old)) plan <- say_file_refit(plan, old, file, changed)
  write_fit_file(carry_out(plan, storage$checkpoint, call), file, call)
}

# A fit of an older version may have other parts: it is made again, unless that is never to be done.
is_fit_read <- function(old, file_refit) {
  !is.null(old) && (file_refit == "never" || identical(old$version, package_version_text()))
}

say_file_used <- function(plan, old, file, changed) {
  seed <- old$control$seed
  inform_hmvn(
    c(
      "The fit in {.path {file}} is used.",
      "!" = if (length(changed)) {
        "It is another one than was asked for: {.field {changed}} changed, and
         {.code file_refit = \"never\"}."
      },
      i = if (!is_seed_given(plan)) "Its seed was {.val {seed}}."
    ),
    "file", path = file, changed = changed
  )
}

# Returns the plan that is to be carried out: where only more draws are asked for, it goes on with
# the chains that are there.
say_file_refit <- function(plan, old, file, changed) {
  goes_on <- identical(changed, "iter_sampling") && !is.null(old$states) &&
    plan$settings$iter_sampling > old$control$iter_sampling
  if (goes_on) {
    had <- old$control$iter_sampling
    inform_hmvn(
      "Extending the fit in {.path {file}}, which has {had} sampling iterations.",
      "file", path = file, changed = changed
    )
    settings <- old$control
    new <- c("iter_sampling", setdiff(run_settings, "draws_dir"))
    settings[new] <- plan$settings[new]
    started <- plan$record$started - old$time$total
    extension <- plan_extension(old, settings, started)
    extension$record <- plan$record
    extension$record$started <- started
    return(extension)
  }
  why <- if (length(changed)) "{.field {changed}} changed" else "{.code file_refit = \"always\"}"
  inform_hmvn(
    paste0("Refitting {.path {file}}: ", why, "."), "file", path = file, changed = changed
  )
  plan
}

# Which of the things that decide a fit differ between that of a file and a plan. A seed that was
# not given is that of the file.
changed_parts <- function(fit, plan) {
  old <- deciding_parts(fit, fit$control, fit$version)
  new <- plan_parts(plan)
  if (!is_seed_given(plan)) new$seed <- old$seed
  changed <- names(new)[!vapply(names(new), function(p) identical(old[[p]], new[[p]]), TRUE)]
  where <- is_run_of(fit$control$draws_dir, plan$settings$draws_dir) && has_its_files(fit)
  c(changed, if (!where) "draws_dir")
}

# The whole file or none of it: written beside it, then renamed. A fit that cannot be written is
# returned all the same.
write_fit_file <- function(fit, file, call) {
  force(fit)  # sampling must not happen where errors are caught
  temporary <- tempfile(paste0(".", basename(file), "-"), dirname(file))
  on.exit(unlink(temporary))
  problem <- tryCatch(
    {
      saveRDS(fit, temporary)
      # the last of a full disk's errors is not reported
      if (!is_whole_gzip(temporary)) stop("the disk is full")
      if (!file.rename(temporary, file)) stop("it cannot be renamed")
      NULL
    },
    error = conditionMessage, warning = conditionMessage
  )
  if (is.null(problem)) {
    inform_hmvn("The fit is kept in {.path {file}}.", "file", path = file, changed = NULL)
  } else {
    warn_hmvn(
      c("The fit could not be written to {.path {file}}.", x = "{problem}",
        i = "It is returned: {.fn saveRDS} writes it elsewhere."),
      "file", path = file, call = call
    )
  }
  fit
}

# Does a gzip file hold as many bytes as it says at its end (RFC 1952: their number modulo 2^32)?
# readRDS() does not look at the end.
is_whole_gzip <- function(path) {
  tail <- file(path, "rb")
  on.exit(close(tail))
  seek(tail, max(0, file.size(path) - 4))
  said <- readBin(tail, "raw", 4)
  if (length(said) < 4L) {
    return(FALSE)
  }
  total <- tryCatch(count_unzipped(path), error = function(e) -1)
  sum(as.integer(said) * 256^(0:3)) == total %% 2^32
}

count_unzipped <- function(path) {
  con <- gzfile(path, "rb")
  on.exit(close(con))
  total <- 0
  while (length(piece <- readBin(con, "raw", 2^24)) > 0L) total <- total + length(piece)
  total
}

is_gzip <- function(path) identical(readBin(path, "raw", 2), as.raw(c(0x1f, 0x8b)))
