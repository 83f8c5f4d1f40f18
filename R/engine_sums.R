# The sums that statistics are made of, by group and pattern: the query, and what its result says.
# Sums of products cancel where means are large, so cells are taken from a centre near their mean,
# and what is left of the mean is corrected for (Chan, Golub & LeVeque, 1983):
#   S_ij = sum d_i d_j - r_i r_j / n,  mean_i = m_i + r_i / n,  d_i = x_i - m_i,  r_i = sum d_i.

# internal -----------------------------------------------------------------

# One row for every group, pattern and `known`: `rows`, of which `infinite` have an infinite cell
# where cells are tested; `n`, the sum of weights; for each of `size` numbers `r`, and the products
# `s`. `centers`: a number
# for each, or NULL for the mean in each group and pattern, which takes a window, and is returned as
# `m`. With `extremes` also the smallest and the largest cell of each number, `lo` and `hi`.
sums_query <- function(cells, plan, size, centers = NULL, extremes = FALSE) {
  by <- rlang::syms(pattern_keys(plan))
  weighted <- length(plan$weights) > 0L
  x <- rlang::syms(numbered("x", size))
  m <- numbered("m", size)
  about <- if (is.null(centers)) {
    lapply(x, window_mean, weighted = weighted)
  } else {
    lapply(sprintf("%.16e", centers), number_literal, con = plan$con)
  }
  from <- Map(function(x, m) rlang::expr(!!x - !!m), x, rlang::syms(m))
  cells <- dplyr::mutate(dplyr::group_by(cells, !!!by), !!!stats::setNames(about, m))
  cells <- dplyr::mutate(dplyr::ungroup(cells), !!!stats::setNames(from, numbered("d", size)))
  sums <- sums_columns(plan, size, is.null(centers), extremes)
  flags <- pattern_flags(plan)
  if (length(flags) > 0L) {
    cells <- dplyr::mutate(cells, !!!flags)
    by <- rlang::syms(c(setdiff(pattern_keys(plan), word_columns(plan)), names(flags)))
  }
  dplyr::summarise(dplyr::group_by(cells, !!!by), !!!sums, .groups = "drop")
}

# PostgreSQL plans for as many groups as rows where they are by a number that is computed, and sorts
# all rows; a truth value it knows to have two. With many features this is as many again.
pattern_flags <- function(plan) {
  n <- length(plan$features)
  if (n > 12L || !inherits(plan$con, c("PqConnection", "PostgreSQLConnection"))) {
    return(list())
  }
  flags <- lapply(rlang::syms(numbered("x", n)), function(x) rlang::expr(is.na(!!x)))
  stats::setNames(flags, numbered("b", n))
}

# What the sums are by.
pattern_keys <- function(plan) {
  c(numbered("g", length(plan$group)), word_columns(plan), names(knows_covariates(plan)))
}

# Within a pattern a number is observed in all rows or in none.
window_mean <- function(x, weighted) {
  if (!weighted) {
    return(rlang::expr(mean(!!x, na.rm = TRUE)))
  }
  rlang::expr(sum(!!as.name("w") * !!x, na.rm = TRUE) / sum(!!as.name("w"), na.rm = TRUE))
}

sums_columns <- function(plan, size, window, extremes) {
  w <- as.name("w")
  weighted <- length(plan$weights) > 0L
  total <- function(x) {
    if (weighted) x <- rlang::expr(!!w * !!x)
    rlang::expr(sum(!!x, na.rm = TRUE))
  }
  column <- function(letter, k) as.name(paste0(letter, k))
  each <- function(name, expression) {
    columns <- numbered(name, size)
    stats::setNames(lapply(seq_along(columns), expression), columns)
  }
  pairs <- upper_pairs(size)
  products <- Map(
    function(i, j) total(rlang::expr(!!column("d", i) * !!column("d", j))), pairs$i, pairs$j
  )
  c(
    list(rows = rlang::expr(dplyr::n())),
    if (isTRUE(plan$tested)) {
      list(infinite = rlang::expr(sum(!!as.name("infinite"), na.rm = TRUE)))
    },
    if (weighted) list(n = rlang::expr(sum(!!w, na.rm = TRUE))),
    if (window) each("m", function(k) rlang::expr(min(!!column("m", k), na.rm = TRUE))),
    each("r", function(k) total(column("d", k))),
    if (extremes) each("lo", function(k) rlang::expr(min(!!column("x", k), na.rm = TRUE))),
    if (extremes) each("hi", function(k) rlang::expr(max(!!column("x", k), na.rm = TRUE))),
    stats::setNames(products, paste0("s", pairs$i, "_", pairs$j))
  )
}

upper_pairs <- function(n) {
  j <- rep(seq_len(n), seq_len(n))
  list(i = sequence(seq_len(n)), j = j)
}

# Joint patterns as the pass over rows gives them, see split_covariates(), in the order of `table`,
# and `rows` of each; `moved`, see moved_means(). `group`: the position of the group of each row of
# `table`; `observed`: [number, row]; `centers`: what the sums are about, or NULL for the means `m`.
read_sums <- function(table, group, observed, centers = NULL) {
  n <- nrow(observed)
  column <- function(letter) {
    columns <- lapply(numbered(letter, n), function(name) plain_numbers(table[[name]]))
    matrix(unlist(columns), n, byrow = TRUE)
  }
  rows <- plain_numbers(table$rows)
  size <- plain_numbers(table[["n"]] %||% rows)
  rest <- column("r")
  about <- if (is.null(centers)) column("m") else matrix(centers, n, nrow(table))
  mean <- about + rest / rep(size, each = n)
  constant <- !observed
  if (!is.null(table[["lo1"]])) {
    constant <- constant | column("lo") == column("hi")
    mean <- ifelse(constant, column("lo"), mean)
  }
  mean[!observed] <- 0
  scatter <- array(0, c(n, n, nrow(table)))
  pairs <- upper_pairs(n)
  for (p in seq_along(pairs$i)) {
    i <- pairs$i[[p]]
    j <- pairs$j[[p]]
    s <- plain_numbers(table[[paste0("s", i, "_", j)]]) - rest[i, ] * rest[j, ] / size
    # a constant has scatter 0, not what rounding leaves of it
    s[constant[i, ] | constant[j, ]] <- 0
    scatter[i, j, ] <- scatter[j, i, ] <- s
  }
  list(
    group = group, n = size, observed = observed, mean = mean, scatter = scatter, rows = rows,
    moved = moved_means(rest, size, scatter, constant)
  )
}

# By how much n (m - mean)^2 exceeds the scatter about the mean, the largest of each pattern.
moved_means <- function(rest, size, scatter, constant) {
  n <- nrow(rest)
  own <- matrix(scatter, n * n)[(seq_len(n) - 1L) * n + seq_len(n), , drop = FALSE]
  ratio <- rest^2 / rep(size, each = n) / pmax(own, 0)
  ratio[constant | rest == 0] <- 0
  max_of_columns(ratio)
}
