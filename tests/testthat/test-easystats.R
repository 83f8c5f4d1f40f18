# The packages of easystats, against the draws.

fit <- short_fit(iris, ~Species, iter_sampling = 500)
pairs_of_setosa <- function() {
  values <- posterior::draws_of(group_cor(fit))[, 1, , ]
  low <- which(lower.tri(diag(4)), arr.ind = TRUE)
  low <- low[order(low[, 1], low[, 2]), ]
  names <- paste0("Omega[setosa,", names(iris)[low[, 1]], ",", names(iris)[low[, 2]], "]")
  out <- apply(low, 1, function(at) values[, at[1], at[2]])
  colnames(out) <- names
  out
}

test_that("bayestestR describes every parameter once, with the numbers of the draws", {
  skip_if_not_installed("bayestestR")
  skip_if_not_installed("quadprog") # which it only suggests
  wanted <- pairs_of_setosa()
  ask <- function(f, ...) as.data.frame(f(fit, ..., variable = "Omega", group = "setosa"))
  found <- ask(bayestestR::describe_posterior, ci = 0.9)
  expect_identical(found$Parameter, colnames(wanted))
  expect_equal(found$Median, unname(apply(wanted, 2, median)))
  expect_equal(found$CI_low, unname(apply(wanted, 2, quantile, 0.05)))
  ess <- posterior::ess_bulk(fit, variable = "Omega", group = "setosa")[colnames(wanted)]
  expect_equal(found$ESS, unname(ess))
  expect_equal(ask(bayestestR::effective_sample)$ESS, unname(ess))
  expect_equal(
    ask(bayestestR::mcse)$MCSE, unname(apply(wanted, 2, sd) / sqrt(ess))
  )
  expect_named(ask(bayestestR::diagnostic_posterior), c("Parameter", "Rhat", "ESS", "MCSE"))
  for (f in list(bayestestR::hdi, bayestestR::eti, bayestestR::ci)) {
    interval <- ask(f, ci = 0.8)
    expect_identical(interval$Parameter, colnames(wanted))
    inside <- colMeans(sweep(wanted, 2, interval$CI_low, `>=`) &
      sweep(wanted, 2, interval$CI_high, `<=`))
    expect_lt(max(abs(inside - 0.8)), 0.01)
  }
  expect_equal(
    ask(bayestestR::p_direction)$pd, unname(pmax(colMeans(wanted > 0), colMeans(wanted < 0)))
  )
  expect_equal(
    ask(bayestestR::rope, range = c(-0.2, 0.2), ci = 1)$ROPE_Percentage,
    unname(colMeans(abs(wanted) <= 0.2))
  )
  expect_equal(
    ask(bayestestR::p_significance, threshold = 0.1)$ps,
    unname(pmax(colMeans(wanted > 0.1), colMeans(wanted < -0.1)))
  )
  for (f in list(
    bayestestR::point_estimate, bayestestR::map_estimate, bayestestR::p_map, bayestestR::spi
  )) expect_identical(nrow(ask(f)), 6L)
  for (f in list(bayestestR::p_rope, bayestestR::equivalence_test)) {
    expect_identical(nrow(ask(f, range = c(-0.2, 0.2))), 6L)
    expect_error(f(fit), class = "hmvn_error_argument")
  }
  expect_error(bayestestR::rope(fit), class = "hmvn_error_argument")
  expect_error(bayestestR::p_significance(fit), class = "hmvn_error_argument")
  expect_error(bayestestR::hdi(fit, variable = "nu"), class = "hmvn_error_variable")
  expect_error(
    bayestestR::describe_posterior(fit, test = "no_test"), class = "hmvn_error_argument"
  )
})

test_that("parameters has a table of all groups", {
  skip_if_not_installed("parameters")
  found <- parameters::model_parameters(fit)
  expect_s3_class(found, "parameters_model")
  expect_identical(nrow(found), 42L)
  expect_identical(found$Parameter, generics::tidy(fit)$term)
  expect_true(all(c("Rhat", "ESS") %in% names(found)))
})

test_that("groups that could not be estimated have no parameters", {
  skip_if_not_installed("bayestestR")
  skip_if_not_installed("parameters")
  skip_if_not_installed("insight")
  part <- iris
  part$Sepal.Width[part$Species == "setosa"] <- 3
  part <- short_fit(part, ~Species, iter_sampling = 50, not_estimable = "drop")
  expect_named(part$not_estimable, "setosa")
  estimated <- generics::tidy(part)
  wanted <- estimated$term[!is.na(estimated$estimate)]
  expect_length(wanted, 28L)
  expect_identical(bayestestR::describe_posterior(part)$Parameter, wanted)
  expect_identical(parameters::model_parameters(part)$Parameter, wanted)
  expect_identical(bayestestR::hdi(part)$Parameter, wanted)
  expect_named(insight::get_parameters(part), wanted)
  expect_identical(
    names(insight::get_parameters(part, c("Omega", "mu"), "virginica")),
    summary(part, c("Omega", "mu"), "virginica")$variable
  )
})

test_that("parameters that groups share are named once each", {
  skip_if_not_installed("insight")
  shared <- short_fit(iris, ~Species, pooling = "partial", iter_sampling = 10)
  asked <- c("h_cor", "Sigma0", "mu0", "Sigma")
  expect_named(insight::get_parameters(shared, asked), summary(shared, asked)$variable)
})

test_that("insight reads parameters, data and the model", {
  skip_if_not_installed("insight")
  expect_identical(dim(insight::get_parameters(fit)), c(1000L, 42L))
  expect_identical(insight::find_parameters(fit)$conditional, names(insight::get_parameters(fit)))
  expect_identical(insight::get_data(fit), model.frame(fit))
  expect_identical(insight::find_response(fit), names(iris)[1:4])
  expect_equal(insight::get_response(fit), iris[1:4], ignore_attr = TRUE)
  expect_identical(insight::find_predictors(fit), list(random = "Species"))
  expect_identical(insight::find_random(fit), list(random = "Species"))
  expect_equal(insight::find_formula(fit)$conditional, formula(fit))
  expect_identical(insight::n_obs(fit), 150L)
  expect_true(insight::model_info(fit)$is_bayesian)
  found <- insight::find_algorithm(fit)
  expect_identical(found[c("algorithm", "warmup")], list(algorithm = "exact", warmup = 0L))
  slopes <- short_fit(
    mtcars, ~cyl, ~ mpg + hp, covariates = ~wt, pooling = "partial", iter_sampling = 50
  )
  expect_identical(insight::find_algorithm(slopes)$warmup, slopes$control$iter_warmup)
  expect_identical(insight::find_predictors(slopes), list(conditional = "wt", random = "cyl"))
  expect_true(any(startsWith(insight::find_parameters(slopes, flatten = TRUE), "beta[")))
})

test_that("performance has what loo says, and no r2", {
  skip_if_not_installed("performance")
  skip_if_not_installed("loo")
  found <- suppressWarnings(performance::model_performance(fit))
  wanted <- suppressWarnings(loo::loo(fit))$estimates
  expect_equal(found$ELPD, wanted["elpd_loo", 1])
  expect_equal(found$LOOIC_SE, wanted["looic", 2])
  expect_named(
    suppressWarnings(performance::model_performance(fit, metrics = "WAIC")), "WAIC"
  )
  expect_error(performance::r2(fit), class = "hmvn_error_no_meaning")
})
