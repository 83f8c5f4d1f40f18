# What tests of the input side share.

with_options <- function(options, code) {
  old <- options(options)
  on.exit(options(old))
  force(code)
}

quietly <- function(code) suppressMessages(code, classes = "hmvn_message")

# Statistics of complete rows by definition, for comparison.
moments_by_hand <- function(y) {
  y <- as.matrix(y)
  centred <- sweep(y, 2, colMeans(y))
  list(n = nrow(y), mean = unname(colMeans(y)), scatter = unname(crossprod(centred)))
}

resolved_prior <- function(statistics, ...) resolve_prior(hmvn_prior(...), statistics)

pool <- function(mean = "none", sd = "none", cor = "none") c(mean = mean, sd = sd, cor = cor)
