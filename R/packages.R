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
