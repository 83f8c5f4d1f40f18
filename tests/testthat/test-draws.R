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
  all <- as_draws_array(fit, triangle = "full")
  for (name in variables(fit, triangle = "full")) expect_equal(
    c(as_draws_array(fit, variable = name)), c(all[, , name])
  )
})

test_that("symmetric matrices have every pair once, or all elements", {
  fit <- fake_fit(G = 2, K = 3, pooling = "partial", iter = 4)
  once <- as_draws_array(fit)
  full <- as_draws_array(fit, triangle = "full")
  pairs <- function(name, group, diagonal) {
    layout <- which(lower.tri(diag(3), diagonal), arr.ind = TRUE)
    entries <- paste0("x", layout[, 1], ",x", layout[, 2])
    if (length(group)) entries <- outer(group, entries, paste, sep = ",")
    paste0(name, "[", entries, "]")
  }
  of <- function(draws, name) {
    grep(paste0("^", name, "\\["), posterior::variables(draws), value = TRUE)
  }
  for (name in c("Omega", "Omega0", "Omega_between", "Sigma", "Sigma0", "Sigma_between")) {
    group <- if (name %in% c("Omega", "Sigma")) c("A", "B")
    wanted <- pairs(name, group, startsWith(name, "Sigma"))
    expect_identical(of(once, name), wanted)
    expect_length(of(full, name), 9 * max(1, length(group)))
    expect_identical(unclass(once[, , wanted]), unclass(full[, , wanted]))
    # the other triangle says the same
    turned <- sub("(x\\d),(x\\d)", "\\2,\\1", wanted)
    expect_equal(c(full[, , turned]), c(once[, , wanted]), tolerance = 1e-14)
  }
  expect_identical(
    setdiff(variables(full), variables(once)),
    setdiff(variables(fit, triangle = "full"), variables(fit))
  )
  expect_identical(variables(fit), posterior::variables(once))
  expect_identical(nvariables(fit, triangle = "full"), posterior::nvariables(full))
  # vectors have no triangle
  vectors <- c("mu", "sigma", "h_sd", "tau", "lp__")
  expect_identical(
    as_draws_array(fit, vectors), as_draws_array(fit, vectors, triangle = "full")
  )
  # every format, and by position
  for (format in list(as.matrix, as.data.frame, as_draws_df, as_draws_matrix)) {
    columns <- function(...) {
      found <- colnames(format(fit, variable = "Omega", group = "A", ...))
      grep("^Omega\\[", found)
    }
    expect_length(columns(), 3)
    expect_length(columns(triangle = "full"), 9)
  }
  expect_identical(
    variables(as_draws_array(fit, "Omega0", index = "number")),
    c("Omega0[2,1]", "Omega0[3,1]", "Omega0[3,2]")
  )
  # nothing is constant and nothing there twice, of what is judged and drawn
  expect_false(anyNA(posterior::rhat(fit, variable = c("Omega", "Sigma", "Omega0"))))
})

test_that("what a triangle leaves out is found by name, and said", {
  fit <- fake_fit(G = 2, K = 2, iter = 4)
  upper <- as_draws_array(fit, variable = c("Omega[A,x1,x2]", "mu[A,x1]"))
  expect_identical(posterior::variables(upper), c("Omega[A,x1,x2]", "mu[A,x1]"))
  expect_equal(c(upper[, , 1]), c(as_draws_array(fit, variable = "Omega[A,x2,x1]")))
  expect_true(all(as_draws_array(fit, variable = "Omega[A,x2,x2]") == 1))
  expect_error(
    as_draws_array(fit, "^Omega.*,x1,x2", regex = TRUE), "triangle",
    class = "hmvn_error_variable"
  )
  expect_identical(
    variables(as_draws_array(fit, "^Omega.*,x1,x2", regex = TRUE, triangle = "full")),
    c("Omega[A,x1,x2]", "Omega[B,x1,x2]")
  )
  one <- fake_fit(G = 2, K = 1, iter = 4)
  expect_false(any(grepl("Omega", variables(one))))
  expect_error(as_draws_df(one, "Omega"), class = "hmvn_error_variable")
  expect_true(all(as_draws_array(one, "Omega", triangle = "full") == 1))
  expect_length(variables(as_draws_array(one, "Sigma")), 2)
  expect_error(as.matrix(fit, triangle = "upper"), class = "hmvn_error_argument")
  # random variables are whole matrices
  expect_error(as_draws_rvars(fit, triangle = "lower"), class = "hmvn_error_argument")
})

test_that("labels survive posterior's parsing in both directions", {
  labels <- c("100001", "a,b", "a b", "a_b", "[c]", "1e3", "\U1F600")
  fit <- fake_fit(G = length(labels), K = 2, labels = labels, features = c("1", "y z"), iter = 3)
  expect_equal(dimnames(as_draws_rvars(fit)$mu), list(labels, c("1", "y z")))
  names <- variables(fit)
  expect_false(anyDuplicated(names) > 0)
  back <- posterior::as_draws_rvars(as_draws_array(fit, triangle = "full"))
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
  error <- expect_error(check_draws_size(fit, names, 3e5, "full"), class = "hmvn_error_size")
  # 2 + 2 + 4 + 4 elements a group, and lp__ and lprior, of 400 draws
  expect_equal(error$bytes, 8 * 400 * (12 * 3e5 + 2))
  expect_silent(check_draws_size(fit, names, 2e4))
  # of every pair once, 2 + 2 + 1 + 3
  once <- expect_error(check_draws_size(fit, names, 3e5, "lower"), class = "hmvn_error_size")
  expect_equal(once$bytes, 8 * 400 * (8 * 3e5 + 2))
})

test_that("summarise_draws() works and constants stay silent", {
  fit <- fake_fit(G = 2, K = 2)
  table <- expect_silent(posterior::summarise_draws(fit))
  expect_equal(table$variable, variables(fit))
  table <- expect_silent(posterior::summarise_draws(as_draws_array(fit, triangle = "full")))
  expect_true(all(is.na(table$rhat[table$variable %in% c("Omega[A,x1,x1]", "Omega[B,x2,x2]")])))
})
