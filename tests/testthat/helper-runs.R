# Data for runs that are stopped, gone on with, or done by others.

iris_with_holes <- function() {
  holes <- iris
  holes[c(3, 60, 120), 2] <- NA
  holes
}

# More units than one slice has, some with missing cells.
many_small_groups <- function() {
  set.seed(3)
  many <- data.frame(g = rep(1:70, each = 7), x = rnorm(490), y = rnorm(490))
  many$x[many$g > 60 & runif(490) < 0.3] <- NA
  many
}
