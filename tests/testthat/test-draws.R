every_pooling <- c("none", "partial", "complete")

test_that("every format holds the same draws under the same names", {
  for (pooling in every_pooling) {
    fit <- fake_fit(G = 2, K = 2, pooling = pooling, iter = 10)
    array <- as_draws_array(fit)
    expect_equal(variables(array), variables(fit))
    expect_equal(nvariables(fit), nvariables(array))
    expect_equal(c(ndraws(fit), niterations(fit), nchains(fit)), c(40, 10, 4))
    expect_equal(c(as_draws_matrix(fit)), c(array))
    expect_equal(as_draws_df(fit)$`Sigma[B,x2,x1]`, c(array[, , "Sigma[B,x2,x1]"]))
    expect_equal(as_draws_list(fit)[[2]]$lp__, c(array[, 2, "lp__"]))
    expect_equal(as.matrix(fit)[, "mu[B,x1]"], c(array[, , "mu[B,x1]"]))
    expect_equal(c(as.array(fit)[3, 2, "mu[B,x1]"]), c(array[3, 2, "mu[B,x1]"]))
    expect_equal(as.data.frame(fit)$`sigma[A,x2]`, c(array[, , "sigma[A,x2]"]))
    rvars <- as_draws_rvars(fit)
    expect_equal(
      posterior::draws_of(rvars$Sigma)[, "B", "x2", "x1"], c(array[, , "Sigma[B,x2,x1]"]),
      ignore_attr = TRUE
    )
    expect_equal(names(rvars), unique(sub("\\[.*", "", variables(fit))))
  }
})

test_that("which quantities there are follows from the pooling", {
  own <- c("mu", "sigma", "Omega", "Sigma", "lp__", "lprior")
  expect_setequal(names(as_draws_rvars(fake_fit(pooling = "none", iter = 5))), own)
  expect_setequal(
    names(as_draws_rvars(fake_fit(pooling = "partial", iter = 5))),
    c(
      own, "mu0", "sigma0", "Omega0", "Sigma0", "Omega_between", "Sigma_between", "icc", "tau",
      "h_mean", "h_sd", "h_cor"
    )
  )
  expect_setequal(
    names(as_draws_rvars(fake_fit(pooling = "complete", iter = 5))),
    c(own, "mu0", "sigma0", "Omega0", "Sigma0")
  )
  expect_setequal(
    names(as_draws_rvars(fake_fit(pooling = c(sd = "partial"), iter = 5))), c(own, "sigma0", "h_sd")
  )
})

test_that("variable, regex and group choose", {
  fit <- fake_fit(G = 3, K = 2, iter = 5)
  expect_equal(
    variables(as_draws_array(fit, variable = c("lp__", "mu[C,x2]"))), c("lp__", "mu[C,x2]")
  )
  expect_equal(
    variables(as_draws_matrix(fit, variable = "sigma", group = c("C", "A"))),
    c("sigma[C,x1]", "sigma[A,x1]", "sigma[C,x2]", "sigma[A,x2]")
  )
  expect_equal(
    c(as_draws_array(fit, variable = "mu[C,x2]", group = c("C", "A"))), c(fit$draws$mean[, , 6])
  )
  expect_equal(
    variables(as_draws_df(fit, variable = "^mu.*x1", regex = TRUE)),
    paste0("mu[", c("A", "B", "C"), ",x1]")
  )
  expect_equal(names(as_draws_rvars(fit, variable = "^S", regex = TRUE)), "Sigma")
  expect_error(as_draws_array(fit, variable = "nu"), class = "hmvn_error_variable")
  expect_error(as_draws_rvars(fit, variable = "mu0"), class = "hmvn_error_variable")
  expect_error(as_draws_rvars(fit, group = "Z"), class = "hmvn_error_group")
  # every element picked on its own is the one of that name
  all <- as_draws_array(fit)
  for (name in variables(fit)) expect_equal(
    c(as_draws_array(fit, variable = name)), c(all[, , name])
  )
})

test_that("labels survive posterior's parsing in both directions", {
  labels <- c("100001", "a,b", "a b", "a_b", "[c]", "1e3", "\U1F600")
  fit <- fake_fit(G = length(labels), K = 2, labels = labels, features = c("1", "y z"), iter = 3)
  expect_equal(dimnames(as_draws_rvars(fit)$mu), list(labels, c("1", "y z")))
  names <- variables(fit)
  expect_false(anyDuplicated(names) > 0)
  back <- posterior::as_draws_rvars(as_draws_array(fit))
  expect_equal(dim(back$Sigma), c(7, 2, 2))
  expect_equal(
    unname(posterior::draws_of(back$mu)), unname(posterior::draws_of(as_draws_rvars(fit)$mu))
  )
  expect_true("mu[g100001,f1]" %in% names)
  expect_true("mu[a_b,y_z]" %in% names)
  expect_equal(
    variables(as_draws_array(fit, variable = "mu", index = "number"))[1:2], c("mu[1,1]", "mu[2,1]")
  )
})

test_that("names do not depend on the groups asked for", {
  fit <- fake_fit(G = 3, K = 1, labels = c("a b", "a,b", "a_b"), iter = 3)
  all <- variables(as_draws_array(fit, variable = "mu"))
  one <- vapply(
    fit$statistics$labels, function(g) variables(as_draws_array(fit, variable = "mu", group = g)),
    ""
  )
  expect_equal(unname(one), all)
  expect_true("mu[a_b,x1]" == all[3]) # the label that needed no change keeps its name
})

test_that("asking for everything above 1 GB is refused, by name it is built", {
  fit <- fake_fit(G = 2, K = 2, iter = 100)
  names <- quantity_names(fit, "draws")
  error <- expect_error(check_draws_size(fit, names, 3e5), class = "hmvn_error_size")
  # 2 + 2 + 4 + 4 elements a group, and lp__ and lprior, of 400 draws
  expect_equal(error$bytes, 8 * 400 * (12 * 3e5 + 2))
  expect_silent(check_draws_size(fit, names, 2e4))
})

test_that("summarise_draws() works and constants stay silent", {
  fit <- fake_fit(G = 2, K = 2)
  table <- expect_silent(posterior::summarise_draws(fit))
  expect_equal(table$variable, variables(fit))
  expect_true(all(is.na(table$rhat[table$variable %in% c("Omega[A,x1,x1]", "Omega[B,x2,x2]")])))
})
