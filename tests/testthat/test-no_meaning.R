# Generics whose default method would take a fit for a list, and what the method gives instead:
# the error class, or a look at the result.
silent_defaults <- list(
  # stats and base
  list(quote(coef(fit)), dim = c(3L, 4L)),
  list(quote(coefficients(fit)), dim = c(3L, 4L)),
  list(quote(fitted(fit)), dim = c(150L, 4L)),
  list(quote(fitted.values(fit)), dim = c(150L, 4L)),
  list(quote(residuals(fit)), dim = c(150L, 4L)),
  list(quote(resid(fit)), dim = c(150L, 4L)),
  list(quote(sigma(fit)), dim = c(3L, 4L)),
  list(quote(vcov(fit)), dim = c(12L, 12L)),
  list(quote(confint(fit)), dim = c(12L, 2L)),
  list(quote(weights(fit)), length = 150L),
  list(quote(case.names(fit)), length = 150L),
  list(quote(variable.names(fit)), length = 4L),
  list(quote(labels(fit)), length = 3L),
  list(quote(levels(fit)), length = 3L),
  list(quote(nobs(fit)), length = 1L),
  list(quote(model.frame(fit)), dim = c(150L, 5L)),
  list(quote(predict(fit, type = "group")), dim = c(150L, 3L)),
  list(quote(simulate(fit)), length = 1L),
  list(quote(logLik(fit)), error = "no_meaning"),
  list(quote(AIC(fit)), error = "no_meaning"),
  list(quote(BIC(fit)), error = "no_meaning"),
  list(quote(deviance(fit)), error = "no_meaning"),
  list(quote(df.residual(fit)), error = "no_meaning"),
  list(quote(mean(fit)), error = "no_meaning"),
  list(quote(median(fit)), error = "no_meaning"),
  list(quote(quantile(fit)), error = "no_meaning"),
  list(quote(unique(fit)), error = "no_meaning"),
  list(quote(c(fit, fit)), error = "no_meaning"),
  list(quote(scale(fit)), error = "no_meaning"),
  list(quote(t(fit)), error = "no_meaning"),
  list(quote(qr(fit)), error = "no_meaning"),
  list(quote(kappa(fit)), error = "no_meaning"),
  list(quote(prcomp(fit)), error = "no_meaning"),
  # posterior
  list(quote(posterior::rhat(fit, variable = "mu")), length = 12L),
  list(quote(posterior::ess_bulk(fit, variable = "mu")), length = 12L),
  list(quote(posterior::ess_tail(fit, variable = "mu")), length = 12L),
  list(quote(posterior::ess_mean(fit)), error = "no_meaning"),
  list(quote(posterior::ess_basic(fit)), error = "no_meaning"),
  list(quote(posterior::rhat_basic(fit)), error = "no_meaning"),
  list(quote(anova(fit)), error = "no_meaning"),
  list(quote(terms(fit)), error = "no_meaning"),
  list(quote(rstantools::bayes_R2(fit)), error = "no_meaning"),
  list(quote(rstantools::loo_R2(fit)), error = "no_meaning"),
  # of packages that may be absent
  list(quote(loo::loo_subsample(fit)), error = "no_meaning", package = "loo"),
  list(quote(loo::psis(fit)), error = "no_meaning", package = "loo"),
  list(str2lang("brms::conditional_effects(fit)"), error = "no_meaning", package = "brms"),
  list(str2lang("brms::mcmc_plot(fit)"), error = "no_meaning", package = "brms"),
  list(str2lang("brms::control_params(fit)"), error = "no_meaning", package = "brms"),
  # brms itself says that this one is deprecated
  list(str2lang("suppressWarnings(brms::parnames(fit))"), error = "no_meaning", package = "brms"),
  list(str2lang("shinystan::launch_shinystan(fit)"), error = "no_meaning", package = "shinystan"),
  list(str2lang("brms::reloo(fit)"), error = "no_meaning", package = "brms"),
  list(str2lang("brms::add_criterion(fit)"), error = "no_meaning", package = "brms"),
  list(str2lang("brms::model_weights(fit)"), error = "no_meaning", package = "brms"),
  list(str2lang("rstanarm::posterior_vs_prior(fit)"), error = "no_meaning", package = "rstanarm"),
  list(str2lang("rstanarm::se(fit)"), error = "no_meaning", package = "rstanarm"),
  list(quote(coda::as.mcmc(fit)), length = 2L, package = "coda"),
  list(quote(nlme::fixef(fit)), error = "no_meaning", package = "nlme"),
  list(quote(nlme::ranef(fit)), error = "no_meaning", package = "nlme"),
  list(quote(nlme::VarCorr(fit)), length = 2L, package = "nlme"),
  list(quote(nlme::getGroups(fit)), length = 150L, package = "nlme"),
  list(quote(nlme::getGroupsFormula(fit)), length = 2L, package = "nlme"),
  list(quote(nlme::getData(fit)), dim = c(150L, 5L), package = "nlme"),
  list(quote(bayesplot::rhat(fit, variable = "mu")), length = 12L, package = "bayesplot"),
  list(quote(bayesplot::neff_ratio(fit, variable = "mu")), length = 12L, package = "bayesplot")
)

test_that("no generic answers in silence what the parts of a list would say", {
  fit <- short_fit(iris, ~Species, iter_sampling = 50)
  for (case in silent_defaults) {
    if (!is.null(case$package) && !requireNamespace(case$package, quietly = TRUE)) next
    label <- deparse1(case[[1]])
    if (!is.null(case$error)) {
      class <- paste0("hmvn_error_", case$error)
      error <- tryCatch(eval(case[[1]]), error = identity)
      expect_s3_class(error, class)
      expect_match(conditionMessage(error), "Call .* instead", label = label)
    } else {
      found <- eval(case[[1]])
      if (!is.null(case$dim)) expect_identical(dim(found), case$dim, label = label)
      if (!is.null(case$length)) expect_identical(length(found), case$length, label = label)
    }
  }
})

# Generics of these packages with a default method that no method of ours hides, called on a fit:
# which of them answer? Those known to be right are listed.
test_that("no other default of posterior, rstantools, loo or bayesplot answers", {
  fit <- short_fit(iris, ~Species, iter_sampling = 50)
  answers <- function(package) {
    space <- asNamespace(package)
    generics <- Filter(function(name) {
      f <- get(name, space)
      is.function(f) && "UseMethod" %in% all.names(body(f)) &&
        is.null(utils::getS3method(name, "hmvn_fit", optional = TRUE, envir = space)) &&
        !is.null(utils::getS3method(name, "default", optional = TRUE, envir = space))
    }, getNamespaceExports(package))
    Filter(function(name) {
      !inherits(try(suppressWarnings(get(name, space)(fit)), silent = TRUE), "try-error")
    }, sort(generics))
  }
  fine <- c("reserved_variables", "summarise_draws", "summarize_draws")
  expect_identical(setdiff(answers("posterior"), fine), character())
  for (package in c("rstantools", "loo", "bayesplot")) {
    if (requireNamespace(package, quietly = TRUE)) {
      expect_identical(answers(package), character(), label = package)
    }
  }
})

test_that("the messages say why, and what to call", {
  fit <- fake_fit()
  errors <- Filter(function(case) identical(case$error, "no_meaning"), silent_defaults)
  for (case in Filter(function(case) is.null(case$package), errors)) {
    rlang::inject(expect_snapshot(!!case[[1]], error = TRUE))
  }
})
