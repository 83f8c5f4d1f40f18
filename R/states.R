# Where chains stand, in the form of the core, and who can read it.

# internal -----------------------------------------------------------------

# What states are bound to: the version that wrote them and its kind of machine.
state_maker <- function() {
  c(
    version = package_version_text(), endian = .Platform$endian,
    pointer = as.character(.Machine$sizeof.pointer)
  )
}

# Not packageVersion(), which reads a file in a try() that hides errors, such as a time limit.
package_version_text <- function() unname(getNamespaceVersion("hmvn"))

# What a fit keeps. `ends`: a raw vector a job, or where these are.
new_states <- function(ends) list(maker = state_maker(), ends = ends)

are_states <- function(states, n_units, n_chains) {
  is.list(states) && identical(names(states), c("maker", "ends")) &&
    is.character(states$maker) && identical(names(states$maker), names(state_maker())) &&
    are_ends(states$ends, nrow(job_ranges_(n_units, n_chains)))
}

are_ends <- function(ends, n_jobs) {
  if (are_filed_ends(ends)) {
    return(identical(ends$n_jobs, n_jobs))
  }
  is.list(ends) && all(vapply(ends, is.raw, TRUE)) && length(ends) == n_jobs
}

check_state_maker <- function(maker, call, hint = "Fit again with {.fn update}.") {
  ours <- state_maker()
  if (identical(maker, ours)) {
    return(invisible())
  }
  text <- function(maker) {
    kind <- paste0(8L * as.integer(maker[["pointer"]]), "-bit ", maker[["endian"]], "-endian")
    paste0("hmvn ", maker[["version"]], " (", kind, ")")
  }
  theirs <- text(maker)
  ours <- text(ours)
  abort_hmvn(
    c("The states of chains can be read by the version and the kind of machine that wrote them.",
      x = "They were written by {theirs}; this is {ours}.", i = hint),
    "state", call = call
  )
}

# `problem`: what the core says.
abort_state <- function(problem, call) {
  abort_hmvn(
    c("The states of chains must be those that sampling left.", x = "{problem}.",
      i = "Fit again with {.fn update}."),
    "state", call = call
  )
}
