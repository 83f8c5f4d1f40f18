kept_fit <- function(keep, ..., pooling = "none") {
  short_fit(
    iris,
    group = ~Species, features = ~ Sepal.Length + Sepal.Width, pooling = pooling, keep = keep, ...
  )
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
  of_Sigma <- !grepl("^(sigma|Omega|Sigma|icc)\\[", variables(all))
  expect_identical(variables(mu), variables(all)[of_Sigma])
  expect_identical(variables(Sigma), variables(all)[of_mu])
  expect_identical(variables(nothing), variables(all)[of_mu & of_Sigma])
  expect_identical(as_draws_array(nothing), as_draws_array(all, variable = variables(nothing)))
  expect_identical(
    names(as_draws_rvars(mu)),
    setdiff(names(as_draws_rvars(all)), c("sigma", "Omega", "Sigma", "icc"))
  )

  s <- summary(all)
  expect_equal(summary(Sigma), s[s$quantity != "mu", ], ignore_attr = TRUE)
  expect_equal(
    summary(mu), s[!s$quantity %in% c("sigma", "Omega", "Sigma", "icc", "shrinkage"), ],
    ignore_attr = TRUE
  )
  d <- diagnose(all)
  expect_equal(
    diagnose(nothing), d[!d$quantity %in% c("mu", "sigma", "Omega"), ], ignore_attr = TRUE
  )

  error <- expect_error(
    group_cov(mu), "keep = c(\"mu\", \"Sigma\")", fixed = TRUE, class = "hmvn_error_keep"
  )
  expect_identical(error$keep, c("mu", "Sigma"))
  expect_error(group_cov(nothing, joint = TRUE), "keep = \"Sigma\"", class = "hmvn_error_keep")
  expect_error(group_mean(Sigma), class = "hmvn_error_keep")
  expect_error(summary(Sigma, variable = c("sigma", "mu")), class = "hmvn_error_keep")
  expect_error(as_draws_rvars(mu, variable = "Omega"), class = "hmvn_error_keep")
  expect_error(as_draws_matrix(mu, variable = "Sigma[A,x1,x2]"), class = "hmvn_error_keep")
  expect_error(quantity(mu, "precision"), class = "hmvn_error_keep")
  expect_identical(
    as_draws_array(mu, variable = "mu", group = "B"),
    as_draws_array(all, variable = "mu", group = "B")
  )
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
  fit <- short_fit(
    d,
    group = ~Species, pooling = "partial", keep = "Sigma", chains = 1, iter_sampling = 20
  )
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

test_that("a fit is finished when it is born, and valid under every pooling", {
  for (pooling in c("none", "partial", "complete")) {
    fit <- kept_fit(c("mu", "Sigma"), pooling = pooling)
    expect_identical(validate_hmvn_fit(fit), fit)
    expect_identical(as.character(fit$call[[1]]), "fit_hmvn")
    expect_gt(fit$time$total, 0)
    expect_length(fit$time$warmup, 2)
  }
  for (pooling in all_poolings(pooling_levels)) {
    for (K in 1:2) expect_s3_class(fake_fit(K = K, pooling = pooling, iter = 2), "hmvn_fit")
  }
})

test_that("a fit whose parts contradict each other is refused, and says which", {
  fit <- fake_fit(G = 2, K = 2, pooling = "partial", iter = 5)
  refused <- function(problem, ...) {
    broken <- utils::modifyList(fit, list(...))
    expect_error(validate_hmvn_fit(broken), problem, fixed = TRUE, class = "hmvn_error_fit")
    expect_error(update(broken), class = "hmvn_error_fit")
  }
  refused("its parts have other names", units = NULL)
  refused("there are no statistics", statistics = 1)
  refused("labels of groups are not unique names", statistics = list(labels = c("A", "A")))
  refused("`keys` do not fit the groups", statistics = list(labels = c("A", "B", "C")))
  refused("names of features", statistics = list(features = c("x", "x")))
  refused("`prior` is of other features", statistics = list(features = c("x1", "z")))
  refused("`prior` has no frame", prior = list(frame = list(kind = mean, root = diag(2))))
  refused("`pooling` has other blocks", pooling = c(mean = "none"))
  refused("`pooling` has other levels", pooling = c(mean = "some", sd = "none", cor = "none"))
  refused("`specification` has other parts", specification = list(settings = NULL))
  refused("`control` lacks settings", control = list(chains = NULL))
  refused("`warnings` are no texts", warnings = 1)
  refused("`time` has other parts", time = list(total = NULL))
  refused("`draws` has other parts", draws = list(lprior = NULL))
  refused("draws of `mean` have another shape", draws = list(mean = fit$draws$mean[, , 1]))
  refused("draws of `chol` have another shape", draws = list(chol = fit$draws$chol[, , 1:5]))
  refused("draws of `lprior` have another shape", draws = list(lprior = fit$draws$h_sd))
  refused("draws of `scale0`, which the model lacks", pooling = pool(fit$pooling[["mean"]]))
  refused("a part of `sampler` has another shape", sampler = list(energy = 1))
  refused("`sampler` has other parts", sampler = list(energy = NULL))
  refused("units have no algorithm", units = list(algorithm = character()))
  refused("units have no algorithm", units = list(algorithm = quote(exact)))
  refused("a part of `units` has another shape", units = list(ebfmi = matrix(1, 3, 4)))
  expect_error(validate_hmvn_fit(unclass(fit)), class = "hmvn_error_fit")
  data <- data.frame(g = c("A", "B"), x1 = 1, x2 = 2)
  refused("`data` are of other groups", data = model_data(data, "g", c("x2", "x1")))
  refused("`data` are of other groups", data = model_data(data[1, ], "g", c("x1", "x2")))
})

test_that("whatever takes a fit refuses what only looks like one", {
  broken <- fake_fit(pooling = "partial", iter = 5)
  broken$draws$chol <- broken$draws$chol[, , 1:4]
  where <- asNamespace("hmvn")
  methods <- ls(where, pattern = "[.]hmvn_fit$")
  exports <- Filter(
    function(name) identical(names(formals(get(name, where)))[1], "fit"),
    setdiff(getNamespaceExports("hmvn"), methods)
  )
  expect_gt(length(methods), 60)
  expect_gt(length(exports), 8)
  for (name in c(methods, exports)) {
    error <- tryCatch(get(name, where)(broken), error = identity)
    # what has no meaning has none for any fit
    expect_true(
      inherits(error, c("hmvn_error_fit", "hmvn_error_no_meaning")) &&
        inherits(error, "hmvn_error"),
      label = name
    )
  }
})
