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
  look <- NULL
  if (length(plan$weights) > 0L) {
    look <- look_at(input, tested(plan), call) # rows of weight 0 are left out afterwards
  } else if (any(vapply(prototype[roles$group], is_text_key, TRUE))) {
    look <- look_at(input, plan, call)
  }
  first <- first_sums(input, plan, formula, call)
  infinite <- plain_numbers(first$table[["infinite"]] %||% 0)
  if (sum(infinite) > 0) look_at(input, tested(plan), call)
  check_engine_keys(first$table, plan, call)
  first["look"] <- list(look)
  list(statistics = sum_up(first, plan, call), weights = roles$weights)
}

# Spellings of groups are judged by a query that has one row each.
is_text_key <- function(key) is.character(unwrap_key(key)) || is.factor(unwrap_key(key))

# Weights are judged before they are used.
look_at <- function(input, plan, call) {
  look <- ask_engine(look_query(input, plan), plan$con, call)
  check_look(look, plan, call)
  look
}

# What is summed first: list(cells, table, centers, design), the sums and about what they are.
# Tests of every cell cost more than the sums, so they wait until sums say that they are needed; of
# covariates they do not say it, as a product with NULL is NULL.
first_sums <- function(input, plan, formula, call) {
  if (length(plan$numeric) == 0L) {
    found <- tryCatch(
      sums_of_cells(input, plan, formula, call), hmvn_error_engine = function(e) NULL
    )
    if (!is.null(found) && are_sums_plain(found, plan)) {
      return(found)
    }
  }
  sums_of_cells(input, tested(plan), formula, call)
}

tested <- function(plan) {
  plan$tested <- TRUE
  plan
}

sums_of_cells <- function(input, plan, formula, call) {
  cells <- engine_cells(input, plan)
  rough <- ask_engine(rough_query(cells, plan), plan$con, call)
  if (plain_numbers(rough$rows) == 0) abort_no_rows(call)
  design <- NULL
  if (!is.null(formula)) {
    levels <- engine_levels(cells, plan, call)
    made <- engine_design(cells, plan, formula, levels, call)
    design <- made$design
    cells <- made$cells
  }
  centers <- rough_centers(rough, plan, design)
  table <- ask_engine(sums_query(cells, plan, length(centers), centers), plan$con, call)
  list(cells = cells, table = table, centers = centers, design = design, tested = plan$tested)
}

# Have all cells of features been finite, and no larger than largest_cell?
are_sums_plain <- function(found, plan) {
  K <- length(plan$features)
  observed <- t(read_words(found$table, K))
  sum_of <- function(name) plain_numbers(found$table[[name]])
  fine <- vapply(seq_len(K), function(k) {
    r <- sum_of(paste0("r", k))[observed[, k]]
    s <- sum_of(paste0("s", k, "_", k))[observed[, k]]
    all(is.finite(r)) && all(is.finite(s)) && all(s < (largest_number / 10)^2)
  }, TRUE)
  all(fine) && all(abs(found$centers) < largest_number / 10)
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

# `first`: see first_sums(), and `look`, the answer to look_query() or NULL. Sums are taken again
# where they do not tell enough: about the means of all cells, or else about those of every group
# and pattern.
sum_up <- function(first, plan, call) {
  K <- length(plan$features)
  design <- first$design
  plan$tested <- first$tested
  read <- function(table, centers) {
    groups <- engine_groups(first$look, table, plan, call)
    found <- read_patterns_of(table, groups, K, length(first$centers), centers)
    c(found, list(groups = groups[c("labels", "keys")]))
  }
  again <- function(centers) {
    query <- sums_query(first$cells, plan, length(first$centers), centers, extremes = TRUE)
    read(ask_engine(query, plan$con, call), centers)
  }
  found <- read(first$table, first$centers)
  if (loses_digits(found)) found <- again(better_centers(found, first$centers))
  if (loses_digits(found)) found <- again(NULL)
  used <- found$used
  if (!is.null(design) && !any(used)) abort_none_used(found$counts, call)
  patterns <- merge_patterns(patterns_used(found$sums, used))
  check_squares(patterns$scatter, c(plan$features, design$names), call)
  statistics <- new_statistics(
    found$groups, plan$features, split_covariates(patterns, K), found$counts,
    length(plan$weights) > 0L
  )
  add_covariates(statistics, design, found$counts$n_without)
}

abort_none_used <- function(counts, call) {
  n_rows <- counts$n_rows + counts$n_empty + counts$n_without
  abort_no_covariates(n_rows, counts$n_empty, counts$n_without, call)
}

# The mean of some cells of each feature, and of columns of the model matrix that are products of
# numbers the product of their means; others from 0. Any centre will do that is no further than a
# few sds from the means of groups. `rough`: the answer to rough_query().
rough_centers <- function(rough, plan, design) {
  numbers <- c(plan$features, plan$numeric)
  means <- vapply(numbered("a", length(numbers)), function(a) plain_numbers(rough[[a]]), 0)
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

# The means of all cells, by what was found about other centres; NULL where groups lie too far apart
# for any one centre.
better_centers <- function(found, centers) {
  sums <- found$sums
  weights <- sums$observed * rep(sums$n * found$used, each = length(centers))
  means <- rowSums(ifelse(weights > 0, weights * sums$mean, 0)) / rowSums(weights)
  means <- ifelse(is.finite(means), means, centers)
  rest <- (sums$mean - means) * rep(sums$n, each = length(means))
  without_scatter <- !sums$observed | rep(sums$rows == 1, each = length(means))
  moved <- moved_means(rest, sums$n, sums$scatter, without_scatter)
  if (!loses_digits(found, moved)) means
}

# A sum of n terms has a relative error of about the root of n roundings, and scatter about the mean
# is what is left of scatter about the centre. A constant, and a single row, lose all of it: they
# are known by their extremes, which are asked for the second time.
loses_digits <- function(found, moved = found$sums$moved) {
  any((sqrt(found$sums$rows) * .Machine$double.eps * moved)[found$used] > 1e-11)
}

# The groups of all rows that were looked at, and which of them every row of `table` belongs to
# (`at`). An engine may take texts for one that are two to R, and return any of them.
engine_groups <- function(look, table, plan, call) {
  if (is.null(look)) look <- table
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
# `size`: how many numbers, features and columns of the model matrix; `centers`: see read_sums().
read_patterns_of <- function(table, groups, K, size, centers) {
  seen <- read_words(table, K)
  observed <- rbind(seen, matrix(TRUE, size - K, nrow(table)))
  sums <- read_sums(table, groups$at, observed, centers)
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
