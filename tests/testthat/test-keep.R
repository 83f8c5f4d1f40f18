kept_fit <- function(keep, ..., pooling = "none") {
  suppressWarnings(quietly(fit_hmvn(
    iris, group = ~Species, features = ~ Sepal.Length + Sepal.Width, pooling = pooling, keep = keep,
    chains = 2, iter_warmup = 100, iter_sampling = 50, seed = 7, ...
  )))
}

without <- function(fit, ...) {
  for (part in c(...)) fit$draws[part] <- list(NULL)
  fit
}

test_that("only what is asked for is kept, and it is the same whatever else is", {
  for (pooling in c("none", "partial", "complete")) {
    all <- kept_fit(c("mu", "Sigma"), pooling = pooling)
    mu <- kept_fit("mu", pooling = pooling)
    Sigma <- kept_fit("Sigma", pooling = pooling)
    nothing <- kept_fit(character(), pooling = pooling)
    expect_identical(mu$draws, without(all, "chol")$draws)
    expect_identical(Sigma$draws, without(all, "mean")$draws)
    expect_identical(nothing$draws, without(all, "mean", "chol")$draws)
    expect_identical(nothing$sampler, all$sampler)
  }
  expect_identical(kept_fit(c("population", "mu"))$draws, kept_fit("mu")$draws)
})

test_that("what was not kept is left out, and an error where it is asked for", {
  all <- fake_fit(G = 3, K = 2, pooling = "partial")
  mu <- without(all, "chol")
  Sigma <- without(all, "mean")
  nothing <- without(all, "mean", "chol")

  of_mu <- !startsWith(variables(all), "mu[")
  of_Sigma <- !grepl("^(sigma|Omega|Sigma)\\[", variables(all))
  expect_identical(variables(mu), variables(all)[of_Sigma])
  expect_identical(variables(Sigma), variables(all)[of_mu])
  expect_identical(variables(nothing), variables(all)[of_mu & of_Sigma])
  expect_identical(as_draws_array(nothing), as_draws_array(all, variable = variables(nothing)))
  expect_identical(names(as_draws_rvars(mu)), setdiff(names(as_draws_rvars(all)), c("sigma", "Omega", "Sigma")))

  s <- summary(all)
  expect_equal(summary(Sigma), s[s$quantity != "mu", ], ignore_attr = TRUE)
  expect_equal(summary(mu), s[!s$quantity %in% c("sigma", "Omega", "Sigma", "shrinkage"), ], ignore_attr = TRUE)
  d <- diagnose(all)
  expect_equal(diagnose(nothing), d[!d$quantity %in% c("mu", "sigma", "Omega"), ], ignore_attr = TRUE)

  error <- expect_error(group_cov(mu), "keep = c(\"mu\", \"Sigma\")", fixed = TRUE, class = "hmvn_error_keep")
  expect_identical(error$keep, c("mu", "Sigma"))
  expect_error(group_cov(nothing, joint = TRUE), "keep = \"Sigma\"", class = "hmvn_error_keep")
  expect_error(group_mean(Sigma), class = "hmvn_error_keep")
  expect_error(summary(Sigma, variable = c("sigma", "mu")), class = "hmvn_error_keep")
  expect_error(as_draws_rvars(mu, variable = "Omega"), class = "hmvn_error_keep")
  expect_error(as_draws_matrix(mu, variable = "Sigma[A,x1,x2]"), class = "hmvn_error_keep")
  expect_error(quantity(mu, "precision"), class = "hmvn_error_keep")
  expect_identical(as_draws_array(mu, variable = "mu", group = "B"), as_draws_array(all, variable = "mu", group = "B"))
})

test_that("print() shows what there is", {
  expect_snapshot(print(without(fake_fit(G = 3, K = 2, pooling = "partial"), "mean", "chol")))
  expect_snapshot(print(without(fake_fit(G = 2, K = 2), "chol")))
  expect_snapshot(print(without(fake_fit(G = 2, K = 2, pooling = "complete"), "mean", "chol")))
  expect_snapshot(print(without(fake_fit(G = 2, K = 2), "mean", "chol")))
})

test_that("update() repeats keep, and gets back what was left out", {
  fit <- kept_fit("mu")
  again <- suppressWarnings(quietly(update(fit)))
  expect_identical(again$draws, fit$draws)
  back <- suppressWarnings(quietly(update(fit, keep = c("mu", "Sigma"))))
  expect_identical(back$draws, kept_fit(c("mu", "Sigma"))$draws)
})

test_that("missing cells need means and covariances, a new group neither", {
  d <- iris
  d$Sepal.Width[3] <- NA
  fit <- suppressWarnings(quietly(fit_hmvn(
    d, group = ~Species, pooling = "partial", keep = "Sigma", chains = 1, iter_warmup = 50, iter_sampling = 20, seed = 1
  )))
  expect_error(posterior_impute(fit), class = "hmvn_error_keep")
  expect_equal(posterior::ndraws(quietly(posterior_new_group(fit, seed = 1))), 20)
  expect_s3_class(stancode(fit), "hmvn_stancode")
})

test_that("keep names what can be kept", {
  expect_error(kept_fit("sigma"), "Sigma", class = "hmvn_error_argument")
  expect_error(kept_fit(NULL), class = "hmvn_error_argument")
  expect_error(kept_fit(NA_character_), class = "hmvn_error_argument")
  expect_error(kept_fit(TRUE), "keep", class = "hmvn_error_argument")
})
