# How much memory something takes: refused before it is taken, and said in our words where it could
# not be had.

# internal -----------------------------------------------------------------

# What is built on request must fit into this; what a fit or statistics need, into the machine.
max_bytes <- 2^30
machine_bytes <- function() {
  bytes <- physical_memory_()
  if (is.na(bytes)) Inf else bytes
}

# `what`: the beginning of a sentence; `hint`: a text without variables.
check_size <- function(bytes, what, hint = NULL, call = rlang::caller_env()) {
  if (bytes <= max_bytes) {
    return(invisible())
  }
  hint <- hint %||% "Ask for fewer groups with {.arg group}, or fit with a larger {.arg thin}."
  size <- format_gigabytes(bytes)
  abort_hmvn(
    c("{what} must fit into 1 GB.", x = "It would take {size} GB.", i = hint),
    "size", bytes = bytes, call = call
  )
}

# The same of what is kept for good: it must fit into what the machine has.
check_machine_size <- function(bytes, what, hint, call) {
  limit <- machine_bytes()
  if (bytes <= limit) {
    return(invisible())
  }
  size <- format_gigabytes(bytes)
  there <- format_gigabytes(limit)
  abort_hmvn(
    c(
      "{what} must fit into memory.",
      x = "They would take {size} GB; this machine has {there} GB.",
      i = hint
    ),
    "size", bytes = bytes, call = call
  )
}

format_gigabytes <- function(bytes) {
  format(signif(bytes / 2^30, 2), big.mark = ",", digits = 2, scientific = FALSE, trim = TRUE)
}

# What a fit keeps of its draws, and what it writes while it samples. `size`: counts of labels,
# features and covariates; `pooling`: see resolve_pooling().
check_fit_size <- function(size, pooling, settings, call) {
  n_groups <- size[["labels"]]
  n_features <- size[["features"]]
  common <- pooling == "complete"
  if (n_features == 1L) common[["cor"]] <- TRUE
  copies <- function(block) if (isTRUE(common[block])) 1 else n_groups
  means <- n_features * (copies("mean") + size[["covariates"]] * copies("slope"))
  factors <- n_features * (n_features + 1) / 2 *
    if (common[["sd"]] && common[["cor"]]) 1 else n_groups
  if (!is.null(settings$draws_dir)) {
    # what stays in memory of draws that are left in files
    means <- n_features * common[["mean"]]
    factors <- factors * (common[["sd"]] && common[["cor"]])
  }
  kept <- c("mu", "Sigma") %in% settings$keep
  draws <- settings$chains * floor(settings$iter_sampling / settings$thin)
  n_units <- if (all(pooling == "none")) n_groups else 1
  slices <- count_slices_(n_units)
  each <- sum(c(means, factors)[kept]) + 3 * n_features + 10 + 8 * slices
  check_machine_size(
    8 * draws * each, "The draws of a fit",
    paste(
      "Keep fewer: {.code keep = \"mu\"} or {.code keep = character()}, a larger {.arg thin},",
      "fewer {.arg chains} or a smaller {.arg iter_sampling}."
    ),
    call
  )
}

# Evaluates `code`, and says in our words that memory could not be had for it. `what`: the beginning
# of a sentence.
with_memory_errors <- function(code, what, call) {
  rlang::try_fetch(code, error = function(cnd) {
    if (!is_memory_error(cnd)) {
      return(rlang::zap())
    }
    why <- conditionMessage(cnd)
    abort_hmvn(
      c(
        "{what} must fit into memory.",
        x = "It could not be had: {why}.",
        i = "Ask for less at once, free memory by {.fn rm} and {.fn gc}, or use fewer {.arg cores}."
      ),
      "memory", call = call
    )
  })
}

# Errors of R's allocation have no class of their own; what C++ throws has its type's name. A thread
# that cannot be started lacks memory too.
is_memory_error <- function(cnd) {
  if (inherits(cnd, "hmvn_error")) {
    return(FALSE)
  }
  cpp <- c("std::bad_alloc", "std::length_error", "std::system_error", "std::bad_array_new_length")
  if (inherits(cnd, cpp)) {
    return(TRUE)
  }
  said <- tryCatch(conditionMessage(cnd), error = function(e) "")
  # to name the type, too, takes memory: without, there is the message alone
  ours <- c("cannot allocate", "memory exhausted", "std::bad_alloc")
  any(startsWith(said, c(ours, allocation_message())))
}

# As R says it in this session's language
allocation_message <- function() {
  text <- gettext("cannot allocate vector of size %0.1f Gb", domain = "R")
  sub("%.*", "", text)
}
