# What functions share that draw something new from a fit: its rows, which of its draws, and a seed.

# internal -----------------------------------------------------------------

# The rows of a fit, those that were fitted. `what`: a text without variables of what asks for them,
# the beginning of a sentence.
require_rows <- function(fit, what, call = NULL) {
  if (!is.null(fit$data)) {
    if (!rows_fit_together(fit$data)) abort_invalid("parts of `data` contradict each other", call)
    return(invisible(check_unchanged(fit$data, what, call)))
  }
  kept <- isTRUE(fit$control$keep_data)
  abort_hmvn(
    c(
      paste(what, "needs the rows of the data."),
      x = if (!kept) {
        "The fit was made with {.code keep_data = FALSE}."
      } else {
        "The fit was made from statistics."
      },
      i = "Fit to the rows: {.code update(fit, data = , keep_data = TRUE)}."
    ),
    "rows", call = call
  )
}

# Is every row's group among those that have a label, and has every column a name of its own?
rows_fit_together <- function(data) {
  # 1 beside them, as there may be no rows
  ends <- range(data$codes, 1L)
  weights <- data$weight_column
  named <- if (is.null(data$weights)) is.null(weights) else are_names(weights)
  names <- c(
    names(data$keys), data$features, names(data$covariate_columns), if (named) weights
  )
  !anyNA(ends) && ends[[1L]] >= 1L && ends[[2L]] <= length(data$labels) && named &&
    length(weights) <= 1L && anyDuplicated(names) == 0L
}

# Positions of `ndraws` draws spread evenly over all of them (chain after chain); NULL: all.
choose_draws <- function(fit, ndraws, call = NULL) {
  total <- n_draws(fit)
  if (is.null(ndraws)) {
    return(seq_len(total))
  }
  ndraws <- check_count(ndraws, "ndraws", min = 1, max = total, call = call)
  as.integer(round(seq(1, total, length.out = ndraws)))
}

# A given seed leaves R's random numbers alone; NULL takes one from them.
choose_seed <- function(seed, call = NULL) {
  if (is.null(seed)) {
    return(as.double(sample.int(.Machine$integer.max, 1L)))
  }
  check_count(seed, "seed", min = 0, max = 2^53, call = call)
}

# Evaluates `code` with R's random numbers from `seed` on and leaves them as they were.
with_seed <- function(seed, code) {
  old <- get0(".Random.seed", globalenv(), inherits = FALSE)
  on.exit(
    if (is.null(old)) {
      rm(".Random.seed", envir = globalenv())
    } else {
      assign(".Random.seed", old, globalenv())
    }
  )
  set.seed(seed %% .Machine$integer.max)
  force(code)
}

# An array [iteration, chain, index] as a matrix [draw, index], the draws `chosen`; NULL stays NULL.
draw_matrix <- function(values, chosen) {
  if (is.null(values)) {
    return(NULL)
  }
  size <- dim(values)
  dim(values) <- c(size[[1L]] * size[[2L]], size[[3L]])
  if (length(chosen) == nrow(values)) values else values[chosen, , drop = FALSE]
}
