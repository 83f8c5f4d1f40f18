# What the user says about pooling: for each block of quantities (means, standard
# deviations, correlations) whether groups have their own, share a population, or
# have one in common.

# internal -----------------------------------------------------------------

pooling_blocks <- c("mean", "sd", "cor")
pooling_levels <- c("none", "partial", "complete")

# One string for all blocks or a vector or list named by block -> c(mean =, sd =, cor =).
resolve_pooling <- function(pooling, call = NULL) {
  if (is.list(pooling) && !is.object(pooling)) {
    single <- vapply(pooling, function(x) is.character(x) && length(x) == 1L, logical(1))
    if (all(single)) {
      pooling <- unlist(pooling)
    }
  }
  if (!is.character(pooling) || length(pooling) == 0L) {
    abort_pooling("It is {found}.", describe_value(pooling), call)
  }
  wrong <- pooling[is.na(pooling) | !pooling %in% pooling_levels]
  if (length(wrong) > 0L) {
    near <- suggest_name(wrong[[1L]], pooling_levels)
    hint <- if (length(near)) c(i = "Did you mean {.val {near}}?")
    abort_hmvn(
      c(
        "{.arg pooling} must be {.or {.val {pooling_levels}}}, for all blocks or by block.",
        x = "It contains {.val {wrong}}.", hint
      ),
      "pooling", argument = "pooling", call = call
    )
  }
  if (is.null(names(pooling))) {
    if (length(pooling) != 1L) {
      abort_pooling("It has {found} values without names.", length(pooling), call)
    }
    return(stats::setNames(rep(pooling, 3L), pooling_blocks))
  }
  fill_blocks(pooling, call)
}

fill_blocks <- function(pooling, call) {
  unknown <- setdiff(names(pooling), pooling_blocks)
  if (length(unknown) > 0L) {
    abort_pooling("There is no block {.val {found}}.", unknown, call)
  }
  if (anyDuplicated(names(pooling))) {
    abort_pooling("Block {.val {found}} is named twice.", names(pooling)[duplicated(names(pooling))], call)
  }
  blocks <- stats::setNames(rep("none", 3L), pooling_blocks)
  blocks[names(pooling)] <- pooling
  blocks
}

# `problem` is cli text that may refer to {found}.
abort_pooling <- function(problem, found, call) {
  abort_hmvn(
    c(
      "{.arg pooling} must be one of {.val {pooling_levels}}, or name the blocks {.val {pooling_blocks}}.",
      x = problem,
      i = "For example {.code pooling = c(mean = \"partial\", cor = \"complete\")}; a block not named is {.val none}."
    ),
    "pooling", argument = "pooling", call = call
  )
}
