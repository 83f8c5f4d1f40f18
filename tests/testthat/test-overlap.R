# Overlaps of two known Normals, [1, 2] and [2, 1]
overlaps <- function(mu, Sigma, measure, level = 0.95) {
  draws <- posterior::draws_of(group_overlap(known_fit(mu, Sigma), measure = measure,
    level = level))
  c(draws[1, 1, 2], draws[1, 2, 1])
}

turned <- function(angle, sds) {
  turn <- matrix(c(cos(angle), sin(angle), -sin(angle), cos(angle)), 2)
  turn %*% diag(sds^2) %*% t(turn)
}

test_that("circles overlap in a lens", {
  # radius r, centres d apart
  lens <- function(r, d) 2 * r^2 * acos(d / (2 * r)) - d / 2 * sqrt(4 * r^2 - d^2)
  r <- sqrt(qchisq(0.8, 2))
  for (d in c(1e-3, 0.5, 1, 2, 3)) {
    for (angle in c(0, 1, 4)) {
      mu <- list(c(3, -2), c(3 + d * cos(angle), -2 + d * sin(angle)))
      common <- lens(r, d)
      found <- overlaps(mu, list(diag(2), diag(2)), "union", 0.8)
      expect_equal(found, rep(common / (2 * pi * r^2 - common), 2), tolerance = 1e-7)
      expect_equal(overlaps(mu, list(diag(2), diag(2)), "area", 0.8),
        rep(common / (pi * r^2), 2), tolerance = 1e-7)
    }
  }
  # two different radii
  common <- function(a, b, d) {
    a^2 * acos((d^2 + a^2 - b^2) / (2 * d * a)) + b^2 * acos((d^2 + b^2 - a^2) / (2 * d * b)) -
      sqrt((-d + a + b) * (d + a - b) * (d - a + b) * (d + a + b)) / 2
  }
  area <- common(r, 2 * r, 3)
  found <- overlaps(list(c(0, 0), c(0, 3)), list(diag(2), 4 * diag(2)), "area", 0.8)
  expect_equal(found, area / (pi * r^2 * c(1, 4)), tolerance = 1e-7)
})

test_that("ellipses apart, one within another, the same, and crossing in four points", {
  far <- overlaps(list(c(0, 0), c(100, 3)), list(turned(1, c(1, 2)), turned(2, c(1, 3))), "union")
  expect_identical(far, c(0, 0))
  mu <- list(c(1, 2), c(1, 2))
  same <- turned(0.4, c(1, 2))
  expect_equal(overlaps(mu, list(same, same), "union"), c(1, 1), tolerance = 1e-7)
  expect_equal(overlaps(mu, list(same, 4 * same), "area"), c(1, 1 / 4), tolerance = 1e-7)
  expect_equal(overlaps(mu, list(diag(2), 4 * diag(2)), "union"), c(1, 1) / 4)
  # a cross of ellipses with axes a and b has 4 a b atan(b / a) in common
  crossed <- overlaps(mu, list(turned(0.3, c(3, 1)), turned(0.3 + pi / 2, c(3, 1))), "area")
  expect_equal(crossed, rep(4 * 3 * atan(1 / 3) / (3 * pi), 2), tolerance = 1e-7)
})

test_that("the common area of any two ellipses is that of a fine grid", {
  for (seed in 1:6) {
    random <- with_fixed_seed(seed, list(
      mu = list(c(0, 0), rnorm(2)),
      Sigma = list(turned(runif(1, 0, 3), c(1, runif(1, 0.2, 1))),
        turned(runif(1, 0, 3), c(1.5, runif(1, 0.2, 1))))
    ))
    r2 <- qchisq(0.9, 2)
    step <- 0.01
    grid <- as.matrix(expand.grid(seq(-5, 5, step), seq(-5, 5, step)))
    inside <- lapply(1:2, function(i) {
      mahalanobis(grid, random$mu[[i]], random$Sigma[[i]]) < r2
    })
    by_grid <- mean(inside[[1]] & inside[[2]]) / mean(inside[[1]] | inside[[2]])
    found <- overlaps(random$mu, random$Sigma, "union", 0.9)
    # cells along the edges, which the grid has right on average
    expect_equal(found, rep(by_grid, 2), tolerance = 2e-3, label = seed)
  }
})

test_that("the share of members within has its closed forms", {
  # about the same centre with c times the covariance: a chi-square
  for (K in c(1, 2)) {
    mu <- list(rep(0, K), rep(0, K))
    S <- if (K == 1) matrix(2) else turned(1, c(1, 0.1))
    found <- overlaps(mu, list(S, 9 * S), "within", 0.9)
    expect_equal(found, pchisq(qchisq(0.9, K) * c(9, 1 / 9), K), tolerance = 1e-10)
  }
  # circles: a non-central chi-square
  mu <- list(c(1, 1), c(2.5, 3))
  found <- overlaps(mu, list(4 * diag(2), diag(2)), "within", 0.7)
  expect_equal(found[1], pchisq(qchisq(0.7, 2) / 4, 2, ncp = (1.5^2 + 4) / 4), tolerance = 1e-10)
  expect_equal(found[2], pchisq(qchisq(0.7, 2) * 4, 2, ncp = 1.5^2 + 4), tolerance = 1e-10)
  # one feature
  ends <- c(-1, 1) * qnorm(0.975)
  found <- overlaps(list(0, 1), list(matrix(1), matrix(4)), "within")
  expect_equal(found, c(diff(pnorm(1 + 2 * ends)), diff(pnorm((ends - 1) / 2))))
  # nearly a line, and far away
  thin <- overlaps(list(c(0, 0), c(0, 0)), list(diag(c(1, 1e-10)), diag(2)), "within")
  expect_equal(thin[1], diff(pnorm(c(-1, 1) * sqrt(qchisq(0.95, 2)))), tolerance = 1e-6)
  expect_lt(overlaps(list(c(0, 0), c(60, 0)), list(diag(2), diag(2)), "within")[1], 1e-200)
})

test_that("of many features it is within some thousandths of its closed forms", {
  for (K in c(3, 5, 10)) {
    S <- with_fixed_seed(K, crossprod(matrix(rnorm(K * (K + 3)), K + 3)))
    mu <- list(rep(0, K), rep(0, K))
    found <- overlaps(mu, list(S, 2 * S), "within", 0.9)
    expect_lt(max(abs(found - pchisq(qchisq(0.9, K) * c(2, 1 / 2), K))), 0.01, label = K)
    shifted <- list(rep(0, K), c(1.5, rep(0, K - 1)))
    found <- overlaps(shifted, list(diag(K), diag(K)), "within", 0.9)
    expect_lt(max(abs(found - pchisq(qchisq(0.9, K), K, ncp = 1.5^2))), 0.01, label = K)
  }
  # the border's own checks
  fit <- known_fit(mu, list(S, S))
  law <- group_law(fit, 1L, 1L)
  expect_error(shares_within_(law$mean, law$chol, law$mean, law$chol, 1, matrix(0, 2, 4), 1L),
    "size of points")
})

test_that("some features are compared as if there were no others", {
  fit <- fake_fit(G = 3, K = 4, pooling = "partial", iter = 10)
  at <- c("x4", "x2")
  S <- posterior::draws_of(group_cov(fit))[, , at, at]
  chosen <- seq_len(40)
  law <- margin_law(group_law(fit, 2L, chosen), c(4L, 2L))
  expect_equal(law$chol[, 1]^2, S[, 2, 1, 1], ignore_attr = TRUE)
  expect_equal(law$chol[, 1] * law$chol[, 2], S[, 2, 1, 2], ignore_attr = TRUE)
  expect_equal(law$chol[, 2]^2 + law$chol[, 3]^2, S[, 2, 2, 2], ignore_attr = TRUE)
  expect_identical(law$mean, group_law(fit, 2L, chosen)$mean[, c(4, 2)])
  area <- pi * qchisq(0.95, 2) * sqrt(S[, , 1, 1] * S[, , 2, 2] - S[, , 1, 2]^2)
  expect_equal(posterior::draws_of(group_volume(fit, features = at)), area, ignore_attr = TRUE)
  expect_equal(group_distance(fit, features = at), group_distance(fit, features = rev(at)))
  expect_equal(group_distance(fit, to = "B", features = paste0("x", 1:4)),
    group_distance(fit, to = "B"))
  # the same as a fit of these features would say
  two <- fake_fit(G = 3, K = 2, pooling = "none", iter = 10)
  for (g in 1:3) {
    law <- margin_law(group_law(fit, g, chosen), c(4L, 2L))
    two$draws$chol[, , (g - 1) * 3 + 1:3] <- law$chol
    two$draws$mean[, , (g - 1) * 2 + 1:2] <- law$mean
  }
  same <- compare_groups(two, what = c("mean", "sd", "cor", "volume", "distance", "overlap"))
  found <- compare_groups(fit, what = c("mean", "sd", "cor", "volume", "distance", "overlap"),
    features = at)
  expect_equal(found[-(3:4)], same[-(3:4)][names(found)[-(3:4)]], ignore_attr = TRUE)
  expect_setequal(found$feature, c("x4", "x2", NA))
})

test_that("slopes of some features go with them", {
  law <- list(mean = matrix(1:3, 1), chol = matrix(c(1, 0, 1, 0, 0, 1), 1),
    slope = matrix(1:6, 1))
  expect_identical(margin_law(law, c(3L, 1L))$slope, matrix(c(3L, 1L, 6L, 4L), 1))
})

test_that("overlaps are of pairs, in both orders, or with one group", {
  fit <- fake_fit(G = 3, K = 2, pooling = "partial", iter = 5)
  all <- posterior::draws_of(group_overlap(fit, measure = "within", level = 0.8))
  expect_equal(all[, 1, 1], rep(0.8, 20), ignore_attr = TRUE)
  to <- posterior::draws_of(group_overlap(fit, to = "B", measure = "within", level = 0.8))
  expect_equal(to, all[, , 2], ignore_attr = TRUE)
  expect_identical(dimnames(group_overlap(fit, "typical")), list(c("A", "B", "C")))
  compared <- compare_groups(fit, what = "overlap", level = 0.8)
  row <- subset(compared, group == "C" & reference == "A")
  expect_identical(row$quantity, c("overlap", "within", "contains"))
  expect_equal(row$mean[2:3], c(mean(all[, 3, 1]), mean(all[, 1, 3])))
  expect_true(all(is.na(row$p_positive)))
  expect_identical(
    unique(compare_groups(fake_fit(K = 3), what = "overlap")$quantity), c("within", "contains")
  )
})

test_that("what has no overlap is refused", {
  fit <- fake_fit(K = 3)
  expect_error(group_overlap(fit), class = "hmvn_error_no_meaning")
  expect_error(group_overlap(fit, features = "x1", measure = "area"),
    class = "hmvn_error_no_meaning")
  expect_error(group_overlap(fit, features = c("x1", "x9")), class = "hmvn_error_argument")
  expect_error(group_overlap(fit, features = character()), class = "hmvn_error_argument")
  expect_error(group_overlap(fit, measure = "all"), class = "hmvn_error_argument")
  expect_error(group_overlap(fit, measure = "within", level = 95), class = "hmvn_error_argument")
  expect_error(group_overlap(without(fit, "mean"), measure = "within"),
    class = "hmvn_error_keep")
  error <- expect_error(group_overlap(fit, to = "typical", measure = "within"),
    class = "hmvn_error_no_meaning")
  expect_identical(error$generic, "group_overlap")
})
