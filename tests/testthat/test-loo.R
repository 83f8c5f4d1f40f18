skip_if_not_installed("loo")

iris_fit <- function(..., iter_sampling = 1000) {
  short_fit(iris, ~Species, ..., iter_sampling = iter_sampling)
}

test_that("loo() agrees with fits that leave each row out, within Monte Carlo error", {
  set.seed(1)
  # without outliers, so that few rows' importance weights are far from equal
  even <- qnorm(ppoints(38))
  d <- data.frame(g = rep(c("A", "B"), c(20, 18)), x = sample(even), y = sample(even))
  d$y <- d$y + d$x
  d$y[3] <- NA
  prior <- hmvn_prior(
    mean = distributional::dist_normal(0, 2), sd = distributional::dist_exponential(1)
  )
  # warmed up enough for errors to be estimated well: group A is sampled by a chain
  long_fit <- function(data, seed) {
    short_fit(
      data, ~g, ~ x + y, prior = prior, chains = 4, iter_warmup = 500, iter_sampling = 4000,
      seed = seed
    )
  }
  fit <- long_fit(d, seed = 1)
  found <- suppressWarnings(loo::loo(fit))
  expect_s3_class(found, "psis_loo")
  # importance weights have a variance, and with it an error, below k = 0.5
  sure <- loo::pareto_k_values(found) < 0.5
  expect_gte(sum(sure), 35)
  exact <- vapply(seq_len(nrow(d)), function(i) {
    ll <- log_lik(long_fit(d[-i, ], seed = 100 + i), d[i, ])[, 1]
    r <- matrix(exp(ll - max(ll)), ncol = 4) # by chain
    # the mean and its Monte Carlo error on the log scale
    c(max(ll) + log(mean(r)), posterior::mcse_mean(r) / mean(r))
  }, double(2))
  error <- sqrt(exact[2, ]^2 + found$pointwise[, "mcse_elpd_loo"]^2)
  z <- (found$pointwise[, "elpd_loo"] - exact[1, ]) / error
  expect_lt(max(abs(z[sure])), z_bound(sum(sure)))
  # the fit itself, which has seen the rows, is another answer
  expect_gt(max(abs(log_mean_exp(log_lik(fit)) - exact[1, ]) / error), z_bound(length(z)))
  # and so does fitting again without each row in turn
  by_row <- suppressWarnings(loo::kfold(fit, folds = seq_len(nrow(d))))
  z <- (by_row$pointwise[, "elpd_kfold"] - exact[1, ]) / (sqrt(2) * exact[2, ])
  expect_lt(max(abs(z)), z_bound(length(z)))
})

test_that("loo() and waic() have the shapes of their owner, and fits are compared", {
  none <- iris_fit()
  shared <- iris_fit(pooling = c(sd = "complete", cor = "complete"))
  # a few rows of iris have a high Pareto k
  one <- suppressWarnings(loo::loo(none))
  expect_identical(dim(one), c(2000L, 150L))
  expect_identical(attr(one, "model_name"), "none")
  w <- suppressWarnings(loo::waic(none))
  expect_s3_class(w, "waic")
  expect_lt(
    abs(w$estimates["elpd_waic", 1] - one$estimates["elpd_loo", 1]),
    w$estimates["elpd_waic", 2] / 5
  )
  compared <- suppressWarnings(loo::loo_compare(none, shared))
  expect_identical(rownames(compared), c("none", "shared"))
  other <- suppressWarnings(loo::loo(shared))
  expect_identical(unclass(compared), unclass(loo::loo_compare(one, other)))
  # setosa's petals are unlike the others': one covariance matrix for all predicts worse
  expect_lt(compared["shared", "elpd_diff"], -2 * compared["shared", "se_diff"])
  other <- suppressWarnings(loo::loo(short_fit(iris[150:1, ], ~Species, iter_sampling = 1000)))
  expect_warning(loo::loo_compare(one, other), "yhash")
  saved <- suppressWarnings(loo::loo(none, save_psis = TRUE))
  expect_s3_class(saved$psis_object, "psis")
})

test_that("relative efficiencies are those of the chains; exact draws have 1", {
  d <- subset(iris, Species != "setosa")
  exact <- short_fit(d, ~Species, iter_sampling = 200)
  expect_true(all(exact$units$algorithm == "exact"))
  ll <- log_lik(exact)
  expect_identical(relative_efficiencies(exact, ll, 1), rep(1, 100))
  nuts <- short_fit(d, ~Species, iter_sampling = 200, algorithm = "nuts")
  ll <- log_lik(nuts)
  expect_equal(
    relative_efficiencies(nuts, ll, 1),
    unname(loo::relative_eff(exp(ll), chain_id = rep(1:2, each = 200))), tolerance = 1e-8
  )
  # densities that vanish as numbers have one too
  expect_equal(relative_efficiencies(nuts, ll - 2000, 1), relative_efficiencies(nuts, ll, 1))
})

test_that("draws from the prior have learned nothing", {
  fit <- iris_fit(prior_only = TRUE, iter_sampling = 10)
  for (call in alist(loo::loo(fit), loo::waic(fit), loo::kfold(fit))) {
    expect_error(eval(call), "prior_only = FALSE", class = "hmvn_error_no_meaning")
  }
})

test_that("a fit without rows says so", {
  expect_error(loo::loo(fake_fit()), class = "hmvn_error_rows")
  expect_error(loo::loo(without(fake_fit(), "mean")), class = "hmvn_error_keep")
})

test_that("loo() and waic() of a fit with covariates are of the rows that have them", {
  fit <- regression_fit(pooling = "partial", iter_sampling = 200)
  one <- suppressWarnings(loo::loo(fit))
  expect_identical(dim(one), c(400L, 46L))
  expect_identical(dim(suppressWarnings(loo::waic(fit))), c(400L, 46L))
  without <- suppressWarnings(loo::loo(regression_fit(regression_data()[-5, ], covariates = NULL)))
  # rows depend on their covariates
  expect_gt(one$estimates[1, 1], without$estimates[1, 1] + 4 * without$estimates[1, 2])
})

test_that("fits are weighted as what loo() returns for them", {
  d <- iris[c(1:20, 51:70), ]
  none <- short_fit(d, ~Species, ~ Sepal.Length + Petal.Width, iter_sampling = 200)
  shared <- update(none, pooling = "complete")
  found <- suppressWarnings(loo::loo_model_weights(none, shared))
  expect_named(found, c("none", "shared"))
  by_hand <- suppressWarnings(loo::loo_model_weights(list(loo::loo(none), loo::loo(shared))))
  expect_equal(unname(c(found)), unname(c(by_hand)))
  pseudo <- suppressWarnings(
    loo::loo_model_weights(none, loo::loo(shared), method = "pseudobma", BB = FALSE)
  )
  expect_gt(pseudo[[1]], 0.99)
  expect_error(loo::loo_model_weights(none, 1), class = "hmvn_error_argument")
  expect_error(loo::loo_model_weights(none), "only one", class = "hmvn_error_argument")
  expect_error(loo::loo_compare(none), "only one", class = "hmvn_error_argument")
  expect_error(
    loo::loo_model_weights(none, shared, method = "psuedobma"), class = "hmvn_error_argument"
  )
})
