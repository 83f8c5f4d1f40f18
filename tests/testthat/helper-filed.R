# Fits whose draws are in files.

new_folder <- function() tempfile("draws-")
filed_fit <- function(..., folder = new_folder()) short_fit(..., draws_dir = folder)
draws_files <- function(folder) list.files(folder, "^draws-", full.names = TRUE)
by_group_data <- function(n_groups, rows = 8) {
  set.seed(4)
  data.frame(
    g = rep(seq_len(n_groups), each = rows), x = rnorm(n_groups * rows),
    y = rnorm(n_groups * rows), w = rnorm(n_groups * rows)
  )
}
expect_same_draws <- function(filed, whole) {
  for (name in c("mu", "sigma", "Omega", "Sigma")) {
    expect_identical(quantity(filed, name), quantity(whole, name))
    expect_identical(quantity(filed, name, 2L), quantity(whole, name, 2L))
  }
  same <- c("sampler", "warnings", "statistics")
  expect_identical(filed[same], whole[same])
  expect_identical(filed$draws$lp, whole$draws$lp)
}
