# Packages that are suggested: what needs one says so.

# internal -----------------------------------------------------------------

# `what`: a text without variables of what needs the package, the beginning of a sentence.
require_package <- function(package, what, call = NULL) {
  if (requireNamespace(package, quietly = TRUE)) {
    return(invisible())
  }
  abort_hmvn(
    c(
      paste(what, "needs the package {.pkg {package}}."),
      x = "It is not installed.",
      i = "Install it: {.code install.packages(\"{package}\")}."
    ),
    "package", package = package, call = call
  )
}

# Evaluates a call of another package, which alone knows what it takes as `arg`: what it says
# becomes the reason of an error of ours. A time limit stays what it is.
refuse_as_it_does <- function(call_of_it, arg, call) {
  rlang::try_fetch(call_of_it, error = function(cnd) {
    said <- gsub("\\s+", " ", conditionMessage(cnd))
    if (inherits(cnd, "hmvn_error") || grepl("time limit", said, fixed = TRUE)) {
      return(rlang::zap())
    }
    abort_hmvn(
      c(
        "{.arg {arg}} must be what the function behind this method takes.",
        x = cli_verbatim(said)
      ),
      "argument", argument = arg, call = call
    )
  })
}
