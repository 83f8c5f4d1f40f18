# Small checkers of arguments, one question each. Each returns its argument in the type the rest of
# the package works with, or stops with class hmvn_error_argument, naming the argument and what was
# found.

# internal -----------------------------------------------------------------

check_number <- function(x, arg, min = -Inf, max = Inf, open = FALSE, call = NULL) {
  fine <- is_plain_number(x) && if (open) x > min && x < max else x >= min && x <= max
  if (!fine) {
    abort_argument(arg, paste("one", describe_range("number", min, max, open)), x, call)
  }
  as.double(x)
}

check_count <- function(x, arg, min = 0, max = .Machine$integer.max, call = NULL) {
  fine <- is_plain_number(x) && x == trunc(x) && x >= min && x <= max
  if (!fine) {
    upper <- if (max < .Machine$integer.max) max else Inf
    abort_argument(arg, paste("one", describe_range("whole number", min, upper)), x, call)
  }
  if (max <= .Machine$integer.max) as.integer(x) else as.double(x)
}

check_flag <- function(x, arg, call = NULL) {
  if (!is.logical(x) || length(x) != 1L || is.na(x)) {
    abort_argument(arg, "TRUE or FALSE", x, call)
  }
  as.vector(x)
}

check_choice <- function(x, arg, choices, call = NULL) {
  if (!is.character(x) || length(x) != 1L || !x %in% choices) {
    near <- if (is.character(x) && length(x) == 1L) suggest_name(x, choices)
    hint <- if (length(near)) c(i = "Did you mean {.val {near}}?")
    found <- describe_value(x)
    abort_hmvn(
      c("{.arg {arg}} must be one of {.or {.val {choices}}}.", x = "It is {found}.", hint),
      "argument", argument = arg, call = call
    )
  }
  as.vector(x)
}

# Some of the choices. What can be looped over but is no text, such as a call, is refused whole.
check_choices <- function(x, arg, choices, call = NULL) {
  if (!is.character(x)) check_choice(x, arg, choices, call)
  for (one in x) check_choice(one, arg, choices, call)
  as.vector(x)
}

# An argument whose default is all its choices: left out, it is the first. `choices`: that default,
# as formals() has it.
check_first_choice <- function(x, arg, choices, call = NULL) {
  choices <- eval(choices, baseenv())
  if (identical(x, choices)) choices[[1L]] else check_choice(x, arg, choices, call)
}

# Text without NA that can be read. `what`: the end of a sentence, of what it must be.
check_text <- function(x, arg, what, call = NULL) {
  if (!is.character(x) || anyNA(x) || !all(is_valid_text(x))) {
    found <- if (!is.character(x) || length(x) == 1L) {
      paste0("It is ", describe_value(x), ".")
    } else if (anyNA(x)) {
      "It contains NA."
    } else {
      paste0("It contains \"", printable(x[!is_valid_text(x)])[[1L]], "\", which is no valid text.")
    }
    abort_hmvn(
      c("{.arg {arg}} must be {what}.", x = "{found}"),
      "argument", argument = arg, call = call
    )
  }
  as.vector(x)
}

# What stands in `...` is a misspelt argument or one given without its name; its value is never
# evaluated. `known`: the names the caller has arguments for; `advice`: what to do instead, by the
# names that arguments have elsewhere.
check_no_dots <- function(..., known, advice = NULL, call = NULL) {
  dots <- as.list(substitute(list(...)))[-1L]
  if (length(dots) == 0L) {
    return(invisible(NULL))
  }
  known <- setdiff(known, "...")
  given <- names(dots) %||% rep("", length(dots))
  named <- given[nzchar(given)]
  if (length(named) == 0L) {
    n <- length(dots)
    abort_hmvn(
      c(
        "Arguments after {.arg ...} must be given by name.",
        x = "{n} argument{?s} {?has/have} no name.",
        i = "Arguments: {.arg {known}}."
      ),
      "argument", argument = "...", call = call
    )
  }
  near <- suggest_name(named[[1L]], known)
  hint <- if (named[[1L]] %in% names(advice)) {
    advice[[named[[1L]]]]
  } else if (length(near)) {
    "Did you mean {.arg {near}}?"
  } else {
    "Arguments: {.arg {known}}."
  }
  abort_hmvn(
    c("Every argument must be known.", x = "There is no argument {.arg {named}}.", i = hint),
    "argument", argument = named[[1L]], call = call
  )
}

is_plain_number <- function(x) {
  is.numeric(x) && !is.object(x) && length(x) == 1L && is.finite(x)
}

# Distributions that their own package can read, not just something of that class.
is_distribution <- function(x) {
  inherits(x, "distribution") && is.list(x) && length(unclass(x)) > 0L && tryCatch(
    {
      lapply(seq_along(x), function(i) {
        if (!is.na(x[i])) list(stats::family(x[i]), distributional::parameters(x[i]))
      })
      TRUE
    },
    error = function(e) FALSE
  )
}

# The nearest of `choices` to a misspelt name, or character(0) if none is near.
suggest_name <- function(x, choices) {
  choices <- unique(choices[!is.na(choices) & is_valid_text(choices)])
  if (length(choices) == 0L || is.na(x) || !is_valid_text(x)) {
    return(character())
  }
  distance <- utils::adist(x, choices, ignore.case = TRUE)[1L, ]
  starts <- startsWith(tolower(choices), tolower(x)) & nchar(x) >= 2L
  distance[starts] <- pmin(distance[starts], 1)
  near <- which.min(distance)
  if (distance[[near]] <= max(1, floor(0.4 * nchar(x)))) choices[[near]] else character()
}

# `must`: a finished text, the end of a sentence.
abort_argument <- function(arg, must, x, call) {
  found <- describe_value(x)
  abort_hmvn(
    c("{.arg {arg}} must be {must}.", x = "It is {found}."),
    "argument", argument = arg, call = call
  )
}

describe_range <- function(what, min, max, open = FALSE) {
  lower <- format(min, digits = 15)
  upper <- format(max, digits = 15)
  if (is.finite(min) && is.finite(max)) {
    if (open) {
      paste0(what, " strictly between ", lower, " and ", upper)
    } else {
      paste0(what, " from ", lower, " to ", upper)
    }
  } else if (is.finite(min)) {
    paste0(what, if (open) " above " else ", at least ", lower)
  } else if (is.finite(max)) {
    paste0(what, if (open) " below " else ", at most ", upper)
  } else {
    paste("finite", what)
  }
}

# A short noun phrase for what the user gave.
describe_value <- function(x) {
  if (is.null(x)) {
    "NULL"
  } else if (is.atomic(x) && !is.object(x) && length(x) == 1L) {
    if (is.character(x)) encodeString(x, quote = "\"") else format(x, digits = 15)
  } else if (is.atomic(x) && !is.object(x)) {
    shape <- if (is.null(dim(x))) "vector" else "array"
    paste(with_article(typeof(x)), shape, "of length", length(x))
  } else if (is.function(x)) {
    "a function"
  } else {
    paste0("an object of class <", paste(class(x), collapse = "/"), ">")
  }
}

#' @importFrom rlang %||%
NULL

is_bare_list <- function(x) is.list(x) && !is.object(x)
