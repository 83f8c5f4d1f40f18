# Small checkers of arguments, one question each. Each returns its argument in the
# type the rest of the package works with, or stops with class hmvn_error_argument
# (`class` names a finer topic), naming the argument and what was found.

# internal -----------------------------------------------------------------

check_number <- function(x, arg, min = -Inf, max = Inf, open = FALSE,
                         class = "argument", call = NULL) {
  fine <- is_plain_number(x) && if (open) x > min && x < max else x >= min && x <= max
  if (!fine) {
    must <- paste("one", describe_range("number", min, max, open))
    abort_argument(arg, must, x, class, call)
  }
  as.double(x)
}

check_count <- function(x, arg, min = 0, max = .Machine$integer.max,
                        class = "argument", call = NULL) {
  fine <- is_plain_number(x) && x == trunc(x) && x >= min && x <= max
  if (!fine) {
    must <- paste("one", describe_range("whole number", min, if (max < .Machine$integer.max) max else Inf))
    abort_argument(arg, must, x, class, call)
  }
  if (max <= .Machine$integer.max) as.integer(x) else as.double(x)
}

check_flag <- function(x, arg, class = "argument", call = NULL) {
  if (!is.logical(x) || length(x) != 1L || is.na(x)) {
    abort_argument(arg, "TRUE or FALSE", x, class, call)
  }
  as.vector(x)
}

check_choice <- function(x, arg, choices, class = "argument", call = NULL) {
  if (!is.character(x) || length(x) != 1L || is.na(x) || !x %in% choices) {
    near <- if (is.character(x) && length(x) == 1L) suggest_name(x, choices)
    hint <- if (length(near)) c(i = "Did you mean {.val {near}}?")
    found <- describe_value(x)
    abort_hmvn(
      c("{.arg {arg}} must be one of {.or {.val {choices}}}.", x = "It is {found}.", hint),
      class, argument = arg, call = call
    )
  }
  as.vector(x)
}

# What stands in `...` is a misspelt argument or one given without its name; its
# value is never evaluated. `known`: the names the caller has arguments for.
check_no_dots <- function(..., known, call = NULL) {
  dots <- as.list(substitute(list(...)))[-1L]
  if (length(dots) == 0L) {
    return(invisible(NULL))
  }
  given <- names(dots) %||% rep("", length(dots))
  named <- given[nzchar(given)]
  if (length(named) == 0L) {
    n <- length(dots)
    abort_hmvn(
      c(
        "Arguments after {.arg ...} must be given by name.",
        x = "{n} argument{?s} {?has/have} no name.",
        i = "Arguments: {.arg {setdiff(known, '...')}}."
      ),
      "argument", argument = "...", call = call
    )
  }
  near <- suggest_name(named[[1L]], setdiff(known, "..."))
  hint <- if (length(near)) {
    c(i = "Did you mean {.arg {near}}?")
  } else {
    c(i = "Arguments: {.arg {setdiff(known, '...')}}.")
  }
  abort_hmvn(
    c("Every argument must be known.", x = "There is no argument {.arg {named}}.", hint),
    "argument", argument = named[[1L]], call = call
  )
}

# The settings of the sampler, given by name; only those given are checked.
# Returns them as a list, counts as integers, seed as a double (NULL stays NULL).
check_sampler_settings <- function(..., call = NULL) {
  settings <- list(...)
  checkers <- sampler_checkers(call)
  for (name in names(settings)) {
    checked <- checkers[[name]](settings[[name]], name)
    settings[name] <- list(checked)
  }
  if (!is.null(settings$thin) && !is.null(settings$iter_sampling)) {
    check_thinning(settings$thin, settings$iter_sampling, call)
  }
  settings
}

check_thinning <- function(thin, iter_sampling, call) {
  if (thin > iter_sampling) {
    abort_hmvn(
      c("{.arg thin} must not exceed {.arg iter_sampling}: no draw would be kept.",
        x = "{.arg thin} is {thin}, {.arg iter_sampling} {iter_sampling}."),
      "argument", argument = "thin", call = call
    )
  }
}

sampler_checkers <- function(call) {
  count_from <- function(min, max = .Machine$integer.max) {
    function(x, arg) check_count(x, arg, min = min, max = max, call = call)
  }
  or_null <- function(check) {
    function(x, arg) if (is.null(x)) NULL else check(x, arg)
  }
  flag <- function(x, arg) check_flag(x, arg, call = call)
  list(
    chains = count_from(1),
    iter_warmup = count_from(0),
    iter_sampling = count_from(1),
    thin = count_from(1),
    cores = count_from(1),
    seed = or_null(function(x, arg) check_count(x, arg, min = 0, max = 2^53, call = call)),
    algorithm = function(x, arg) check_choice(x, arg, c("auto", "nuts", "direct"), call = call),
    adapt_delta = or_null(function(x, arg) {
      check_number(x, arg, min = 0, max = 1, open = TRUE, call = call)
    }),
    # 2^20 leapfrog steps a draw is beyond any use
    max_treedepth = count_from(1, 20),
    init = or_null(function(x, arg) check_number(x, arg, min = 0, max = 100, call = call)),
    prior_only = flag,
    progress = or_null(flag),
    keep = function(x, arg) check_keep(x, arg, call = call),
    keep_data = flag
  )
}

is_plain_number <- function(x) {
  is.numeric(x) && !is.object(x) && length(x) == 1L && is.finite(x)
}

# The nearest of `choices` to a misspelt name, or character(0) if none is near.
suggest_name <- function(x, choices) {
  choices <- unique(choices[!is.na(choices)])
  if (length(choices) == 0L || is.na(x)) {
    return(character())
  }
  distance <- utils::adist(x, choices, ignore.case = TRUE)[1L, ]
  starts <- startsWith(tolower(choices), tolower(x)) & nchar(x) >= 2L
  distance[starts] <- pmin(distance[starts], 1)
  near <- which.min(distance)
  if (distance[[near]] <= max(1, floor(0.4 * nchar(x)))) choices[[near]] else character()
}

abort_argument <- function(arg, must, x, class, call) {
  found <- describe_value(x)
  abort_hmvn(
    c("{.arg {arg}} must be {must}.", x = "It is {found}."),
    class, argument = arg, call = call
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
    paste0("a ", typeof(x), if (is.null(dim(x))) " vector" else " array", " of length ", length(x))
  } else if (is.function(x)) {
    "a function"
  } else {
    paste0("an object of class <", paste(class(x), collapse = "/"), ">")
  }
}

#' @importFrom rlang %||%
NULL
