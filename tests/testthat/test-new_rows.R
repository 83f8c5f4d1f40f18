# A fit, and the same fit with other slopes and with features moved as these say: what is held
# against the rows' means must stay, and what is said of rows must move with them.
moved_fit <- function(fit, data, delta) {
  x <- covariate_matrix(fit$statistics$design, data)
  shift <- sweep(x, 2, fit$statistics$covariate_center) %*% delta
  # row 5 lacks a covariate
  shift[is.na(shift)] <- 0
  data[c("x", "y")] <- data[c("x", "y")] + shift
  other <- fit
  other$data <- model_data(data, ~g, ~ x + y, covariates = ~ age + site)
  other$statistics <- suppressMessages(
    hmvn_statistics(data, ~g, ~ x + y, covariates = ~ age + site)
  )
  sets <- dim(fit$draws$slope)[3] / length(delta)
  moved <- rep(rep(c(t(delta)), sets), each = n_draws(fit))
  other$draws$slope <- fit$draws$slope + array(moved, dim(fit$draws$slope))
  list(fit = other, shift = shift)
}

# What is the same of both fits: it does not depend on slopes, or is about the rows' means.
stays <- alist(
  coef = coef(fit), sigma = sigma(fit), vcov = vcov(fit), confint = confint(fit),
  nobs = nobs(fit), weights = weights(fit), case.names = case.names(fit), labels = labels(fit),
  levels = levels(fit), variable.names = variable.names(fit), family = family(fit),
  formula = deparse(formula(fit)), VarCorr = VarCorr.hmvn_fit(fit), fixef = fixef.hmvn_fit(fit),
  ranef = ranef.hmvn_fit(fit), ngrps = ngrps.hmvn_fit(fit), getGroups = getGroups.hmvn_fit(fit),
  getGroupsFormula = deparse(getGroupsFormula.hmvn_fit(fit)),
  residuals = list(residuals(fit), residuals(fit, "pearson")), log_lik = log_lik(fit),
  loo = suppressWarnings(loo.hmvn_fit(fit))$pointwise,
  loo_compare = suppressWarnings(loo_compare.hmvn_fit(fit, fit)),
  waic = suppressWarnings(waic.hmvn_fit(fit))$pointwise,
  loo_pit = suppressWarnings(loo_pit(fit)),
  predict = list(predict(fit, type = "group"), predict(fit, type = "distance")),
  predictive_error = predictive_error(fit, seed = 1),
  pp_check = with(bayesplot::pp_check(fit, "intervals", seed = 1)$data, y_obs - m),
  compare_groups = as.data.frame(compare_groups(fit)), within_between = within_between(fit),
  group_mean = group_mean(fit), group_sd = group_sd(fit), group_cor = group_cor(fit),
  group_cov = group_cov(fit), group_distance = group_distance(fit),
  group_volume = group_volume(fit), partial_cor = partial_cor(fit), precision = precision(fit),
  between_cor = between_cor(fit), between_cov = between_cov(fit),
  glance = glance.hmvn_fit(fit), prior_summary = prior_summary(fit),
  posterior_new_group = posterior_new_group(fit, seed = 1),
  stancode = stancode(fit), variables = variables(fit), nvariables = nvariables(fit),
  nchains = nchains(fit), niterations = niterations(fit), ndraws = ndraws(fit),
  nuts_params = nuts_params.hmvn_fit(fit), log_posterior = log_posterior.hmvn_fit(fit),
  plot = lapply(c("ellipses", "correlations", "shrinkage"), function(type) plot(fit, type)$data)
)

# What is said of rows, as a matrix [row, feature] that moves as features do.
moves <- alist(
  fitted = fitted(fit),
  posterior_epred = apply(posterior_epred(fit), 2:3, mean),
  posterior_linpred = apply(posterior_linpred(fit), 2:3, mean),
  posterior_predict = apply(posterior_predict(fit, seed = 1), 2:3, mean),
  predictive_interval = predictive_interval(fit, seed = 1)[, 1, ],
  loo_predict = suppressWarnings(loo_predict(fit, seed = 1))$value,
  loo_linpred = suppressWarnings(loo_linpred(fit))$value,
  loo_predictive_interval = suppressWarnings(loo_predictive_interval(fit, seed = 1))$value[, 1, ],
  simulate = simulate(fit, seed = 1)[[1]][c("x", "y")],
  predict = in_place(predict(fit, seed = 1), "mean"),
  posterior_impute = in_place(summary(posterior_impute(fit, seed = 1)), "q95"),
  completed = completed(posterior_impute(fit, seed = 1), 3)[c("x", "y")],
  augment = augment.hmvn_fit(fit)[c(".fitted_x", ".fitted_y")],
  model.frame = model.frame(fit)[c("x", "y")], getData = getData.hmvn_fit(fit)[c("x", "y")]
)

in_place <- function(cells, column) {
  out <- matrix(NA_real_, 48, 2)
  out[cbind(cells$row, match(cells$feature, c("x", "y")))] <- cells[[column]]
  out
}

# Of every quantity, slopes among them.
all_quantities <- c(
  "as_draws", "as_draws_array", "as_draws_df", "as_draws_list", "as_draws_matrix",
  "as_draws_rvars", "as.array", "as.data.frame", "as.matrix", "as.mcmc", "as.mcmc.list",
  "posterior_interval", "summary", "tidy", "print", "pairs", "group_slope", "rhat", "ess_bulk",
  "ess_tail", "neff_ratio"
)

# Of packages that read draws or coefficients, of covariance matrices alone, or with tests of slopes
# of their own: test-easystats.R, test-emmeans.R, test-unconstrained.R, test-bridge.R and others.
of_draws <- c(
  "as_table", "bayes_factor", "bf", "bridge_sampler", "ci", "closest_groups", "constrain_pars",
  "describe_posterior", "diagnostic_posterior", "effective_sample", "emm_basis",
  "equivalence_test", "eti", "extend", "find_algorithm", "find_formula", "find_parameters",
  "find_predictors", "find_random", "find_response", "get_coef", "get_data", "get_parameters",
  "get_predict", "get_response", "get_vcov", "group_ellipse", "group_overlap", "hdi", "log_prob",
  "loo_moment_match", "loo_model_weights", "post_prob", "map_estimate", "mcse", "merge_chains",
  "model_info", "model_parameters", "model_performance", "mutate_variables", "n_obs",
  "outlying_groups", "p_direction", "p_map", "p_rope", "p_significance", "point_estimate", "r2",
  "recover_data", "rename_variables", "resample_draws", "rope", "spi", "split_chains",
  "subset_draws", "thin_draws", "unconstrain_pars"
)

# They fit again, or read statistics alone.
tested_elsewhere <- c("update", "kfold", "create_priorsense_data", "standata", "prior_draws")

# Refused for every fit: test-no_meaning.R.
without_meaning <- c(
  "logLik", "deviance", "df.residual", "mean", "median", "quantile", "scale", "t", "qr", "kappa",
  "prcomp", "unique", "c", "ess_mean", "ess_basic", "rhat_basic", "entropy", "modal_category",
  # test-no_meaning.R too: what to call instead
  "add_criterion", "anova", "bayes_R2", "conditional_effects", "control_params", "loo_R2",
  "launch_shinystan", "loo_subsample", "mcmc_plot", "parnames", "model_weights",
  "posterior_vs_prior", "psis", "reloo", "se", "terms"
)

test_that("every function that takes a fit knows of slopes", {
  skip_if_not_installed("loo")
  skip_if_not_installed("bayesplot")
  space <- asNamespace("hmvn")
  methods <- unique(sub("[.]hmvn_fit$", "", grep("[.]hmvn_fit$", ls(space), value = TRUE)))
  exported <- Filter(
    function(name) identical(names(formals(get(name, space)))[1], "fit"),
    getNamespaceExports(space)
  )
  known <- c(
    names(stays), names(moves), all_quantities, of_draws, tested_elsewhere, without_meaning
  )
  expect_identical(setdiff(c(methods, exported), known), character())

  d <- regression_data()
  delta <- rbind(c(0.5, -2), c(3, 1), c(-4, 0.7))
  fit <- regression_fit(d, pooling = "partial")
  other <- moved_fit(fit, d, delta)
  value <- function(code, fit) eval(code, list(fit = fit), environment())
  for (name in names(stays)) {
    expect_equal(
      value(stays[[name]], other$fit), value(stays[[name]], fit), tolerance = 1e-8, label = name,
      ignore_attr = "model_name"
    )
  }
  draws <- as_draws_array(other$fit) - as_draws_array(fit)
  differ <- variables(fit)[apply(abs(draws) > 1e-12, 3, any)]
  expect_identical(differ, grep("^beta\\[", variables(fit), value = TRUE))
  for (name in names(moves)) {
    difference <- as.matrix(value(moves[[name]], other$fit)) - as.matrix(value(moves[[name]], fit))
    own <- !is.na(difference)
    expect_gt(sum(own), 3)
    expect_equal(difference[own], other$shift[own], tolerance = 1e-8, label = name)
  }
})

test_that("so does a fit with one set of slopes for all groups", {
  d <- regression_data()
  fit <- regression_fit(d, pooling = "complete")
  other <- moved_fit(fit, d, rbind(c(0.5, -2), c(3, 1), c(-4, 0.7)))
  expect_equal(log_lik(other$fit), log_lik(fit), tolerance = 1e-10)
  moved <- unname(fitted(other$fit) - fitted(fit))
  expect_equal(moved[-5, ], other$shift[-5, ], tolerance = 1e-8)
})

test_that("a group without rows has its mean too", {
  d <- regression_data()
  d[d$g == "c", c("x", "y")] <- NA
  fit <- regression_fit(d, pooling = "partial")
  new <- data.frame(g = "c", age = 50, site = "u", x = 3, y = -1)
  expect_equal(unname(posterior_epred(fit, new)), means_by_hand(fit, new), tolerance = 1e-10)
  expect_equal(unname(log_lik(fit, new)), densities_by_hand(fit, new), tolerance = 1e-10,
    ignore_attr = TRUE)
})
