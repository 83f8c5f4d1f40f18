# Patterns of observed features in nests, each with one Cholesky factor.

# One group of the given patterns (strings of 0 and 1), so many rows of each.
rows_of <- function(patterns, n = rep(1, length(patterns)), seed = 1) {
  K <- nchar(patterns[1])
  observed <- do.call(rbind, strsplit(rep(patterns, n), "")) == "1"
  set.seed(seed)
  y <- matrix(rnorm(length(observed)), ncol = K, dimnames = list(NULL, paste0("y", seq_len(K))))
  y[!observed] <- NA
  data.frame(g = "a", y)
}

case_of <- function(data) {
  case <- core_case(sum(grepl("^y", names(data))), sizes = 1)
  case$data <- data
  case$statistics <- core_statistics(data)
  case
}

nests_of <- function(data) {
  case <- case_of(data)
  inspect_nests_(case$statistics$patterns, 1L, case$core)[[1]]
}

test_that("rows that drop out make one nest, whatever the order of features", {
  data <- rows_of(c("01011", "01000", "11111", "01010", "11011"), n = 1:5)
  nests <- nests_of(data)
  expect_length(nests, 1)
  expect_equal(nests[[1]]$places, c(2, 4, 5, 1, 3))
  expect_equal(nests[[1]]$n, c(15, 13, 9, 8, 3))
})

test_that("there are as few nests as there can be", {
  for (K in 2:6) {
    all <- apply(expand.grid(rep(list(0:1), K))[-1, ], 1, paste, collapse = "")
    expect_length(nests_of(rows_of(all)), choose(K, K %/% 2)) # Dilworth, Sperner
  }
  # "1100" taken into the nest of "1110", the smallest that holds it, would leave two alone
  expect_length(nests_of(rows_of(c("1101", "1110", "1100", "0110"))), 2)
})

test_that("every row is in one nest, and all that it observes", {
  for (seed in 1:5) {
    set.seed(seed)
    patterns <- unique(replicate(40, paste(rbinom(6, 1, 0.6), collapse = "")))
    patterns <- setdiff(patterns, "000000")
    n <- sample(3, length(patterns), TRUE)
    nests <- nests_of(rows_of(patterns, n))
    cells <- numeric(6)
    for (nest in nests) {
      expect_false(is.unsorted(rev(nest$n)))
      cells[nest$places] <- cells[nest$places] + nest$n
    }
    observed <- do.call(rbind, strsplit(rep(patterns, n), "")) == "1"
    expect_equal(cells, colSums(observed))
  }
})

# (M1) of a group's rows, its mean integrated out, in plain R.
plain_density <- function(y, Sigma, location, variance) {
  observed <- !is.na(y)
  at <- which(t(observed), arr.ind = TRUE)
  same_row <- outer(at[, 2], at[, 2], "==")
  covariance <- Sigma[at[, 1], at[, 1]] * same_row + variance[at[, 1], at[, 1]]
  delta <- t(y)[t(observed)] - location[at[, 1]]
  -0.5 * as.vector(determinant(2 * pi * covariance)$modulus) -
    0.5 * sum(delta * solve(covariance, delta))
}

test_that("the density of nested rows is that of all cells at once, for every size", {
  for (K in c(2:10, 13)) {
    drop <- vapply(seq_len(K), function(k) strrep("1", k), "")
    drop <- paste0(drop, strrep("0", K - seq_len(K)))
    set.seed(K)
    order <- sample(K)
    scattered <- replicate(3, paste(rbinom(K, 1, 0.5), collapse = ""))
    patterns <- setdiff(unique(c(drop, scattered)), strrep("0", K))
    data <- rows_of(patterns, sample(2, length(patterns), TRUE), seed = K)
    data[-1] <- data[1 + order]
    case <- case_of(data)
    location <- rnorm(K)
    factor <- t(chol(crossprod(matrix(rnorm(K * (K + 3)), ncol = K)) / K))
    found <- inspect_likelihood_(case$statistics$patterns, 1L, location, factor)[[1]]
    seen <- colSums(!is.na(data[-1])) > 0
    variance <- diag(2, K)
    spread <- (found$spread + variance)[seen, seen]
    ours <- found$within - 0.5 * as.vector(determinant(2 * pi * spread)$modulus) -
      0.5 * sum(found$estimate[seen] * solve(spread, found$estimate[seen]))
    plain <- plain_density(as.matrix(data[-1]), tcrossprod(factor), location, variance)
    expect_equal(ours, plain, tolerance = 1e-11)
  }
})

# (M1') of a group's rows, its coefficients integrated out, in plain R: all cells and the prior of
# the coefficients as one least-squares problem. Z: [1, covariates] of rows; `location` and `scale`
# of coefficients, [feature, 1 + covariate].
regression_density <- function(y, Z, Sigma, location, scale) {
  K <- ncol(y)
  whitened <- lapply(seq_len(nrow(y)), function(i) {
    seen <- !is.na(y[i, ])
    design <- kronecker(Z[i, , drop = FALSE], diag(K))[seen, , drop = FALSE]
    L <- t(chol(Sigma[seen, seen, drop = FALSE]))
    left <- (y[i, ] - drop(location %*% Z[i, ]))[seen]
    list(system = forwardsolve(L, cbind(design, left)), log_root = sum(log(diag(L))))
  })
  system <- do.call(rbind, lapply(whitened, `[[`, "system"))
  n <- length(scale)
  by_prior <- diag(1 / as.vector(scale), n)
  triangle <- qr(rbind(system[, 1:n], by_prior), LAPACK = TRUE)
  squares <- sum(qr.qty(triangle, c(system[, n + 1], numeric(n)))[-(1:n)]^2)
  -0.5 * (nrow(system) * log(2 * pi) + squares) - sum(vapply(whitened, `[[`, 0, "log_root")) -
    sum(log(scale)) - sum(log(abs(diag(qr.R(triangle)))))
}

# Groups of rows that drop out, of scattered cells, of complete rows, and of fewer rows than
# coefficients.
covered_patterns <- function(K, n_coefficients) {
  drop <- vapply(seq_len(K), function(k) strrep("1", k), "")
  drop <- rep(paste0(drop, strrep("0", K - seq_len(K))), length.out = 4 * n_coefficients)
  scattered <- replicate(6 * K, paste(rbinom(K, 1, 0.6), collapse = ""))
  scattered <- setdiff(scattered, strrep("0", K))
  complete <- rep(strrep("1", K), 2 * n_coefficients)
  list(drop, scattered, complete, drop[1], scattered[1:2])
}

test_that("so it is with covariates, also far from 0 and from the prior location", {
  for (K in c(2:6, 9)) {
    for (C in 1:2) {
      set.seed(10 * K + C)
      patterns <- covered_patterns(K, 1 + C)
      data <- rows_of(unlist(patterns), seed = K)
      data$g <- paste0("g", rep(seq_along(patterns), lengths(patterns)))
      data[-1] <- data[1 + sample(K)]
      x <- matrix(rnorm(nrow(data) * C, sd = 3), ncol = C) + as.integer(factor(data$g))
      colnames(x) <- paste0("x", seq_len(C))
      case <- core_case(K, sizes = 1, C = C)
      factor <- t(chol(crossprod(matrix(rnorm(K * (K + 3)), ncol = K)) / K))
      Z <- cbind(1, sweep(x, 2, colMeans(x)))
      expect_plain_density <- function(from_zero, from_location, tolerance) {
        far <- (from_zero + from_location) * seq_len(K)
        y <- sweep(as.matrix(data[-1]), 2, far, `+`)
        core <- case$core
        core$location <- core$location + c(from_zero * seq_len(K), numeric(K * C))
        core$scale <- core$scale + from_location
        statistics <- core_statistics(data.frame(g = data$g, y, x))
        found <- inspect_regression_(statistics$patterns, length(patterns), core, factor)
        plain <- vapply(split(seq_len(nrow(y)), data$g), function(rows) {
          regression_density(
            y[rows, , drop = FALSE], Z[rows, , drop = FALSE], tcrossprod(factor),
            matrix(core$location, K), matrix(core$scale, K)
          )
        }, 0)
        expect_equal(found, unname(plain), tolerance = tolerance)
      }
      expect_plain_density(0, 0, 1e-11)
      expect_plain_density(1e6, 0, 1e-8)
      expect_plain_density(0, 1e3, 1e-8)
    }
  }
})
