# Covariates of a table in a database: the columns of the model matrix as products of columns and of
# CASE over the levels of categories.

# internal -----------------------------------------------------------------

# Functions of columns mean in SQL what they mean to the engine: log() is to one base or another.
check_engine_terms <- function(formula, call) {
  made <- terms_of_rows(covariate_terms(formula, call))
  if (length(made) > 0L) {
    abort_hmvn(
      c(
        "Covariates of a table in a database must be columns, factors of them and their products.",
        x = "{.code {made}} {?is/are} computed.",
        i = "Compute a column in the engine, by {.fn dplyr::mutate}, and name that."
      ),
      "covariates", argument = "covariates", column = made, call = call
    )
  }
}

# Which variables are categories, by their types and by factor() around them.
engine_variables <- function(formula, variables, prototype, call) {
  if (is.null(formula)) {
    return(list(numeric = character(), categories = character()))
  }
  check_engine_terms(formula, call)
  terms <- as.list(attr(stats::terms(formula), "variables"))[-1L]
  wrapped <- unlist(lapply(Filter(is.call, terms), function(v) as.character(v[[2L]])))
  bare <- unlist(lapply(Filter(is.symbol, terms), as.character))
  both <- intersect(wrapped, bare)
  number <- vapply(variables, function(name) {
    x <- prototype[[name]]
    if (!inherits(x, "integer64")) check_covariate_column(x, name, call)
    is_feature(x) || inherits(x, "integer64")
  }, TRUE)
  twice <- intersect(both, variables[number])
  if (length(twice) > 0L) {
    abort_hmvn(
      c(
        "A covariate of a table in a database must be a number or a category.",
        x = "{.field {twice}} {?is/are} both.",
        i = "Copy the column in the engine, by {.fn dplyr::mutate}, and name the copy."
      ),
      "covariates", argument = "covariates", column = twice, call = call
    )
  }
  category <- !number | variables %in% wrapped
  list(numeric = variables[!category], categories = variables[category])
}

# The levels that rows have which are used, by variable; NULL for numbers.
engine_levels <- function(cells, plan, call) {
  something <- lapply(rlang::syms(word_columns(plan)), function(p) rlang::expr(!!p > 0L))
  used <- dplyr::filter(cells, !!joined(something, "|") & .data$known == 1L)
  columns <- stats::setNames(numbered("v", length(plan$categories)), plan$categories)
  levels <- lapply(columns, function(column) {
    name <- names(columns)[columns == column]
    query <- utils::head(dplyr::distinct(used, !!as.name(column)), most_levels + 1L)
    read_levels(ask_engine(query, plan$con, call)[[1L]], name, call)
  })
  c(levels, stats::setNames(vector("list", length(plan$numeric)), plan$numeric))[plan$variables]
}

most_levels <- 1000L

read_levels <- function(values, name, call) {
  if (length(values) > most_levels) {
    abort_hmvn(
      c(
        "A category of covariates must have at most {most_levels} levels.",
        x = "Column {.field {name}} has more.",
        i = "Numbers in a column of texts are converted in the engine, by {.fn dplyr::mutate}."
      ),
      "covariates", argument = "covariates", column = name, call = call
    )
  }
  if (inherits(values, "integer64")) values <- from_integer64(values)
  if (is.factor(values)) values <- droplevels(values)
  sort(values)
}

# `cells` with the columns of the model matrix after the features, as x; and the design.
engine_design <- function(cells, plan, formula, levels, call) {
  built <- design_of_levels(formula, levels, call)
  columns <- design_columns(built$design)
  check_design_columns(columns, built, call)
  exprs <- lapply(columns, function(parts) {
    joined(unname(Map(design_part, parts, names(parts), list(plan), list(levels))), "*")
  })
  at <- length(plan$features) + seq_along(exprs)
  names(exprs) <- paste0("x", at)
  keep <- rlang::syms(c(
    pattern_keys(plan), if (isTRUE(plan$tested)) "infinite",
    numbered("x", length(plan$features)), if (length(plan$weights)) "w"
  ))
  list(design = built$design, cells = dplyr::transmute(cells, !!!keep, !!!exprs))
}

# One variable of a term: the column of numbers, or what stands for its levels.
design_part <- function(coding, term, plan, levels) {
  name <- all.vars(str2lang(term))
  if (is.null(coding)) {
    return(as.name(paste0("u", match(name, plan$numeric))))
  }
  column <- as.name(paste0("v", match(name, plan$categories)))
  values <- levels[[name]]
  cases <- lapply(seq_along(values), function(i) {
    value <- if (is.factor(values)) as.character(values)[[i]] else values[[i]]
    number <- number_literal(sprintf("%.16e", coding[[as.character(values)[[i]]]]), plan$con)
    rlang::expr(!!column == !!value ~ !!number)
  })
  rlang::expr(dplyr::case_when(!!!cases))
}

# The products must be what model.matrix() makes of the same rows.
check_design_columns <- function(columns, built, call) {
  table <- built$table
  ours <- vapply(columns, function(parts) {
    Reduce(`*`, Map(function(coding, term) {
      x <- table[[all.vars(str2lang(term))]]
      if (is.null(coding)) x else unname(coding[as.character(x)])
    }, parts, names(parts)))
  }, double(nrow(table)))
  if (!isTRUE(all.equal(unname(ours), unname(built$matrix), tolerance = 1e-12))) {
    abort_covariate_form(
      "Its terms are coded in a way that has no translation to the engine.",
      "Compute columns in the engine, by {.fn dplyr::mutate}, and name those.", call
    )
  }
}
