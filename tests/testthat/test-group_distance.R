# By eigenvalues and traces, for any two Normals.
distances_by_hand <- function(m1, S1, m2, S2) {
  log_of <- function(S) {
    e <- eigen(S, symmetric = TRUE)
    e$vectors %*% diag(log(e$values), nrow(S)) %*% t(e$vectors)
  }
  d <- m2 - m1
  K <- length(d)
  middle <- (S1 + S2) / 2
  kl <- function(mp, Sp, mq, Sq) {
    (sum(diag(solve(Sq, Sp))) - K + sum((mq - mp) * solve(Sq, mq - mp)) +
      log(det(Sq) / det(Sp))) / 2
  }
  c(
    log_euclidean = sqrt(sum((log_of(S1) - log_of(S2))^2)),
    affine_invariant = sqrt(sum(log(eigen(solve(S1, S2))$values)^2)),
    bhattacharyya = sum(d * solve(middle, d)) / 8 +
      log(det(middle) / sqrt(det(S1) * det(S2))) / 2,
    jeffreys = kl(m1, S1, m2, S2) + kl(m2, S2, m1, S1)
  )
}

test_that("distances between random Normals are those of the textbook", {
  for (K in c(1, 2, 5)) {
    for (seed in 1:3) {
      random <- with_fixed_seed(seed, list(
        mu = list(rnorm(K), rnorm(K)),
        Sigma = lapply(1:2, function(i) crossprod(matrix(rnorm(K * (K + 2)), K + 2, K)))
      ))
      fit <- known_fit(random$mu, random$Sigma)
      by_hand <- distances_by_hand(
        random$mu[[1]], random$Sigma[[1]], random$mu[[2]], random$Sigma[[2]]
      )
      for (measure in names(by_hand)) {
        found <- group_distance(fit, measure = measure)
        expect_equal(one(found), c(0, by_hand[[measure]], by_hand[[measure]], 0),
          tolerance = 1e-10, label = measure)
        expect_equal(one(group_distance(fit, "B", measure)), c(by_hand[[measure]], 0),
          tolerance = 1e-10)
      }
    }
  }
})

test_that("distances have their closed forms and are the integrals they stand for", {
  # diagonal matrices: both distances of matrices are those of log variances
  fit <- known_fit(list(c(0, 0), c(0, 0)), list(diag(c(1, 4)), diag(c(exp(2), 4 * exp(-1)))))
  for (measure in c("log_euclidean", "affine_invariant")) {
    expect_equal(one(group_distance(fit, "A", measure)), c(0, sqrt(4 + 1)))
  }
  # one feature, by numerical integration
  fit <- known_fit(list(0, 1), list(matrix(1), matrix(4)))
  p <- function(x) dnorm(x, 0, 1)
  q <- function(x) dnorm(x, 1, 2)
  overlap <- integrate(function(x) sqrt(p(x) * q(x)), -40, 40, rel.tol = 1e-10)$value
  expect_equal(one(group_distance(fit, "A", "bhattacharyya"))[2], -log(overlap))
  both <- integrate(function(x) {
    (p(x) - q(x)) * (dnorm(x, 0, 1, log = TRUE) - dnorm(x, 1, 2, log = TRUE))
  }, -40, 40, rel.tol = 1e-10)$value
  expect_equal(one(group_distance(fit, "A", "jeffreys"))[2], both)
})

test_that("units matter to one distance only", {
  S <- list(matrix(c(2, 1, 1, 3), 2), matrix(c(1, -0.4, -0.4, 1), 2))
  mu <- list(c(0, 1), c(1, 3))
  units <- diag(c(100, 0.1))
  plain <- known_fit(mu, S)
  scaled <- known_fit(lapply(mu, function(m) c(units %*% m)),
    lapply(S, function(S) units %*% S %*% units))
  for (measure in c("affine_invariant", "bhattacharyya", "jeffreys")) {
    expect_equal(one(group_distance(scaled, measure = measure)),
      one(group_distance(plain, measure = measure)))
  }
  expect_gt(abs(diff(c(
    one(group_distance(scaled, measure = "log_euclidean"))[2],
    one(group_distance(plain, measure = "log_euclidean"))[2]
  ))), 0.1)
})

test_that("nearly singular covariances keep their distance", {
  # correlations of 1 - 5e-13: sds along and across the line are 1.4 and 1e-6
  L <- rbind(c(1, 0), c(1, 1e-6))
  fit <- known_fit(list(c(0, 0), c(0, 0)), list(diag(2), diag(2)))
  fit$draws$chol[1, 1, ] <- c(1, 1, 1e-6, 1, 1, 2e-6)
  # L_a^-1 L_b = diag(1, 2)
  expect_equal(one(group_distance(fit, "A"))[2], 2 * log(2), tolerance = 1e-9)
})

test_that("every draw has its own distance, however many are worked out at once", {
  # 1, 16 or 37 draws: less than, as many as and more than go together
  for (n in c(1, 16, 37)) {
    for (K in c(1, 4, 12)) {
      laws <- with_fixed_seed(n, lapply(1:2, function(i) {
        list(
          mean = matrix(rnorm(n * K), n),
          chol = t(replicate(n, {
            upper <- chol(crossprod(matrix(rnorm(K * (K + 2)), K + 2)))
            upper[upper.tri(upper, diag = TRUE)]
          }))
        )
      }))
      if (K == 1) laws <- lapply(laws, function(law) lapply(law, matrix, n))
      found <- normal_distances_(
        laws[[1]]$mean, laws[[1]]$chol, laws[[2]]$mean, laws[[2]]$chol, 1L
      )
      by_hand <- vapply(seq_len(n), function(s) {
        of <- lapply(laws, function(law) {
          upper <- matrix(0, K, K)
          upper[upper.tri(upper, diag = TRUE)] <- law$chol[s, ]
          list(law$mean[s, ], crossprod(upper))
        })
        do.call(distances_by_hand, c(of[[1]], of[[2]]))[-1]
      }, double(3))
      expect_equal(found, t(by_hand), tolerance = 1e-7, ignore_attr = TRUE)
      swapped <- normal_distances_(
        laws[[2]]$mean, laws[[2]]$chol, laws[[1]]$mean, laws[[1]]$chol, 2L
      )
      expect_equal(swapped, found, tolerance = 1e-11)
    }
  }
})

test_that("a small singular value beside a large one is exact", {
  # of [a 0; c b]: their squares have the sum a^2 + b^2 + c^2, they have the product a b
  for (a in c(1e6, 1, 1e-6)) {
    for (b in c(1e5, 1, 1e-7)) {
      for (c in c(0, 1e-3 * a, 1, -100 * a)) {
        sum <- a^2 + b^2 + c^2
        larger <- sqrt((sum + sqrt(((a - b)^2 + c^2) * ((a + b)^2 + c^2))) / 2)
        none <- matrix(0, 1, 2)
        found <- normal_distances_(none, cbind(1, 0, 1), none, cbind(a, c, b), 1L)
        by_hand <- 2 * sqrt(log(larger)^2 + log(a * b / larger)^2)
        expect_lt(abs(found[1] - by_hand), 1e-14 * (1 + by_hand))
      }
    }
  }
})

test_that("volumes are those of circles, balls and intervals", {
  r2 <- qchisq(0.9, 2)
  fit <- known_fit(list(c(0, 0), c(0, 0)), list(diag(2), diag(c(4, 9))))
  expect_equal(one(group_volume(fit, level = 0.9)), pi * r2 * c(1, 6))
  expect_equal(one(group_volume(fit, "B", level = 0.9)), pi * r2 * 6)
  fit <- known_fit(list(0), list(matrix(4)))
  expect_equal(one(group_volume(fit)), 2 * 2 * qnorm(0.975))
  fit <- known_fit(list(rep(0, 3)), list(diag(3)))
  expect_equal(one(group_volume(fit)), 4 / 3 * pi * qchisq(0.95, 3)^1.5)
})

test_that("the typical group is that of the population's draws", {
  fit <- fake_fit(G = 3, K = 2, pooling = "partial", iter = 10)
  population <- as_draws_rvars(fit, c("mu0", "Sigma0"))
  by_hand <- vapply(1:40, function(s) {
    distances_by_hand(
      posterior::draws_of(group_mean(fit))[s, 2, ],
      posterior::draws_of(group_cov(fit))[s, 2, , ],
      posterior::draws_of(population$mu0)[s, ], posterior::draws_of(population$Sigma0)[s, , ]
    )[["jeffreys"]]
  }, 0)
  found <- group_distance(fit, "typical", "jeffreys")
  expect_equal(posterior::draws_of(found)[, 2], by_hand, ignore_attr = TRUE)
  expect_identical(posterior::nchains(found), 4L)
  expect_identical(dimnames(found), list(c("A", "B", "C")))
  error <- expect_error(
    group_distance(fake_fit(pooling = c(mean = "partial")), "typical"),
    class = "hmvn_error_no_meaning"
  )
  expect_identical(error$generic, "group_distance")
  # a group that is called so is the one that is meant
  named <- fake_fit(labels = c("typical", "B"))
  expect_equal(one(group_distance(named, "typical")[1]), rep(0, 400))
})

test_that("what cannot be asked for is refused", {
  fit <- fake_fit()
  expect_error(group_distance(fit, "Z"), class = "hmvn_error_group")
  expect_error(group_distance(fit, measure = "euclid"), class = "hmvn_error_argument")
  expect_error(group_volume(fit, level = 95), class = "hmvn_error_argument")
  expect_error(group_volume(without(fit, "chol")), class = "hmvn_error_keep")
  expect_error(group_distance(1), class = "hmvn_error_fit")
  expect_identical(posterior::ndraws(group_distance(fit, ndraws = 7)), 7L)
  expect_identical(group_distance(fit, cores = 2), group_distance(fit))
})

test_that("distances of covariance matrices need no means, and only one their logarithms", {
  fit <- fake_fit(G = 3)
  Sigma <- without(fit, "mean")
  for (measure in c("affine_invariant", "log_euclidean")) {
    calls <- count_calls("log_covariances_", {
      found <- group_distance(Sigma, measure = measure)
    })
    expect_identical(unname(calls), if (measure == "log_euclidean") 3L else 0L)
    expect_identical(found, group_distance(fit, measure = measure))
  }
  partial <- fake_fit(G = 3, pooling = "partial")
  expect_identical(
    group_distance(without(partial, "mean"), to = "typical"), group_distance(partial, "typical")
  )
  for (measure in c("bhattacharyya", "jeffreys")) {
    expect_error(group_distance(Sigma, measure = measure), class = "hmvn_error_keep")
  }
  expect_error(group_distance(fit, cores = NA), class = "hmvn_error_argument")
})
