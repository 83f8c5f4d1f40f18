# What the user says about pooling: for each block of quantities (means, standard deviations,
# correlations, slopes on covariates) whether groups have their own, share a population, or have one
# in common.

# internal -----------------------------------------------------------------

pooling_blocks <- c("mean", "sd", "cor", "slope")
pooling_levels <- c("none", "partial", "complete")

# One string for all blocks or a vector or list named by block -> c(mean =, sd =, cor =, slope =).
resolve_pooling <- function(pooling, call = NULL) {
  if (is.list(pooling) && !is.object(pooling)) {
    single <- vapply(pooling, function(x) is.character(x) && length(x) == 1L, logical(1))
    if (all(single)) {
      pooling <- unlist(pooling)
    }
  }
  if (!is.character(pooling) || length(pooling) == 0L) {
    found <- describe_value(pooling)
    abort_pooling("It is {found}.", call)
  }
  wrong <- pooling[is.na(pooling) | !pooling %in% pooling_levels]
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
  if (is.null(names(pooling))) {
    if (length(pooling) != 1L) {
      n <- length(pooling)
      abort_pooling("It has {n} values without names.", call)
    }
    return(stats::setNames(rep(pooling, length(pooling_blocks)), pooling_blocks))
  }
  fill_blocks(pooling, call)
}

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
