# Do 90 % intervals of standard deviations and correlations hold the truth in 90 % of data sets,
# with priors on the raw features and in the pooled frame?
#
#   Rscript frame_coverage.R [share = 1]
#
# Groups are unpooled; K features of variance 1 correlate alike ("equal") or like an autoregression
# ("ar"), all means 0. Groups have that covariance matrix in common, or ("varied") each its own,
# drawn around it: Wishart with max(30, 3 K) degrees of freedom. Every prior of the fits is the
# default. One row a cell and prior is saved in results/frame_coverage.csv: the coverage of
# intervals from the 5 % to the 95 % quantile, with the standard error that the scatter between
# data sets gives; and the average estimate less the truth, of sds in per cent of it.
#
# `share`: the part of the data sets that is simulated, for a quick look. Cells that are saved are
# not simulated again: remove the file to start anew.

coverage_cells <- function() {
  grid <- function(...) expand.grid(..., stringsAsFactors = FALSE)
  cells <- rbind(
    grid(
      G = c(3, 1, 10), n = c(30, 8, 12, 200), rho = c(0.9, 0, 0.99, 0.5), K = c(6, 2, 10, 4),
      structure = "equal", groups = "alike"
    ),
    grid(
      G = c(1, 3), n = c(8, 12, 30, 200), rho = 0.9, K = c(4, 10), structure = "ar",
      groups = "alike"
    ),
    grid(
      G = c(3, 10), n = c(8, 30), rho = c(0.5, 0.9), K = c(2, 6), structure = "equal",
      groups = "varied"
    )
  )
  # what takes long is told by fewer
  cells$sets <- round(ifelse(cells$K == 10 & cells$n < 30, 20, 60) / sqrt(cells$G))
  cells
}

correlations <- function(K, rho, structure) {
  if (structure == "ar") rho^abs(outer(seq_len(K), seq_len(K), "-")) else diag(1 - rho, K) + rho
}

# One data set: coverage and error by quantity, averaged over groups and features or pairs.
cover_once <- function(cell, frame, seed) {
  set.seed(seed)
  K <- cell$K
  common <- correlations(K, cell$rho, cell$structure)
  df <- max(30, 3 * K)
  truth <- lapply(seq_len(cell$G), function(g) {
    if (cell$groups == "varied") rWishart(1, df, common / df)[, , 1] else common
  })
  rows <- lapply(truth, function(S) matrix(rnorm(cell$n * K), cell$n) %*% chol(S))
  data <- data.frame(g = rep(seq_len(cell$G), each = cell$n), do.call(rbind, rows))
  fit <- suppressMessages(suppressWarnings(fit_hmvn(
    data, group = ~g, prior = hmvn_prior(frame = frame), chains = 1, iter_warmup = 300,
    iter_sampling = 500, seed = seed, keep = "Sigma", progress = FALSE
  )))
  Sigma <- posterior::draws_of(group_cov(fit))
  found <- lapply(seq_len(cell$G), function(g) {
    low <- lower.tri(diag(K))
    quantities <- function(S) c(sqrt(diag(S)), stats::cov2cor(S)[low])
    true <- quantities(truth[[g]])
    draws <- apply(Sigma[, g, , , drop = FALSE], 1, function(S) quantities(matrix(S, K)))
    limits <- apply(draws, 1, stats::quantile, c(0.05, 0.95))
    inside <- limits[1, ] < true & true < limits[2, ]
    sd <- seq_along(true) <= K
    off <- rowMeans(draws) - true
    c(mean(inside[sd]), mean(inside[!sd]), mean((off / true)[sd]), mean(off[!sd]))
  })
  Reduce(`+`, found) / cell$G
}

cover_cell <- function(cell, frame, share) {
  sets <- max(2, ceiling(cell$sets * share))
  each <- vapply(seq_len(sets), function(i) cover_once(cell, frame, i), double(4))
  middle <- rowMeans(each)
  error <- apply(each, 1, stats::sd) / sqrt(sets)
  cell$sets <- sets
  data.frame(
    cell, prior = frame, sd_coverage = middle[[1]], sd_error = error[[1]],
    cor_coverage = middle[[2]], cor_error = error[[2]], sd_off = 100 * middle[[3]],
    cor_off = middle[[4]]
  )
}

if (sys.nframe() == 0L) {
  library(hmvn)
  here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
  args <- commandArgs(TRUE)
  share <- if (length(args) > 0) as.numeric(args[[1]]) else 1
  file <- file.path(here, "results", "frame_coverage.csv")
  cells <- coverage_cells()
  key <- function(x) do.call(paste, x[c("G", "n", "rho", "K", "structure", "groups", "prior")])
  saved <- if (file.exists(file)) utils::read.csv(file)
  result <- list(saved)
  for (i in seq_len(nrow(cells))) {
    for (frame in c("pooled", "raw")) {
      if (key(cbind(cells[i, ], prior = frame)) %in% if (!is.null(saved)) key(saved)) next
      # the raw prior's failures are seen with fewer
      row <- cover_cell(cells[i, ], frame, share * if (frame == "raw") 0.3 else 1)
      number <- vapply(row, is.numeric, TRUE)
      row[number] <- lapply(row[number], signif, 4)
      print(row, row.names = FALSE)
      result <- c(result, list(row))
    }
    utils::write.csv(do.call(rbind, result), file, row.names = FALSE)
  }
}
