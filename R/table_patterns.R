# Patterns of statistics, read from a table of one number a row, of which nothing may be lost.

# internal -----------------------------------------------------------------

table_columns <- c("pattern", "quantity", "feature", "feature2", "value")

# Joint patterns, see split_covariates().
table_patterns <- function(data, group, features, covariates, call) {
  kept <- data$pattern > 0
  empty <- data$quantity == "n" & as.double(data$value) %in% 0
  if (!all(kept | empty)) abort_cell(data[!kept & !empty, ], "belongs to no pattern", call)
  data <- data[kept, ]
  group <- group[kept]
  names <- c(paste0("y:", features), if (length(covariates)) paste0("x:", covariates))
  cells <- cell_places(data, group, names, call)
  at <- which(cells$i == 0L)
  size <- length(names)
  out <- list(
    group = group[at], n = cells$value[at], observed = matrix(FALSE, size, length(at)),
    mean = matrix(0, size, length(at)), scatter = array(0, c(size, size, length(at)))
  )
  means <- as.matrix(cells[cells$i > 0L & cells$j == 0L, c("i", "p")])
  out$mean[means] <- cells$value[cells$i > 0L & cells$j == 0L]
  out$observed[means] <- TRUE
  pairs <- cells[cells$j > 0L, ]
  n_features <- colSums(out$observed)
  lacking <- which(tabulate(pairs$p, length(at)) != n_features * (n_features + 1) / 2)
  if (length(lacking) > 0L) {
    abort_cell(data[at[lacking], ], "is not all: products of its features are lacking", call)
  }
  out$scatter[as.matrix(pairs[c("i", "j", "p")])] <- pairs$value
  out$scatter[as.matrix(pairs[c("j", "i", "p")])] <- pairs$value
  merge_patterns(out)
}

# Where each cell stands: features `i` and `j` among `names` (0: it has none), pattern `p` in the
# order of the rows `n`.
cell_places <- function(data, group, names, call) {
  place <- function(side, feature) {
    side <- side[data$quantity]
    match(ifelse(side == "", "", paste0(side, feature)), c("", names)) - 1L
  }
  at <- which(data$quantity == "n")
  cells <- data.frame(
    i = place(first_of_cell, data$feature), j = place(second_of_cell, data$feature2),
    p = match(data$pattern, data$pattern[at]), value = as.double(data$value)
  )
  # a pattern is one group's
  lost <- is.na(cells$i + cells$j + cells$p) | group != group[at][cells$p]
  if (any(lost)) abort_cell(data[lost, ], "has no place in it", call)
  size <- length(names) + 1
  twice <- duplicated((cells$p * size + pmin(cells$i, cells$j)) * size + pmax(cells$i, cells$j))
  if (any(twice)) abort_cell(data[twice, ], "is there twice", call)
  cells
}

# What `feature` and `feature2` of a cell are: y, a feature; x, a covariate
first_of_cell <- c(
  n = "", mean = "y:", "covariate mean" = "x:", scatter = "y:", cross = "x:",
  "covariate scatter" = "x:"
)
second_of_cell <- c(
  n = "", mean = "", "covariate mean" = "", scatter = "y:", cross = "y:",
  "covariate scatter" = "x:"
)

# `cells`: rows of a table, of which the first is shown.
abort_cell <- function(cells, problem, call) {
  cell <- lapply(cells[1L, table_columns], as.character)
  of <- unlist(cell[c("feature", "feature2")])
  shown <- paste(c(cell$quantity, of[!is.na(of)]), collapse = " ")
  abort_table("{.arg data} must be a table of statistics.",
    "Its cell {.val {shown}} of pattern {cell$pattern} {problem}.", "data", call
  )
}

abort_table <- function(must, problem, arg, call, .envir = parent.frame()) {
  abort_hmvn(
    c(must, x = problem, i = "See {.help hmvn::as_hmvn_statistics}."),
    "statistics", argument = arg, call = call, .envir = .envir
  )
}
