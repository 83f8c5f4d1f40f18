# Slopes on covariates (M1'), (P4), integrated out with the means

poolings <- list(
  c(mean = "none", sd = "none", cor = "none", slope = "none"),
  c(mean = "partial", sd = "partial", cor = "partial", slope = "partial"),
  c(mean = "complete", sd = "complete", cor = "complete", slope = "complete"),
  c(mean = "partial", sd = "none", cor = "complete", slope = "none"),
  c(mean = "none", sd = "complete", cor = "partial", slope = "complete"),
  c(mean = "complete", sd = "partial", cor = "none", slope = "partial")
)

every_case <- function(K, C, use, sizes = c(2, C + 3, 5 * C + 10)) {
  for (missing in c(0, 0.25)) {
    for (pooling in poolings) {
      use(core_case(K, sizes, pooling = pooling, missing = missing, between_eta = 1.5, C = C))
    }
  }
}

test_that("gradients agree with long-double differences", {
  every_case(3, 2, function(case) expect_right_gradient(case, 6))
  for (K in c(1, 2, 4:9)) {
    case <- core_case(K, c(3, 8, 20), pooling = "partial", missing = 0.2, between_eta = 1.5, C = 1)
    expect_right_gradient(case, 2)
  }
})

test_that("so they do in a frame, and with fewer rows of a group than coefficients", {
  set.seed(1)
  root <- crossprod(matrix(rnorm(9), 3)) / 3 + diag(3)
  every_case(3, 2, function(case) {
    case$core$frame <- root
    expect_right_gradient(case, 3)
  })
  every_case(2, 4, function(case) expect_right_gradient(case, 3), sizes = c(1, 2, 3, 30))
})

# Groups whose rows are complete, drop out, lack cells here and there, and one of fewer rows than
# coefficients.
dropping_case <- function(K, C, pooling) {
  case <- core_case(K, c(12, 20, 20, 2), pooling = pooling, between_eta = 1.5, C = C)
  y <- as.matrix(case$data[paste0("y", seq_len(K))])
  group <- match(case$data$g, unique(case$data$g))
  last <- sample(K, nrow(y), TRUE)
  order <- sample(K)
  drops <- order[col(y)] > last[row(y)]
  lacks <- matrix(runif(length(y)) < 0.4, nrow(y)) & order[col(y)] > 1
  y[(group %in% c(2, 4) & drops) | (group == 3 & lacks)] <- NA
  case$data[paste0("y", seq_len(K))] <- y
  case$statistics <- core_statistics(case$data)
  case
}

test_that("gradients and densities are right where rows drop out, or lack cells here and there", {
  set.seed(1)
  for (K in c(2:6, 9)) {
    for (pooling in c("none", "partial")) {
      case <- dropping_case(K, if (K > 4) 1 else 2, pooling)
      expect_right_gradient(case, 2)
      expect_density_in_r(case, 2)
    }
  }
})

test_that("lp__ is the log joint density written out in plain R", {
  for (C in c(1, 3)) {
    every_case(3, C, function(case) expect_density_in_r(case, 2))
  }
})

test_that("a covariate that does not vary changes nothing but its slope's prior", {
  # the law of the means computed in two ways: with a slope that nothing is known of, and without
  one_covariance <- c(sd = "complete", cor = "complete", slope = "none")
  for (missing in c(0, 0.25)) {
    for (pooling in c(poolings, list(
      c(mean = "none", one_covariance), c(mean = "partial", one_covariance)
    ))) {
      case <- core_case(3, c(2, 6, 20), pooling = pooling, missing = missing, between_eta = 1.5)
      with <- case
      with$core$coefficient_pooling <- rep(pooling[c("mean", "slope")], c(3, 3))
      with$core$coefficient_pooling[4:6] <- "none"
      with$core$location <- c(case$core$location, 0, 0, 0)
      with$core$scale <- c(case$core$scale, 1, 1, 1)
      with$statistics$patterns$covariate_mean <- matrix(0, 1, length(case$statistics$patterns$n))
      n <- length(case$statistics$patterns$n)
      with$statistics$patterns$covariate_scatter <- array(0, c(1, 1, n))
      with$statistics$patterns$cross <- array(0, c(1, 3, n))
      set.seed(2)
      positions <- random_positions(case, 4, 1)
      density <- function(case) {
        inspect_density_(case$statistics$patterns, 3, case$core, positions)
      }
      a <- density(case)
      b <- density(with)
      # the reference, from which the coordinates are made, differs: densities are compared where
      # both have the same coordinates, which is so without own scores
      if (pooling[["sd"]] == "complete" && pooling[["cor"]] == "complete") {
        expect_equal(a$log_density, b$log_density, tolerance = 1e-8)
      }
      draws <- function(case) {
        inspect_draws_(case$statistics$patterns, 3, case$core, positions, 1)
      }
      for (draw in draws(with)) {
        prior <- sum(dnorm(draw$slope, log = TRUE))
        draw$slope <- matrix(0, 0, 3)
        draw$slope0 <- numeric()
        expect_equal(
          draw$log_prior - prior, r_log_prior(case$model, as_r_draw(draw, case)), tolerance = 1e-8
        )
      }
    }
  }
})

test_that("coefficients given the rest have their exact law, also of groups with few rows", {
  # At one position covariance matrices, h and R_b are fixed; all groups' coefficients are then
  # normal, here by conditioning one large normal vector on the rows.
  case <- core_case(2, c(1, 2, 6), pooling = "partial", missing = 0.2, between_eta = 1.5, C = 1)
  set.seed(3)
  position <- random_positions(case, 1, 1)
  n <- 4000
  draws <- inspect_draws_(
    case$statistics$patterns, 3, case$core, matrix(position, length(position), n), 1
  )
  # a group's coefficients: means of both features, then both slopes
  found <- t(vapply(draws, function(d) as.vector(rbind(d$mean, d$slope)), numeric(12)))
  one <- draws[[1]]
  s <- case$core$scale
  h <- c(one$h_mean, one$h_slope)
  correlated <- diag(4)
  correlated[1:2, 1:2] <- tcrossprod(one$between)
  own <- diag(s * h) %*% correlated %*% diag(s * h)
  common <- diag(s^2 * (1 - h^2))
  prior <- kronecker(diag(3), own) + kronecker(matrix(1, 3, 3), common)
  center <- rep(case$core$location, 3)
  x <- case$data$x1 - mean(case$data$x1)
  rows <- lapply(seq_len(nrow(case$data)), function(i) {
    g <- as.integer(substr(case$data$g[[i]], 2, 3))
    design <- matrix(0, 2, 12)
    design[, 4 * (g - 1) + 1:4] <- cbind(diag(2), x[[i]] * diag(2))
    y <- unlist(case$data[i, c("y1", "y2")])
    seen <- !is.na(y)
    noise <- tcrossprod(unpack_factor(one$chol[, g]))
    list(design = design[seen, , drop = FALSE], y = y[seen], noise = noise[seen, seen])
  })
  design <- do.call(rbind, lapply(rows, `[[`, "design"))
  y <- unlist(lapply(rows, `[[`, "y"))
  noise <- matrix(0, length(y), length(y))
  ends <- cumsum(vapply(rows, function(row) length(row$y), 0L))
  for (i in seq_along(rows)) {
    at <- seq(to = ends[[i]], length.out = length(rows[[i]]$y))
    noise[at, at] <- rows[[i]]$noise
  }
  gain <- prior %*% t(design) %*% solve(design %*% prior %*% t(design) + noise)
  expected <- center + drop(gain %*% (y - design %*% center))
  covariance <- prior - gain %*% design %*% prior
  expect_normal(found, expected, covariance)
})
