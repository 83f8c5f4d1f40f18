# What a Stan program says of a block of coefficients, means or slopes, that are pooled by feature
# or by covariate: the common ones once, the others by group. Slopes are in the order of
# to_vector().

# internal -----------------------------------------------------------------

# How a block is written: names of what belongs to it, and its length.
stan_block_words <- function(block) {
  switch(block,
    mean = list(
      name = "mu", location = "mean_location", scale = "mean_scale", size = "K", center = "mu0",
      spread = "tau"
    ),
    slope = list(
      name = "beta", location = "to_vector(slope_location)", scale = "to_vector(slope_scale)",
      size = "C * K", center = "center_slope", spread = "spread_slope"
    )
  )
}

is_mixed <- function(model, block) isTRUE(model$pooling[block] == "mixed")

# The positions that the program refers to by name: of those in common, of a group's own, and of
# these of the partially pooled and of the unpooled.
stan_mixed_positions <- function(model, block) {
  levels <- unname(model$levels[[block]])
  positions <- list(
    complete = which(levels == "complete"), own = which(levels != "complete"),
    partial = which(levels == "partial"),
    none = if (block == "mean" && model$between) which(levels == "none")
  )
  positions <- Filter(length, positions)
  stats::setNames(positions, paste0(block, "_", names(positions)))
}

stan_mixed_data <- function(model, block) {
  size <- stan_block_words(block)$size
  positions <- stan_mixed_positions(model, block)
  what <- c(
    complete = "in common to all groups", own = "a group's own", partial = "partially pooled",
    none = "unpooled"
  )[sub(".*_", "", names(positions))]
  declarations(rbind(
    paste0(
      "array[", lengths(positions), "] int<lower=1, upper=", size, "> ", names(positions), ";"
    ),
    paste("positions of those", what)
  ))
}

stan_mixed_parameters <- function(model, block) {
  words <- stan_block_words(block)
  n <- lengths(stan_mixed_positions(model, block))
  of <- function(level) n[[paste0(block, "_", level)]]
  has <- function(level) paste0(block, "_", level) %in% names(n)
  declarations(
    if (has("complete")) c(
      paste0("vector[", of("complete"), "] ", words$name, "_complete;"), "in common to all groups"
    ),
    if (has("partial")) c(
      paste0("vector[", of("partial"), "] u0_", block, ";"), "population scores of (S4)"
    ),
    paste0("array[G] vector[", of("own"), "] ", words$name, "_own;"), "a group's own"
  )
}

# (S4) with h = 1 where a coefficient is unpooled, 0 where it is in common.
stan_mixed_transformed <- function(model, block) {
  words <- stan_block_words(block)
  positions <- stan_mixed_positions(model, block)
  has <- function(level) paste0(block, "_", level) %in% names(positions)
  at <- function(x, level) paste0(x, "[", block, "_", level, "]")
  h <- paste0("h_", block)
  vector <- paste0("vector[", words$size, "]")
  target <- if (block == "mean") "mu[g, " else "b["
  c(
    paste0(vector, " ", words$center, " = ", words$location, ";  // where groups scatter,"),
    paste0(vector, " ", words$spread, " = ", words$scale, ";  // and how much"),
    if (has("complete")) c(
      paste0(at(words$center, "complete"), " = ", words$name, "_complete;"),
      paste0(
        at(words$spread, "complete"), " = rep_vector(0, ",
        length(positions[[paste0(block, "_complete")]]), ");"
      )
    ),
    if (has("partial")) c(
      paste0(
        at(words$center, "partial"), " = ", at(words$location, "partial"), " + ",
        at(words$scale, "partial")
      ),
      paste0("    .* sqrt((1 - ", h, ") .* (1 + ", h, ")) .* u0_", block, ";"),
      paste0(at(words$spread, "partial"), " = ", at(words$scale, "partial"), " .* ", h, ";")
    ),
    if (block == "mean") "array[G] vector[K] mu;" else c(
      "matrix[C, K] beta0 = to_matrix(center_slope, C, K);",
      "matrix[C, K] tau_slope = to_matrix(spread_slope, C, K);", "array[G] matrix[C, K] beta;"
    ),
    "for (g in 1:G) {",
    if (block == "slope") "  vector[C * K] b;",
    if (has("complete")) paste0("  ", target, block, "_complete] = ", words$name, "_complete;"),
    paste0("  ", target, block, "_own] = ", words$name, "_own[g];"),
    if (block == "slope") "  beta[g] = to_matrix(b, C, K);",
    "}"
  )
}

stan_mixed_common_prior <- function(model, block) {
  words <- stan_block_words(block)
  if (!"complete" %in% model$levels[[block]]) {
    return(NULL)
  }
  at <- paste0("[", block, "_complete]")
  c(
    paste0("lprior += normal_lpdf(", words$name, "_complete | ", words$location, at, ","),
    paste0("                      ", words$scale, at, ");")
  )
}

# Of a group's own, in the loop over groups.
stan_mixed_group_prior <- function(model, block) {
  words <- stan_block_words(block)
  normal <- function(level) {
    at <- paste0("[", block, "_", level, "]")
    value <- if (level == "own") paste0(words$name, "_own[g]") else paste0("mu[g]", at)
    paste0(
      "lprior += normal_lpdf(", value, " | ", words$center, at, ", ", words$spread, at, ");"
    )
  }
  if (block != "mean" || !model$between) {
    return(normal("own"))
  }
  c(
    "lprior += multi_normal_cholesky_lpdf(mu[g][mean_partial] | mu0[mean_partial],",
    "                                     diag_pre_multiply(tau[mean_partial], L_between));",
    if ("none" %in% model$levels$mean) normal("none")
  )
}
