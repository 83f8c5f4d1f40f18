# The stored draws of some groups, wherever they are: in memory or in files.

# internal -----------------------------------------------------------------

# Draws of `groups` and where theirs are: list(values = [iteration, chain, index], at: positions of
# the groups among those of `values`). All that are in memory are given as they are, of files what
# these groups have.
stored_of <- function(fit, part, groups) {
  draws <- stored(fit, part)
  if (!is_filed(draws)) {
    return(list(values = draws, at = stored_groups(fit, part, groups)))
  }
  own <- unique(groups)
  list(values = read_filed(draws, own), at = match(groups, own))
}

# The numbers that a group has of a part
part_size <- function(fit, part) {
  k <- n_features(fit)
  switch(part, mean = k, chol = k * (k + 1) / 2, slope = k * n_covariates(fit))
}

# A part of `groups`, [iteration, chain, entry], group after group; of all iterations, or some.
part_draws <- function(fit, part, groups, iterations = TRUE) {
  found <- stored_of(fit, part, groups)
  found$values[iterations, , entries_of(found$at, part_size(fit, part)), drop = FALSE]
}

# Packed Cholesky factors of the covariance matrices of `groups`, [iteration, chain, entry].
chol_draws <- function(fit, groups, iterations = TRUE) part_draws(fit, "chol", groups, iterations)
