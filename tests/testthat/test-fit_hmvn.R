quick <- function(...) short_fit(..., iter_warmup = 200, iter_sampling = 200)

# Every draw is finite, and given the draw of its covariance matrix a group's mean has its normal
# law, which is known in closed form for unpooled means and complete rows, however few.
expect_sound <- function(fit) {
  for (draws in fit$draws) expect_true(all(is.finite(draws)))
  e <- vapply(seq_along(fit$statistics$labels), white_means, whole_draws(fit, 1), fit = fit)
  n <- dim(e)[1]
  z <- c(colSums(e) / sqrt(n), (colSums(e^2) - n) / sqrt(2 * n))
  expect_lt(max(abs(z)), z_bound(length(z)))
}

whole_draws <- function(fit, group) {
  draws <- quantity(fit, "mu", group)
  matrix(draws, prod(dim(draws)[1:2]))
}

# A group's means, [draw, feature], less their conditional mean and whitened by their conditional
# covariance matrix: V = (n Sigma^-1 + S^-1)^-1 and V (n Sigma^-1 ybar + S^-1 m), prior N(m, S).
white_means <- function(fit, group) {
  patterns <- fit$statistics$patterns
  stopifnot(patterns$observed, identical(patterns$group, seq_along(fit$statistics$labels)))
  mu <- whole_draws(fit, group)
  prior <- fit$prior$mean
  K <- ncol(mu)
  # from the prior's location and in its scale, so that units and offsets cost no digits
  standard <- function(x) (x - prior$location) / prior$scale
  Sigma <- matrix(quantity(fit, "Sigma", group), nrow(mu))
  e <- vapply(seq_len(nrow(mu)), function(s) {
    S <- matrix(Sigma[s, ], K) / tcrossprod(prior$scale)
    precision <- patterns$n[group] * solve(S)
    root <- chol(precision + diag(K))
    centre <- backsolve(root, forwardsolve(t(root), precision %*% standard(patterns$mean[, group])))
    as.vector(root %*% (standard(mu[s, ]) - centre))
  }, double(K))
  matrix(e, nrow(mu), byrow = TRUE)
}

test_that("the call works with every form of group and features", {
  iris$row <- rep(1:50, 3)
  formula <- quick(iris, group = ~ Species, features = ~ Sepal.Length + Petal.Width)
  string <- quick(iris, group = "Species", features = c("Sepal.Length", "Petal.Width"))
  expect_identical(formula$draws, string$draws)
  expect_identical(formula$statistics$labels, levels(iris$Species))
  warp <- quick(warpbreaks, group = ~ wool + tension, features = ~ breaks)
  expect_equal(nrow(warp$statistics$keys), 6)
  expect_named(warp$statistics$keys, c("wool", "tension"))
})

test_that("statistics in place of data give the same fit", {
  rows <- quick(iris, group = ~ Species)
  statistics <- suppressMessages(hmvn_statistics(iris, ~ Species))
  expect_identical(quick(statistics)$draws, rows$draws)
  expect_error(fit_hmvn(statistics, group = ~ Species), class = "hmvn_error_argument")
})

test_that("what must simply work, works", {
  set.seed(1)
  two <- function(n, scale = 1, offset = 0) {
    data.frame(
      g = rep(c("a", "b"), each = n), x = offset + scale * rnorm(2 * n),
      y = offset + scale * rnorm(2 * n)
    )
  }
  expect_sound(quick(two(20)[c("g", "x")], group = ~ g)) # one feature
  expect_sound(quick(transform(two(20), g = "only"), group = ~ g)) # one group
  expect_sound(quick(rbind(two(20), data.frame(g = "c", x = 0, y = 1)), group = ~ g)) # a single row
  wide <- data.frame(g = rep(c("a", "b"), c(3, 30)), matrix(rnorm(33 * 6), 33))
  expect_sound(quick(wide, group = ~ g)) # fewer rows than features
  for (scale in c(1e-8, 1e8)) expect_sound(quick(two(20, scale), group = ~ g))
  expect_sound(quick(two(20, offset = 1e8), group = ~ g))
  twins <- two(50)
  twins$y <- twins$x + sqrt(2e-6) * rnorm(100) # correlated at 0.999999
  fit <- quick(twins, group = ~ g)
  expect_sound(fit)
  expect_equal(sum(fit$sampler$divergent), 0)
  # atanh of a correlation has about the sd 1 / sqrt(n - 3)
  for (label in c("a", "b")) {
    draws <- posterior::draws_of(group_cor(fit, label)["y", "x"])
    sample <- with(twins[twins$g == label, ], cor(x, y))
    expect_lt(abs(mean(atanh(draws)) - atanh(sample)) * sqrt(50 - 3), z_bound(2))
  }
})

test_that("features of very different scales do not disturb each other", {
  set.seed(2)
  data <- data.frame(g = "a", x = rnorm(50), y = rnorm(50))
  correlation <- function(data) {
    draws <- posterior::as_draws_array(quick(data, group = ~ g))
    posterior::extract_variable_matrix(draws, "Omega[a,y,x]")
  }
  plain <- correlation(data)
  scaled <- correlation(transform(data, x = 1e-8 * x, y = 1e8 * y))
  error <- sqrt(posterior::mcse_mean(plain)^2 + posterior::mcse_mean(scaled)^2)
  expect_lt(abs(mean(plain) - mean(scaled)) / error, z_bound(1))
})

test_that("labels of any kind come back as given", {
  labels <- c("a b", "c,d", "e[1]", "\U1F600", "100001", " lead")
  data <- data.frame(
    g = rep(labels, each = 8), x = rnorm(48), `not syntactic` = rnorm(48), check.names = FALSE
  )
  fit <- quick(data, group = ~ g)
  expect_setequal(dimnames(posterior::as_draws_rvars(fit)$Sigma)[[1]], labels)
  expect_equal(dimnames(group_cov(fit))[[2]], c("x", "not syntactic"))
  big <- quick(data.frame(g = rep(c(1, 2^53 - 1), each = 8), x = rnorm(16)), group = ~ g)
  expect_equal(big$statistics$labels, c("1", "9007199254740991"))
})

test_that("1,000 groups work", {
  data <- data.frame(g = rep(1:1000, each = 4), x = rnorm(4000))
  fit <- short_fit(data, group = ~ g, chains = 1, iter_sampling = 20)
  expect_equal(dim(fit$draws$mean), c(20, 1, 1000))
  expect_equal(fit$units$n, 1000)
  expect_sound(fit)
})

test_that("bad settings and misspelt arguments end in a classed error before sampling", {
  bad <- function(...) {
    expect_error(suppressMessages(fit_hmvn(iris, group = ~ Species, ...)), class = "hmvn_error")
  }
  bad(chains = 0)
  bad(iter_sampling = 10.5)
  bad(iter_warmup = -1)
  bad(adapt_delta = 1)
  bad(seed = -3)
  bad(pooling = "some")
  bad(pooling = c(means = "none"))
  bad(prior = "normal")
  bad(iter_sampling = 10, thin = 20)
  expect_error(
    fit_hmvn(iris, group = ~ Species, iter_sampl = 10), "iter_sampling",
    class = "hmvn_error_argument"
  )
  expect_error(
    fit_hmvn(iris, group = ~ Species, , "none", hmvn_prior(), 4), class = "hmvn_error_argument"
  )
  expect_error(fit_hmvn(iris, group = Species), "~ Species", class = "hmvn_error_column")
  expect_error(fit_hmvn(iris), class = "hmvn_error")
  expect_error(fit_hmvn(iris[0, ], group = ~ Species), class = "hmvn_error")
})

test_that("improper posteriors are refused, and a lognormal prior cures a constant feature", {
  data <- data.frame(g = rep(c("a", "b"), each = 6), x = c(rep(1, 6), rnorm(6)), y = rnorm(12))
  expect_error(fit_hmvn(data, ~g, ~ x + y), class = "hmvn_error_improper")
  fit <- quick(data, group = ~ g, prior = hmvn_prior(sd = distributional::dist_lognormal(0, 1)))
  expect_true(all(is.finite(fit$draws$chol)))
})

test_that("adapt_delta is 0.8 by default and higher for groups with few rows, unless it is given", {
  control <- quick(iris, ~ Species)$control
  expect_equal(c(control$adapt_delta, control$adapt_delta_scarce), c(0.8, 0.9))
  control <- quick(iris, ~ Species, pooling = c(mean = "partial"))$control
  expect_equal(c(control$adapt_delta, control$adapt_delta_scarce), c(0.8, 0.98))
  control <- quick(iris, ~ Species, adapt_delta = 0.9)$control
  expect_equal(c(control$adapt_delta, control$adapt_delta_scarce), c(0.9, 0.9))
  scarce <- iris[c(1:10, 51:100, 101:150), ]
  steps <- function(...) quick(scarce, ~ Species, algorithm = "nuts", ...)$sampler$stepsize[1]
  expect_lt(steps(), steps(adapt_delta = 0.8))
})

test_that("warm-up ends by itself unless its length is given, and the fit says when", {
  silently <- function(code) suppressWarnings(quietly(code), classes = "hmvn_warning")
  fit <- function(...) {
    silently(fit_hmvn(iris, ~Species, pooling = "partial", chains = 2, seed = 1, ...))
  }
  by_data <- fit(iter_sampling = 40)
  needed <- by_data$units$iter_warmup
  expect_equal(dim(needed), c(1, 2))
  expect_true(all(needed >= 300 & needed < 1000))
  given <- fit(iter_warmup = 350, iter_sampling = 10)
  expect_equal(given$units$iter_warmup, matrix(350L, 1, 2))
  # neither cores nor the number of draws decide when it ends
  longer <- fit(iter_sampling = 60, cores = 2)
  expect_identical(longer$units$iter_warmup, needed)
  expect_identical(longer$draws$chol[1:40, , ], by_data$draws$chol[1:40, , ])
  expect_identical(silently(extend(by_data, iter_sampling = 60))$draws, longer$draws)
  expect_identical(silently(update(by_data))$draws, by_data$draws)
  # what is drawn without warm-up has none
  exact <- silently(
    fit_hmvn(iris, ~Species, names(iris)[1:4], chains = 1, iter_sampling = 10, seed = 1)
  )
  expect_equal(exact$units$iter_warmup, matrix(0L, 3, 1))
})

test_that("a heterogeneity fixed at an end is no pooling or complete pooling", {
  end <- function(h) {
    quick(iris, ~ Species, pooling = "partial", prior = hmvn_prior(heterogeneity = h))
  }
  expect_equal(unname(end(1)$pooling), rep("none", 3))
  expect_equal(unname(end(0)$pooling), rep("complete", 3))
})

test_that("lp__ and lprior are among the draws", {
  draws <- posterior::as_draws_rvars(quick(iris, ~ Species))
  expect_true(all(c("lp__", "lprior") %in% posterior::variables(draws)))
  expect_true(all(is.finite(posterior::draws_of(draws$lprior))))
})

test_that("rows without data and a single partially pooled group are said in a message", {
  few <- function(data, ...) {
    suppressWarnings(suppressMessages(
      fit_hmvn(
        data, group = ~ g, features = ~ x + y, chains = 1, iter_warmup = 50, iter_sampling = 20,
        seed = 1, ...
      ),
      classes = "hmvn_message_prior_conflict"
    ))
  }
  set.seed(1)
  data <- data.frame(g = "a", x = c(rnorm(9), NA), y = c(rnorm(9), NA))
  expect_message(few(data), "1 row has nothing observed", class = "hmvn_message_empty_rows")
  expect_message(few(data[-10, ], pooling = "partial"), class = "hmvn_message_one_group")
})
