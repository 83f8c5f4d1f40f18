# (M3) where priors of standard deviations and correlations are stated in a frame (F1): what is
# constant or collinear there decides, and a constant feature is a direction like any other.

# internal -----------------------------------------------------------------

# `problems` as the raw features have them, see find_improper(), put right for the groups that are
# judged in the frame: those with complete rows alone and a covariance matrix of their own.
judge_in_frame <- function(problems, statistics, prior, pooling, tolerance) {
  own <- all(pooling[c("sd", "cor")] != "complete")
  if (prior$frame$kind == "raw" || length(statistics$features) == 1L || !own) {
    return(problems)
  }
  judged <- judge_whitened(statistics, prior, tolerance)
  fine <- statistics$labels[judged$group[judged$fine]]
  problems <- Filter(length, lapply(problems, without_groups_of, fine))
  named <- unlist(lapply(problems, `[[`, "group"))
  new <- which(!judged$fine & !statistics$labels[judged$group] %in% named)
  c(problems, lapply(judged$pattern[new], function(p) {
    degenerate_problem(statistics, p, prior$cor$eta, tolerance)
  }))
}

# Of single complete patterns: list(group, pattern, fine), positions and verdicts. A group is fine
# if no coordinate of the frame is constant, and LKJ holds the degrees of freedom beyond the rank.
judge_whitened <- function(statistics, prior, tolerance) {
  patterns <- statistics$patterns
  K <- length(statistics$features)
  alone <- !(duplicated(patterns$group) | duplicated(patterns$group, fromLast = TRUE))
  chosen <- which(alone & colSums(patterns$observed) == K)
  root <- prior$frame$root
  units <- sqrt(rowSums(root^2))
  inverse <- t(t(solve(root / units)) / units)
  scatter <- drop_constants(patterns)
  fine <- vapply(chosen, function(p) {
    S <- scatter[, , p]
    whitened <- inverse %*% S %*% t(inverse)
    # what rounding leaves of a coordinate that does not vary
    constant <- diag(whitened) <= 1e-12 * drop(inverse^2 %*% diag(S))
    rank <- scaled_ranks(array(whitened, c(K, K, 1L)), K, tolerance)[, "rank"]
    patterns$n[[p]] <= 1 ||
      (!any(constant) && (rank == K || patterns$n[[p]] - 1 - rank < 2 * prior$cor$eta))
  }, TRUE)
  list(group = patterns$group[chosen], pattern = chosen, fine = fine)
}

# A problem but for these groups; NULL if none is left.
without_groups_of <- function(problem, labels) {
  stay <- !problem$group %in% labels
  if (length(problem$group) == 0L || all(stay)) {
    return(problem)
  }
  if (any(stay)) {
    problem$group <- problem$group[stay]
    problem$n <- problem$n[stay]
    problem
  }
}

# Names the features of a group that is degenerate in the frame: those that are constant, or else
# the fewest that are collinear.
degenerate_problem <- function(statistics, p, eta, tolerance) {
  patterns <- statistics$patterns
  label <- statistics$labels[[patterns$group[[p]]]]
  one <- list(n = patterns$n[[p]], mean = patterns$mean[, p], scatter = patterns$scatter[, , p])
  constant <- diag(zero_constants(one$scatter, one$mean, one$n)) == 0
  if (!any(constant)) {
    return(collinear_problem(label, statistics$features, one, eta, tolerance))
  }
  list(
    kind = "collinear", group = label, n = one$n, eta = eta,
    features = statistics$features[constant]
  )
}
