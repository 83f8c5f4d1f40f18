# Covariates on the mean, (M1') of vignette("model"): from a formula to the columns it reads.

# internal -----------------------------------------------------------------

# The formula of `covariates`, a formula or names of columns; NULL where it has no terms. It keeps
# the functions it needs and nothing else of where it was written.
covariate_formula <- function(covariates, data, call) {
  if (is.character(covariates)) {
    names <- column_names(covariates, data, "covariates", "+", call)
    covariates <- stats::reformulate(backtick(names), env = baseenv())
  }
  if (is.null(covariates)) {
    return(NULL)
  }
  check_covariate_form(covariates, call)
  terms <- covariate_terms(covariates, call)
  if (length(attr(terms, "term.labels")) == 0L) {
    return(NULL)
  }
  environment(covariates) <- functions_of(covariates)
  covariates
}

check_covariate_form <- function(formula, call) {
  if (!rlang::is_formula(formula)) {
    abort_covariate_form(paste0("It is ", describe_value(formula), "."), call = call)
  }
  if (length(formula) != 2L) {
    abort_covariate_form("It has a left-hand side.", call = call)
  }
  if ("." %in% all.vars(formula)) {
    abort_covariate_form("It contains {.code .}, which names no column.", call = call)
  }
}

# Without an intercept, factors would be coded by columns that add up to one.
covariate_terms <- function(formula, call) {
  terms <- evaluate_covariates(stats::terms(formula), call)
  if (attr(terms, "intercept") == 0) {
    abort_covariate_form(
      "It leaves out the intercept.",
      "Every group has a mean of its own: leave {.code - 1} or {.code + 0} away.", call
    )
  }
  if (!is.null(attr(terms, "offset"))) {
    abort_covariate_form(
      "It contains {.fn offset}.", "Subtract a known offset from the features.", call
    )
  }
  terms
}

# `problem`, `hint`: finished sentences.
abort_covariate_form <- function(problem,
                                 hint = "For example {.code covariates = ~ age + site * visit}.",
                                 call = NULL) {
  abort_hmvn(
    c(
      "{.arg covariates} must be a one-sided formula or names of columns.",
      x = problem, i = hint
    ),
    "column", argument = "covariates", call = call
  )
}

# An environment that finds the functions of a formula wherever it is evaluated: those of base and
# stats, and copies of others. The environment of the formula may hold all data of a session.
functions_of <- function(formula) {
  found <- new.env(parent = asNamespace("stats"))
  for (name in unique(all.names(formula[[2L]]))) {
    own <- get0(name, environment(formula), mode = "function")
    standard <- get0(name, parent.env(found), mode = "function", inherits = FALSE) %||%
      get0(name, baseenv(), mode = "function")
    if (!is.null(own) && !identical(own, standard)) assign(name, own, found)
  }
  found
}

# The columns that a formula of covariates reads. What is no column may be R's own: a constant, as
# `pi` is, or contrasts, as `contr.sum`.
covariate_variables <- function(formula, data, call) {
  names <- all.vars(formula)
  known <- names %in% names(data) | !vapply(names, is_of_r, TRUE)
  names <- names[known]
  if (length(names) == 0L) {
    abort_covariate_form("It names no column.", call = call)
  }
  check_readable(names, "covariates", call)
  check_columns(names, data, "covariates", call)
  names
}

is_of_r <- function(name) {
  constant <- get0(name, baseenv(), inherits = FALSE)
  contrasts <- startsWith(name, "contr.") &&
    exists(name, asNamespace("stats"), mode = "function", inherits = FALSE)
  contrasts || (!is.null(constant) && !is.function(constant))
}

# No column has two roles. `columns`: names by role.
check_covariate_roles <- function(variables, columns, call) {
  keys <- intersect(variables, columns$group)
  if (length(keys) > 0L) {
    abort_hmvn(
      c(
        "A column cannot be in {.arg covariates} and in {.arg group}.",
        x = "{.field {keys}} {?is/are} in both.",
        i = "Groups have means of their own: what does not vary within groups has no slope."
      ),
      "column", argument = "covariates", column = keys, call = call
    )
  }
  check_not_shared(variables, columns$features, "covariates", "features", call)
  check_not_shared(variables, columns$weights, "covariates", "weights", call)
}

# The columns of the user that covariates are made of: a named list, with NA where missing.
# `data`: a data frame, called `arg`.
read_covariate_columns <- function(variables, data, cores, call) {
  columns <- .subset(data, variables)
  for (name in variables) check_covariate_column(columns[[name]], name, call)
  numeric <- columns[vapply(columns, is_feature, TRUE)]
  check_cells(unname(numeric), names(numeric), cores, call, what = "Covariates")
  columns
}

check_covariate_column <- function(x, name, call) {
  if (is.atomic(x) && !is.null(x) && is.null(dim(x)) && !inherits(x, "integer64")) {
    return(invisible(NULL))
  }
  found <- describe_value(if (inherits(x, "integer64") || is.list(x)) x else unclass(x))
  abort_hmvn(
    c(
      "A covariate must be made of plain columns.",
      x = "Column {.field {name}} is {found}.",
      i = "Put the parts of a matrix or list into columns; convert integer64 by {.fn as.double}."
    ),
    "column", argument = "covariates", column = name, call = call
  )
}

# Whatever functions of a formula have to say, as an error of ours.
evaluate_covariates <- function(code, call) {
  tryCatch(code, error = function(e) {
    said <- conditionMessage(e)
    abort_hmvn(
      c(
        "{.arg covariates} must be computable from columns of the data.",
        x = "R says: {said}",
        i = "Terms are columns, and functions of them that are known where the formula is written."
      ),
      "covariates", argument = "covariates", call = call
    )
  })
}
