# Statistics of a table in a database: the engine counts and sums, rows stay where they are.

# internal -----------------------------------------------------------------

# As new_model_data() and compute_statistics() of a data frame. `tbl`: a table of dbplyr; `columns`:
# quosures by role. Returns list(statistics, weights), the latter the name of their column.
engine_statistics <- function(tbl, columns, call) {
  require_package("dplyr", "A table in a database", call)
  require_package("dbplyr", "A table in a database", call)
  con <- dbplyr::remote_con(tbl)
  prototype <- engine_prototype(tbl, con, call)
  columns <- capture_columns(columns, prototype, call)
  formula <- covariate_formula(columns$covariates, prototype, call)
  roles <- column_roles(prototype, columns, formula, call, facts_of_engine(tbl, con, call))
  check_engine_types(prototype, roles, call)
  variables <- engine_variables(formula, roles$covariates, prototype, call)
  plan <- list(
    con = con, group = roles$group, features = roles$features, weights = roles$weights,
    numeric = variables$numeric, categories = variables$categories, variables = roles$covariates
  )
  say_engine(con)
  input <- engine_columns(tbl, plan)
  look <- ask_engine(look_query(input, plan), con, call)
  check_look(look, plan, call)
  cells <- engine_cells(input, plan)
  design <- NULL
  if (!is.null(formula)) {
    levels <- engine_levels(cells, plan, call)
    made <- engine_design(cells, plan, formula, levels, call)
    design <- made$design
    cells <- made$cells
  }
  list(
    statistics = sum_up(cells, plan, look, design, call), weights = roles$weights
  )
}

say_engine <- function(con) {
  engine <- class(con)[[1L]]
  inform_hmvn(
    c(
      i = "The engine ({engine}) computes counts, means and scatter; no row is fetched.",
      " " = "What needs rows, as {.fn posterior_impute} does, will ask for them."
    ),
    "engine", engine = engine
  )
}

# Facts as column_facts(): where rows have no order, whole numbers without a gap count up.
facts_of_engine <- function(tbl, con, call) {
  function(names) {
    x <- rlang::syms(names)
    plan <- list(con = con, group = character(), features = names)
    cells <- engine_columns(tbl, plan)
    one <- number_literal("1", con)
    each <- function(letter, expression) {
      columns <- numbered("x", length(x))
      stats::setNames(lapply(rlang::syms(columns), expression), numbered(letter, length(x)))
    }
    asked <- c(
      each("n", function(x) rlang::expr(sum(dplyr::case_when(!is.na(!!x) ~ !!one), na.rm = TRUE))),
      each("w", function(x) {
        rlang::expr(sum(dplyr::case_when(!!x == round(!!x, 0L) ~ !!one), na.rm = TRUE))
      }),
      each("a", function(x) rlang::expr(min(!!x, na.rm = TRUE))),
      each("b", function(x) rlang::expr(max(!!x, na.rm = TRUE)))
    )
    found <- ask_engine(dplyr::summarise(cells, !!!asked), con, call)
    number <- function(letter, k) {
      value <- plain_numbers(found[[paste0(letter, k)]])
      if (is.na(value)) 0 else value
    }
    facts <- lapply(seq_along(names), function(k) {
      n <- number("n", k)
      whole <- n > 0 && number("w", k) == n
      smallest <- number("a", k)
      largest <- number("b", k)
      list(
        n = n, whole = whole, in_turn = whole && largest - smallest + 1 == n,
        smallest = smallest, largest = largest
      )
    })
    stats::setNames(facts, names)
  }
}

# `look`: the answer to look_query(), a row a group. `design`: NULL without covariates.
sum_up <- function(cells, plan, look, design, call) {
  size <- length(plan$features) + length(design$names)
  K <- length(plan$features)
  ask <- function(centers) ask_engine(sums_query(cells, plan, size, centers), plan$con, call)
  table <- ask(rough_centers(look, plan, design))
  groups <- engine_groups(look, table, plan, call)
  found <- read_patterns_of(table, groups, K, size)
  if (loses_digits(found)) {
    table <- ask(NULL)
    groups <- engine_groups(look, table, plan, call)
    found <- read_patterns_of(table, groups, K, size)
  }
  used <- found$used
  if (!is.null(design) && !any(used)) abort_none_used(found$counts, call)
  patterns <- merge_patterns(patterns_used(found$sums, used))
  check_squares(patterns$scatter, c(plan$features, design$names), call)
  statistics <- new_statistics(
    groups[c("labels", "keys")], plan$features, split_covariates(patterns, K), found$counts,
    length(plan$weights) > 0L
  )
  add_covariates(statistics, design, found$counts$n_without)
}

abort_none_used <- function(counts, call) {
  n_rows <- counts$n_rows + counts$n_empty + counts$n_without
  abort_no_covariates(n_rows, counts$n_empty, counts$n_without, call)
}

# The mean of all cells of each feature, and of columns of the model matrix that are products of
# numbers the product of their means; others from 0. Any centre will do that is no further than a
# few sds from the means of groups.
rough_centers <- function(look, plan, design) {
  rows <- plain_numbers(look$rows)
  numbers <- c(plan$features, plan$numeric)
  means <- vapply(numbered("a", length(numbers)), function(name) {
    stats::weighted.mean(plain_numbers(look[[name]]), rows, na.rm = TRUE)
  }, 0)
  means[!is.finite(means)] <- 0
  of_features <- unname(means[seq_along(plan$features)])
  of_numeric <- means[length(plan$features) + seq_along(plan$numeric)]
  names(of_numeric) <- plan$numeric
  of_columns <- vapply(design_columns(design), function(parts) {
    if (!all(vapply(parts, is.null, TRUE))) {
      return(0)
    }
    prod(of_numeric[vapply(names(parts), function(term) all.vars(str2lang(term)), "")])
  }, 0)
  c(of_features, of_columns)
}

# A sum of n terms has a relative error of about the root of n roundings, and scatter about the mean
# is what is left of scatter about the centre. More than this is done again about every own mean.
loses_digits <- function(found) {
  sums <- found$sums
  any((sqrt(sums$rows) * .Machine$double.eps * sums$moved)[found$used] > 1e-11)
}

# The groups of all rows that were looked at, and which of them every row of `table` belongs to
# (`at`). An engine may take texts for one that are two to R, and return any of them.
engine_groups <- function(look, table, plan, call) {
  names <- numbered("g", length(plan$group))
  n <- nrow(look)
  keys <- if (length(names) == 0L) {
    stats::setNames(list(rep("all", n + nrow(table))), one_group_key)
  } else {
    stats::setNames(lapply(names, function(name) {
      both <- Map(unwrap_key, list(look[[name]], table[[name]]))
      if (is.factor(both[[1L]])) factor(unlist(lapply(both, as.character)), levels(both[[1L]]))
      else c(both[[1L]], both[[2L]])
    }), plan$group)
  }
  coded <- code_groups(keys, call)
  asked <- seq_len(n)
  if (length(coded$labels) > length(unique(coded$codes[asked]))) abort_collation(plan$group, call)
  list(labels = coded$labels, keys = coded$keys, at = coded$codes[-asked])
}

abort_collation <- function(columns, call) {
  abort_hmvn(
    c(
      "Texts that name a group must be spelt alike.",
      x = "The engine takes spellings for one that R does not, in column {.field {columns}}.",
      i = "Spell them alike by {.fn dplyr::mutate}: {.code g = tolower(trimws(g))}."
    ),
    "group", argument = "group", column = columns, call = call
  )
}

# list(sums, used, counts): read_sums(), which rows of `table` enter statistics, and counts of rows.
read_patterns_of <- function(table, groups, K, size) {
  seen <- read_words(table, K)
  observed <- rbind(seen, matrix(TRUE, size - K, nrow(table)))
  sums <- read_sums(table, groups$at, observed)
  empty <- colSums(seen) == 0
  known <- if (is.null(table[["known"]])) !empty else plain_numbers(table[["known"]]) == 1
  used <- !empty & known
  rows <- sums$rows
  counts <- list(
    n_rows = sum(rows[used]), n_empty = sum(rows[empty]),
    n_missing = sum((rows * colSums(!seen))[used]), n_without = sum(rows[!empty & !known])
  )
  list(sums = sums, used = used, counts = counts)
}

patterns_used <- function(patterns, used) {
  list(
    group = patterns$group[used], n = patterns$n[used],
    observed = patterns$observed[, used, drop = FALSE], mean = patterns$mean[, used, drop = FALSE],
    scatter = patterns$scatter[, , used, drop = FALSE]
  )
}
