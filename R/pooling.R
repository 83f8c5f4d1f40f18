# What the user says about pooling: for each block of quantities (means, standard deviations,
# correlations, slopes on covariates) whether groups have their own, share a population, or have one
# in common.

# internal -----------------------------------------------------------------

pooling_blocks <- c("mean", "sd", "cor", "slope")
pooling_levels <- c("none", "partial", "complete")

# One string for all blocks, or a vector or list named by block -> c(mean =, sd =, cor =, slope =).
# In a list, mean and slope may be vectors: of levels named by feature, with at most one that has no
# name, for the rest; then a list of these.
resolve_pooling <- function(pooling, call = NULL) {
  if (is_bare_list(pooling) && length(pooling) > 0L && all(vapply(pooling, is.character, TRUE))) {
    single <- lengths(pooling) == 1L & vapply(pooling, function(x) is.null(names(x)), TRUE)
    if (!all(single)) {
      return(resolve_by_feature(pooling, call))
    }
    pooling <- unlist(pooling)
  }
  if (!is.character(pooling) || length(pooling) == 0L) {
    found <- describe_value(pooling)
    abort_pooling("It is {found}.", call)
  }
  check_levels(pooling, call)
  if (is.null(names(pooling))) {
    if (length(pooling) != 1L) {
      n <- length(pooling)
      abort_pooling("It has {n} values without names.", call)
    }
    return(stats::setNames(rep(pooling, length(pooling_blocks)), pooling_blocks))
  }
  fill_blocks(pooling, call)
}

# A list of blocks, one at least by feature.
resolve_by_feature <- function(pooling, call) {
  single <- lengths(pooling) == 1L & vapply(pooling, function(x) is.null(names(x)), TRUE)
  several <- setdiff(names(pooling)[!single], c("mean", "slope"))
  if (length(several) > 0L) {
    abort_pooling(
      "{.val {several}} cannot be pooled by feature: means and slopes can. Standard deviations and
      correlations are pooled as the whole that a covariance matrix is.",
      call
    )
  }
  for (levels in pooling) {
    check_levels(levels, call)
    given <- names(levels) %||% rep("", length(levels))
    if (sum(!nzchar(given)) > 1L || anyDuplicated(given[nzchar(given)])) {
      abort_pooling("A block by feature names each at most once, and one value has no name.", call)
    }
  }
  # by block as ever; what is by feature stands for itself
  blocks <- fill_blocks(vapply(pooling, `[[`, "", 1L), call)
  blocks <- as.list(blocks)
  blocks[names(pooling)] <- pooling
  blocks
}

check_levels <- function(levels, call) {
  wrong <- levels[is.na(levels) | !levels %in% pooling_levels]
  if (length(wrong) > 0L) {
    near <- suggest_name(wrong[[1L]], pooling_levels)
    abort_hmvn(
      c(
        "{.arg pooling} must be {.or {.val {pooling_levels}}}, for all blocks or by block.",
        x = "It contains {.val {wrong}}.",
        i = if (length(near)) "Did you mean {.val {near}}?"
      ),
      "pooling", argument = "pooling", call = call
    )
  }
}

# The pooling of every coefficient: a matrix of levels, "mean" and the covariates by features.
# `pooling`: see resolve_pooling(). Slopes are named by feature or by covariate.
coefficient_pooling <- function(pooling, features, covariates, call) {
  names <- list(c("mean", covariates), features)
  out <- matrix("none", 1L + length(covariates), length(features), dimnames = names)
  out["mean", ] <- spread_levels(pooling[["mean"]], features, "mean", call)
  if (length(covariates) > 0L) {
    slope <- pooling[["slope"]]
    own <- if (all(setdiff(names(slope), "") %in% covariates)) covariates else features
    levels <- spread_levels(slope, own, "slope", call)
    out[-1L, ] <- if (identical(own, covariates)) levels else rep(levels, each = length(covariates))
  }
  out
}

spread_levels <- function(levels, names, block, call) {
  given <- names(levels) %||% rep("", length(levels))
  unknown <- setdiff(given, c(names, ""))
  if (length(unknown) > 0L) {
    abort_pooling(
      "Of {.val {block}} there is no {.val {unknown}}; there are {.val {names}}.", call
    )
  }
  rest <- unname(levels[!nzchar(given)])
  absent <- setdiff(names, given)
  if (length(rest) == 0L && length(absent) > 0L) {
    abort_pooling(
      "Of {.val {block}} nothing is said about {.val {absent}}: a value without a name is for the
      rest.",
      call
    )
  }
  out <- stats::setNames(rep(c(rest, "none")[[1L]], length(names)), names)
  out[given[nzchar(given)]] <- levels[nzchar(given)]
  unname(out)
}

# "mixed" where they differ.
common_level <- function(levels) if (all(levels == levels[[1L]])) levels[[1L]] else "mixed"

fill_blocks <- function(pooling, call) {
  unknown <- setdiff(names(pooling), pooling_blocks)
  if (length(unknown) > 0L) {
    abort_pooling("There is no block {.val {unknown}}.", call)
  }
  twice <- unique(names(pooling)[duplicated(names(pooling))])
  if (length(twice) > 0L) {
    abort_pooling("Block {.val {twice}} is named twice.", call)
  }
  blocks <- stats::setNames(rep("none", length(pooling_blocks)), pooling_blocks)
  blocks[names(pooling)] <- pooling
  blocks
}

abort_pooling <- function(problem, call, .envir = parent.frame()) {
  abort_hmvn(
    c(
      paste(
        "{.arg pooling} must be one of {.val {pooling_levels}},",
        "or name the blocks {.val {pooling_blocks}}."
      ),
      x = problem,
      i = paste(
        "For example {.code pooling = c(mean = \"partial\", cor = \"complete\")};",
        "a block not named is {.val none}."
      )
    ),
    "pooling", argument = "pooling", call = call, .envir = .envir
  )
}
