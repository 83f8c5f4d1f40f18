# Generics whose default would answer wrongly and that have no meaning for this model.

# internal -----------------------------------------------------------------

# `why`, `instead`: texts without variables; `instead`: what to call.
abort_no_meaning <- function(generic, why, instead, call) {
  abort_hmvn(
    c(
      "{.fn {generic}} must be of something that the fit has.",
      x = why,
      i = paste0("Call ", instead, " instead.")
    ),
    "no_meaning", generic = generic, call = call
  )
}
