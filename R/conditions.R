# Every condition the package signals is made here, so that each has a class
# that code can catch and a message with the same three parts: the headline says
# what must hold, "x" what was found, "i" what to do.

#' Conditions signalled by hmvn
#'
#' Errors have class `hmvn_error_<topic>` under `hmvn_error`, warnings
#' `hmvn_warning_<topic>` under `hmvn_warning`, messages `hmvn_message_<topic>`
#' under `hmvn_message`, so that each can be caught on its own.
#'
#' @name hmvn-conditions
#' @keywords internal
NULL

# internal -----------------------------------------------------------------

# `message`: a character vector in the form of cli::cli_abort(), glue-interpolated
# in the caller's frame. `class`: the topic, without prefix. `...`: fields.
abort_hmvn <- function(message, class, ..., call = NULL, .envir = parent.frame()) {
  cli::cli_abort(
    message,
    class = c(paste0("hmvn_error_", class), "hmvn_error"),
    ...,
    call = call,
    .envir = .envir
  )
}

warn_hmvn <- function(message, class, ..., call = NULL, .envir = parent.frame()) {
  cli::cli_warn(
    message,
    class = c(paste0("hmvn_warning_", class), "hmvn_warning"),
    ...,
    call = call,
    .envir = .envir
  )
}

inform_hmvn <- function(message, class, ..., .envir = parent.frame()) {
  cli::cli_inform(
    message,
    class = c(paste0("hmvn_message_", class), "hmvn_message"),
    ...,
    .envir = .envir
  )
}
