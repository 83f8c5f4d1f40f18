skip_if_not_installed("loo")

test_that("folds by row give each group its share; folds by group hold whole groups", {
  group <- rep(c(2L, 1L, 3L), c(20, 10, 31))
  folds <- draw_folds(group, c(1:30, 32:61), "row", 10L, 1)
  expect_true(all(table(folds, group) %in% c(1, 2, 3, 4)))
  expect_identical(draw_folds(group, c(1:30, 32:61), "row", 10L, 1), folds)
  expect_false(identical(draw_folds(group, c(1:30, 32:61), "row", 10L, 2), folds))
  folds <- draw_folds(group, 1:3, "group", 3L, 1)
  expect_true(all(rowSums(table(folds, group) > 0) == 1))
})

test_that("kfold() has the shape of loo's, leaves random numbers alone, and can be compared", {
  fit <- short_fit(iris, ~Species, iter_sampling = 500)
  set.seed(1)
  before <- .Random.seed
  found <- loo::kfold(fit, K = 5, seed = 3)
  expect_identical(.Random.seed, before)
  expect_s3_class(found, c("kfold", "loo"), exact = TRUE)
  expect_identical(dim(found$pointwise), c(150L, 3L))
  expect_equal(found$estimates["elpd_kfold", "Estimate"], sum(found$pointwise[, 1]))
  expect_output(print(found), "5-fold")
  expect_identical(loo::kfold(fit, K = 5, seed = 3), found)
  other <- update(fit, pooling = c(sd = "complete", cor = "complete"))
  compared <- loo::loo_compare(found, loo::kfold(other, K = 5, seed = 3))
  expect_identical(rownames(compared), c("fit", "other"))
})

test_that("rows of a group that is left out are those of a new group", {
  # one feature, everything but the means known: means ~ Normal(m, 1), the group's own sd is 1
  set.seed(2)
  d <- data.frame(g = rep(letters[1:6], each = 4))
  d$x <- rnorm(6)[match(d$g, letters)] + rnorm(24)
  fit <- short_fit(
    d, ~g, ~x, pooling = "partial", chains = 4, iter_warmup = 500, iter_sampling = 1000
  )
  found <- loo::kfold(fit, K = 6, by = "group", seed = 1)
  expect_identical(sort(unique(found$folds)), 1:6)
  expect_true(all(rowSums(table(found$folds, d$g) > 0) == 1))
  held <- which(d$g == "c")
  without <- update(fit, data = d[-held, ])
  new <- posterior::as_draws_rvars(posterior_new_group(without, seed = 1))
  mu <- as.vector(posterior::draws_of(new$mu))
  sigma <- as.vector(posterior::draws_of(new$sigma))
  by_hand <- vapply(held, function(i) log(mean(dnorm(d$x[i], mu, sigma))), 0)
  expect_equal(unname(found$pointwise[held, "elpd_kfold"]), by_hand)
  # a group's own rows tell more of it
  by_row <- loo::kfold(fit, K = 4, seed = 1)
  expect_gt(by_row$estimates[1, 1], found$estimates[1, 1])
})

test_that("folds that make no sense are refused", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20)
  expect_error(loo::kfold(fit, K = 1), class = "hmvn_error_argument")
  expect_error(loo::kfold(fit, K = 4, by = "group"), class = "hmvn_error_argument")
  expect_error(loo::kfold(fit, folds = 1:10), class = "hmvn_error_argument")
  expect_error(loo::kfold(fit, folds = rep(1, 150)), class = "hmvn_error_argument")
  three <- rep(1:3, 50)
  for (K in list(2, 10, NA, "3", NULL)) {
    error <- expect_error(loo::kfold(fit, K = K, folds = three), class = "hmvn_error_argument")
    expect_identical(error$argument, "K")
  }
  error <- expect_error(
    loo::kfold(fit, by = "group", folds = three), "same for all rows of a group",
    class = "hmvn_error_argument"
  )
  expect_identical(error$argument, "folds")
  expect_error(loo::kfold(fit, k = 3), class = "hmvn_error_argument")
  expect_error(loo::kfold(fit, folds = rep(c(1, Inf), 75)), class = "hmvn_error_argument")
})

test_that("folds are counted of rows that are held out, and the data are said once", {
  d <- iris
  d[1:2, 1:4] <- NA
  d[d$Species == "setosa", 1:4] <- NA
  fit <- short_fit(d, ~Species, iter_sampling = 20)
  calls <- count_calls("fingerprint_of", {
    found <- suppressWarnings(loo::kfold(fit, K = 2, by = "group", seed = 1))
  })
  # that of the fit's rows: fits to folds keep none
  expect_identical(unname(calls), 1L)
  expect_identical(attr(found, "K"), 2L)
  expect_identical(anyNA(found$folds), TRUE)
  expect_identical(rownames(found$pointwise), as.character(51:150))
  # a fold of rows with nothing observed is none
  folds <- rep(1:3, each = 50)
  expect_identical(attr(suppressWarnings(loo::kfold(fit, folds = folds)), "K"), 2L)
  expect_error(loo::kfold(fit, folds = rep(1:2, c(50, 100))), class = "hmvn_error_argument")
})

test_that("before anything is fitted, the draws that are needed must have been kept", {
  fit <- short_fit(iris, ~Species, iter_sampling = 20, keep = "mu")
  calls <- count_calls("carry_out", {
    expect_error(loo::kfold(fit, K = 2), class = "hmvn_error_keep")
  })
  expect_identical(unname(calls), 0L)
})

test_that("folds with covariates are scored by fits to the other rows", {
  d <- regression_data()
  normal <- function(sd) distributional::dist_normal(0, sd)
  prior <- hmvn_prior(slope = list(sitew = normal(3), age = normal(1), sitev = normal(4)))
  pooling <- list(mean = "partial", slope = c(sitew = "complete", "partial"))
  fit <- regression_fit(d, pooling = pooling, prior = prior, iter_sampling = 200)
  folds <- rep(1:4, 12)[order(order(d$site, d$g))]
  # few draws serve: both sides have the same
  found <- suppressWarnings(loo::kfold(fit, folds = folds))
  held <- setdiff(which(folds == 2), c(5, 8))
  without <- suppressWarnings(update(fit, data = d[-held, ]))
  by_hand <- log_mean_exp(densities_by_hand(without, d[held, ]))
  expect_equal(found$pointwise[as.character(held), "elpd_kfold"], by_hand, ignore_attr = TRUE,
    tolerance = 1e-8)
})

test_that("a group left out has slopes of its own, and a fold may not lack a category", {
  d <- regression_data()
  fit <- regression_fit(d, pooling = "partial")
  found <- suppressWarnings(loo::kfold(fit, K = 3, by = "group", seed = 1))
  held <- which(d$g == "c")
  without <- suppressWarnings(update(fit, data = d[-held, ]))
  new <- lapply(posterior_new_group(without, seed = 1), posterior::draws_of)
  row <- d[held[[2]], ]
  x <- c(row$age, row$site == "v", row$site == "w") - without$statistics$covariate_center
  density <- vapply(seq_len(100), function(s) {
    mean <- new$mu[s, ] + drop(x %*% new$beta[s, , ])
    density_by_hand(c(row$x, row$y), mean, new$Sigma[s, , ])
  }, 0)
  expect_equal(
    found$pointwise[[as.character(held[[2]]), "elpd_kfold"]], log_mean_exp(matrix(density)),
    tolerance = 1e-8
  )
  folds <- ifelse(d$site == "w", 1, 2 + seq_len(nrow(d)) %% 2)
  error <- expect_error(
    loo::kfold(fit, folds = folds), "sitew", class = "hmvn_error_covariates"
  )
  expect_identical(error$column, "sitew")
})

test_that("a fold that leaves a group without a posterior is refused as that of a fold", {
  set.seed(1)
  d <- data.frame(g = rep(c("a", "b"), c(6, 9)), x = rnorm(15), y = c(1, 1, 2:5, 1:9))
  fit <- short_fit(d, ~g, ~ x + y, prior = hmvn_prior(frame = "raw"))
  folds <- c(1, 1, 2, 2, 2, 2, rep_len(1:2, 9))
  error <- expect_error(
    suppressWarnings(loo::kfold(fit, folds = folds)), "Without one of them y is constant",
    class = "hmvn_error_improper"
  )
  expect_identical(error[c("group", "features")], list(group = "a", features = "y"))
  expect_no_match(conditionMessage(error), "not_estimable")
  # the remedy that it names is one
  vanishing <- suppressWarnings(update(fit, prior = hmvn_prior(sd = "lognormal")))
  expect_length(suppressWarnings(loo::kfold(vanishing, folds = folds))$folds, 15)
})
