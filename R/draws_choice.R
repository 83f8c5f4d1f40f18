# Which draws the formats of posterior are asked for, and the array they are made of.

# internal -----------------------------------------------------------------

# What all formats but as_draws_rvars() are made of. `call`: the method.
draws_array <- function(x, variable = NULL, regex = FALSE, group = NULL,
                        index = c("label", "number"), triangle = c("lower", "full"), ...,
                        call = rlang::caller_env()) {
  known <- c("variable", "regex", "group", "index", "triangle")
  check_no_dots(..., known = known, call = call)
  check_fit(x, call)
  check_any(group, "group", call)
  asked <- check_asked(variable, regex, index, triangle, call)
  with_memory_errors(build_array(x, asked, group, call), "Draws", call)
}

# The arguments of the formats of draws, checked: list(variable, regex, index, triangle).
check_asked <- function(variable, regex, index, triangle, call) {
  if (!is.null(variable)) {
    variable <- check_text(variable, "variable", "names of quantities, or NULL for all", call)
    check_any(variable, "variable", call)
  }
  regex <- check_flag(regex, "regex", call)
  if (regex) for (pattern in variable) check_regex(pattern, call)
  list(
    variable = variable, regex = regex, index = check_index(index, call),
    triangle = check_triangle(triangle, call)
  )
}

# `x`: an argument that chooses. Nothing chosen is no set of draws for posterior.
check_any <- function(x, arg, call) {
  if (!is.null(x) && length(x) == 0L) {
    abort_hmvn(
      c("{.arg {arg}} must name something.", i = "{.code NULL} stands for everything."),
      "argument", argument = arg, call = call
    )
  }
}

check_index <- function(index, call) {
  check_first_choice(index, "index", c("label", "number"), call)
}

check_triangle <- function(triangle, call) {
  check_first_choice(triangle, "triangle", c("lower", "full"), call)
}

check_regex <- function(pattern, call) {
  why <- tryCatch(
    {
      grepl(pattern, "")
      NULL
    },
    error = conditionMessage, warning = conditionMessage
  )
  if (!is.null(why)) {
    abort_hmvn(
      c(
        "{.arg variable} must be regular expressions.",
        x = "{.val {pattern}} is none: {why}."
      ),
      "argument", argument = "variable", call = call
    )
  }
}

# Which of `names` the regular expressions find, each at least one. `others`: names that are left
# out of the triangle that was asked for.
find_names <- function(patterns, names, call, others = character()) {
  found <- lapply(patterns, grepl, names)
  nothing <- !vapply(found, any, TRUE)
  if (any(nothing)) {
    pattern <- patterns[nothing][[1L]]
    abort_hmvn(
      c(
        "{.arg variable} must find quantities of the fit.",
        x = "The regular expression {.val {pattern}} finds none.",
        i = if (any(grepl(pattern, others))) full_triangle_hint
      ),
      "variable", variable = pattern, call = call
    )
  }
  Reduce(`|`, found, logical(length(names)))
}

full_triangle_hint <- paste(
  "Of symmetric matrices every pair is there once, the later feature first, and no constant",
  "diagonal; {.code triangle = \"full\"} has all elements."
)

# [iteration, chain, variable] of all elements asked for, each quantity built for the groups that
# need it only. `asked`: see check_asked().
build_array <- function(fit, asked, group, call) {
  groups <- match_groups(fit, group, call)
  if (is.null(asked$variable)) {
    check_draws_size(fit, quantity_names(fit, "draws"), length(groups), asked$triangle, call)
  }
  chosen <- match_elements(fit, asked, groups, call)
  counts <- lengths(chosen)
  names <- unlist(lapply(unname(chosen), names))
  out <- array(0, c(n_kept(fit), sum(counts)), list(NULL, NULL, names))
  ends <- cumsum(counts)
  for (i in seq_along(chosen)) {
    at <- seq(ends[i] - counts[i] + 1, length.out = counts[i])
    out[, , at] <- build_elements(fit, names(chosen)[i], chosen[[i]], groups)
  }
  # posterior wants numbers for chains and iterations
  dimnames(out)[1:2] <- lapply(n_kept(fit), function(n) as.character(seq_len(n)))
  out
}

# `elements`: positions in the quantity's array for `groups`, first dimension (the group) fastest
build_elements <- function(fit, name, elements, groups) {
  if (quantities[[name]]$by_group) {
    own <- (elements - 1L) %% length(groups) + 1L
    needed <- unique(own)
    elements <- match(own, needed) + length(needed) * ((elements - 1L) %/% length(groups))
    groups <- groups[needed]
  }
  values <- quantity(fit, name, groups)
  dim(values) <- c(dim(values)[1:2], prod(dim(values)[-(1:2)]))
  values[, , elements, drop = FALSE]
}

# Named list: for each quantity that is needed the positions of its elements, named. An element that
# is asked for by its own name is given whatever the triangle.
match_elements <- function(fit, asked, groups, call = rlang::caller_env()) {
  variable <- asked$variable
  known <- quantity_names(fit)
  # names are made for what may be meant only: of very many groups they are most of the work
  meant <- if (is.null(variable) || asked$regex) {
    quantity_names(fit, "draws")
  } else {
    intersect(known, sub("\\[.*", "", variable))
  }
  meant <- stats::setNames(meant, meant)
  full <- lapply(meant, function(name) {
    labels <- element_names(fit, name, groups, asked$index)
    stats::setNames(seq_along(labels), labels)
  })
  all <- lapply(meant, function(name) {
    full[[name]][in_triangle(fit, name, length(groups), asked$triangle)]
  })
  if (is.null(variable)) {
    return(all[lengths(all) > 0])
  }
  if (asked$regex) {
    names <- unlist(lapply(unname(all), names))
    others <- setdiff(unlist(lapply(unname(full), names)), names)
    found <- split(find_names(variable, names, call, others), rep(names(all), lengths(all)))
    all <- lapply(meant, function(name) all[[name]][found[[name]]])
    return(all[lengths(all) > 0])
  }
  check_kept(fit, variable, call)
  elements <- unlist(lapply(unname(full), names))
  check_variables(variable[!variable %in% c(meant, elements)], known, call)
  check_has_elements(intersect(variable, names(all)[lengths(all) == 0L]), call)
  in_order_asked(lapply(meant, function(name) {
    if (name %in% variable) all[[name]] else full[[name]][names(full[[name]]) %in% variable]
  }), variable)
}

# Of the elements of a quantity's full form for so many groups, first index fastest: are they in the
# triangle? The lower one of a symmetric matrix has every pair once, and the diagonal where it is
# not constant.
in_triangle <- function(fit, name, n_groups, triangle) {
  row <- quantities[[name]]
  if (triangle == "full" || !endsWith(row$index, "ff")) {
    return(TRUE)
  }
  has <- lower.tri(diag(n_features(fit)), diag = !row$unit_diagonal)
  if (row$by_group) rep(has, each = n_groups) else as.vector(has)
}

# Stops where the correlations of one feature are asked for.
check_has_elements <- function(empty, call) {
  if (length(empty) > 0L) {
    abort_hmvn(
      c(
        "{.arg variable} must name quantities of the fit.",
        x = "One feature has no correlations: {.val {empty}} is empty.",
        i = "{.code triangle = \"full\"} has the diagonal, which is 1."
      ),
      "variable", variable = empty, call = call
    )
  }
}

in_order_asked <- function(chosen, variable) {
  chosen <- chosen[lengths(chosen) > 0]
  first <- vapply(names(chosen), function(name) {
    min(match(c(name, names(chosen[[name]])), variable), na.rm = TRUE)
  }, 0L)
  chosen[order(first)]
}

match_quantities <- function(fit, asked, call) {
  in_draws <- quantity_names(fit, "draws")
  variable <- asked$variable
  if (is.null(variable)) {
    return(in_draws)
  }
  if (asked$regex) {
    return(in_draws[find_names(variable, in_draws, call)])
  }
  check_kept(fit, variable, call)
  known <- quantity_names(fit)
  check_variables(setdiff(variable, known), known, call)
  unique(variable)
}

check_draws_size <- function(fit, names, n_groups, triangle = "full",
                             call = rlang::caller_env()) {
  extent <- c(g = n_groups, c = n_covariates(fit), f = n_features(fit))
  elements <- vapply(quantities[names], function(row) {
    each <- prod(extent[strsplit(row$index, "")[[1L]]])
    each * mean(in_triangle(fit, row$name, 1L, triangle))
  }, 0)
  hint <- paste(
    "Ask for what you need with {.arg variable} (such as {.code variable = \"mu\"}) or",
    "{.arg group}; what is asked for by name is built whatever its size."
  )
  check_size(8 * n_draws(fit) * sum(elements), "All draws together", hint, call)
}
