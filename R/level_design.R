# The design of covariates that are columns, categories and their products: it depends on the rows
# only through the levels of the categories, so that it can be made without them.

# internal -----------------------------------------------------------------

# list(design, matrix, table): as build_design() makes them, of rows that have every level.
# `levels`: by variable its levels, a factor, texts or logical values; NULL for a numeric variable.
design_of_levels <- function(formula, levels, call) {
  n <- max(2L, lengths(levels)) * 7L
  table <- lapply(seq_along(levels), function(k) {
    values <- levels[[k]]
    # no two variables are in step
    if (is.null(values)) {
      return(sin((seq_len(n) + k) * (1 + sqrt(k))) + 2)
    }
    turn <- (seq_len(n) - 1L) %/% length(values)
    values[1L + (seq_len(n) - 1L + k * turn) %% length(values)]
  })
  names(table) <- names(levels)
  table <- table_of(table)
  c(build_design(formula, table, call), list(table = table))
}

# Why the terms of a formula depend on more than levels, or NULL: the variables that are no columns.
terms_of_rows <- function(terms) {
  variables <- as.list(attr(terms, "variables"))[-1L]
  plain <- vapply(variables, function(v) is.symbol(v) || is_factor_of_column(v), TRUE)
  vapply(variables[!plain], deparse1, "")
}

# factor(x), as.factor(x)
is_factor_of_column <- function(v) {
  is.call(v) && length(v) == 2L && is.symbol(v[[2L]]) &&
    (identical(v[[1L]], quote(factor)) || identical(v[[1L]], quote(as.factor)))
}

# The columns of the model matrix, each as the variables it is the product of: a list by column of
# lists by variable, of NULL for the numbers themselves or of what stands for each level. In the
# order of model.matrix(): of a product of terms the first variable runs fastest. Variables are
# named as in the formula, in backticks where they need them.
design_columns <- function(design) {
  if (is.null(design)) {
    return(list())
  }
  terms <- design$terms
  factors <- attr(terms, "factors")
  columns <- lapply(seq_len(ncol(factors)), function(term) {
    used <- rownames(factors)[factors[, term] > 0]
    parts <- lapply(which(factors[, term] > 0), function(variable) {
      variable_columns(design, variable, factors[variable, term])
    })
    at <- do.call(expand.grid, lapply(parts, seq_along))
    lapply(seq_len(nrow(at)), function(row) {
      stats::setNames(Map(function(part, i) part[[i]], parts, unlist(at[row, ])), used)
    })
  })
  unlist(columns, recursive = FALSE)
}

# `variable`: which of the formula's; what is known of it has the names of the model frame, which
# have no backticks. `code`: 1 for contrasts, 2 for one column a level.
variable_columns <- function(design, variable, code) {
  classes <- attr(design$terms, "dataClasses")
  name <- names(classes)[[variable]]
  levels <- design$xlevels[[name]]
  logical <- identical(classes[[variable]], "logical")
  if (is.null(levels) && !logical) {
    return(list(NULL))
  }
  if (logical) levels <- c("FALSE", "TRUE")
  coding <- if (code == 2) {
    diag(length(levels))
  } else {
    contrast_matrix(design$contrasts[[name]], levels, environment(design$terms))
  }
  lapply(seq_len(ncol(coding)), function(j) stats::setNames(coding[, j], levels))
}

contrast_matrix <- function(contrasts, levels, env) {
  if (is.character(contrasts)) {
    contrasts <- get(contrasts, env %||% asNamespace("stats"), mode = "function")(levels)
  }
  unclass(as.matrix(contrasts))
}
